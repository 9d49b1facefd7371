// AsOfKeys: of each key the right records of an as-of join that a left record may still need.
#pragma once

#include <cstdint>
#include <span>
#include <utility>

#include "env/disk_table.hpp"
#include "operator/cold_keys.hpp"
#include "operator/join_images.hpp"
#include "state/key_alarms.hpp"
#include "state/keyed_tables.hpp"
#include "window/as_of_bounds.hpp"

namespace millrace::detail {

/// One key's right records, each valid from its time on: no two have the same time. One that is
/// marked deletes: from its time on there is none.
struct AsOfVersions {
  using Entries = JoinEntries<JoinEntry, 2>;

  bool has_one() const { return entries.front().time == entries.back().time; }
  // Of JoinRow; all are of the right side.
  template <class Use>
  void each(Use&& use) const {
    for (const JoinEntry& entry : entries) use(1, kept_of(entry));
  }
  void put(int, const JoinKept& kept, MemoryMeter* meter) { entries.insert(entry_of(kept), meter); }
  template <class Move>
  void move(Move&& move) {
    for (JoinEntry& entry : entries) entry.move_to(move(1, entry.slot()));
  }
  Time& wakes() { return alarm; }

  Entries entries;
  Time alarm = kTimeMax;  ///< when next to look what is over; kTimeMax: never
};

/// One thread. Throws MemoryRefused.
template <class K>
class AsOfKeys {
 public:
  AsOfKeys(const AsOfBounds& bounds, MemoryMeter* meter)
      : bounds_(bounds), meter_(meter), keys_(meter) {
    alarms_.count_with(meter);
  }

  /// Brings near what add() and find() read.
  void prefetch(std::uint64_t hash) const { keys_.prefetch(hash); }
  /// Calls visit(slot) for the records of the key that find() probably chooses from.
  template <class Visit>
  void likely(std::uint64_t hash, Visit&& visit) const {
    const AsOfVersions* const of_key = keys_.peek(hash);
    if (of_key == nullptr || of_key->entries.empty()) return;
    visit(of_key->entries.front().slot());
    if (!of_key->has_one()) visit(of_key->entries.back().slot());
  }

  /// Adds a right record, or leaves it where there is one of its time that goes before. Calls
  /// replaces(entry there) -> bool where there is one. True: it has been added; the other one has
  /// gone.
  template <class Replaces>
  bool add(const K& key, std::uint64_t hash, const JoinEntry& entry, Replaces&& replaces) {
    AsOfVersions& of_key = keys_.upsert(key, hash, [] { return AsOfVersions(); });
    const auto at = of_key.entries.from(entry.time);
    if (at != of_key.entries.end() && at->time == entry.time) {
      if (!replaces(*at)) return false;
      *at = entry;
    } else {
      of_key.entries.insert(entry, meter_);
    }
    const Time look = next_look(of_key);
    if (look < of_key.alarm) wake(of_key, look, hash);
    return true;
  }
  /// What a left record of that time is joined with; null: nothing.
  const JoinEntry* find(const K& key, std::uint64_t hash, Time time) const {
    const AsOfVersions* const of_key = keys_.look_up(key, hash);
    if (of_key == nullptr) return nullptr;
    const auto& entries = of_key->entries;
    const auto later = entries.from(saturating_add(time, 1));
    const JoinEntry* before = later == entries.begin() ? nullptr : &*(later - 1);
    if (before != nullptr && (before->matched() || bounds_.last_use(before->time) < time))
      before = nullptr;
    if (!bounds_.nearest || later == entries.end()) return before;
    const JoinEntry* after = &*later;
    if (after->matched() || after->time > saturating_add(time, bounds_.within->count()))
      return before;
    return before != nullptr && time - before->time <= after->time - time ? before : after;
  }
  /// Lets go of what no left record of time `floor` or later needs: calls gone(entry) before.
  template <class Gone>
  void forget(Time floor, Gone&& gone) {
    const auto wake_key = [&](Time when, std::uint64_t hash) {
      keys_.erase_of_hash(hash, [&](const K&, AsOfVersions& of_key) {
        if (when != of_key.alarm) return false;  // an earlier one has taken its place
        auto& entries = of_key.entries;
        while (!entries.empty() && is_over(of_key, floor)) {
          gone(entries.front());
          entries.pop_front();
        }
        if (entries.empty()) {
          cold_->forgotten(hash);
          return true;
        }
        of_key.alarm = kTimeMax;
        if (const Time look = next_look(of_key); look != kTimeMax) wake(of_key, look, hash);
        return false;
      });
    };
    const auto bring = [this](std::span<const TimedHash> alarms) { cold_->bring_all(alarms); };
    alarms_.ring(floor, wake_key, [this](std::uint64_t hash) { keys_.prefetch(hash); }, bring);
  }
  KeyedTables<K, AsOfVersions>& tables() { return keys_; }
  /// From when on there is nothing to find for a key any more: the watermark, not the floor.
  JoinLife<AsOfVersions> life() const {
    return {[this](const AsOfVersions& of_key) {
      const JoinEntry& last = of_key.entries.back();
      const Time use = last.matched() ? last.time : saturating_add(bounds_.last_use(last.time), 1);
      return OverAt{saturating_add(use, bounds_.wait_us()), kTimeMin};
    }};
  }
  /// Once, before anything else; it outlives this.
  void set_cold(ColdKeys& cold) { cold_ = &cold; }

 private:
  void wake(AsOfVersions& of_key, Time when, std::uint64_t hash) {
    of_key.alarm = when;
    alarms_.add(when, hash);
  }
  /// The first record is of no use any more: another one has taken its place, or its time is over.
  bool is_over(AsOfVersions& of_key, Time floor) const {
    auto& entries = of_key.entries;
    const JoinEntry& first = entries.front();
    if (bounds_.last_use(first.time) < floor || (first.matched() && first.time <= floor))
      return true;
    return !of_key.has_one() && (entries.begin() + 1)->time <= floor;
  }
  /// Once in the time that records are kept.
  Time next_look(const AsOfVersions& of_key) const {
    const JoinEntry& last = of_key.entries.back();
    return of_key.has_one() && !last.matched() ? bounds_.last_use(last.time) : last.time;
  }

  AsOfBounds bounds_;
  MemoryMeter* meter_;
  ColdKeys* cold_ = nullptr;
  KeyedTables<K, AsOfVersions> keys_;
  KeyAlarms alarms_;
};

}  // namespace millrace::detail
