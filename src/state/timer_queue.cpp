// How timers come out of their queue, and the few pending times of one key.
#include "state/timer_queue.hpp"

#include <algorithm>

namespace millrace::detail {
namespace {

/// A larger bucket that is emptied gives its memory back.
constexpr std::size_t kKeptEntries = 4096;

}  // namespace

std::optional<Time> TimerQueue::pop(Time until, std::vector<std::uint64_t>& hashes) {
  hashes.clear();
  std::size_t from = 0;
  while (from < kBuckets && buckets_[from].empty()) ++from;
  if (from == kBuckets || least_[from] > until) return std::nullopt;
  if (from > 0) spread(from);
  Bucket& due = buckets_[0];
  const Time time = least_[0];
  const auto later = std::partition(due.begin(), due.end(),
                                    [time](const Entry& entry) { return entry.time != time; });
  for (auto at = later; at != due.end(); ++at) hashes.push_back(at->hash);
  size_ -= hashes.size();
  due.erase(later, due.end());
  least_[0] = kTimeMax;
  for (const Entry& entry : due) least_[0] = std::min(least_[0], entry.time);
  if (due.empty()) release(due);
  return time;
}

/// Moves the time on to the least of bucket `from`, whose entries then lie in lower ones.
void TimerQueue::spread(std::size_t from) {
  last_ = least_[from];
  for (const Entry entry : buckets_[from]) put(bucket_of(entry.time), entry);
  buckets_[from].clear();
  least_[from] = kTimeMax;
  release(buckets_[from]);
}

void TimerQueue::enlarge(Bucket& bucket) {
  const std::size_t before = bucket.capacity();
  const std::size_t wanted = std::max<std::size_t>(16, 2 * before);
  const std::size_t more = (wanted - before) * sizeof(Entry);
  if (meter_) meter_->grow(more);
  bytes_ += more;
  bucket.reserve(wanted);
}

void TimerQueue::release(Bucket& bucket) {
  if (bucket.capacity() <= kKeptEntries) return;
  const std::size_t less = bucket.capacity() * sizeof(Entry);
  Bucket().swap(bucket);
  bytes_ -= less;
  if (meter_) meter_->shrink(less);
}

void TimerQueue::make_distinct(std::size_t at) {
  Bucket& bucket = buckets_[at];
  std::sort(bucket.begin(), bucket.end(), [](const Entry& a, const Entry& b) {
    return a.time != b.time ? a.time < b.time : a.hash < b.hash;
  });
  bucket.erase(std::unique(bucket.begin(), bucket.end()), bucket.end());
  least_[at] = bucket.empty() ? kTimeMax : bucket.front().time;
  if (bucket.empty()) release(bucket);
  size_ = 0;
  for (const Bucket& each : buckets_) size_ += each.size();
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

}  // namespace millrace::detail
