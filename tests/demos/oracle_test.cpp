// Tests of the demo's oracle: what it calls lost, doubled and wrong, and when.
#include <gtest/gtest.h>

#include "apps/kill_figures.hpp"
#include "apps/oracle.hpp"

namespace millrace::apps {
namespace {

constexpr Time kMinute = 60'000'000;
constexpr Time kWindow = 5 * kMinute;
constexpr Time kDay = 24 * 60 * kMinute;
/// Two channels in the first five minutes, one in the next, none in the third, one in the fourth.
constexpr const char* kCsv =
    "window_start_ms,rank,channel,edits,added,deleted\n"
    "0,1,#en,9,100,-5\n"
    "0,2,#de,4,50,0\n"
    "300000,1,#en,7,70,-7\n"
    "900000,1,#fr,1,10,0\n";

struct Judged {
  Oracle oracle{kCsv};

  void en(Time at = 0) { oracle.check({at, 1, "#en", {9, 100, -5}}); }
  void de(Time at = 0) { oracle.check({at, 2, "#de", {4, 50, 0}}); }
  void second(Time day = 0) { oracle.check({day + kWindow, 1, "#en", {7, 70, -7}}); }
  void fourth(Time day = 0) { oracle.check({day + 3 * kWindow, 1, "#fr", {1, 10, 0}}); }
  void whole(Time day = 0) {
    en(day);
    de(day);
    second(day);
    fourth(day);
  }
};

void expect(const OracleFigures& figures, std::uint64_t rows, std::uint64_t wrong,
            std::uint64_t lost, std::uint64_t doubled) {
  EXPECT_EQ(figures.rows, rows);
  EXPECT_EQ(figures.wrong, wrong);
  EXPECT_EQ(figures.lost, lost);
  EXPECT_EQ(figures.doubled, doubled);
}

TEST(Oracle, AWindowIsComparedWhenALaterOneHasCome) {
  Judged with;
  with.en();
  with.de();
  expect(with.oracle.figures(), 0, 0, 0, 0);
  with.second();
  expect(with.oracle.figures(), 2, 0, 0, 0);
  with.fourth();
  with.oracle.close();
  expect(with.oracle.figures(), 4, 0, 0, 0);
}

TEST(Oracle, AWindowThatWasCutOffIsNotCompared) {
  Judged with;
  with.en();
  with.de();
  with.oracle.check({kWindow, 1, "#en", {3, 30, 0}});
  expect(with.oracle.figures(), 2, 0, 0, 0);
}

TEST(Oracle, RowsThatDidNotComeAreLost) {
  Judged with;
  with.en();
  with.second();
  expect(with.oracle.figures(), 1, 0, 1, 0);
  with.oracle.close();
  expect(with.oracle.figures(), 2, 0, 2, 0);
}

TEST(Oracle, WindowsThatDidNotComeAreLost) {
  Judged with;
  with.fourth();
  expect(with.oracle.figures(), 0, 0, 3, 0);
}

TEST(Oracle, RowsThatComeAgainAreDoubledWhereverTheyStand) {
  Judged with;
  with.en();
  with.de();
  with.en();
  with.second();
  with.de();  // its window is over
  with.second();
  with.fourth();
  with.oracle.close();
  expect(with.oracle.figures(), 4, 0, 0, 3);
}

TEST(Oracle, RowsThatDifferOrThatNobodyExpectsAreWrong) {
  Judged with;
  with.oracle.check({0, 1, "#en", {9, 100, -4}});
  with.oracle.check({0, 2, "#fr", {4, 50, 0}});
  with.oracle.check({0, 3, "#it", {1, 1, 0}});
  with.oracle.check({0, 0, "#it", {1, 1, 0}});
  with.second();
  with.oracle.check({2 * kWindow, 1, "#en", {1, 1, 0}});
  with.fourth();
  with.oracle.close();
  expect(with.oracle.figures(), 7, 5, 0, 0);
}

TEST(Oracle, EachDayIsComparedWithTheSameRows) {
  Judged with;
  for (const Time day : {Time{0}, kDay, 2 * kDay}) with.whole(day);
  with.oracle.close();
  expect(with.oracle.figures(), 12, 0, 0, 0);
  with.oracle.close();
  expect(with.oracle.figures(), 12, 0, 0, 0);
}

TEST(Oracle, ADayThatDidNotComeIsLost) {
  Judged with;
  with.whole();
  with.en(2 * kDay);
  expect(with.oracle.figures(), 4, 0, 4, 0);
}

TEST(Oracle, ARunThatGoesOnIsComparedFromItsFirstRow) {
  Oracle oracle(kCsv, Oracle::Begin::first_row);
  oracle.check({kDay + kWindow, 1, "#en", {7, 70, -7}});
  expect(oracle.figures(), 0, 0, 0, 0);
  oracle.check({2 * kDay, 1, "#en", {9, 100, -5}});
  expect(oracle.figures(), 1, 0, 1, 0);
}

TEST(Oracle, WithoutKillsAllThatIsAmissIsWrong) {
  Judged with;
  with.en();
  with.en();
  with.oracle.check({kWindow, 1, "#en", {7, 70, -8}});
  with.fourth();
  EXPECT_EQ(with.oracle.report().rows, 2u);
  EXPECT_EQ(with.oracle.report().wrong, 3u);
  EXPECT_FALSE(with.oracle.report().kills.has_value());
}

TEST(KillFigures, WhatIsPublishedIsReported) {
  KillFigures* const figures = KillFigures::make();
  ASSERT_NE(figures, nullptr);
  figures->publish({5142, 1, detail::KillsReport{7, 2, 3}});
  const detail::OracleReport read = figures->report();
  EXPECT_EQ(read.rows, 5142u);
  EXPECT_EQ(read.wrong, 1u);
  EXPECT_EQ(read.kills->kills, 7u);
  EXPECT_EQ(read.kills->lost, 2u);
  EXPECT_EQ(read.kills->doubled, 3u);
  figures->answer();
  figures->ask_for_last(RunEnd::stopped);
  EXPECT_EQ(figures->asked(), RunEnd::stopped);
  figures->begin_anew();
  EXPECT_EQ(figures->asked(), RunEnd::none);
}

}  // namespace
}  // namespace millrace::apps
