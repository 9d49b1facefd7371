// WindowJoinKeys: what a window join keeps of each key: the records of both sides that lie in a
// window which has not fired.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "operator/cold_keys.hpp"
#include "operator/join_images.hpp"
#include "operator/joined_records.hpp"
#include "operator/operator.hpp"
#include "state/key_alarms.hpp"
#include "state/keyed_tables.hpp"
#include "window/window.hpp"

namespace millrace::detail {

/// What a window join keeps of a record: also the watermark of its own partition that it came
/// behind, for it is late for windows that were over then.
struct WindowJoinEntry {
  Time time;
  std::uint64_t slot;
  Time behind;
};

/// The records of entries, valid as long as they are kept.
template <class T>
void point_to(JoinedRecords<T>& kept, const std::vector<WindowJoinEntry>& entries,
              std::vector<const T*>& records) {
  records.clear();
  for (const WindowJoinEntry& entry : entries) records.push_back(&kept.record(entry.slot));
}

/// One key's records, those of all open windows once.
struct WindowJoinRecords {
  using Entries = JoinEntries<WindowJoinEntry>;

  bool empty() const { return left.empty() && right.empty(); }
  /// The least time of any; not when empty.
  Time first() const {
    return std::min(left.empty() ? kTimeMax : left.front().time,
                    right.empty() ? kTimeMax : right.front().time);
  }
  // Of JoinRow.
  template <class Use>
  void each(Use&& use) const {
    for (const int side : {0, 1}) {
      for (const WindowJoinEntry& entry : side == 0 ? left : right)
        use(side, JoinKept{entry.time, entry.slot, entry.behind});
    }
  }
  void put(int side, const JoinKept& kept, MemoryMeter* meter) {
    (side == 0 ? left : right).insert({kept.time, kept.slot, kept.behind}, meter);
  }
  template <class Move>
  void move(Move&& move) {
    for (const int side : {0, 1}) {
      for (WindowJoinEntry& entry : side == 0 ? left : right) entry.slot = move(side, entry.slot);
    }
  }
  Time& wakes() { return end; }

  Entries left;
  Entries right;
  Time end = kTimeMax;  ///< of the first window that is open
};

/// Windows that wait for a lateness behind their ends.
class LastingWindows : public Windows {
 public:
  LastingWindows(Windows windows, Duration lateness)
      : Windows(std::move(windows)), lateness_(lateness.count()) {}

  bool is_over(Time end, Time watermark) const {
    return saturating_add(end, lateness_) <= watermark;
  }
  /// A window that ends there fires when the watermark is greater.
  Time alarm_of(Time end) const { return saturating_add(saturating_add(end, lateness_), -1); }
  Time end_of_alarm(Time alarm) const {
    return saturating_add(saturating_add(alarm, 1), -lateness_);
  }
  /// All windows that end there or earlier are over at the watermark.
  Time passed(Time watermark) const {
    return watermark == kTimeMax ? watermark : saturating_add(watermark, -lateness_);
  }

 private:
  std::int64_t lateness_;  ///< microseconds
};

/// One thread. Throws MemoryRefused.
template <class K>
class WindowJoinKeys {
 public:
  WindowJoinKeys(const LastingWindows& windows, MemoryMeter* meter)
      : windows_(windows), meter_(meter), keys_(meter) {
    alarms_.count_with(meter);
  }

  /// Brings near what add() reads.
  void prefetch(std::uint64_t hash) const { keys_.prefetch(hash); }
  /// Windows that were over at the watermark `over` (kTimeMin: none) do not fire for it any more.
  template <int kSide>
  void add(const K& key, std::uint64_t hash, const WindowJoinEntry& entry, Time over) {
    Records& of_key = keys_.upsert(key, hash, [] { return Records(); });
    const bool is_first = of_key.empty();
    (kSide == 0 ? of_key.left : of_key.right).insert(entry, meter_);
    Time end = windows_.first_end(entry.time);
    if (over != kTimeMin) end = std::max(end, windows_.next_end_after(windows_.passed(over)));
    if (is_first || end < of_key.end) wake(of_key, end, hash);
  }
  /// Fires the windows that are over: calls emit(records, end, hash) for each, then gone(side as a
  /// constant, slot) for the records that lie in no later one.
  template <class Emit, class Gone>
  void close(Time watermark, const Emit& emit, const Gone& gone) {
    const auto wake_key = [&](Time when, std::uint64_t hash) {
      keys_.erase_of_hash(hash, [&](const K&, Records& of_key) {
        const bool over =
            when == windows_.alarm_of(of_key.end) && fire(of_key, hash, watermark, emit, gone);
        if (over) cold_->forgotten(hash);
        return over;
      });
    };
    const auto bring = [this](std::span<const TimedHash> alarms) { cold_->bring_all(alarms); };
    alarms_.ring(watermark, wake_key, [this](std::uint64_t hash) { keys_.prefetch(hash); }, bring);
  }
  KeyedTables<K, WindowJoinRecords>& tables() { return keys_; }
  /// Once, before anything else; it outlives this.
  void set_cold(ColdKeys& cold) { cold_ = &cold; }
  Standing standing() const {
    const auto first = alarms_.first();
    if (!first) return {};
    Standing standing = holding(true, windows_.start_of(windows_.end_of_alarm(*first)));
    standing.closes_at = saturating_add(*first, 1);
    return standing;
  }

 private:
  using Records = WindowJoinRecords;

  void wake(Records& of_key, Time end, std::uint64_t hash) {
    of_key.end = end;
    alarms_.add(windows_.alarm_of(end), hash);
  }
  /// Fires the windows of a key that are over. True: the key has nothing left.
  template <class Emit, class Gone>
  bool fire(Records& of_key, std::uint64_t hash, Time watermark, const Emit& emit,
            const Gone& gone) {
    Time end = of_key.end;
    while (windows_.is_over(end, watermark)) {
      emit(of_key, end, hash);
      forget<0>(of_key.left, end, gone);
      forget<1>(of_key.right, end, gone);
      if (of_key.empty()) return true;
      end = std::max(windows_.first_end(of_key.first()), windows_.next_end_after(end));
    }
    wake(of_key, end, hash);
    return false;
  }
  template <int kSide, class Gone>
  void forget(Records::Entries& entries, Time end, const Gone& gone) {
    while (!entries.empty() && windows_.last_end(entries.front().time) <= end) {
      gone(std::integral_constant<int, kSide>(), entries.front().slot);
      entries.pop_front();
    }
  }

  LastingWindows windows_;
  MemoryMeter* meter_;
  ColdKeys* cold_ = nullptr;
  KeyedTables<K, Records> keys_;
  KeyAlarms alarms_;
};

}  // namespace millrace::detail
