// Tests of sessions of one key, of alarms by key, and of counted memory.
#include <gtest/gtest.h>

#include <string>

#include "state/key_alarms.hpp"
#include "state/keyed_tables.hpp"
#include "window/open_sessions.hpp"
#include "window/session.hpp"

namespace millrace::detail {
namespace {

using Open = OpenSessions<int>;

Time add(Open& open, Time time, Time gap) {
  return open
      .add(
          time, time + gap, [] { return 0; }, [](int& count) { ++count; },
          [](int& a, int b) { a += b; })
      .last;
}
std::string text_of(Open& open, Time time) {
  std::string text;
  const bool none = open.close(time, [&](const OpenSession<int>& s) {
    text += "[" + std::to_string(s.first) + "," + std::to_string(s.last) + "]" +
            std::to_string(s.acc) + " ";
  });
  return text + (none ? "none" : "some");
}

TEST(OpenSessions, ARecordExactlyAGapLaterStillBelongs) {
  Open open({0, 10, 1}, nullptr);
  EXPECT_EQ(add(open, 10, 10), 20);
  EXPECT_EQ(add(open, 21, 10), 31);
  EXPECT_EQ(text_of(open, 20), "some");
  EXPECT_EQ(text_of(open, 21), "[0,20]2 some");
  EXPECT_EQ(text_of(open, kTimeMax), "[21,31]1 none");
}

TEST(OpenSessions, ARecordLinksThoseItTouches) {
  Open open({0, 10, 1}, nullptr);
  add(open, 40, 10);
  add(open, 20, 10);
  EXPECT_EQ(open.size(), 3u);
  EXPECT_EQ(add(open, 30, 10),
            50);  // touches the one that ends at 30 and the one that starts at 40
  EXPECT_EQ(open.size(), 2u);
  EXPECT_EQ(add(open, 10, 10), 50);
  EXPECT_EQ(text_of(open, 51), "[0,50]5 none");
}

TEST(OpenSessions, MemoryIsCounted) {
  MemoryMeter meter;
  {
    Open open({1000, 1000, 1}, &meter);
    for (Time time = 0; time < 100; ++time) add(open, time * 3, 1);
    EXPECT_GE(meter.bytes(), 100 * sizeof(OpenSession<int>));
    Open moved = std::move(open);
    EXPECT_GE(meter.bytes(), 100 * sizeof(OpenSession<int>));
  }
  EXPECT_EQ(meter.bytes(), 0u);
  MemoryMeter small(nullptr, 64);
  Open refused({1000, 1000, 1}, &small);
  EXPECT_THROW(
      {
        for (Time time = 0; time < 100; ++time) add(refused, time * 3, 1);
      },
      MemoryRefused);
}

TEST(KeyAlarms, RingBeforeATimeInOrder) {
  KeyAlarms alarms;
  alarms.count_with(nullptr);
  for (const Time when : {5, 3, 4, 9}) alarms.add(when, static_cast<std::uint64_t>(when * 10));
  std::vector<std::uint64_t> rung;
  const auto ring = [&](Time when, std::uint64_t hash) {
    rung.push_back(hash);
    if (when == 3) alarms.add(4, 41);
  };
  alarms.ring(5, ring);
  EXPECT_EQ(rung, (std::vector<std::uint64_t>{30, 40, 41}));
  EXPECT_EQ(alarms.first(), 5);
  alarms.ring(kTimeMax, ring);
  EXPECT_EQ(rung.size(), 5u);
  EXPECT_EQ(alarms.first(), std::nullopt);
}

TEST(KeyedTables, EntriesAreFoundAndErasedByTheirHash) {
  KeyedTables<std::int64_t, int> tables;
  const auto hash = [](std::int64_t key) { return KeyTraits<std::int64_t>::hash(key); };
  for (std::int64_t key = 0; key < 5'000; ++key) tables.upsert(key, hash(key), [] { return 7; });
  for (std::int64_t key = 0; key < 5'000; ++key) {
    int asked = 0;
    tables.erase_of_hash(hash(key), [&](std::int64_t found, int& value) {
      EXPECT_EQ(found, key);
      EXPECT_EQ(value, 7);
      ++asked;
      return key % 3 != 0;
    });
    EXPECT_EQ(asked, 1);
    EXPECT_EQ(tables.find(key, hash(key)) != nullptr, key % 3 == 0);
  }
  EXPECT_EQ(tables.size(), 1'667u);
}

TEST(Session, TextAndValidity) {
  EXPECT_EQ(session(30min).to_string(), "session(30min)");
  EXPECT_TRUE(session(1us).validate().ok());
  EXPECT_EQ(session(0s).validate().code(), Code::window_invalid);
  EXPECT_EQ(session(-1s).validate().code(), Code::window_invalid);
  EXPECT_THROW((void)session([](int) { return Duration(0); }).gap_of(1), std::invalid_argument);
}

}  // namespace
}  // namespace millrace::detail
