// The watermark of a stream whose partitions fall silent, wake, are held and end at random stands
// where a naive model says, at every moment.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <limits>
#include <optional>
#include <vector>

#include "env/random.hpp"
#include "millrace/millrace.hpp"
#include "millrace/test_driver.hpp"

namespace millrace::property {
namespace {

struct Reading {
  std::int32_t meter = 0;
  std::int64_t time = 0;
};

/// The rules of docs/semantics.md, "Time", as they stand there.
class ModelStream {
 public:
  ModelStream(std::size_t partitions, std::int64_t bound, std::int64_t idle_after)
      : partitions_(partitions), bound_(bound), idle_after_(idle_after) {}

  void give(std::size_t at, const std::vector<std::int64_t>& times) {
    Partition& one = partitions_[at];
    if (one.idle && reached_)
      one.watermark = std::max(one.watermark.value_or(*reached_), *reached_);
    one.idle = false;
    one.quiet = 0;
    for (const std::int64_t time : times) {
      late_ += one.watermark && time < *one.watermark;
      one.watermark = std::max(one.watermark.value_or(time - bound_), time - bound_);
    }
    settle();
  }
  void end(std::size_t at) {
    partitions_[at].ended = true;
    partitions_[at].idle = false;
    settle();
  }
  /// A microsecond passes in which the source is read.
  void pass() {
    for (Partition& one : partitions_) {
      if (one.ended || one.idle || ++one.quiet < idle_after_) continue;
      one.idle = true;
      ++fell_idle_;
    }
    settle();
  }

  std::optional<std::int64_t> reached() const { return reached_; }
  std::uint64_t late() const { return late_; }
  bool is_idle(std::size_t at) const { return partitions_[at].idle; }
  bool has_ended(std::size_t at) const { return partitions_[at].ended; }
  std::size_t left() const {
    std::size_t left = 0;
    for (const Partition& one : partitions_) left += !one.ended;
    return left;
  }
  std::uint64_t fell_idle() const { return fell_idle_; }
  bool all_idle() const {
    bool idle = left() > 0;
    for (const Partition& one : partitions_) idle = idle && (one.ended || one.idle);
    return idle;
  }

 private:
  struct Partition {
    std::optional<std::int64_t> watermark;  ///< nullopt: nothing is known of it
    std::int64_t quiet = 0;
    bool idle = false;
    bool ended = false;
  };

  void settle() {
    constexpr std::int64_t kNothing = std::numeric_limits<std::int64_t>::min();
    std::optional<std::int64_t> least;
    std::optional<std::int64_t> furthest;
    for (const Partition& one : partitions_) {
      if (one.ended) continue;
      const std::int64_t watermark = one.watermark.value_or(kNothing);
      if (one.idle) furthest = std::max(furthest.value_or(watermark), watermark);
      if (!one.idle) least = std::min(least.value_or(watermark), watermark);
    }
    const auto stands = least ? least : furthest;
    if (stands && *stands != kNothing) reached_ = std::max(reached_.value_or(*stands), *stands);
  }

  std::vector<Partition> partitions_;
  std::int64_t bound_;
  std::int64_t idle_after_;
  std::optional<std::int64_t> reached_;
  std::uint64_t late_ = 0;
  std::uint64_t fell_idle_ = 0;
};

struct IdleHits {
  std::uint64_t fell_idle = 0;
  std::uint64_t all_idle = 0;
  std::uint64_t woke = 0;
  std::uint64_t late = 0;
  std::uint64_t late_of_waking = 0;
  std::uint64_t paused = 0;
  std::uint64_t ended = 0;
};

Topology declare(std::int64_t bound, std::int64_t idle_after) {
  Topology topology("idleness");
  topology.from(records(std::vector<std::vector<Reading>>{{}}))
      .named("readings")
      .event_time(&Reading::time,
                  {.out_of_order = Duration(bound), .idle_after = Duration(idle_after)})
      .named("time")
      .key_by(&Reading::meter)
      .window(tumbling(1us))  // late where the time is before the watermark
      .count()
      .named("counts")
      .to(print());
  return topology;
}

/// One random course of events, compared after each.
class Course {
 public:
  Course(std::uint64_t seed, IdleHits& hits)
      : random_(seed),
        hits_(hits),
        partitions_(1 + random_.below(4)),
        bound_(random_.between(0, 20)),
        idle_after_(random_.between(1, 30)),
        topology_(declare(bound_, idle_after_)),
        driver_(topology_),
        input_(driver_.input<Reading>("readings", static_cast<std::uint32_t>(partitions_))),
        rows_(driver_.output<Aggregate<std::int32_t, std::int64_t>>("counts")),
        model_(partitions_, bound_, idle_after_) {}

  /// The first difference; empty when there is none.
  std::string run() {
    give(0);
    for (int step = 0; step < 120; ++step) {
      act();
      if (driver_.ended()) return "";
      const auto stands = driver_.counts("time").watermark;
      const auto wanted = model_.reached();
      if (stands.has_value() != wanted.has_value() || (stands && stands->micros != *wanted)) {
        return fmt::format("step {}: the watermark is {}, the model has {}", step,
                           stands ? stands->micros : -1, wanted.value_or(-1));
      }
      if (driver_.late("counts") != model_.late()) {
        return fmt::format("step {}: {} are late, the model has {}", step, driver_.late("counts"),
                           model_.late());
      }
    }
    hits_.fell_idle += model_.fell_idle();
    hits_.late += model_.late();
    return "";
  }

 private:
  void act() {
    const std::size_t at = random_.below(partitions_);
    if (random_.chance(0.5)) {
      if (!model_.has_ended(at)) give(at);
    } else if (random_.chance(0.9)) {
      pass();
    } else if (random_.chance(0.5)) {
      driver_.pause();  // does not count
      driver_.advance_clock(Duration(random_.between(1, 100)));
      driver_.resume();
      ++hits_.paused;
    } else if (!model_.has_ended(at) && model_.left() > 1 && random_.chance(0.3)) {
      input_.partition(static_cast<std::uint32_t>(at)).end();
      model_.end(at);
      ++hits_.ended;
    }
    hits_.all_idle += model_.all_idle();
  }
  void pass() {
    const std::int64_t by =
        random_.chance(0.3) ? idle_after_ + random_.between(-1, 1) : random_.between(0, 12);
    if (by <= 0) return;
    driver_.advance_clock(Duration(by));
    for (std::int64_t left = by; left > 0; --left) model_.pass();
  }
  void give(std::size_t at) {
    std::vector<Reading> readings;
    std::vector<std::int64_t> times;
    for (std::uint64_t left = 1 + random_.below(3); left > 0; --left) {
      time_ += random_.between(0, 8);
      std::int64_t time = time_ - (random_.chance(0.4) ? random_.between(0, 40) : 0);
      if (model_.reached() && random_.chance(0.2))
        time = *model_.reached() + random_.between(-1, 1);
      times.push_back(time);
      readings.push_back({static_cast<std::int32_t>(at), time});
    }
    const bool wakes = model_.is_idle(at);
    const std::uint64_t late = model_.late();
    input_.partition(static_cast<std::uint32_t>(at)).pipe(std::move(readings));
    model_.give(at, times);
    hits_.woke += wakes;
    hits_.late_of_waking += wakes && model_.late() > late;
  }

  detail::Random random_;
  IdleHits& hits_;
  std::size_t partitions_;
  std::int64_t bound_;
  std::int64_t idle_after_;
  std::int64_t time_ = 1'000;
  Topology topology_;
  TestDriver driver_;
  TestInput<Reading> input_;
  TestOutput<Aggregate<std::int32_t, std::int64_t>> rows_;
  ModelStream model_;
};

TEST(RandomIdleness, TheWatermarkStandsWhereTheModelSays) {
  const char* one = std::getenv("MILLRACE_SEED");
  IdleHits hits;
  const std::uint64_t first = one ? std::strtoull(one, nullptr, 10) : 1;
  const std::uint64_t last = one ? first : 300;
  for (std::uint64_t seed = first; seed <= last; ++seed) {
    const std::string wrong = Course(seed, hits).run();
    ASSERT_EQ(wrong, "") << "MILLRACE_SEED=" << seed;
  }
  if (one != nullptr) return;
  EXPECT_GT(hits.fell_idle, 0u) << "no partition fell idle";
  EXPECT_GT(hits.all_idle, 0u) << "never were all idle";
  EXPECT_GT(hits.woke, 0u) << "none woke";
  EXPECT_GT(hits.late, 0u) << "no record was late";
  EXPECT_GT(hits.late_of_waking, 0u) << "none of a partition that woke was late";
  EXPECT_GT(hits.paused, 0u) << "the source was never held";
  EXPECT_GT(hits.ended, 0u) << "no partition ended";
}

}  // namespace
}  // namespace millrace::property
