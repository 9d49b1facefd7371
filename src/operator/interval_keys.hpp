// IntervalKeys: what an interval join keeps of each key: the records of both sides that may still
// find partners.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

#include "env/disk_table.hpp"
#include "operator/cold_keys.hpp"
#include "operator/join_images.hpp"
#include "operator/joined_records.hpp"
#include "state/key_alarms.hpp"
#include "state/keyed_tables.hpp"
#include "state/table_sweep.hpp"
#include "window/join_interval.hpp"

namespace millrace::detail {

/// One key's records.
struct IntervalRecords {
  using Entries = JoinEntries<JoinEntry>;

  bool empty() const { return left.empty() && right.empty(); }
  template <int kSide>
  Entries& entries() {
    if constexpr (kSide == 0) {
      return left;
    } else {
      return right;
    }
  }
  void prefetch() const {
    left.prefetch();
    right.prefetch();
  }
  // Of JoinRow.
  template <class Use>
  void each(Use&& use) const {
    for (const int side : {0, 1}) {
      for (const JoinEntry& entry : side == 0 ? left : right) use(side, kept_of(entry));
    }
  }
  void put(int side, const JoinKept& kept, MemoryMeter* meter) {
    (side == 0 ? left : right).insert(entry_of(kept), meter);
  }
  template <class Move>
  void move(Move&& move) {
    for (const int side : {0, 1}) {
      for (JoinEntry& entry : side == 0 ? left : right) entry.move_to(move(side, entry.slot()));
    }
  }
  Time& wakes() { return alarm; }

  Entries left;
  Entries right;
  Time alarm = kTimeMax;  ///< when next to look what is over
};

/// From when on none of the records finds a partner.
inline OverAt over_at(const IntervalRecords& of_key, const JoinInterval& interval) {
  OverAt over{kTimeMin, kTimeMin};
  of_key.each([&](int side, const JoinKept& kept) {
    over.event = std::max(over.event, saturating_add(interval.closes(side, kept.time), 1));
  });
  return over;
}

/// One thread. Throws MemoryRefused.
template <class K>
class IntervalKeys {
 public:
  /// `tells`: records that go without a partner are asked for at once. Others are only forgotten:
  /// by a walk over all keys, which takes about as long as a record is kept.
  IntervalKeys(const JoinInterval& interval, bool tells, MemoryMeter* meter)
      : interval_(interval),
        longest_wait_(std::max(interval.wait_us(0), interval.wait_us(1))),
        tells_(tells),
        meter_(meter),
        keys_(meter) {
    alarms_.count_with(meter);
  }

  bool empty() const { return keys_.size() == 0; }
  /// Of a LookAhead: bring near what of() reads, and what is read of that.
  auto near() const {
    return [this](std::uint64_t hash) { keys_.prefetch(hash); };
  }
  auto next() const {
    return [this](std::uint64_t hash) {
      if (const IntervalRecords* const of_key = keys_.peek(hash)) of_key->prefetch();
    };
  }
  IntervalRecords& of(const K& key, std::uint64_t hash) {
    return keys_.upsert(key, hash, [] { return IntervalRecords(); });
  }
  /// Adds a record that may still find partners. Where there is no room for it, records for which
  /// no partner comes behind `watermark` are let go first: gone(side as a constant, entry) is
  /// called before.
  template <int kSide, class Gone>
  void add(IntervalRecords& of_key, std::uint64_t hash, const JoinEntry& entry, Time watermark,
           Gone&& gone) {
    Entries& entries = of_key.template entries<kSide>();
    if (!tells_) {
      if (entries.is_full()) close_side<kSide>(entries, watermark, gone);
      ++added_;
      return entries.insert(entry, meter_);
    }
    entries.insert(entry, meter_);
    const Time closes = interval_.closes(kSide, entry.time);
    if (closes < of_key.alarm || of_key.alarm == kTimeMax) wake(of_key, closes, hash);
  }
  /// Nothing was added.
  void leave(const IntervalRecords& of_key, const K& key, std::uint64_t hash) {
    if (of_key.empty() && keys_.erase(key, hash)) cold_->forgotten(hash);
  }
  /// For images: of keys whose records are all over some stay for a while.
  KeyedTables<K, IntervalRecords>& tables() { return keys_; }
  /// Of JoinParts: the records for which partners may come behind `watermark`.
  auto each_kept(Time watermark) const {
    return [this, watermark](IntervalRecords& of_key, auto&& use) {
      of_key.each([&](int side, const JoinKept& kept) {
        if (interval_.closes(side, kept.time) >= watermark) use(side, kept);
      });
    };
  }
  /// `gone`: as of close(); what it refers to, and `watermark`, outlive what is returned.
  template <class Gone>
  JoinLife<IntervalRecords> life(const Time& watermark, Gone gone) {
    if (tells_) return {};
    return {[this](const IntervalRecords& of_key) { return over_at(of_key, interval_); },
            [=, this, &watermark](IntervalRecords& of_key) { close_key(of_key, watermark, gone); }};
  }
  /// Once, before anything else; it outlives this.
  void set_cold(ColdKeys& cold) { cold_ = &cold; }
  /// Lets go of the records for which no partner comes behind `watermark`: calls gone(side as a
  /// constant, entry) before.
  template <class Gone>
  void close(Time watermark, Gone&& gone) {
    if (!tells_) return walk_on(watermark, gone);
    const auto wake_key = [&](Time when, std::uint64_t hash) {
      keys_.erase_of_hash(hash, [&](const K&, IntervalRecords& of_key) {
        if (when != of_key.alarm) return false;  // an earlier one has taken its place
        close_key(of_key, watermark, gone);
        const bool over = of_key.empty();
        over ? cold_->forgotten(hash) : wake(of_key, next_look(of_key), hash);
        return over;
      });
    };
    const auto bring = [this](std::span<const TimedHash> alarms) { cold_->bring_all(alarms); };
    alarms_.ring(watermark, wake_key, near(), bring);
  }

 private:
  using Entries = IntervalRecords::Entries;

  /// Lets go of what is over of some keys: of so many as the time that has gone by is of that for
  /// which records are kept; but of not so many more than records were added.
  template <class Gone>
  void walk_on(Time watermark, Gone& gone) {
    constexpr std::size_t kSlotsLeast = 256;
    constexpr std::size_t kSlotsOfRecord = 4;
    const auto all = static_cast<double>(TableSweep<K, IntervalRecords>::slots(keys_));
    const double past = static_cast<double>(watermark) - static_cast<double>(walked_);
    const double share = past / std::max(static_cast<double>(longest_wait_), 1.0);
    auto slots = static_cast<std::size_t>(all * std::clamp(share, 0.0, 1.0));
    if (slots == 0) return;
    slots = std::min(slots, kSlotsLeast + kSlotsOfRecord * added_);
    if (watermark == kTimeMax) slots = ~std::size_t{0};  // until none is left
    walked_ = watermark;
    added_ = 0;
    const auto is_over = [&](const K& key, IntervalRecords& of_key) {
      close_key(of_key, watermark, gone);
      // Not worth writing: a restore leaves out what is over.
      if (!of_key.empty()) return Swept::as_it_was;
      if (cold_->any()) cold_->forgotten(KeyTraits<K>::hash(key));
      return Swept::gone;
    };
    walk_.step(keys_, slots, is_over, [](const IntervalRecords& of_key) { of_key.prefetch(); });
  }
  void wake(IntervalRecords& of_key, Time when, std::uint64_t hash) {
    of_key.alarm = when;
    alarms_.add(when, hash);
  }
  template <class Gone>
  void close_key(IntervalRecords& of_key, Time watermark, const Gone& gone) {
    close_side<0>(of_key.left, watermark, gone);
    close_side<1>(of_key.right, watermark, gone);
  }
  template <int kSide, class Gone>
  void close_side(Entries& entries, Time watermark, const Gone& gone) {
    while (!entries.empty()) {
      const JoinEntry& entry = entries.front();
      if (interval_.closes(kSide, entry.time) >= watermark && watermark != kTimeMax) return;
      gone(std::integral_constant<int, kSide>(), entry);
      entries.pop_front();
    }
  }
  Time next_look(const IntervalRecords& of_key) const {
    Time next = kTimeMax;
    if (!of_key.left.empty()) next = interval_.closes(0, of_key.left.front().time);
    if (!of_key.right.empty())
      next = std::min(next, interval_.closes(1, of_key.right.front().time));
    return next;
  }

  JoinInterval interval_;
  std::int64_t longest_wait_;  ///< microseconds that a record is kept
  bool tells_;
  MemoryMeter* meter_;
  ColdKeys* cold_ = nullptr;
  KeyedTables<K, IntervalRecords> keys_;
  KeyAlarms alarms_;
  TableSweep<K, IntervalRecords> walk_;
  Time walked_ = kTimeMin;  ///< the watermark that it has reached
  std::size_t added_ = 0;   ///< records since
};

}  // namespace millrace::detail
