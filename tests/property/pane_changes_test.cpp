// Promise: windows whose panes are large go on from epochs of changes as if nothing had been, in
// any number of tasks.
#include <fmt/format.h>

#include "image_script.hpp"

namespace millrace::property {
namespace {

using Kernel = decltype(sum(&Hit::number).kernel<Hit>());
using Row = millrace::Aggregate<std::string_view, Kernel::Value>;
using Windowed = WindowAggregate<Hit, ByName, Kernel>;

/// Bursts of records, now of many keys, now of few: so panes are large, and hardly change.
class Bursts {
 public:
  Bursts(std::uint64_t seed, bool breaks) : input_(seed), breaks_(seed + 1), cut_(breaks) {}

  std::uint32_t tasks() { return cut_ ? draw_tasks(breaks_) : 1; }
  void run(ImagedTasks& tasks) {
    for (int step = 0; step < 40; ++step) {
      feed(tasks);
      const auto more = [&] { feed(tasks); };
      if (cut_ && breaks_.below(3) > 0) {
        (void)tasks.image(more);  // which is not in it
      } else {
        more();
      }
      if (cut_ && breaks_.below(5) == 0) restart(tasks);
      watermark_ += static_cast<Time>(input_.below(3) == 0 ? input_.below(40) : 2);
      tasks.advance(watermark_);
    }
    tasks.advance(kTimeMax);
  }

 private:
  void feed(ImagedTasks& tasks) {
    const std::uint64_t keys = input_.below(3) == 0 ? 900 : 1 + input_.below(20);
    for (std::uint64_t at = 0; at < keys; ++at) {
      Batch<Hit> batch;
      const auto name = static_cast<std::int64_t>(input_.below(900));
      const Time time = watermark_ + static_cast<Time>(input_.below(90)) - 20;
      Sent sent{{fmt::format("key {}", name), name, 0}, time, kTimeMin};
      if (time < watermark_) sent.behind = watermark_;
      put(batch, sent, number_++);
      std::vector<std::uint64_t> hashes;
      by_name()->hash(batch, hashes);
      tasks.process(tasks.task_of(hashes[0]), batch);
    }
  }
  /// While the image is written, the tasks go on with what the new ones will get again.
  void restart(ImagedTasks& tasks) {
    tasks.restart(draw_tasks(breaks_), [&] {
      Bursts ahead = *this;
      ahead.feed(tasks);
      tasks.advance(watermark_ + 35);
      ahead.feed(tasks);
    });
  }

  Random input_;
  Random breaks_;
  bool cut_;
  Time watermark_ = 1000;
  std::uint64_t number_ = 0;
};

void expect_same_of(const Windows& windows) {
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    Lines lines[2];
    for (const bool breaks : {false, true}) {
      Bursts bursts(seed, breaks);
      const auto make = [&windows] {
        return std::make_unique<Windowed>(windows, by_name(), sum(&Hit::number).kernel<Hit>());
      };
      ImagedTasks tasks(make, bursts.tasks(), lines_into<Row>(lines[breaks]));
      bursts.run(tasks);
      std::sort(lines[breaks].begin(), lines[breaks].end());
    }
    ASSERT_EQ(lines[0], lines[1]) << "seed " << seed;
    ASSERT_FALSE(lines[0].empty());
  }
}

TEST(PaneChanges, OfTumblingWindows) { expect_same_of(tumbling(60us)); }
TEST(PaneChanges, OfSlidingWindowsThatMergeTheirPanes) { expect_same_of(sliding(90us, 30us)); }
TEST(PaneChanges, OfWindowsThatDoNotEnd) { expect_same_of(global()); }

}  // namespace
}  // namespace millrace::property
