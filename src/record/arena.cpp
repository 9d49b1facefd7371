// Growth and reuse of arenas.
#include "record/arena.hpp"

#include <algorithm>

#include "base/sanitizers.hpp"

namespace millrace::detail {

// AddressSanitizer sees the use of records that are gone where their memory is not used again.
constexpr bool kReuseArenas = !kAddressSanitizer;

void Arena::grow(std::size_t bytes) {
  const std::size_t size = std::max(bytes, block_bytes_);
  if (meter_) meter_->grow(size);
  blocks_.emplace_back(std::make_unique_for_overwrite<char[]>(size), size);
  cursor_ = blocks_.back().first.get();
  left_ = size;
  capacity_ += size;
}

void Arena::reset() {
  used_ = 0;
  if (blocks_.empty()) return;
  blocks_.resize(1);
  cursor_ = blocks_.front().first.get();
  left_ = blocks_.front().second;
  if (meter_) meter_->shrink(capacity_ - left_);
  capacity_ = left_;
}

ArenaRef ArenaPool::take(MemoryMeter* meter) {
  if (!kReuseArenas) return ArenaRef::make(block_bytes_, meter);
  for (std::size_t tried = 0; tried < kept_.size(); ++tried) {
    next_ = (next_ + 1) % kept_.size();
    if (kept_[next_].unique()) {
      kept_[next_]->reset();
      return kept_[next_];
    }
  }
  ArenaRef fresh = ArenaRef::make(block_bytes_, meter);
  if (kept_.size() < keep_max_) kept_.push_back(fresh);
  return fresh;
}

}  // namespace millrace::detail
