// What keys hold of windows by records, and images of it.
#pragma once

#include <algorithm>
#include <functional>
#include <string>
#include <utility>

#include "operator/acc_heap.hpp"
#include "operator/alarmed_rows.hpp"
#include "operator/kernels.hpp"
#include "operator/stored_accumulators.hpp"
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

/// How what a key holds of windows by records lies on disk, and in images: see DiskRows.
template <class Spec, class Kernel>
class RecordsCodec {
 public:
  using Acc = typename Kernel::Acc;
  using Row = KeyRecords<Spec, Acc>;

  /// Both outlive it; `meter` may be null.
  RecordsCodec(const Kernel& kernel, MemoryMeter* meter) : kernel_(&kernel), meter_(meter) {}

  Row fresh() const { return Row(meter_); }
  void store(std::string& out, const Row& records) const {
    records.store(
        out, [this](std::string& to, const Acc& acc) { store_accumulator(*kernel_, to, acc); });
  }
  bool load(BytesCursor& in, Row& records) const {
    return records.load(in, [this](BytesCursor& from) { return next_accumulator(*kernel_, from); });
  }
  /// Never: its alarm ends it, or nothing does.
  static OverAt over_at(const Row&) { return {}; }
  static std::int64_t heap_of(const Row& records) {
    std::size_t bytes = 0;
    records.for_each([&bytes](const Acc& acc) { bytes += acc_heap_bytes(acc); });
    return static_cast<std::int64_t>(bytes);
  }

 private:
  const Kernel* kernel_;
  MemoryMeter* meter_;
};
/// What the keys of a task hold.
template <class K, class Spec, class Kernel>
using RecordRowsByKey = AlarmedRows<K, RecordsCodec<Spec, Kernel>>;

/// `kernel` and `keys` outlive the writer.
template <class K, class Spec, class Kernel>
void save_records(StateWriter& writer, RecordRowsByKey<K, Spec, Kernel>& keys, const Spec& spec,
                  const Kernel& kernel) {
  if constexpr (!kStores<Kernel>) {
    writer.refuse(unstorable("records"));
  } else {
    using Codec = RecordsCodec<Spec, Kernel>;
    keys.save(writer, "records", shape_of_kind(spec.to_string(), shape_of(kernel)),
              [codec = Codec(kernel, nullptr)](std::string& out, const typename Codec::Row& row) {
                codec.store(out, row);
              });
  }
}

/// Into what holds none, with their alarms.
template <class K, class Spec, class Kernel>
void restore_records(StateReader& reader, RecordRowsByKey<K, Spec, Kernel>& keys, const Spec& spec,
                     const Kernel& kernel, MemoryMeter* meter) {
  const auto take = [&](const StatePart& part, const auto& accumulators) {
    BytesCursor in(part.bytes);
    read_entries<K>(reader, part, in, [&](const K& key, std::uint64_t hash) {
      KeyRecords<Spec, typename Kernel::Acc> records(meter);
      const auto load = [&accumulators](BytesCursor& from) { return accumulators.next(from); };
      if (!records.load(in, load)) return false;
      if (records.alarm != kTimeMax || !records.waiting.empty())
        keys.alarms().add(records.alarm, hash);
      keys.restore(key, hash, std::move(records));
      return true;
    });
  };
  each_part_of_kind<K>(reader, "records", spec.to_string(), kernel, take);
  keys.end_batch();
}

}  // namespace millrace::detail
