// The tables of an index of places: how they split, and how an entry leaves no gap.
#include "env/place_index.hpp"

#include <algorithm>
#include <bit>

namespace millrace::detail {

Result<PlaceIndex::Table*> PlaceIndex::make_table() {
  constexpr std::size_t kBytes = kSlots * sizeof(Entry);
  constexpr std::size_t kChunkLeast = 1u << 20;
  constexpr std::size_t kChunkMost = 256u << 20;
  if (chunks_.empty() || cut_bytes_ == chunks_.back().bytes()) {
    const std::uint64_t wanted = std::bit_ceil(bytes_ / 8);
    auto chunk = ScratchPages::make(folder_, std::clamp(wanted, kChunkLeast, kChunkMost));
    if (!chunk) return chunk.error();
    bytes_ += chunk->bytes();
    chunks_.push_back(std::move(*chunk));
    cut_bytes_ = 0;
  }
  Table& table = tables_.emplace_back();
  table.slots = reinterpret_cast<Entry*>(chunks_.back().data() + cut_bytes_);
  cut_bytes_ += kBytes;
  return &table;
}

Status PlaceIndex::reserve(std::uint64_t key) {
  Group& group = groups_[group_of(key)];
  if (group.tables.empty()) {
    const auto made = make_table();
    if (!made) return made.error();
    group.tables.push_back(*made);
  }
  const std::uint64_t mixed = mix(key);
  for (;;) {  // all keys of a full table may belong in the same half
    Table& table = *table_of(key, mixed);
    if (table.size < kUsedMost) return {};
    if (Status status = split(group, table, mixed); !status.ok()) return status;
  }
}

/// `mixed` is of one of the keys of the table.
Status PlaceIndex::split(Group& group, Table& table, std::uint64_t mixed) {
  const auto made = make_table();
  if (!made) return made.error();
  Table& other = **made;
  if (table.depth == group.depth) {
    std::vector<Table*> doubled;
    for (Table* const one : group.tables) doubled.insert(doubled.end(), 2, one);
    group.tables = std::move(doubled);
    ++group.depth;
  }
  const std::uint32_t below = group.depth - ++table.depth;  // bits that do not tell them apart
  other.depth = table.depth;
  const std::size_t first = (first_bits(mixed, group.depth) >> below | 1) << below;
  std::fill_n(group.tables.begin() + static_cast<std::ptrdiff_t>(first), std::size_t{1} << below,
              &other);
  const std::vector<Entry> entries(table.slots, table.slots + kSlots);
  std::fill_n(table.slots, kSlots, Entry{});
  table.size = 0;
  for (const Entry& entry : entries) {
    if (entry.place != 0) table_of(entry.key, mix(entry.key))->add(entry);
  }
  return {};
}

std::uint64_t PlaceIndex::put(std::uint64_t key, std::uint64_t place) {
  const std::uint64_t mixed = mix(key);
  Table& table = *table_of(key, mixed);
  Entry& entry = table.slots[table.slot_of(key, mixed)];
  const std::uint64_t before = entry.place;
  table.size += before == 0;
  entry = {key, place};
  return before;
}

std::uint64_t PlaceIndex::erase(std::uint64_t key) {
  const std::uint64_t mixed = mix(key);
  Table* const table = table_of(key, mixed);
  if (table == nullptr) return 0;
  Entry* const slots = table->slots;
  std::size_t gap = table->slot_of(key, mixed);
  const std::uint64_t before = slots[gap].place;
  if (before == 0) return 0;
  for (std::size_t at = (gap + 1) % kSlots; slots[at].place != 0; at = (at + 1) % kSlots) {
    const std::size_t home = home_of(mix(slots[at].key));
    if ((at - home) % kSlots < (at - gap) % kSlots) continue;  // the gap is before its home
    slots[gap] = slots[at];
    gap = at;
  }
  slots[gap].place = 0;
  --table->size;
  return before;
}

}  // namespace millrace::detail
