// IntervalKeys: what an interval join keeps of each key: the records of both sides that may still
// find partners.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <vector>

#include "operator/join_images.hpp"
#include "operator/joined_records.hpp"
#include "state/key_alarms.hpp"
#include "state/keyed_tables.hpp"
#include "window/join_interval.hpp"

namespace millrace::detail {

/// One key's records.
struct IntervalRecords {
  using Entries = JoinEntries<JoinEntry>;
  explicit IntervalRecords(MemoryMeter* meter) : left(meter), right(meter) {}

  bool empty() const { return left.empty() && right.empty(); }
  template <int kSide>
  Entries& entries() {
    if constexpr (kSide == 0) {
      return left;
    } else {
      return right;
    }
  }

  Entries left;
  Entries right;
  Time alarm = kTimeMax;  ///< when next to look what is over
};

/// One thread. Throws MemoryRefused.
template <class K>
class IntervalKeys {
 public:
  /// `tells`: records that go without a partner are asked for at once. Others are only forgotten:
  /// when their key comes again, or in twice the longest time that a record is kept.
  IntervalKeys(const JoinInterval& interval, bool tells, MemoryMeter* meter)
      : interval_(interval), tells_(tells), meter_(meter), keys_(meter) {
    alarms_.count_with(meter);
  }

  bool empty() const { return keys_.size() == 0; }
  /// Brings near what of() soon reads, of a batch whose record `at` is at hand.
  void look_ahead(const std::vector<std::uint64_t>& hashes, std::size_t at) const {
    if (at + kLookAhead < hashes.size()) keys_.prefetch(hashes[at + kLookAhead]);
  }
  IntervalRecords& of(const K& key, std::uint64_t hash) {
    return keys_.upsert(key, hash, [this] { return IntervalRecords(meter_); });
  }
  /// Adds a record that may still find partners.
  template <int kSide>
  void add(IntervalRecords& of_key, std::uint64_t hash, const JoinEntry& entry) {
    of_key.template entries<kSide>().insert(entry);
    if (!tells_) {
      if (of_key.alarm == kTimeMax) wake(of_key, both_close(entry.time), hash);
      return;
    }
    const Time closes = interval_.closes(kSide, entry.time);
    if (closes < of_key.alarm || of_key.alarm == kTimeMax) wake(of_key, closes, hash);
  }
  /// Lets go of the key's records that close() would only forget: calls gone(side as a constant,
  /// entry) before. O(1) and what goes.
  template <class Gone>
  void forget(IntervalRecords& of_key, Time watermark, Gone&& gone) {
    if (!tells_) close_key(of_key, watermark, gone);
  }
  /// Nothing was added.
  void leave(const IntervalRecords& of_key, const K& key, std::uint64_t hash) {
    if (of_key.empty()) keys_.erase(key, hash);
  }
  /// Adds the records for which partners may come behind `watermark`.
  void add_to(JoinImages& images, Time watermark) {
    keys_.for_each([&](const K& key, IntervalRecords& of_key) {
      const std::uint64_t hash = KeyTraits<K>::hash(key);
      for (const int side : {0, 1}) {
        for (const JoinEntry& entry : side == 0 ? of_key.left : of_key.right) {
          const JoinMark mark = entry.matched() ? JoinMark::matched : JoinMark::open;
          if (interval_.closes(side, entry.time) >= watermark)
            images[side].add(hash, {entry.time, entry.slot(), kTimeMin, mark});
        }
      }
    });
  }
  /// Lets go of the records for which no partner comes behind `watermark`: calls gone(side as a
  /// constant, entry) before.
  template <class Gone>
  void close(Time watermark, Gone&& gone) {
    alarms_.ring(watermark, [&](Time when, std::uint64_t hash) {
      keys_.erase_of_hash(hash, [&](const K&, IntervalRecords& of_key) {
        if (when != of_key.alarm) return false;  // an earlier one has taken its place
        close_key(of_key, watermark, gone);
        if (of_key.empty()) return true;
        wake(of_key, next_look(of_key), hash);
        return false;
      });
    });
  }

 private:
  using Entries = IntervalRecords::Entries;
  static constexpr std::size_t kLookAhead = 16;

  void wake(IntervalRecords& of_key, Time when, std::uint64_t hash) {
    of_key.alarm = when;
    alarms_.add(when, hash);
  }
  template <class Gone>
  void close_key(IntervalRecords& of_key, Time watermark, Gone& gone) {
    close_side<0>(of_key.left, watermark, gone);
    close_side<1>(of_key.right, watermark, gone);
  }
  template <int kSide, class Gone>
  void close_side(Entries& entries, Time watermark, Gone& gone) {
    while (!entries.empty()) {
      const JoinEntry& entry = entries.front();
      if (interval_.closes(kSide, entry.time) >= watermark && watermark != kTimeMax) return;
      gone(std::integral_constant<int, kSide>(), entry);
      entries.pop_front();
    }
  }
  Time both_close(Time time) const {
    return std::max(interval_.closes(0, time), interval_.closes(1, time));
  }
  Time next_look(const IntervalRecords& of_key) const {
    Time next = tells_ ? kTimeMax : kTimeMin;
    const auto look = [&](int side, const Entries& entries) {
      if (entries.empty()) return;
      const Time closes = interval_.closes(side, (tells_ ? entries.front() : entries.back()).time);
      next = tells_ ? std::min(next, closes) : std::max(next, closes);
    };
    look(0, of_key.left);
    look(1, of_key.right);
    return next;
  }

  JoinInterval interval_;
  bool tells_;
  MemoryMeter* meter_;
  KeyedTables<K, IntervalRecords> keys_;
  KeyAlarms alarms_;
};

}  // namespace millrace::detail
