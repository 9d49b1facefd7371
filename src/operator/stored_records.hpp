// Records that an operator holds as parts of an image: the records with their times, places and
// lateness.
#pragma once

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "operator/keyed.hpp"
#include "operator/stateless.hpp"
#include "operator/stored_rows.hpp"
#include "record/stored_value.hpp"
#include "state/stored_tables.hpp"

namespace millrace::detail {

/// Records that can be stored: Described ones and rows.
template <class T>
inline constexpr bool kStoresRecords = Storable<T> || std::is_same_v<T, RowRef>;

/// Refuses the image: what is held cannot be stored.
inline void refuse_records(StateWriter& writer) {
  writer.refuse(
      "it holds records of a type that cannot be stored: make the record a plain struct of "
      "numbers, "
      "texts, Timestamps, lists, maps and such structs, or run without a state folder");
}

/// What comes with a record besides its value.
void append_place(std::string& out, const BatchBase& batch, std::size_t at, Time behind);
/// The same, appended to a batch whose records it precedes. False when the bytes do not fit.
bool load_place(BytesCursor& in, BatchBase& to);

/// The shape of the records of a batch that is not empty.
template <class T>
std::string records_shape(const Batch<T>& batch) {
  if constexpr (std::is_same_v<T, RowRef>) {
    return rows_shape(*batch.values.schema());
  } else {
    return stored_shape<T>();
  }
}

/// Appends the picked records, ascending, up to the end of a part.
template <class T>
void append_records(std::string& out, const Batch<T>& batch, std::span<const std::uint32_t> picks) {
  if constexpr (std::is_same_v<T, RowRef>) store_rows_schema(out, *batch.values.schema());
  std::size_t cursor = 0;
  for (const std::uint32_t at : picks) {
    append_place(out, batch, at, behind_at(batch, at, cursor));
    if constexpr (std::is_same_v<T, RowRef>) {
      store_row(out, batch.values[at]);
    } else {
      store_value(out, batch.values[at]);
    }
  }
}

/// Reads records up to the end of `in`, behind those that `to` has; before each it calls
/// before(in) -> bool, which reads what lies in front of it; false: it does not fit. They borrow
/// from `in`: see own_records().
template <class T, class Before>
Status load_records(std::string_view shape, BytesCursor& in, Batch<T>& to, Before&& before) {
  static const Status kDamaged(Code::state_unreadable, std::string(kBytesDoNotFit));
  if constexpr (std::is_same_v<T, RowRef>) {
    const RowSchemaPtr schema = load_rows_schema(in);
    if (!schema) return kDamaged;
    if (to.values.empty()) to.values.begin(schema);
    if (rows_shape(*to.values.schema()) != shape) return other_shape(shape, rows_shape(*schema));
    while (!in.rest().empty()) {
      if (!before(in) || !load_place(in, to) || !load_row(in, to.values)) return kDamaged;
    }
  } else {
    const auto reader = StoredReader<T>::of(shape);
    if (!reader) return reader.error();
    while (!in.rest().empty()) {
      T record{};
      if (!before(in) || !load_place(in, to) || !reader->read(in, record)) return kDamaged;
      to.values.push_back(std::move(record));
    }
  }
  return in.ok() ? Status() : kDamaged;
}
template <class T>
Status load_records(std::string_view shape, BytesCursor& in, Batch<T>& to) {
  return load_records(shape, in, to, [](BytesCursor&) { return true; });
}

/// What the records borrow becomes the batch's own.
template <class T>
void own_records(Batch<T>& batch) {
  if (batch.values.empty()) return;
  batch.pin(ArenaRef::make(1));  // there is something to leave
  batch_type<T>().rehome(batch);
}

/// A part for each key group of the records by `key`.
template <class T>
void save_keyed(StateWriter& writer, std::string_view name, const Batch<T>& batch,
                const KeyHash& key) {
  if (batch.values.empty()) return;
  if constexpr (kStoresRecords<T>) {
    std::vector<std::uint64_t> hashes;
    key.hash(batch, hashes);
    std::vector<std::vector<std::uint32_t>> groups(kKeyGroups);
    for (std::uint32_t at = 0; at < hashes.size(); ++at)
      groups[key_group(hashes[at])].push_back(at);
    for (std::uint32_t group = 0; group < kKeyGroups; ++group) {
      if (groups[group].empty()) continue;
      append_records(writer.group_part(name, group, records_shape(batch)), batch, groups[group]);
    }
  } else {
    refuse_records(writer);
  }
}

/// A part for each key group of the records by `key`; null: one of this task.
template <class T>
void save_records(StateWriter& writer, std::string_view name, const Batch<T>& batch,
                  const KeyHash* key = nullptr) {
  if (batch.values.empty()) return;
  if (key) return save_keyed(writer, name, batch, *key);
  if constexpr (kStoresRecords<T>) {
    std::vector<std::uint32_t> all(batch.values.size());
    std::iota(all.begin(), all.end(), 0u);
    append_records(writer.task_part(name, records_shape(batch)), batch, all);
  } else {
    refuse_records(writer);
  }
}

/// Those of a part, behind what `to` has; they borrow from it.
template <class T>
void restore_part(StateReader& reader, const StatePart& part, Batch<T>& to) {
  if constexpr (kStoresRecords<T>) {
    BytesCursor in(part.bytes);
    const Status status = load_records(part.shape, in, to);
    if (!status.ok()) reader.refuse(part, status.message());
  } else {
    reader.refuse(part, "its records can no longer be stored");
  }
}

/// Those that this task owns. Of a former task all go to one task: the very same where there are as
/// many as before.
template <class T>
Batch<T> restored_records(StateReader& reader, std::string_view name) {
  Batch<T> to;
  reader.each(name, [&](const StatePart& part) {
    if (part.owner == PartOwner::task && part.number % reader.tasks() != reader.task()) return;
    restore_part(reader, part, to);
  });
  own_records(to);
  return to;
}

/// Of tasks that wrote their watermarks as parts of that name the one with the least.
inline std::uint32_t task_behind_all(StateReader& reader, std::string_view name) {
  std::uint32_t task = 0;
  Time least = kTimeMax;
  reader.each(name, [&](const StatePart& part) {
    BytesCursor in(part.bytes);
    const Time its = in.number<Time>();
    if (!in.ok()) return reader.refuse(part, kBytesDoNotFit);
    if (its > least || (its == least && part.number >= task)) return;
    task = part.number;
    least = its;
  });
  return task;
}
/// Those of one former task.
template <class T>
Batch<T> restored_from(StateReader& reader, std::string_view name, std::uint32_t task) {
  Batch<T> to;
  reader.each(name, [&](const StatePart& part) {
    if (part.number == task) restore_part(reader, part, to);
  });
  own_records(to);
  return to;
}

}  // namespace millrace::detail
