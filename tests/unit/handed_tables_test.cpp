// Tests of what changes hands: tables by key group with the texts of their keys and their memory.
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "env/random.hpp"
#include "state/handed_tables.hpp"
#include "state/state.hpp"

namespace millrace::detail {
namespace {

using Texts = KeyedTables<std::string_view, std::string>;
using Model = std::map<std::string, std::string>;

std::uint64_t hash_of(std::string_view key) { return KeyTraits<std::string_view>::hash(key); }

/// Of all lengths up to 60: short ones lie in their slots.
std::string text_of(std::uint64_t number) {
  std::string text = std::to_string(number);
  text.append(number * 7 % 50, 'x');
  return text;
}

/// Tables of a task, with what counts them.
struct Task {
  MemoryMeter meter;
  Texts tables{&meter};
};
using Tasks = std::vector<std::unique_ptr<Task>>;

std::uint32_t first_of(std::size_t task, std::size_t tasks) {
  std::uint32_t group = 0;
  while (group < kKeyGroups && group * tasks / kKeyGroups < task) ++group;
  return group;
}

/// To so many tasks, by way of tables that are nobody's.
Tasks hand_over(Tasks before, std::size_t tasks) {
  std::vector<std::unique_ptr<HandedState>> handed;
  for (auto& task : before) {
    handed.push_back(std::make_unique<HandedTables<std::string_view, std::string>>(
        task->tables, std::vector<std::string>{"texts"}));
    EXPECT_EQ(task->tables.size(), 0u);
  }
  before.clear();
  Tasks after;
  for (std::size_t at = 0; at < tasks; ++at) {
    auto& own = after.emplace_back(std::make_unique<Task>());
    for (auto& one : handed) {
      const auto part = one->split(first_of(at, tasks), first_of(at + 1, tasks));
      EXPECT_TRUE((HandedTables<std::string_view, std::string>::give(*part, own->tables)));
    }
  }
  return after;
}

void expect_equal(Tasks& tasks, const Model& model) {
  std::size_t found = 0;
  for (std::size_t at = 0; at < tasks.size(); ++at) {
    found += tasks[at]->tables.size();
    EXPECT_EQ(tasks[at]->meter.bytes(), tasks[at]->tables.bytes());
    tasks[at]->tables.for_each([&](std::string_view key, const std::string& value) {
      ASSERT_EQ(model.at(std::string(key)), value);
      ASSERT_EQ(key_group(hash_of(key)) * tasks.size() / kKeyGroups, at);
    });
  }
  EXPECT_EQ(found, model.size());
}

TEST(HandedTables, AreWhatTheyWereHoweverManyTasksShareThem) {
  for (const std::uint64_t keys : {40u, 3'000u, 100'000u}) {
    Random random(keys);
    Model model;
    Tasks tasks = hand_over({}, 1);
    for (const std::size_t next : {2u, 128u, 3u, 1u, 4u}) {
      for (std::uint64_t at = 0; at < keys; ++at) {
        const std::string key = text_of(random.below(2 * keys));
        Texts& own = tasks[key_group(hash_of(key)) * tasks.size() / kKeyGroups]->tables;
        if (random.chance(0.4)) {
          EXPECT_EQ(own.erase(key, hash_of(key)), model.erase(key) == 1);
        } else {
          const std::string value = text_of(random.below(1'000));
          own.upsert(key, hash_of(key), [] { return std::string(); }) = value;
          model[key] = value;
        }
      }
      tasks = hand_over(std::move(tasks), next);
      expect_equal(tasks, model);
    }
  }
}

TEST(HandedTables, NoEntryIsTouched) {
  Task before;
  std::set<const std::string*> places;
  for (std::uint64_t at = 0; at < 50'000; ++at) {
    const std::string key = text_of(at);
    before.tables.upsert(key, hash_of(key), [&] { return key; });
  }
  before.tables.for_each([&](std::string_view, std::string& value) { places.insert(&value); });
  const std::uint64_t bytes = before.meter.bytes();
  HandedTables<std::string_view, std::string> handed(before.tables, {});
  EXPECT_LT(before.meter.bytes(), bytes / 100);
  Task after;
  after.tables.take_groups(handed.tables(), 0, kKeyGroups);
  EXPECT_GE(after.meter.bytes(), bytes);
  EXPECT_LT(after.meter.bytes(), bytes + bytes / 10);
  after.tables.for_each(
      [&](std::string_view, std::string& value) { ASSERT_EQ(places.erase(&value), 1u); });
  EXPECT_TRUE(places.empty());
}

TEST(HandedTables, KeysThatComeAndGoTakeNoMoreMemoryThanThoseThatStay) {
  constexpr std::uint64_t kAlive = 20'000;
  const auto key_of = [](std::uint64_t at) { return std::string(100, 'k') + std::to_string(at); };
  Tasks tasks = hand_over({}, 2);
  std::uint64_t full_bytes = 0;
  for (std::uint64_t at = 0; at < 20 * kAlive; ++at) {
    const auto own = [&](const std::string& key) -> Texts& {
      return tasks[key_group(hash_of(key)) * tasks.size() / kKeyGroups]->tables;
    };
    const std::string key = key_of(at);
    own(key).upsert(key, hash_of(key), [] { return std::string(); });
    if (at >= kAlive) {
      const std::string old = key_of(at - kAlive);
      ASSERT_TRUE(own(old).erase(old, hash_of(old)));
    }
    std::uint64_t bytes = 0;
    for (const auto& task : tasks) bytes += task->meter.bytes();
    if (at <= kAlive) full_bytes = bytes;
    ASSERT_LT(bytes, 4 * full_bytes + (4u << 20)) << "at " << at;
    if (at % kAlive == kAlive / 2) tasks = hand_over(std::move(tasks), 1 + at / kAlive % 4);
  }
}

TEST(HandedTables, WhatMemoryIsRefusedForStaysWhereItWas) {
  Task before;
  for (std::uint64_t at = 0; at < 60'000; ++at)
    before.tables.upsert(text_of(at), hash_of(text_of(at)), [] { return std::string("v"); });
  for (const unsigned percent : {5u, 50u, 80u}) {
    MemoryMeter tight(nullptr, before.meter.bytes() * percent / 100);
    Texts after(&tight);
    const std::size_t all = before.tables.size();
    EXPECT_THROW(after.take_groups(before.tables, 0, kKeyGroups), MemoryRefused);
    EXPECT_EQ(before.tables.size() + after.size(), all);
    before.tables.take_groups(after, 0, kKeyGroups);
    EXPECT_EQ(before.tables.size(), all);
  }
  std::size_t seen = 0;
  before.tables.for_each([&](std::string_view key, const std::string& value) {
    ASSERT_EQ(before.tables.find(key, hash_of(key)), &value);
    ++seen;
  });
  EXPECT_EQ(seen, 60'000u);
}

/// What tables of one task lay in together goes with the last of them, in whatever thread.
TEST(HandedTables, GoInAnyThread) {
  Tasks tasks = hand_over({}, 1);
  for (std::uint64_t at = 0; at < 120'000; ++at) {
    const std::string key = text_of(at);
    tasks[0]->tables.upsert(key, hash_of(key), [] { return std::string("value"); });
  }
  tasks = hand_over(std::move(tasks), 4);
  std::vector<std::thread> threads;
  for (auto& task : tasks) {
    threads.emplace_back([&task] {
      for (std::uint64_t at = 0; at < 120'000; ++at) {
        const std::string key = text_of(at);
        task->tables.erase(key, hash_of(key));
      }
      EXPECT_EQ(task->tables.size(), 0u);
      task.reset();
    });
  }
  for (std::thread& thread : threads) thread.join();
}

/// An epoch behind it holds all that came, for it knows of no epoch before.
TEST(HandedTables, AreWholeInTheNextImage) {
  KeyedTables<std::int64_t, int> before;
  KeyedTables<std::int64_t, int> after;
  const auto store_key = [](std::string&, const std::int64_t&) {};
  (void)before.begin_image({1, 0}, store_key);
  (void)after.begin_image({1, 0}, store_key);
  before.upsert(1, KeyTraits<std::int64_t>::hash(1), [] { return 1; });
  after.take_groups(before, 0, kKeyGroups);
  EXPECT_FALSE(after.begin_image({2, 1}, store_key).only_changes);
  EXPECT_FALSE(before.begin_image({2, 1}, store_key).only_changes);
}

TEST(HandedTables, StandForTheirPartsAndWhatIsBesideThem) {
  KeyedTables<std::int64_t, int> tables;
  const HandedTables<std::int64_t, int> handed(tables, {"state", ":timers"});
  for (const char* part : {"state", "state:cuts", "state:gone", "state:base", ":timers:cuts"})
    EXPECT_TRUE(handed.stands_for(part)) << part;
  for (const char* part : {"states", "stat", "state:", ":waiting", "", ":base"})
    EXPECT_FALSE(handed.stands_for(part)) << part;
}

TEST(HandedTables, OfAnotherKindAreNotTaken) {
  KeyedTables<std::int64_t, int> tables;
  HandedTables<std::int64_t, int> handed(tables, {});
  Task task;
  EXPECT_FALSE((HandedTables<std::string_view, std::string>::give(handed, task.tables)));
}

}  // namespace
}  // namespace millrace::detail
