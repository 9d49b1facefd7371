// Images of the records that wait for their watermark.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "operator/late_records.hpp"
#include "state/stored_tables.hpp"

namespace millrace::detail {

/// Adds a part for each key group that has some; store(std::string&, const Acc&) appends what one
/// holds, of the shape `shape`.
template <class K, class Acc, class Store>
void save_late(StateWriter& writer, const LateRecords<K, Acc>& records, std::string_view shape,
               Store&& store) {
  std::vector<std::string> groups(kKeyGroups);
  records.for_each([&](const LateRecord<K, Acc>& record) {
    std::string& out = groups[key_group(record.hash)];
    store_value(out, record.key);
    put_number(out, record.behind);
    store_value(out, record.stamp);
    store(out, record.acc);
  });
  for (std::uint32_t group = 0; group < kKeyGroups; ++group) {
    if (groups[group].empty()) continue;
    writer.group_part("late", group, entry_shape<K>(shape)) = std::move(groups[group]);
  }
}

/// Puts those of a part back; load(BytesCursor&) -> std::optional<Acc>.
template <class K, class Acc, class Load>
void restore_late(StateReader& reader, const StatePart& part, LateRecords<K, Acc>& records,
                  Load&& load) {
  BytesCursor in(part.bytes);
  read_entries<K>(reader, part, in, [&](const K& key, std::uint64_t hash) {
    const Time behind = in.number<Time>();
    Stamp stamp;
    if (!load_value(in, stamp)) return false;
    auto acc = load(in);
    if (!acc) return false;
    records.add({behind, stamp, hash, KeyTraits<K>::own(key), std::move(*acc)});
    return true;
  });
}

}  // namespace millrace::detail
