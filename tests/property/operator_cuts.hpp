// Random steps for operators that are cut at random places, and the comparison with a run without a
// break.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "handed_between.hpp"
#include "metrics/kept_names.hpp"
#include "operator/keyed.hpp"
#include "operator/stateless.hpp"
#include "operator_tasks.hpp"
#include "random_input.hpp"
#include "schedule_run.hpp"

namespace millrace::property {

using detail::Batch;
using detail::batch_type;
using detail::StatePart;

struct Note {
  Timestamp time;
  std::string_view name;
  std::int32_t key = 0;
  std::int64_t number = 0;
};
/// Draws batches of records over time, behind the watermark too.
class Draw {
 public:
  explicit Draw(std::uint64_t seed) : random_(seed) {}

  Random& random() { return random_; }
  /// `make(time)` makes a record; over input 0.
  template <class T, class Make>
  OperatorStep batch(std::uint32_t input, Make&& make) {
    auto batch = std::make_shared<Batch<T>>();
    const std::uint64_t count = 1 + random_.below(8);
    for (std::uint32_t at = 0; at < count; ++at) {
      now_ += random_.between(0, 6);
      const Time time = now_ - static_cast<Time>(random_.below(4) == 0 ? random_.below(60) : 0);
      newest_ = std::max(newest_, time);
      batch->values.push_back(make(time));
      batch->times.push_back(time);
      batch->arrivals.push_back(detail::Arrival::at(1, input, number_++));
      if (time < watermark_) batch->behind.push_back({at, watermark_});
    }
    return {.kind = OperatorStep::Kind::batch, .input = input, .batch = std::move(batch)};
  }
  OperatorStep watermark() {
    if (newest_ != kTimeMin) watermark_ = std::max(watermark_, newest_ - random_.between(0, 40));
    return {.kind = OperatorStep::Kind::watermark, .watermark = watermark_};
  }
  OperatorStep clock() {
    return {.kind = OperatorStep::Kind::clock, .by = Duration(random_.between(1, 400))};
  }
  Note note(Time time) {
    return {{time},
            kNames[random_.below(kNames.size())],
            static_cast<std::int32_t>(random_.below(5)),
            static_cast<std::int64_t>(random_.below(64))};
  }
  std::vector<OperatorStep> notes(std::size_t count) {
    std::vector<OperatorStep> steps;
    while (steps.size() < count) {
      const std::uint64_t what = random_.below(10);
      if (what < 7) {
        steps.push_back(batch<Note>(0, [this](Time time) { return note(time); }));
      } else {
        steps.push_back(what < 9 ? watermark() : clock());
      }
    }
    steps.push_back({.kind = OperatorStep::Kind::watermark, .watermark = kTimeMax});
    return steps;
  }

 private:
  Random random_;
  Time now_ = 1'000;
  Time newest_ = kTimeMin;
  Time watermark_ = kTimeMin;
  std::uint64_t number_ = 0;
};

inline constexpr std::array<std::uint32_t, 5> kTasks = {1, 2, 3, 5, 128};

/// An operator under test.
struct Subject {
  OperatorTasks::Make make;
  std::vector<OperatorInput> inputs;
  OperatorTasks::Show show;
  bool makes_arrivals = false;  ///< a reader behind breaks ties
  std::uint64_t seeds = property::seeds();
  std::size_t task_counts = kTasks.size();  ///< so many of kTasks are drawn from
  /// Is called with each operator of the run that is cut, when it is open.
  std::function<void(detail::Operator&, const detail::OperatorContext&)> when_cut_open = {};
};

struct Played {
  Lanes lanes;
  std::size_t letters = 0;
  std::size_t cut_while_waiting = 0;
};

/// In place of the tasks that were, which hand over what they can; the rest goes by an image.
inline void hand_over(const Subject& subject, OperatorTasks& tasks, std::uint32_t next) {
  std::vector<StatePart> rest = tasks.image();
  std::vector<detail::Operator*> before;
  for (std::size_t at = 0; at < tasks.size(); ++at)
    before.push_back(&tasks.task<detail::Operator>(at));
  HandedBetween handed(before, rest);
  tasks.when_open([&](detail::Operator& to, const detail::OperatorContext& context) {
    if (subject.when_cut_open) subject.when_cut_open(to, context);
    handed.give(to, context.task, context.tasks);
  });
  tasks.restore(rest, next);
  tasks.when_open(subject.when_cut_open);
}

/// `random` null: without a break, in one task.
inline Played play(const Subject& subject, const std::vector<OperatorStep>& steps, Random* random,
                   bool same_tasks = false) {
  OperatorTasks tasks(subject.make, subject.inputs, subject.show);
  tasks.set_makes_arrivals(subject.makes_arrivals);
  if (random && subject.when_cut_open) tasks.when_open(subject.when_cut_open);
  Played played;
  const auto draw_tasks = [&] { return kTasks[random->below(subject.task_counts)]; };
  tasks.start(random && !same_tasks ? draw_tasks() : 1);
  for (std::size_t at = 0; at < steps.size(); ++at) {
    tasks.play(steps[at]);
    if (!random) continue;
    if (random->chance(0.1)) (void)tasks.image();
    if (random->chance(0.02)) (void)tasks.image([] {}, true);
    if (!random->chance(0.15)) continue;
    played.cut_while_waiting += tasks.waiting() > 0 ? 1 : 0;
    const auto before = static_cast<std::uint32_t>(tasks.size());
    const std::uint32_t next = same_tasks || random->chance(0.3) ? before : draw_tasks();
    if (random->chance(0.3)) {
      hand_over(subject, tasks, next);
      continue;
    }
    const std::vector<StatePart> image = tasks.image([&] {
      const std::size_t end = std::min(steps.size(), at + 1 + random->below(6));
      for (std::size_t ahead = at + 1; ahead < end; ++ahead) {
        if (steps[ahead].kind != OperatorStep::Kind::clock) tasks.play(steps[ahead]);
      }
    });
    tasks.restore(image, next);
  }
  EXPECT_TRUE(tasks.status().ok()) << tasks.status().to_string();
  tasks.close();
  played.lanes = tasks.lanes();
  played.letters = tasks.letters();
  return played;
}

/// Where two runs differ; "" nowhere.
inline std::string first_difference(const Lanes& whole, const Lanes& cut) {
  for (const auto& [lane, rows] : whole) {
    const auto its = cut.find(lane);
    if (its == cut.end()) return "lane " + lane + " is gone";
    for (std::size_t at = 0; at < std::max(rows.size(), its->second.size()); ++at) {
      const std::string expected = at < rows.size() ? rows[at] : "(nothing)";
      const std::string found = at < its->second.size() ? its->second[at] : "(nothing)";
      if (expected != found)
        return fmt::format("lane {} row {}: {}\ninstead of {}", lane, at, found, expected);
    }
  }
  return whole.size() == cut.size() ? "" : "a lane more";
}

/// Draws steps for each seed and compares; returns what all cut runs hit.
template <class Steps>
std::size_t compare(const Subject& subject, Steps&& steps_of, bool same_tasks = false) {
  std::size_t waiting = 0;
  std::size_t emitted = 0;
  for (std::uint64_t seed = 1; seed <= subject.seeds; ++seed) {
    Draw draw(seed);
    const std::vector<OperatorStep> steps = steps_of(draw);
    const Played whole = play(subject, steps, nullptr);
    Random random(seed ^ 0x5eed);
    const Played cut = play(subject, steps, &random, same_tasks);
    EXPECT_EQ(first_difference(whole.lanes, cut.lanes), "") << "seed " << seed;
    EXPECT_EQ(whole.letters, cut.letters) << "seed " << seed;
    for (const auto& [lane, rows] : whole.lanes) emitted += rows.size();
    waiting += cut.cut_while_waiting;
    if (::testing::Test::HasFailure()) break;
  }
  EXPECT_GT(emitted, 0u);
  return waiting;
}

template <class T, class Part>
auto key_by(Part part) {
  using Key = detail::KeyFn<T, Part>;
  return std::make_shared<const detail::TypedKeyHash<T, Key>>(Key(part));
}
using NoteByName = detail::KeyFn<Note, std::string_view Note::*>;
using NoteByKey = detail::KeyFn<Note, std::int32_t Note::*>;

/// A lane for the key that `lane` takes of a record, its text as JSON with time and lateness.
template <class T, class Lane>
OperatorTasks::Show show_by(Lane lane) {
  return [lane](std::uint32_t port, const detail::BatchBase& base, std::size_t at) {
    const auto& batch = static_cast<const Batch<T>&>(base);
    std::size_t cursor = 0;
    const Time time = batch.has_times() ? batch.times[at] : kTimeMin;
    std::string text = fmt::format("{} {} {} ", port, time, detail::behind_at(batch, at, cursor));
    return std::pair(fmt::format("{}", lane(batch.values[at])),
                     text + batch_type<T>().describe(batch, at));
  };
}

/// Gauges, and what they have been at most.
using KeptMost = std::map<std::string_view, double>;
inline const KeptMost kNoMatches = {
    {detail::kPartialMatches, 0}, {detail::kPartialMatchKeys, 0}, {detail::kWaitingMatches, 0}};

/// The gauges of tasks that are cut, and go on as others, are those of one task without a break,
/// and 0 at the end of time, which is the last of the steps.
inline void compare_gauges(const Subject& subject,
                           const std::function<std::vector<OperatorStep>(Draw&)>& steps,
                           KeptMost& most) {
  for_each_seed([&](std::uint64_t seed) {
    SCOPED_TRACE(fmt::format("MILLRACE_SEED={}", seed));
    Draw draw(seed);
    Random random(seed);
    OperatorTasks whole(subject.make, subject.inputs, subject.show);
    OperatorTasks cut(subject.make, subject.inputs, subject.show);
    if (subject.when_cut_open) cut.when_open(subject.when_cut_open);
    whole.start(1);
    cut.start(3);
    for (const OperatorStep& step : steps(draw)) {
      whole.play(step);
      cut.play(step);
      if (random.chance(0.2)) cut.restore(cut.image(), kTasks[random.below(kTasks.size())]);
      for (auto& [name, value] : most) {
        EXPECT_EQ(cut.gauge(name), whole.gauge(name)) << name;
        value = std::max(value, whole.gauge(name));
      }
    }
    for (const auto& [name, value] : most) EXPECT_EQ(whole.gauge(name), 0) << name;
    return !testing::Test::HasFailure();
  });
}

}  // namespace millrace::property
