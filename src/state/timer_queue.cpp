// How timers come out of their queue, and the few pending times of one key.
#include "state/timer_queue.hpp"

#include <algorithm>
#include <functional>

namespace millrace::detail {
namespace {

/// A larger bucket that is emptied gives its memory back.
constexpr std::size_t kKeptEntries = 4096;

}  // namespace

std::optional<Time> TimerQueue::pop(Time until, std::vector<std::uint64_t>& hashes) {
  hashes.clear();
  const Time time = next();
  if (size_ == 0 || time > until) return std::nullopt;
  if (reached_.empty() && early_.empty()) reach(until);
  for (; !reached_.empty() && reached_.back().time == time; reached_.pop_back()) {
    hashes.push_back(reached_.back().hash);
  }
  if (reached_.empty()) release(reached_);
  for (; !early_.empty() && early_.front().time == time; early_.pop_back()) {
    std::pop_heap(early_.begin(), early_.end(), std::greater<>());
    hashes.push_back(early_.back().hash);
  }
  if (early_.empty()) release(early_);
  size_ -= hashes.size();
  return time;
}

/// Moves the time on to the last of the lowest bucket that is due: what is due of it is sorted, the
/// rest goes to lower buckets.
void TimerQueue::reach(Time until) {
  std::size_t from = 0;
  while (buckets_[from].empty()) ++from;
  List& bucket = buckets_[from];
  const auto later = std::partition(bucket.begin(), bucket.end(),
                                    [until](const Entry& entry) { return entry.time <= until; });
  std::sort(bucket.begin(), later, std::greater<>());
  last_ = bucket.front().time;
  for (auto at = later; at != bucket.end(); ++at) put(*at);
  bucket.erase(later, bucket.end());
  reached_.swap(bucket);
  least_[from] = kTimeMax;
  release(bucket);
}

void TimerQueue::push_early(Entry entry) {
  if (early_.size() == early_.capacity()) enlarge(early_);
  early_.push_back(entry);
  std::push_heap(early_.begin(), early_.end(), std::greater<>());
}

void TimerQueue::enlarge(List& list) {
  const std::size_t before = list.capacity();
  const std::size_t wanted = std::max<std::size_t>(16, 2 * before);
  const std::size_t more = (wanted - before) * sizeof(Entry);
  if (meter_) meter_->grow(more);
  bytes_ += more;
  list.reserve(wanted);
}

void TimerQueue::release(List& list) {
  if (list.capacity() <= kKeptEntries) return;
  const std::size_t less = list.capacity() * sizeof(Entry);
  List().swap(list);
  bytes_ -= less;
  if (meter_) meter_->shrink(less);
}

void TimerQueue::make_distinct() {
  size_ = 0;
  const auto sort = [this](List& list) {
    std::sort(list.begin(), list.end());
    list.erase(std::unique(list.begin(), list.end()), list.end());
    if (list.empty()) release(list);
    size_ += list.size();
  };
  for (std::size_t at = 0; at < kBuckets; ++at) {
    sort(buckets_[at]);
    least_[at] = buckets_[at].empty() ? kTimeMax : buckets_[at].front().time;
  }
  sort(early_);  // ascending is a heap too
  sort(reached_);
  std::reverse(reached_.begin(), reached_.end());
}

bool TimerSet::contains(Time time) const {
  if (time == first_) return !empty();
  return more_ && std::binary_search(more_->begin(), more_->end(), time);
}

bool TimerSet::insert(Time time) {
  if (empty()) {
    first_ = time;
    return true;
  }
  if (time == first_) return false;
  if (time < first_) std::swap(time, first_);
  if (!more_) more_ = std::make_unique<std::vector<Time>>();
  const auto at = std::lower_bound(more_->begin(), more_->end(), time);
  if (at != more_->end() && *at == time) return false;
  more_->insert(at, time);
  return true;
}

bool TimerSet::erase(Time time) {
  if (empty()) return false;
  if (time == first_) {
    if (!more_) {
      first_ = kTimeMax;
      return true;
    }
    first_ = more_->front();
    more_->erase(more_->begin());
  } else {
    if (!more_) return false;
    const auto at = std::lower_bound(more_->begin(), more_->end(), time);
    if (at == more_->end() || *at != time) return false;
    more_->erase(at);
  }
  if (more_->empty()) more_.reset();
  return true;
}

std::vector<Time> TimerSet::all() const {
  std::vector<Time> times;
  if (!empty()) times.push_back(first_);
  if (more_) times.insert(times.end(), more_->begin(), more_->end());
  return times;
}

}  // namespace millrace::detail
