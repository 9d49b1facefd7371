// Tests of what accumulators hold on the heap: counted for the memory budget, and given back.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>
#include <tuple>
#include <variant>
#include <vector>

#include "millrace/millrace.hpp"
#include "millrace/test_driver.hpp"
#include "operator/acc_heap.hpp"
#include "operator/collect_kernels.hpp"
#include "operator/kernels.hpp"
#include "runtime/held_heap.hpp"

namespace millrace {
namespace {

using testing::HasSubstr;

constexpr std::uint64_t kMiB = 1u << 20;
constexpr std::size_t kMany = 100'000'000;

struct Word {
  std::int32_t key = 0;
  std::string text;
  std::int64_t number = 0;
  Timestamp at;
};

TEST(AccHeap, LooksIntoWhatHoldsMemory) {
  using detail::acc_heap_bytes;
  using detail::kAccHoldsHeap;
  static_assert(!kAccHoldsHeap<std::int64_t>);
  static_assert(!kAccHoldsHeap<std::optional<double>>);
  static_assert(!kAccHoldsHeap<std::tuple<double, std::int64_t>>);
  static_assert(!kAccHoldsHeap<std::variant<int, double>>);
  static_assert(kAccHoldsHeap<std::tuple<double, std::vector<int>>>);
  const std::string text(1000, 'x');
  EXPECT_GE(acc_heap_bytes(std::optional(text)), 1000u);
  EXPECT_EQ(acc_heap_bytes(std::optional<std::string>()), 0u);
  EXPECT_GE(acc_heap_bytes(std::set<std::string, std::less<>>{text}), 1000u);
  EXPECT_GE(acc_heap_bytes(std::vector<std::variant<int, std::string>>{1, text}), 1000u);
  EXPECT_GE(acc_heap_bytes(std::tuple{1, std::vector<std::int64_t>(500)}), 4000u);
  EXPECT_GE(acc_heap_bytes(std::map<std::string, std::string>{{"a", text}}), 1000u);
}

/// Words by key, aggregated as `declare` says, within a budget of 16 MiB: 12 of state.
class Words {
 public:
  template <class Declare>
  explicit Words(Declare declare) {
    const auto words = topology_.from(records(std::vector<std::vector<Word>>(1)))
                           .named("words")
                           .event_time(&Word::at);
    declare(words.key_by(&Word::key)).named("kept").to(each([](const auto&) {}));
    driver_.emplace(topology_, TestDriverOptions{.memory_bytes = 16 * kMiB});
    input_.emplace(driver_->input<Word>("words"));
  }
  /// Different words of about a KiB, `a_second` of event time; what was thrown.
  Status pipe(int words, int keys, int a_second) {
    try {
      for (int left = words; left > 0; left -= kBatch) {
        std::vector<Word> batch;
        for (int at = 0; at < kBatch; ++at, ++number_) {
          batch.push_back({static_cast<std::int32_t>(number_ % keys),
                           std::string(1000, 'w') + std::to_string(number_), number_,
                           Timestamp{number_ * 1'000'000 / a_second}});
        }
        input_->pipe(std::move(batch));
      }
    } catch (const Error& error) {
      return error.status();
    }
    return {};
  }
  std::int64_t piped() const { return number_; }

 private:
  static constexpr int kBatch = 500;
  Topology topology_{"words"};
  std::optional<TestDriver> driver_;
  std::optional<TestInput<Word>> input_;
  std::int64_t number_ = 0;
};

template <class Declare>
void expect_refused(Declare declare, int keys, int words) {
  Words kept(declare);
  const Status status = kept.pipe(words, keys, 1000);
  EXPECT_EQ(status.code(), Code::memory_exceeded) << status.to_string();
  EXPECT_THAT(status.message(), HasSubstr("\"kept\" holds"));
  EXPECT_GT(kept.piped(), 2000);  // it was let grow
}

TEST(HeldHeap, WhatGrowsBeyondTheBudgetIsRefusedByName) {
  constexpr int kWords = 60'000;  // 60 MiB
  expect_refused([](auto keyed) { return keyed.window(global()).list(&Word::text, kMany); }, 1,
                 kWords);
  expect_refused([](auto keyed) { return keyed.window(tumbling(1h)).set(&Word::text, kMany); }, 3,
                 kWords);
  expect_refused([](auto keyed) { return keyed.window(global()).distinct(&Word::text); }, 1,
                 kWords);
  expect_refused([](auto keyed) { return keyed.window(session(1h)).top_k(&Word::text, 3); }, 1,
                 kWords);
  expect_refused([](auto keyed) { return keyed.max(&Word::text); }, kWords, kWords);
  expect_refused(
      [](auto keyed) { return keyed.window(tumbling(1h).allowed_lateness(1s)).last(&Word::text); },
      kWords, kWords);
  expect_refused([](auto keyed) { return keyed.window(global()).median(&Word::number); }, 30'000,
                 kWords * 10);
}

/// Each entry holds texts of its own: what the next window has is a small part of it.
TEST(HeldHeap, EveryRecordOfWindowsByRecords) {
  constexpr int kWords = 60'000;  // 60 MiB
  expect_refused([](auto keyed) { return keyed.over(millrace::last(kWords)).max(&Word::text); }, 1,
                 kWords);
  expect_refused([](auto keyed) { return keyed.over(millrace::last(1h)).max(&Word::text); }, 1,
                 kWords);
  expect_refused([](auto keyed) { return keyed.window(count_window(kWords, 1)).max(&Word::text); },
                 1, kWords);
}

/// Holds texts, of which some go to disk and come back.
class Texts final : public detail::Operator, public detail::HoldsAggregates {
 public:
  void process(detail::BatchBase&, bool, detail::Outputs&) override {}
  void add_held(std::unique_ptr<detail::HeldAggregates>& held) override {
    for (const std::string& text : in_memory_) Held::in(held, kernel_).weigh(text);
    (void)Held::in(held, kernel_);
  }
  std::int64_t take_moved_heap() override { return std::exchange(moved_, 0); }
  void move(int texts) {
    moved_ += texts * static_cast<std::int64_t>(detail::acc_heap_bytes(text_));
    in_memory_.resize(static_cast<std::size_t>(static_cast<int>(in_memory_.size()) + texts), text_);
  }
  std::size_t bytes() const { return in_memory_.size() * detail::acc_heap_bytes(text_); }

 private:
  using Kernel =
      detail::FoldKernel<Word, std::string, void (*)(std::string&, const Word&), detail::NoMerge>;
  using Held = detail::HeldOf<Kernel>;

  Kernel kernel_{"", [](std::string&, const Word&) {}, {}};
  std::string text_ = std::string(1000, 't');
  std::vector<std::string> in_memory_;
  std::int64_t moved_ = 0;
};

TEST(HeldHeap, WhatGoesToDiskIsGivenBackAtOnceAndOnce) {
  detail::MemoryMeter meter;
  detail::HeldHeap heap;
  Texts texts;
  heap.watch(texts);
  texts.move(100);
  for (const int texts_moved : {0, -60, 20, -10, 50}) {
    texts.move(texts_moved);
    heap.passed(1, meter);
    EXPECT_EQ(meter.bytes(), texts.bytes());
  }
  texts.move(-90);
  heap.look(meter);  // weighs, and what was moved is no news any more
  EXPECT_EQ(meter.bytes(), texts.bytes());
  heap.passed(1, meter);
  EXPECT_EQ(meter.bytes(), texts.bytes());
}

/// Each is two thirds of what may be held, so that two of them would be too much.
TEST(HeldHeap, WindowsThatFireGiveItBack) {
  Words kept([](auto keyed) { return keyed.window(tumbling(8s)).list(&Word::text, kMany); });
  const Status status = kept.pipe(100'000, 3, 1000);  // a MiB a second
  EXPECT_TRUE(status.ok()) << status.to_string();
}

}  // namespace
}  // namespace millrace
