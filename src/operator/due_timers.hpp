// DueTimers: which keys of a task have a timer that is due, wherever their rows are.
#pragma once

#include <algorithm>
#include <array>
#include <compare>
#include <cstdint>
#include <type_traits>
#include <vector>

#include "operator/row_codec.hpp"

namespace millrace::detail {

inline constexpr std::size_t kTimersAhead = 16;  ///< timers between prefetch and look-up

/// Of equal times, timers fire by key ascending: numbers by value, texts by their bytes.
template <class Owned>
bool key_precedes(const Owned& a, const Owned& b) {
  if constexpr (std::is_floating_point_v<Owned>) {
    return std::strong_order(a, b) < 0;  // NaN is a key as any other
  } else {
    return a < b;
  }
}

/// The queue of a task's timers knows hashes alone; the rows know which of them are pending. One
/// thread.
template <class K, class P>
class DueTimers {
 public:
  using Row = StateRow<P>;
  using Kind = KeyTimers::Kind;
  struct Due {
    typename KeyTraits<K>::Owned key;
    std::uint64_t hash;
  };

  /// All of them outlive it.
  DueTimers(KeyedTables<K, Row>& rows, KeyTimers& timers, SpilledStates<K, P>& spilled)
      : rows_(&rows), timers_(&timers), spilled_(&spilled) {}

  /// The keys whose timer at `time` is pending, among those of `hashes`, in the order of firing;
  /// one may be there twice.
  void find(Kind kind, Time time, const std::vector<std::uint64_t>& hashes, std::vector<Due>& due) {
    due.clear();
    if (rows_->is_wide()) {
      if (const auto* const ahead = timers_->queue(kind).ahead(kTimersAhead))
        rows_->prefetch(ahead->hash);
      if (hashes.size() > 1) {
        for (const std::uint64_t hash : hashes) rows_->prefetch(hash);
      }
    }
    const auto add = [&](const K& key, Row& row, std::uint64_t hash) {
      if (is_pending(row, kind, time)) due.push_back({KeyTraits<K>::own(key), hash});
    };
    if (spilled_->active()) {
      spilled_->look(hashes,
                     [&](const K& key, Row& row) { add(key, row, KeyTraits<K>::hash(key)); });
    } else {
      for (const std::uint64_t hash : hashes)
        rows_->for_each_of(hash, [&](const K& key, Row& row) { add(key, row, hash); });
    }
    if (due.size() < 2) return;
    std::sort(due.begin(), due.end(),
              [](const Due& a, const Due& b) { return key_precedes(a.key, b.key); });
  }
  /// The hashes of those from `at` on whose rows are to be brought before that one, so many that
  /// memory holds them; none: they were brought with one before it.
  static std::vector<std::uint64_t> to_bring(const std::vector<Due>& due, std::size_t at) {
    constexpr std::size_t kAtOnce = 256;
    std::vector<std::uint64_t> hashes;
    if (at % kAtOnce != 0) return hashes;
    for (std::size_t end = std::min(at + kAtOnce, due.size()); at < end; ++at)
      hashes.push_back(due[at].hash);
    return hashes;
  }
  /// A timer that comes is pending no more. Null: it was not.
  Row* take(Kind kind, Time time, const K& key, std::uint64_t hash) {
    Row* const row = rows_->find(key, hash);
    if (row == nullptr || !forget(*row, kind, time)) return nullptr;
    timers_->count_fired(kind);
    return row;
  }
  /// Timers that were removed leave pairs in the queue: no more of them than of the pending ones,
  /// and of those whose rows are on disk, of which nobody knows.
  void forget_stale() {
    for (const Kind kind : {Kind::event, Kind::clock}) forget_stale(kind);
  }

 private:
  static constexpr std::size_t kStaleMin = 4096;

  static bool is_pending(Row& row, Kind kind, Time time) {
    const TimerSet* const times = KeyTimers::set_of(row.timers, kind);
    return times && times->contains(time);
  }
  static bool forget(Row& row, Kind kind, Time time) {
    TimerSet* const times = KeyTimers::set_of(row.timers, kind);
    return times && times->erase(time);
  }
  void forget_stale(Kind kind) {
    TimerQueue& queue = timers_->queue(kind);
    std::size_t& least = least_[static_cast<std::size_t>(kind)];
    if (queue.size() <= std::max(2 * timers_->pending(kind) + kStaleMin, least)) return;
    queue.retain([this, kind](const TimerQueue::Entry& entry) {
      bool pending = spilled_->may_hold(entry.hash);
      rows_->for_each_of(entry.hash,
                         [&](const K&, Row& row) { pending |= is_pending(row, kind, entry.time); });
      return pending;
    });
    least = spilled_->active() ? 2 * queue.size() : 0;
  }

  KeyedTables<K, Row>* rows_;
  KeyTimers* timers_;
  SpilledStates<K, P>* spilled_;
  std::array<std::size_t, 2> least_{};  ///< by kind: up to there the queue is not looked through
};

}  // namespace millrace::detail
