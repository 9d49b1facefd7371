// What keys hold of windows by records, and images of it.
#pragma once

#include <algorithm>
#include <functional>
#include <string>
#include <utility>

#include "operator/kernels.hpp"
#include "operator/stored_accumulators.hpp"
#include "state/key_alarms.hpp"
#include "window/record_windows.hpp"

namespace millrace::detail {

/// A record that waits for those before it, as an accumulator of its own: it borrows nothing.
template <class Acc>
struct WaitingRecord {
  Stamp stamp;
  Acc acc;
  friend bool operator>(const WaitingRecord& a, const WaitingRecord& b) {
    return b.stamp < a.stamp;
  }
};

/// The records of one key.
template <class Spec, class Acc>
struct KeyRecords {
  using Waiting = WaitingRecord<Acc>;

  /// `meter` counts them and outlives them; null: nobody does.
  explicit KeyRecords(MemoryMeter* meter)
      : held(meter), waiting(CountedAllocator<Waiting>(meter)) {}

  /// Calls visit(const Acc&) for every accumulator that is held.
  template <class Visit>
  void for_each(Visit&& visit) const {
    held.for_each(visit);
    for (const Waiting& record : waiting) visit(record.acc);
  }
  /// store(std::string&, const Acc&) appends an accumulator.
  template <class Store>
  void store(std::string& out, Store&& store) const {
    put_number(out, alarm);
    held.store(out, store);
    put_varint(out, waiting.size());
    for (const Waiting& record : waiting) {
      store_value(out, record.stamp);
      store(out, record.acc);
    }
  }
  /// Reads that into an empty one; load(BytesCursor&) -> std::optional<Acc>. False: it does not
  /// fit.
  template <class Load>
  bool load(BytesCursor& in, Load&& load) {
    alarm = in.number<Time>();
    if (!held.load(in, load)) return false;
    const std::uint64_t count = in.varint();
    if (!in.ok() || count > in.rest().size()) return false;
    for (std::uint64_t at = 0; at < count; ++at) {
      Stamp stamp;
      if (!load_value(in, stamp)) return false;
      auto acc = load(in);
      if (!acc) return false;
      waiting.push_back({stamp, std::move(*acc)});
    }
    std::make_heap(waiting.begin(), waiting.end(), std::greater<>());
    return true;
  }

  Held<Spec, Acc> held;
  CountedVector<Waiting> waiting;  ///< a heap: the earliest is the first
  Time alarm = kTimeMax;           ///< when next to look; kTimeMax: never
};

/// `kernel` outlives the writer.
template <class K, class Spec, class Kernel>
void save_records(StateWriter& writer, KeyedTables<K, KeyRecords<Spec, typename Kernel::Acc>>& keys,
                  const Spec& spec, const Kernel& kernel) {
  if constexpr (!kStores<Kernel>) {
    writer.refuse(unstorable("records"));
  } else {
    using Acc = typename Kernel::Acc;
    const auto store_acc = [&kernel](std::string& out, const Acc& acc) {
      store_accumulator(kernel, out, acc);
    };
    save_tables_later(writer, "records", keys, shape_of_kind(spec.to_string(), shape_of(kernel)),
                      [store_acc](std::string& out, const KeyRecords<Spec, Acc>& records) {
                        records.store(out, store_acc);
                      });
  }
}

/// Into tables that are empty, with their alarms.
template <class K, class Spec, class Kernel>
void restore_records(StateReader& reader,
                     KeyedTables<K, KeyRecords<Spec, typename Kernel::Acc>>& keys,
                     KeyAlarms& alarms, const Spec& spec, const Kernel& kernel,
                     MemoryMeter* meter) {
  const auto take = [&](const StatePart& part, const auto& accumulators) {
    BytesCursor in(part.bytes);
    read_entries<K>(reader, part, in, [&](const K& key, std::uint64_t hash) {
      KeyRecords<Spec, typename Kernel::Acc> records(meter);
      const auto load = [&accumulators](BytesCursor& from) { return accumulators.next(from); };
      if (!records.load(in, load)) return false;
      if (records.alarm != kTimeMax || !records.waiting.empty()) alarms.add(records.alarm, hash);
      keys.add(key, hash, std::move(records));
      return true;
    });
  };
  each_part_of_kind<K>(reader, "records", spec.to_string(), kernel, take);
}

}  // namespace millrace::detail
