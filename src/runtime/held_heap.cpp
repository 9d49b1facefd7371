// Weighing accumulators.
#include "runtime/held_heap.hpp"

#include <algorithm>
#include <memory>

namespace millrace::detail {
namespace {

HeldWeight weight_of(HoldsAggregates& holder) {
  std::unique_ptr<HeldAggregates> held = HeldAggregates::weighing();
  holder.add_held(held);
  return held->weight();
}

}  // namespace

void HeldHeap::watch(Operator& its) {
  auto* const holder = dynamic_cast<HoldsAggregates*>(&its);
  if (holder != nullptr && weight_of(*holder).can_be) holder_ = holder;
}

void HeldHeap::move(std::int64_t bytes, MemoryMeter& meter) {
  const auto counted = static_cast<std::int64_t>(counted_bytes_);
  count(static_cast<std::size_t>(std::max<std::int64_t>(0, counted + bytes)), meter);
}

void HeldHeap::count(std::size_t bytes, MemoryMeter& meter) {
  if (bytes > counted_bytes_) {
    meter.grow(bytes - counted_bytes_);
  } else {
    meter.shrink(counted_bytes_ - bytes);
  }
  counted_bytes_ = bytes;
}

void HeldHeap::weigh(MemoryMeter& meter) {
  (void)holder_->take_moved_heap();  // what is weighed is what is there
  const HeldWeight weight = weight_of(*holder_);
  const double growth = static_cast<double>(weight.bytes) - static_cast<double>(counted_bytes_);
  growth_ = std::max(growth / static_cast<double>(std::max<std::size_t>(passed_, 1)), growth_ / 2);
  count(weight.bytes, meter);
  passed_ = 0;
  plan_next(weight);
}

void HeldHeap::plan_next(const HeldWeight& weight) {
  constexpr std::size_t kBytesOfAStep = 32;
  const std::size_t steps = weight.accumulators + weight.bytes / kBytesOfAStep;
  const double room = static_cast<double>(weight.bytes) / 4 + (1u << 20);
  const double until = room / std::max(growth_, 1e-3);
  next_ = std::max(kLeast, std::min(steps, static_cast<std::size_t>(until)));
}

}  // namespace millrace::detail
