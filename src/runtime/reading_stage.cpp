// Taking batches and marks.
#include "runtime/reading_stage.hpp"

#include <algorithm>
#include <iterator>

namespace millrace::detail {

bool Inlets::advance(std::uint32_t channel, Time watermark) {
  if (watermark <= watermarks_[channel]) return false;
  watermarks_[channel] = watermark;
  greatest_ = std::max(greatest_, watermark);
  const Time least = *std::min_element(watermarks_.begin(), watermarks_.end());
  if (least <= least_) return false;
  least_ = least;
  return true;
}

bool ReadingStage::save_on(std::size_t slots, StageImage& image) {
  if (!writer_) return true;
  bool whole = false;
  charged([&] { whole = writer_->advance(slots); });
  std::ranges::move(writer_->ready(), std::back_inserter(image.parts));
  if (whole) writer_.reset();
  return whole;
}

void ReadingStage::receive(BatchBase& batch, bool exclusive, const Incoming& from,
                           Counter& edge_received) {
  const std::size_t count = batch.size();
  const std::uint64_t busy_before = counters_.busy_ticks.value();
  const std::int64_t began = hooks_.any() ? shared_.env->clock->steady_ns() : 0;
  charged([&] {
    edge_received.add(count);
    counters_.received.add(count);
    counters_.in_flight.set(counters_.in_flight.value() + count);
    take(batch, exclusive, from);
    if (hooks_.any()) {
      hooks_.executed(from.info, count,
                      std::chrono::nanoseconds(shared_.env->clock->steady_ns() - began));
    }
    hand_on_errors();
  });
  count_step(busy_before);
}

void ReadingStage::advance_channel(std::uint32_t channel, Time watermark) {
  if (inlets_.advance(channel, watermark)) advance(inlets_.least());
}

void ReadingStage::end_channel(std::uint32_t) {
  if (!inlets_.end()) return;
  is_ending_ = true;
  (void)end_if_due();
}

bool ReadingStage::end_if_due() {
  if (!is_ending_ || !may_end()) return false;
  is_ending_ = false;
  drain();
  end();
  return true;
}

}  // namespace millrace::detail
