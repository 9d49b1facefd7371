// A run that keeps its dead letters: which record of a source each was made of, at any parallelism.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "journal/journal.hpp"
#include "millrace/millrace.hpp"
#include "run_harness.hpp"
#include "runtime/kept_letter.hpp"

namespace millrace::detail {
namespace {

struct Numbered {
  std::int64_t number = 0;
};

class DeadLettersKept : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = std::filesystem::temp_directory_path() / "millrace_letters_XXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::vector<KeptLetter> read(const std::string& topic) {
    std::vector<KeptLetter> letters;
    auto journal = Journal::open(real_disk(), *real_env().clock, folder_, {.read_only = true});
    EXPECT_TRUE(journal) << journal.error().to_string();
    LogReader reader((*(*journal)->topic(topic))->view(0), 0);
    JournalRecord record;
    while (*reader.next(record)) letters.emplace_back(record);
    return letters;
  }

  std::string folder_;
};

TEST_F(DeadLettersKept, SayWhichRecordTheyWereMadeOf) {
  Topology topology("kept");
  topology
      .from(generate(10'000,
                     [](std::uint64_t at) { return Numbered{static_cast<std::int64_t>(at)}; }))
      .named("numbers")
      .shuffle()
      .filter([](const Numbered& one) { return one.number % 2 == 1; })
      .map([](const Numbered& one) {
        if (one.number % 100 == 13) throw std::runtime_error("unlucky");
        return one;
      })
      .named("check")
      .to(each([](const Numbered&) {}));
  const Ended ended = run(topology, {.parallelism = 3, .places = true},
                          {.executors = 2, .dead_letters = {.folder = folder_}});
  ASSERT_TRUE(ended.status) << ended.status.to_string();
  const auto letters = read("kept");
  std::map<std::uint64_t, KeptLetter> found;
  for (const KeptLetter& letter : letters) found[letter.origin.position.value_or(0)] = letter;
  ASSERT_EQ(letters.size(), 100u);
  ASSERT_EQ(found.size(), 100u);
  for (const auto& [position, letter] : found) {
    EXPECT_EQ(position % 100, 13u);
    EXPECT_EQ(letter.record, "{\"number\":" + std::to_string(position) + "}");
    EXPECT_EQ(letter.component, "check");
    EXPECT_EQ(letter.reason, "unlucky");
    EXPECT_EQ(letter.origin.source, "numbers");
    EXPECT_EQ(letter.origin.partition, 0u);
    EXPECT_EQ(letter.where, "numbers partition 0, message " + std::to_string(position));
    EXPECT_EQ(letter.tries, 1);
    EXPECT_GT(letter.at, 0);
  }
}

TEST_F(DeadLettersKept, AreRefusedWhereTheFolderCannotBe) {
  Topology topology("kept");
  topology.from(generate(1, [](std::uint64_t) { return Numbered{}; })).to(each([](const Numbered&) {
  }));
  const Ended ended = run(topology, {}, {.dead_letters = {.folder = "/proc/none"}});
  EXPECT_EQ(ended.status.code(), Code::sink_failed);
  EXPECT_NE(ended.status.message().find("the folder for dead letters"), std::string::npos);
}

}  // namespace
}  // namespace millrace::detail
