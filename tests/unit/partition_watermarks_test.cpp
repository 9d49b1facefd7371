// PartitionWatermarks: its fast paths mark the same records late as the definition does.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

#include "operator/partition_watermarks.hpp"

namespace millrace::detail {
namespace {

/// The definition: a record is late when its time lies before the watermark that stood before it.
std::vector<std::pair<std::uint32_t, Time>> late_by_definition(Time& mark, std::int64_t bound,
                                                               const std::vector<Time>& times) {
  std::vector<std::pair<std::uint32_t, Time>> late;
  for (std::uint32_t at = 0; at < times.size(); ++at) {
    if (times[at] < mark) late.push_back({at, mark});
    mark = std::max(mark, saturating_add(times[at], -bound));
  }
  return late;
}

TEST(PartitionWatermarks, MarksWhatTheDefinitionMarks) {
  std::mt19937_64 random(7);
  for (int round = 0; round < 2000; ++round) {
    const auto bound = static_cast<std::int64_t>(random() % 3 * 5);
    const auto jitter = static_cast<std::int64_t>(random() % 3 * 6);
    PartitionWatermarks marks(bound);
    marks.resize(1);
    Time mark = kTimeMin;
    Time base = 100;
    for (int batch = 0; batch < 5; ++batch) {
      std::vector<Time> times(random() % 20);
      for (Time& time : times) {
        base += static_cast<Time>(random() % 3);
        time = base - (jitter == 0 ? 0 : static_cast<Time>(random() % (2 * jitter)));
      }
      if (random() % 4 == 0) base -= 10;  // the next batch begins behind this one
      std::vector<Behind> behind;
      marks.observe(0, times, behind);
      std::vector<std::pair<std::uint32_t, Time>> found;
      for (const Behind& one : behind) found.push_back({one.index, one.watermark});
      ASSERT_EQ(found, late_by_definition(mark, bound, times)) << "round " << round;
      ASSERT_EQ(marks.of(0), mark) << "round " << round;
    }
  }
}

}  // namespace
}  // namespace millrace::detail
