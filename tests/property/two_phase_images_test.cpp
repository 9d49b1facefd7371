// Promise: an aggregate of two phases goes on from images in which only the second keeps anything.
#include "image_script.hpp"

namespace millrace::property {
namespace {

using Kernel = QuantileKernel<Hit, double Hit::*>;
using Combine = WindowCombine<Hit, ByName, Kernel>;
using Merge = WindowMerge<std::string_view, Kernel>;
using Row = millrace::Aggregate<std::string_view, Kernel::Value>;
using Between = Partial<std::string_view, Kernel::Acc>;

/// Both phases, each with tasks of its own.
class TwoPhases {
 public:
  TwoPhases(const Windows& windows, Script& script, Lines& lines)
      : script_(script),
        merge_([windows] { return std::make_unique<Merge>(windows, kernel()); }, script.tasks(),
               lines_into<Row>(lines)),
        combine_([windows] { return std::make_unique<Combine>(windows, by_name(), kernel()); },
                 script.tasks(), [this](std::uint32_t, BatchBase& batch) { shuffle(batch); }) {}

  void run() {
    for (int step = 0; step < kSteps; ++step) {
      for (auto left = script_.records(); left > 0; --left) {
        Batch<Hit> batch;
        put(batch, script_.next_record(), number_++);
        combine_.process(static_cast<std::uint32_t>(number_ % combine_.count()), batch);
        if (script_.is_break()) restart();
      }
      advance(script_.next_watermark());
    }
    advance(kTimeMax);
  }

 private:
  static Kernel kernel() { return {0.5, &Hit::amount}; }

  void shuffle(BatchBase& base) {
    for (const Between& row : static_cast<Batch<Between>&>(base).values) {
      Batch<Between> one;
      one.values.push_back(row);
      merge_.process(merge_.task_of(KeyTraits<std::string_view>::hash(row.key)), one);
    }
  }
  /// The barrier goes behind what the first phase hands on.
  void restart() {
    EXPECT_TRUE(combine_.restart(script_.tasks()).empty()) << "the first phase keeps something";
    merge_.restart(script_.tasks());
  }
  void advance(Time watermark) {
    combine_.advance(watermark);
    merge_.advance(watermark);
  }

  Script& script_;
  ImagedTasks merge_;
  ImagedTasks combine_;
  std::uint64_t number_ = 0;
};

TEST(Images, OfTwoPhases) {
  for (const Windows& windows : {tumbling(20us), sliding(60us, 10us)}) {
    for (std::uint64_t seed = 1; seed <= 15; ++seed) {
      Lines lines[2];
      for (const bool breaks : {false, true}) {
        Script script(seed, breaks);
        TwoPhases(windows, script, lines[breaks]).run();
        std::sort(lines[breaks].begin(), lines[breaks].end());
      }
      ASSERT_EQ(lines[0], lines[1]) << "seed " << seed;
      ASSERT_FALSE(lines[0].empty());
    }
  }
}

}  // namespace
}  // namespace millrace::property
