// Commands that are asked in lines: answers, what they do wrong, and that both sides may write at
// once.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "connector/asked_command.hpp"
#include "env/child_talk.hpp"

namespace millrace::detail {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;

std::unique_ptr<ChildTalk> talk(const std::string& command) {
  auto started = talk_with_child(command);
  EXPECT_TRUE(started) << started.error().to_string();
  return *std::move(started);
}

std::string failure(ChildTalk& child, std::string_view lines, std::size_t answers,
                    Duration limit = seconds(30)) {
  const auto found = child.ask(lines, answers, limit);
  return found ? "answered" : found.error().to_string();
}

TEST(ChildTalk, AnswersLineByLine) {
  const auto child = talk("while read x; do echo \"<$x>\"; done");
  EXPECT_THAT(*child->ask("a b\nc\n", 2, seconds(30)), ElementsAre("<a b>", "<c>"));
  EXPECT_THAT(*child->ask("d\n", 1, seconds(30)), ElementsAre("<d>"));
}

TEST(ChildTalk, BothSidesWriteMoreThanAPipeHolds) {
  const auto child = talk("cat");
  std::string lines;
  for (int at = 0; at < 200; ++at) lines += std::string(10'000, 'x') + std::to_string(at) + "\n";
  const auto found = child->ask(lines, 200, seconds(60));
  ASSERT_TRUE(found) << found.error().to_string();
  ASSERT_EQ(found->size(), 200u);
  EXPECT_TRUE(found->back().ends_with("x199"));
}

TEST(ChildTalk, SaysWhatWentWrong) {
  EXPECT_THAT(failure(*talk("read x; exit 3"), "a\n", 1), HasSubstr("ended with exit code 3"));
  EXPECT_THAT(failure(*talk("exec sleep 100"), "a\n", 1, milliseconds(20)),
              HasSubstr("no reply within 20ms"));
  EXPECT_THAT(failure(*talk("exec 1>&-; sleep 100"), "a\n", 1), HasSubstr("closed its output"));
  EXPECT_THAT(failure(*talk("read x; printf '1\\n2\\n'; read x"), "a\n", 1),
              HasSubstr("more lines than it was asked for"));
  EXPECT_THAT(failure(*talk("read x; head -c 2000000 /dev/zero; sleep 100"), "a\n", 1),
              HasSubstr("more than a MiB"));
  EXPECT_THAT(failure(*talk("no-such-command-here"), "a\n", 1), HasSubstr("exit code 127"));
}

TEST(ChildTalk, TakesNoLineForAnAnswerThatNobodyAskedFor) {
  const std::string go = testing::TempDir() + "child_talk_go";
  const std::string said = testing::TempDir() + "child_talk_said";
  std::remove(go.c_str());
  std::remove(said.c_str());
  const auto child = talk("read x; echo 1; until test -e " + go +
                          "; do sleep 0.01; done; echo 2; touch " + said + "; read x; echo 3");
  EXPECT_EQ(failure(*child, "a\n", 1), "answered");
  std::ofstream(go).put('1');
  while (!std::ifstream(said).good()) std::this_thread::yield();
  EXPECT_THAT(failure(*child, "b\n", 1), HasSubstr("nobody had asked for"));
  std::remove(go.c_str());
  std::remove(said.c_str());
}

RowSchemaPtr scores() {
  return std::make_shared<const RowSchema>(
      std::vector<ColumnInfo>{{"score", ColumnType::real}, {"why", ColumnType::text, true}});
}
std::string asked(AskedCommand& command) {
  try {
    const auto answer = command.ask("{}\n", 1).front();
    if (!answer) return "nothing";
    const auto* const why = std::get_if<std::string>(&(*answer)[1]);
    return fmt::format("{} {}", std::get<double>((*answer)[0]), why != nullptr ? *why : "(null)");
  } catch (const std::runtime_error& error) {
    return error.what();
  }
}

TEST(AskedCommand, ReadsAnswers) {
  const auto answer = [](const std::string& text) {
    AskedCommand command("while read x; do printf '%s\\n' '" + text + "'; done", scores(),
                         seconds(30));
    return asked(command);
  };
  EXPECT_EQ(answer(R"({"score": 1.5, "why": "so", "more": [1]})"), "1.5 so");
  EXPECT_EQ(answer(R"({"score": 2})"), "2 (null)");
  EXPECT_EQ(answer("null"), "nothing");
  EXPECT_EQ(answer(R"({"error": "no model"})"), "no model");
  EXPECT_THAT(answer(R"({"why": "error"})"), HasSubstr("the answer does not fit"));
  EXPECT_THAT(answer("score 1"), HasSubstr("found score 1"));
  EXPECT_THAT(answer(""), HasSubstr("blank line"));
}

TEST(AskedCommand, IsStartedAnewWhenItHasFailed) {
  const std::string path = testing::TempDir() + "asked_command_starts";
  std::remove(path.c_str());
  AskedCommand command("if test -e " + path +
                           "; then while read x; do echo null; done; else touch " + path +
                           "; read x; exit 4; fi",
                       scores(), seconds(30));
  EXPECT_THAT(asked(command), HasSubstr("exit code 4"));
  EXPECT_EQ(asked(command), "nothing");
  EXPECT_EQ(asked(command), "nothing");
  std::remove(path.c_str());
}

}  // namespace
}  // namespace millrace::detail
