// Stretches between watermarks.
#include "operator/call_order.hpp"

#include <algorithm>

namespace millrace::detail {

void CallOrder::add(std::uint32_t place) {
  if (places_.size() <= place) places_.resize(place + 1);
  places_[place] = {first_stretch_ + stretches_.size() - 1, false};
  Stretch& last = stretches_.back();
  ++last.left;
  if (ordered_) last.line.push_back(place);
}

void CallOrder::watermark(Time watermark) {
  if (stretches_.back().left == 0 && stretches_.size() > 1) {
    Time& before = stretches_[stretches_.size() - 2].end;
    before = std::max(before, watermark);
    return;
  }
  stretches_.back().end = watermark;
  stretches_.emplace_back();
}

void CallOrder::done(std::uint32_t place) {
  places_[place].done = true;
  if (!ordered_) stretches_[places_[place].stretch - first_stretch_].line.push_back(place);
}

}  // namespace millrace::detail
