// Images of keyed tables: a part a key group that has entries, put in again by who owns it then.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "record/stored_value.hpp"
#include "state/keyed_tables.hpp"
#include "state/state_image.hpp"

namespace millrace::detail {

/// How a key is held outside the tables.
template <class K>
using OwnedKey = typename KeyTraits<K>::Owned;

/// Why there can be no image of values whose type cannot be stored.
inline std::string unstorable(std::string_view name) {
  return "state \"" + std::string(name) +
         "\" cannot be kept over a restart: its values are of a type that cannot be stored; make "
         "it "
         "a plain struct of described members, or run without a state folder";
}

inline constexpr std::string_view kKeyMisplaced =
    "a key in it is of another key group: the bytes are damaged";
/// The sentence for bytes that their shape does not fit.
inline constexpr std::string_view kBytesDoNotFit = "its bytes are not what its shape says";
inline constexpr std::string_view kValueMisfits =
    "a value in it does not fit: the bytes are damaged, or a number is too large for the type that "
    "the program has now";

/// The shape of entries whose values have the shape `value`: "{key:text,value:int64}".
template <class K>
std::string entry_shape(std::string_view value) {
  return "{key:" + stored_shape<OwnedKey<K>>() + ",value:" + std::string(value) + "}";
}

/// The shape of the values in that of entries; empty: their keys are of another type.
template <class K>
std::string_view value_shape_of(std::string_view entry) {
  const std::string before = "{key:" + stored_shape<OwnedKey<K>>() + ",value:";
  if (!entry.starts_with(before) || !entry.ends_with('}')) return {};
  return entry.substr(before.size(), entry.size() - before.size() - 1);
}

/// "kind{inner}", and the inner shape of such a one; empty: `shape` is of another kind.
inline std::string shape_of_kind(std::string_view kind, std::string_view inner) {
  return std::string(kind) + "{" + std::string(inner) + "}";
}
inline std::string_view inner_shape(std::string_view kind, std::string_view shape) {
  const bool alike =
      shape.starts_with(kind) && shape.substr(kind.size()).starts_with('{') && shape.ends_with('}');
  return alike ? shape.substr(kind.size() + 1, shape.size() - kind.size() - 2) : std::string_view();
}

/// Reads entries from the bytes of a key group's part until they end: calls take(K key, hash) with
/// each key, which reads on from `in` what belongs to it; false: that does not fit. Refuses the
/// part that is damaged.
template <class K, class Take>
void read_entries(StateReader& reader, const StatePart& part, BytesCursor& in, Take&& take) {
  while (!in.rest().empty()) {
    OwnedKey<K> owned{};
    if (!load_value(in, owned)) return reader.refuse(part, "its bytes end within a key");
    const K key(owned);
    const std::uint64_t hash = KeyTraits<K>::hash(key);
    if (key_group(hash) != part.number) {
      return reader.refuse(part, kKeyMisplaced);
    }
    if (!take(key, hash)) {
      return reader.refuse(part, kValueMisfits);
    }
  }
}

/// The same for entries that `take` puts into `tables`. Once the first ones say how large an entry
/// is, the group gets room for all: growing would take and clear twice the memory.
template <class K, class V, class Take>
void read_entries_into(KeyedTables<K, V>& tables, StateReader& reader, const StatePart& part,
                       BytesCursor& in, Take&& take) {
  constexpr std::size_t kSample = 64;
  const std::size_t bytes = in.rest().size();
  std::size_t count = 0;
  read_entries<K>(reader, part, in, [&](const K& key, std::uint64_t hash) {
    if (!take(key, hash)) return false;
    if (++count == kSample)
      tables.reserve(part.number, bytes * kSample / (bytes - in.rest().size()));
    return true;
  });
}

/// Adds a part for each key group that has entries: of each its key, and what save(std::string&,
/// V&) appends, which has the shape `shape`. Nothing in it points into the tables. O(entries).
template <class K, class V, class Save>
void save_tables(StateWriter& writer, std::string_view name, KeyedTables<K, V>& tables,
                 std::string_view shape, Save&& save) {
  const std::string entry = entry_shape<K>(shape);
  for (std::uint32_t group = 0; group < kKeyGroups; ++group) {
    std::string* bytes = nullptr;
    const auto save_one = [&](const K& key, V& value) {
      if (bytes == nullptr) bytes = &writer.group_part(name, group, entry);
      store_value(*bytes, KeyTraits<K>::own(key));
      save(*bytes, value);
    };
    tables.for_each(save_one, group, group + 1);
  }
}

/// The same of values with a schema. What cannot be stored is refused.
template <class K, class V>
void save_tables(StateWriter& writer, std::string_view name, KeyedTables<K, V>& tables) {
  if constexpr (Storable<V>) {
    save_tables(writer, name, tables, stored_shape<V>(),
                [](std::string& out, const V& value) { store_value(out, value); });
  } else {
    writer.refuse(unstorable(name));
  }
}

/// Puts in the entries that this task owns, each with `init()` read over by load(BytesCursor&, V&)
/// -> bool. Keys are hashed anew. Refuses parts of another shape, and damaged ones.
template <class K, class V, class Init, class Load>
void restore_tables(StateReader& reader, std::string_view name, KeyedTables<K, V>& tables,
                    std::string_view shape, Init&& init, Load&& load) {
  const std::string entry = entry_shape<K>(shape);
  reader.each_in_turn(name, [&](const StatePart& part) {
    if (part.shape != entry) {
      return reader.refuse(part, other_shape(part.shape, entry).message());
    }
    BytesCursor in(part.bytes);
    read_entries_into(tables, reader, part, in, [&](const K& key, std::uint64_t hash) {
      return load(in, tables.upsert(key, hash, init));
    });
  });
}

/// The same for values that have a default.
template <class K, class V, class Load>
void restore_tables(StateReader& reader, std::string_view name, KeyedTables<K, V>& tables,
                    std::string_view shape, Load&& load) {
  restore_tables(reader, name, tables, shape, [] { return V{}; }, std::forward<Load>(load));
}

/// Calls take(part, reader_of(shape), its bytes) for the parts that this task owns of entries of K
/// whose values have that shape; refuses the others. reader_of gives a Result.
template <class K, class ReaderOf, class Take>
void each_shaped_part(StateReader& reader, std::string_view name, ReaderOf&& reader_of,
                      Take&& take) {
  reader.each_in_turn(name, [&](const StatePart& part) {
    const std::string_view shape = value_shape_of<K>(part.shape);
    if (shape.empty()) {
      return reader.refuse(part, other_shape(part.shape, entry_shape<K>("...")).message());
    }
    const auto values = reader_of(shape);
    if (!values) return reader.refuse(part, values.error().message());
    BytesCursor in(part.bytes);
    take(part, *values, in);
  });
}

/// Puts in values with a schema, which may have changed as StoredReader says.
template <class K, class V>
void restore_tables(StateReader& reader, std::string_view name, KeyedTables<K, V>& tables) {
  if constexpr (Storable<V>) {
    each_shaped_part<K>(
        reader, name, StoredReader<V>::of,
        [&](const StatePart& part, const StoredReader<V>& values, BytesCursor& in) {
          read_entries_into(tables, reader, part, in, [&](const K& key, std::uint64_t hash) {
            return values.read(in, tables.upsert(key, hash, [] { return V{}; }));
          });
        });
  }
}

/// A time of this task, such as the watermark that it has reached.
inline void save_time(StateWriter& writer, std::string_view name, Time time) {
  put_number(writer.task_part(name), time);
}
/// The least of all tasks'; `otherwise` where there is none.
inline Time restore_least_time(StateReader& reader, std::string_view name, Time otherwise) {
  std::optional<Time> least;
  reader.each(name, [&](const StatePart& part) {
    BytesCursor in(part.bytes);
    const Time time = in.number<Time>();
    if (!in.ok()) return reader.refuse(part, "it is shorter than a time");
    least = least ? std::min(*least, time) : time;
  });
  return least.value_or(otherwise);
}

}  // namespace millrace::detail
