// TimeRange: which records of a stream with event times a run wants.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/time.hpp"
#include "operator/operator.hpp"
#include "record/batch_type.hpp"

namespace millrace::detail {

/// [from, until). One thread.
template <class T>
class TimeRange {
 public:
  void set(Time from, Time until) {
    from_ = from;
    until_ = until;
  }
  /// Takes the records of other times out of a batch with times; returns how many they were. Cost:
  /// nothing where there are no bounds, a copy of the others where some are taken out.
  std::size_t keep(Batch<T>& batch) {
    if (from_ == kTimeMin && until_ == kTimeMax) return 0;
    const std::size_t count = batch.times.size();
    picks_.clear();
    for (std::size_t at = 0; at < count; ++at) {
      if (batch.times[at] >= from_ && batch.times[at] < until_)
        picks_.push_back(static_cast<std::uint32_t>(at));
    }
    if (picks_.size() == count) return 0;
    kept_.clear();
    carry_marks(batch, kept_);
    batch_type<T>().append(kept_, batch, picks_);
    kept_.messages.own();
    batch_type<T>().swap(batch, kept_);
    kept_.clear();
    return count - picks_.size();
  }

 private:
  Time from_ = kTimeMin;
  Time until_ = kTimeMax;
  Batch<T> kept_;
  std::vector<std::uint32_t> picks_;
};

}  // namespace millrace::detail
