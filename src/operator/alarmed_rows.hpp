// AlarmedRows: a row for each key of a task and when next to look at it, of which those that memory
// has no room for lie on disk.
#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "operator/spilled_tables.hpp"
#include "state/key_alarms.hpp"

namespace millrace::detail {

/// What an operator keeps of keys that have something to do at a time. Alarms stay in memory, 16
/// bytes each; the row of one that rings is brought before, some at once, so that memory holds them
/// however many ring. See SpilledTables.
template <class K, class Codec>
class AlarmedRows : public SpilledTables<K, Codec> {
  using Base = SpilledTables<K, Codec>;

 public:
  using Base::end_batch, Base::tables;
  using typename Base::Row;

  /// `meter` counts the tables and the alarms and outlives it; null: nobody does.
  AlarmedRows(Codec codec, MemoryMeter* meter) : Base(std::move(codec), meter) {
    alarms_.count_with(meter);
  }

  KeyAlarms& alarms() { return alarms_; }
  const KeyAlarms& alarms() const { return alarms_; }

  /// Calls look(when, hash, K key, Row& row) -> bool for the rows whose alarms are before `time`
  /// (for all of them at kTimeMax), in the order of the alarms, and forgets those for which it
  /// holds. It may ask twice for one row, and add alarms for it. Behind the last one end_batch().
  template <class Look>
  void ring(Time time, Look&& look) {
    const auto wake = [&](Time when, std::uint64_t hash) {
      bool gone = false;
      tables().erase_of_hash(hash, [&](const K& key, Row& row) {
        const bool over = look(when, hash, key, row);
        gone |= over;
        return over;
      });
      if (gone) this->forgotten(hash);
    };
    alarms_.ring(
        time, wake, [this](std::uint64_t hash) { tables().prefetch(hash); },
        [this](std::span<const TimedHash> alarms) { bring_those_of(alarms); });
  }
  /// As for_each(), of those on disk a key group at a time, and forgets them; not their alarms.
  template <class Visit>
  void take_all(Visit&& visit) {
    if (!this->is_on_disk()) {
      tables().for_each(visit);
      return tables().clear();
    }
    for (std::uint32_t group = 0; group < kKeyGroups; ++group) {
      end_batch();  // before: what goes to disk now is to be brought as well
      hashes_.clear();
      const auto note = [this](const K& key, Row&) { hashes_.push_back(KeyTraits<K>::hash(key)); };
      this->each_on_disk(group, note);
      this->bring_all(hashes_);
      hashes_.clear();
      tables().for_each(note, group, group + 1);
      tables().for_each(visit, group, group + 1);
      for (const std::uint64_t hash : hashes_) {
        tables().erase_of_hash(hash, [](const K&, Row&) { return true; });
        this->forgotten(hash);
      }
    }
  }
  /// A row of an image; makes room as it goes. Behind the last one end_batch().
  void restore(const K& key, std::uint64_t hash, Row row) {
    this->bring(hash);  // another key may have it
    this->note_restored(row);
    tables().add(key, hash, std::move(row));
  }

 private:
  void bring_those_of(std::span<const TimedHash> alarms) {
    this->make_room_behind(alarms.size());
    if (!this->is_on_disk()) return;
    hashes_.clear();
    for (const TimedHash& alarm : alarms) hashes_.push_back(alarm.hash);
    this->bring_all(hashes_);
  }

  KeyAlarms alarms_;
  std::vector<std::uint64_t> hashes_;
};

}  // namespace millrace::detail
