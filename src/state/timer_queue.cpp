// How timers come out of their queue, and the few pending times of one key.
#include "state/timer_queue.hpp"

#include <algorithm>
#include <functional>

namespace millrace::detail {
namespace {

/// A larger bucket that is emptied gives its memory back.
constexpr std::size_t kKeptTimers = 4096;

}  // namespace

std::optional<Time> TimerQueue::pop(Time until, std::vector<std::uint64_t>& hashes) {
  hashes.clear();
  const Time least = next();
  if (size_ == 0 || least > until) return std::nullopt;
  runs_.take_at(least, hashes);
  if (heap_next() == least) pop_heap(least, until, hashes);
  size_ -= hashes.size();
  return least;
}

void TimerQueue::take(Time until, std::size_t most, std::vector<Entry>& due) {
  due.clear();
  for (;;) {
    const Time other = heap_next();
    const Time before = other == kTimeMax ? other : saturating_add(other, -1);
    const std::size_t had = due.size();
    runs_.take(std::min(until, before), most, due);
    size_ -= due.size() - had;
    if (due.size() >= most) return;
    const auto time = other <= until ? pop(until, popped_) : std::nullopt;
    if (!time) return;
    for (const std::uint64_t hash : popped_) due.push_back({*time, hash});
  }
}

/// Appends the hashes of its pairs of `time`, its least one.
void TimerQueue::pop_heap(Time time, Time until, std::vector<std::uint64_t>& hashes) {
  if (reached_.empty() && early_.empty()) {
    if (filled_ == 0) return;
    reach(until);
  }
  for (; !reached_.empty() && reached_.back().time == time; reached_.pop_back()) {
    hashes.push_back(reached_.back().hash);
  }
  if (reached_.empty()) release(reached_);
  for (; !early_.empty() && early_.front().time == time; early_.pop_back()) {
    std::pop_heap(early_.begin(), early_.end(), std::greater<>());
    hashes.push_back(early_.back().hash);
  }
  if (early_.empty()) release(early_);
}

/// Moves the time on to the last of the lowest bucket that is due: what is due of it is sorted, the
/// rest goes to lower buckets.
void TimerQueue::reach(Time until) {
  const auto from = static_cast<std::size_t>(std::countr_zero(filled_));
  filled_ &= filled_ - 1;
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

void TimerQueue::empty(List& list) {
  list.clear();
  release(list);
}

void TimerQueue::release(List& list) {
  if (list.capacity() <= kKeptTimers) return;
  const std::size_t less = list.capacity() * sizeof(Entry);
  List().swap(list);
  bytes_ -= less;
  if (meter_) meter_->shrink(less);
}

/// What is kept is in order then, and so one run.
void TimerQueue::renew(std::vector<Entry> kept) {
  std::sort(kept.begin(), kept.end());
  kept.erase(std::unique(kept.begin(), kept.end()), kept.end());
  const std::size_t count = kept.size();
  const auto never = std::ranges::lower_bound(kept, kTimeMax, {}, &Entry::time);
  const std::vector<Entry> at_last(never, kept.end());
  kept.erase(never, kept.end());
  runs_.assign(std::move(kept));
  for (List& bucket : buckets_) empty(bucket);
  empty(reached_);
  empty(early_);
  least_.fill(kTimeMax);
  filled_ = 0;
  for (const Entry& entry : at_last) push_heap(entry);
  size_ = count;
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
