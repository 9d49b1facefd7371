// What the page asks of dead letters: which there are, once each to where they are replayed.
#include "host/letter_requests.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include <fmt/format.h>

#include "env/env.hpp"
#include "runtime/dead_letter_journal.hpp"

namespace millrace::detail {
namespace {

using testing::HasSubstr;

class LetterRequestsTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = std::filesystem::temp_directory_path() / "millrace_letters_XXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
    to_ = folder_ / "again";
    requests_.begin({folder_ / "letters", "orders", to_});
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  void keep(int first, int end, const std::string& component, const std::string& reason) {
    DeadLetterJournal journal({folder_ / "letters"}, "orders", real_env(), {});
    ASSERT_TRUE(journal.open().ok());
    for (int at = first; at < end; ++at) {
      const std::string text = fmt::format("{} {}", reason, at);
      const std::string record = fmt::format("record {}", at);
      SetAside letter;
      letter.component = component;
      letter.reason = text;
      letter.record = record;
      journal.add(KeptLetter(letter, at));
    }
    journal.close();
  }
  std::uint64_t number_of(const std::string& member) const {
    const std::string json = requests_.to_json();
    const std::size_t at = json.find("\"" + member + "\":");
    return std::stoull(json.substr(at + member.size() + 3));
  }
  /// Looks until it is over; how many looks it took.
  int replay(const PageQuery& query) {
    EXPECT_EQ(requests_.ask(query).status, 202u);
    int looks = 0;
    for (; number_of("over") < number_of("number"); ++looks) requests_.look();
    EXPECT_EQ(number_of("last_failed"), 0u) << requests_.to_json();
    return looks;
  }
  std::string written() const {
    std::ifstream file(to_);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
  }

  std::filesystem::path folder_;
  std::string to_;
  LetterRequests requests_;
};

TEST_F(LetterRequestsTest, ReplaysEachOnce) {
  keep(0, 3, "check", "no price in");
  replay({});
  EXPECT_EQ(number_of("records"), 3u);
  EXPECT_EQ(written(), "record 0\nrecord 1\nrecord 2\n");
  keep(3, 4, "check", "no price in");
  replay({});
  EXPECT_EQ(number_of("records"), 1u);
  EXPECT_EQ(number_of("before"), 3u);
  replay({{"again", "true"}});
  EXPECT_EQ(number_of("records"), 4u);
}

TEST_F(LetterRequestsTest, ReplaysThoseOfOneReason) {
  keep(0, 2, "check", "no price in");
  keep(2, 4, "check", "no date in");
  keep(4, 6, "read", "no price in");
  replay({{"component", "check"}, {"alike", "no price in 7777"}});
  EXPECT_EQ(written(), "record 0\nrecord 1\n");
  replay({{"reason", "date in 3"}});
  EXPECT_EQ(written(), "record 0\nrecord 1\nrecord 3\n");
}

TEST_F(LetterRequestsTest, ARunGoesOnBetweenTheParts) {
  keep(0, 2'500, "check", "no price in");
  EXPECT_GE(replay({}), 5);
  EXPECT_EQ(number_of("records"), 2'500u);
}

TEST_F(LetterRequestsTest, WhatComesBackMeanwhileIsOfTheNext) {
  keep(0, 1'200, "check", "no price in");
  EXPECT_EQ(requests_.ask({}).status, 202u);
  requests_.look();
  keep(0, 600, "check", "still no price in");
  while (number_of("over") == 0) requests_.look();
  EXPECT_EQ(number_of("records"), 1'200u);
  replay({});
  EXPECT_EQ(number_of("records"), 600u);
}

TEST_F(LetterRequestsTest, WhatTheEndCutsOffIsMarkedAsFarAsItCame) {
  keep(0, 2'500, "check", "no price in");
  EXPECT_EQ(requests_.ask({}).status, 202u);
  requests_.look();
  EXPECT_EQ(requests_.ask({}).status, 409u) << "one is under way";
  requests_.end("the run has ended");
  EXPECT_EQ(number_of("last_failed"), 1u);
  EXPECT_EQ(requests_.ask({}).status, 409u);
  const std::size_t first = written().size();
  EXPECT_GT(first, 0u);
  LetterRequests next;
  next.begin({folder_ / "letters", "orders", to_});
  EXPECT_EQ(next.ask({}).status, 202u);
  while (next.to_json().find("\"over\":1") == std::string::npos) next.look();
  std::string wanted;
  for (int at = 0; at < 2'500; ++at) wanted += fmt::format("record {}\n", at);
  EXPECT_EQ(written(), wanted) << "none is missing, none is there twice";
}

TEST_F(LetterRequestsTest, TellsOfEachAndOfAll) {
  keep(0, 60, "check", "no price in");
  const std::string all = requests_.to_json();
  EXPECT_THAT(all, HasSubstr("\"read\":60,\"older\":0"));
  EXPECT_THAT(all, HasSubstr("\"reason\":\"no price in 59\",\"letters\":60,\"not_replayed\":60"));
  EXPECT_THAT(all, HasSubstr("\"newest\":[{"));
  EXPECT_EQ(all.find("\"record\":\"record 9\""), std::string::npos) << "the newest 50 alone";
  const PageAnswer one = requests_.one("7");
  EXPECT_EQ(one.status, 200u);
  EXPECT_THAT(one.text, HasSubstr("\"record\":\"record 7\""));
  EXPECT_EQ(requests_.one("60").status, 404u);
  EXPECT_EQ(requests_.one("7x").status, 400u);
}

TEST_F(LetterRequestsTest, SaysWhyNot) {
  EXPECT_EQ(requests_.ask({{"to", "/etc/passwd"}}).status, 400u);
  EXPECT_EQ(requests_.ask({{"again", "yes"}}).status, 400u);
  LetterRequests none;
  EXPECT_THAT(none.ask({}).text, HasSubstr("--dead-letters DIR"));
  EXPECT_EQ(none.one("0").status, 409u);
  none.begin({folder_ / "letters", "orders", ""});
  EXPECT_THAT(none.ask({}).text, HasSubstr("--dead-letters-to"));
}

}  // namespace
}  // namespace millrace::detail
