// Which run takes a pair, and how runs are merged.
#include "state/ascending_runs.hpp"

namespace millrace::detail {
namespace {

/// An emptied run that is larger gives its memory back.
constexpr std::size_t kKeptEntries = 4096;

}  // namespace

/// Opens the run that is to take `time`; false: there is none. kTimeMax says that a run is empty.
bool AscendingRuns::open_for(Time time) {
  if (time == kTimeMax) return false;
  std::size_t best = kRuns;
  for (std::size_t at = 0; at < kRuns; ++at) {
    if (runs_[at].last > time) continue;
    if (best == kRuns || runs_[at].last > runs_[best].last) best = at;
  }
  if (best == kRuns) return false;
  open_ = best;
  next_last_ = kTimeMax;
  for (const Run& run : runs_) {
    if (run.last > time) next_last_ = std::min(next_last_, run.last);
  }
  return true;
}

void AscendingRuns::take_at(Time time, std::vector<std::uint64_t>& hashes) {
  for (Run& run : runs_) {
    if (run.first != time || run.is_empty()) continue;
    for (; run.first == time; step(run)) hashes.push_back(run.list[run.head].hash);
    tidy(run);
  }
}

void AscendingRuns::take(Time until, std::size_t most, std::vector<TimedHash>& due) {
  for (;;) {
    Run* least = &runs_[0];
    Time limit = until;  // as far as that one goes before the others
    for (std::size_t at = 1; at < kRuns; ++at) {
      Run* other = &runs_[at];
      if (other->first < least->first) std::swap(other, least);
      limit = std::min(limit, other->first);
    }
    Run& run = *least;
    const auto goes_on = [&] {
      return !run.is_empty() && (due.size() < most || due.back().time == run.first);
    };
    if (run.first > until || !goes_on()) return;
    for (; run.first <= limit && goes_on(); step(run)) due.push_back(run.list[run.head]);
    tidy(run);
  }
}

void AscendingRuns::assign(std::vector<TimedHash> pairs) {
  const std::size_t more = pairs.capacity() * sizeof(TimedHash);
  if (meter_) meter_->grow(more);
  bytes_ += more;
  for (Run& run : runs_) {
    empty(run);
    release(run);
  }
  open_ = 0;
  next_last_ = kTimeMax;
  Run& run = runs_[open_];
  run.list = std::move(pairs);
  if (run.list.empty()) return;
  run.first = run.list.front().time;
  run.last = run.list.back().time;
}

/// What has gone from its front is let go of now and then.
void AscendingRuns::tidy(Run& run) {
  if (run.is_empty()) return empty(run);
  if (run.head < kKeptEntries || run.head * 2 < run.list.size()) return;
  run.list.erase(run.list.begin(), run.list.begin() + static_cast<std::ptrdiff_t>(run.head));
  run.head = 0;
}

void AscendingRuns::empty(Run& run) {
  run.list.clear();
  run.head = 0;
  run.first = kTimeMax;
  run.last = kTimeMin;
  if (run.list.capacity() > kKeptEntries) release(run);
}

void AscendingRuns::release(Run& run) {
  const std::size_t less = run.list.capacity() * sizeof(TimedHash);
  std::vector<TimedHash>().swap(run.list);
  bytes_ -= less;
  if (meter_) meter_->shrink(less);
}

void AscendingRuns::enlarge(Run& run) {
  const std::size_t before = run.list.capacity();
  const std::size_t wanted = std::max<std::size_t>(16, 2 * before);
  const std::size_t more = (wanted - before) * sizeof(TimedHash);
  if (meter_) meter_->grow(more);
  bytes_ += more;
  run.list.reserve(wanted);
}

}  // namespace millrace::detail
