// Images of joins: the records of each side by key group, with what the join has noted of them.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "operator/joined_records.hpp"
#include "operator/stored_records.hpp"

namespace millrace::detail {

/// What an image says of a record in front of its place.
enum class JoinMark : std::uint8_t {
  open,     ///< kept for partners that may come
  matched,  ///< the same, and it has had one
  waiting,  ///< its turn has not come
};

/// A record that a join keeps.
struct JoinKept {
  Time time = kTimeMin;
  std::uint64_t slot = 0;
  Time behind = kTimeMin;  ///< the watermark that it came behind; kTimeMin: none
  JoinMark mark = JoinMark::open;
};

inline JoinKept kept_of(const JoinEntry& entry) {
  const JoinMark mark = entry.matched() ? JoinMark::matched : JoinMark::open;
  return {entry.time, entry.slot(), kTimeMin, mark};
}
inline JoinEntry entry_of(const JoinKept& kept) {
  return {kept.time, kept.slot, kept.mark == JoinMark::matched};
}

/// Of JoinParts: all that a JoinRow names.
struct EachKept {
  template <class V, class Use>
  void operator()(const V& of_key, Use&& use) const {
    of_key.each(use);
  }
};

/// The parts of the left and the right side: what is kept of each key, or, of joins whose tasks do
/// not share keys, records.
inline constexpr std::string_view kJoinParts[] = {":left", ":right"};
/// Those of records whose turn has not come.
inline constexpr std::string_view kTurnParts[] = {":left-waiting", ":right-waiting"};
/// How records are joined: an image is for the same way alone.
inline constexpr std::string_view kJoinPart = ":join";
inline constexpr std::string_view kJoinWatermark = "watermark";

/// What stands in the shapes of what is kept of a key: how many records, then these.
inline constexpr std::string_view kKeptKind = "kept";

/// Appends records, each behind what the join has noted of it. One thread.
class KeptStore {
 public:
  template <class T>
  void store(std::string& out, std::span<const JoinKept> all, JoinedRecords<T>& records) {
    for (const JoinKept& kept : all) {
      place_.times.assign(1, kept.time);
      place_.arrivals.clear();
      if (!records.batch(kept.slot).arrivals.empty())
        place_.arrivals.push_back(records.place_of(kept.slot));
      put_number(out, static_cast<std::uint8_t>(kept.mark));
      append_place(out, place_, 0, kept.behind);
      if constexpr (std::is_same_v<T, RowRef>) {
        store_row(out, records.record(kept.slot));
      } else {
        store_value(out, records.record(kept.slot));
      }
    }
  }

 private:
  Batch<std::int64_t> place_;
};

/// What stands before the records of a part: of rows their schema.
template <class T>
void store_head(std::string& out, std::uint64_t slot, JoinedRecords<T>& records) {
  if constexpr (std::is_same_v<T, RowRef>)
    store_rows_schema(out, *records.batch(slot).values.schema());
}

/// A part of this task of what one side keeps, for joins whose tasks do not share keys.
template <class T>
void save_kept(StateWriter& writer, std::string_view name, std::span<const JoinKept> all,
               JoinedRecords<T>& records) {
  if (all.empty()) return;
  if constexpr (kStoresRecords<T>) {
    const std::string shape = records_shape(records.batch(all.front().slot));
    std::string& out = writer.task_part(name, shape);
    store_head(out, all.front().slot, records);
    KeptStore().store(out, all, records);
  } else {
    refuse_records(writer);
  }
}

/// The records of one side that wait for their turn, collected for an image.
class JoinImage {
 public:
  JoinImage() : groups_(kKeyGroups) {}

  void add(std::uint64_t hash, const JoinKept& kept) { groups_[key_group(hash)].push_back(kept); }
  template <class T>
  void save(StateWriter& writer, int side, JoinedRecords<T>& records) const {
    for (std::uint32_t group = 0; group < kKeyGroups; ++group) {
      if (groups_[group].empty()) continue;
      if constexpr (kStoresRecords<T>) {
        save_group(writer, side, group, records);
      } else {
        refuse_records(writer);
      }
    }
  }

 private:
  template <class T>
  void save_group(StateWriter& writer, int side, std::uint32_t group,
                  JoinedRecords<T>& records) const {
    const Batch<T>& first = records.batch(groups_[group].front().slot);
    std::string& out = writer.group_part(kTurnParts[side], group, records_shape(first));
    store_head(out, groups_[group].front().slot, records);
    KeptStore().store(out, groups_[group], records);
  }

  std::vector<std::vector<JoinKept>> groups_;
};

/// Of both sides.
using JoinImages = std::array<JoinImage, 2>;

/// The shape of the records in that of what is kept of keys; empty: the shape is of records alone,
/// as all were once.
template <class K>
std::string_view kept_shape_of(std::string_view shape) {
  return inner_shape(kKeptKind, value_shape_of<K>(shape));
}

/// Reads what stands before records of joins: of `K`s, and how many records follow, where they are
/// kept of keys, then what the join has noted of each.
template <class K>
class KeptHeads {
 public:
  explicit KeptHeads(bool of_keys) : of_keys_(of_keys) {}

  /// Before a record; false: it does not fit.
  bool read(BytesCursor& in) {
    if (of_keys_ && left_ == 0) {
      OwnedKey<K> key{};
      if (!load_value(in, key)) return false;
      left_ = in.varint();
      if (left_ == 0) return false;
    }
    if (of_keys_) --left_;
    marks_.push_back(in.number<JoinMark>());
    return marks_.back() <= JoinMark::waiting;
  }
  /// Behind the last one.
  bool whole() const { return left_ == 0; }
  const std::vector<JoinMark>& marks() const { return marks_; }

 private:
  bool of_keys_;
  std::uint64_t left_ = 0;  ///< records of the key at hand
  std::vector<JoinMark> marks_;
};

/// Keeps the records of a batch, of which all borrow, and calls take(kept) for each. `places`:
/// numbers from 0 on, of a call before or none.
template <class T, class Take>
void keep_marked(const Batch<T>& batch, const std::vector<JoinMark>& marks,
                 std::vector<std::uint32_t>& places, JoinedRecords<T>& records, Take&& take) {
  static_assert(kKnowsTexts<T>, "keep() makes the texts the records' own");
  while (places.size() < marks.size()) places.push_back(static_cast<std::uint32_t>(places.size()));
  std::size_t cursor = 0;
  for (std::size_t from = 0; from < marks.size(); from += JoinedRecords<T>::kChunkRecords) {
    const std::size_t count = std::min(marks.size() - from, JoinedRecords<T>::kChunkRecords);
    const std::uint64_t slot = records.keep(batch, std::span(places).subspan(from, count));
    for (std::size_t at = from; at < from + count; ++at)
      take({batch.times[at], slot + at - from, behind_at(batch, at, cursor), marks[at]});
  }
}

/// Reads a part into `records` and calls take(kept) for each of them. `rows`: what rows must be;
/// null for other records.
template <class K, class T, class Take>
void restore_join_part(StateReader& reader, const StatePart& part, const RowSchema* rows,
                       JoinedRecords<T>& records, Take&& take) {
  const std::string_view of_kept = kept_shape_of<K>(part.shape);
  const std::string_view shape = of_kept.empty() ? part.shape : of_kept;
  if (rows != nullptr && rows_shape(*rows) != shape)
    return reader.refuse(part, other_shape(shape, rows_shape(*rows)).message());
  Batch<T> batch;
  KeptHeads<K> heads(!of_kept.empty());
  BytesCursor in(part.bytes);
  const Status status =
      load_records(shape, in, batch, [&heads](BytesCursor& from) { return heads.read(from); });
  if (!status.ok()) return reader.refuse(part, status.message());
  const std::vector<JoinMark>& marks = heads.marks();
  if (batch.times.size() != marks.size() || !heads.whole())
    return reader.refuse(part, kBytesDoNotFit);
  std::vector<std::uint32_t> places;
  keep_marked(batch, marks, places, records, take);
}

/// The same for all parts of a side for which wanted(part) holds; take(part, kept). `K`: the keys.
template <class K, class T, class Wanted, class Take>
void restore_join_side(StateReader& reader, int side, const RowSchema* rows,
                       JoinedRecords<T>& records, Wanted&& wanted, Take&& take) {
  const auto restore = [&](const StatePart& part) {
    if (!wanted(part)) return;
    if constexpr (kStoresRecords<T>) {
      restore_join_part<K>(reader, part, rows, records,
                           [&](const JoinKept& kept) { take(part, kept); });
    } else {
      reader.refuse(part, "its records can no longer be stored");
    }
  };
  reader.each_in_turn(kJoinParts[side], restore);
  reader.each_in_turn(kTurnParts[side], restore);
}

}  // namespace millrace::detail
