// Images of joins: the records of each side by key group, with what the join has noted of them.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <numeric>
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

/// The parts of the left and the right side.
inline constexpr std::string_view kJoinParts[] = {":left", ":right"};
/// How records are joined: an image is for the same way alone.
inline constexpr std::string_view kJoinPart = ":join";
inline constexpr std::string_view kJoinWatermark = "watermark";

/// Appends records, at least one, each behind what the join has noted of it.
template <class T>
void store_kept(std::string& out, std::span<const JoinKept> all, JoinedRecords<T>& records) {
  if constexpr (std::is_same_v<T, RowRef>)
    store_rows_schema(out, *records.batch(all.front().slot).values.schema());
  Batch<std::int64_t> place;
  for (const JoinKept& kept : all) {
    place.times.assign(1, kept.time);
    place.arrivals.clear();
    if (!records.batch(kept.slot).arrivals.empty())
      place.arrivals.push_back(records.place_of(kept.slot));
    put_number(out, static_cast<std::uint8_t>(kept.mark));
    append_place(out, place, 0, kept.behind);
    if constexpr (std::is_same_v<T, RowRef>) {
      store_row(out, records.record(kept.slot));
    } else {
      store_value(out, records.record(kept.slot));
    }
  }
}

/// A part of this task of what one side keeps, for joins whose tasks do not share keys.
template <class T>
void save_kept(StateWriter& writer, std::string_view name, std::span<const JoinKept> all,
               JoinedRecords<T>& records) {
  if (all.empty()) return;
  if constexpr (kStoresRecords<T>) {
    const std::string shape = records_shape(records.batch(all.front().slot));
    store_kept(writer.task_part(name, shape), all, records);
  } else {
    refuse_records(writer);
  }
}

/// What one side keeps, collected for an image. Of one key the records come in their order.
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
    std::string& out = writer.group_part(kJoinParts[side], group, records_shape(first));
    store_kept(out, groups_[group], records);
  }

  std::vector<std::vector<JoinKept>> groups_;
};

/// Of both sides.
using JoinImages = std::array<JoinImage, 2>;

/// Reads a part into `records` and calls take(kept) for each of them. `rows`: what rows must be;
/// null for other records.
template <class T, class Take>
void restore_join_part(StateReader& reader, const StatePart& part, const RowSchema* rows,
                       JoinedRecords<T>& records, Take&& take) {
  if (rows != nullptr && rows_shape(*rows) != part.shape)
    return reader.refuse(part, other_shape(part.shape, rows_shape(*rows)).message());
  Batch<T> batch;
  std::vector<JoinMark> marks;
  BytesCursor in(part.bytes);
  const Status status = load_records(part.shape, in, batch, [&marks](BytesCursor& from) {
    marks.push_back(from.number<JoinMark>());
    return marks.back() <= JoinMark::waiting;
  });
  if (!status.ok()) return reader.refuse(part, status.message());
  if (batch.times.size() != marks.size()) return reader.refuse(part, kBytesDoNotFit);
  static_assert(kKnowsTexts<T>, "keep() makes the texts the records' own");
  std::vector<std::uint32_t> picks(marks.size());
  std::iota(picks.begin(), picks.end(), 0u);
  std::size_t cursor = 0;
  for (std::size_t from = 0; from < picks.size(); from += JoinedRecords<T>::kChunkRecords) {
    const std::size_t count = std::min(picks.size() - from, JoinedRecords<T>::kChunkRecords);
    const std::uint64_t slot = records.keep(batch, std::span(picks).subspan(from, count));
    for (std::size_t at = from; at < from + count; ++at)
      take({batch.times[at], slot + at - from, behind_at(batch, at, cursor), marks[at]});
  }
}

/// The same for all parts of a side for which wanted(part) holds; take(part, kept).
template <class T, class Wanted, class Take>
void restore_join_side(StateReader& reader, int side, const RowSchema* rows,
                       JoinedRecords<T>& records, Wanted&& wanted, Take&& take) {
  reader.each(kJoinParts[side], [&](const StatePart& part) {
    if (!wanted(part)) return;
    if constexpr (kStoresRecords<T>) {
      restore_join_part(reader, part, rows, records,
                        [&](const JoinKept& kept) { take(part, kept); });
    } else {
      reader.refuse(part, "its records can no longer be stored");
    }
  });
}

}  // namespace millrace::detail
