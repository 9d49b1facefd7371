// JoinSpill: the keys of a join that memory has no room for, on disk until their keys come again.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "operator/cold_keys.hpp"
#include "operator/join_codec.hpp"
#include "operator/spilled_parts.hpp"
#include "operator/spilled_rows.hpp"
#include "state/table_sweep.hpp"

namespace millrace::detail {

/// A row goes with its records and comes with them. What those that went leave behind in the chunks
/// of records is held to an eighth of what keys and records take: beyond that, records move out of
/// the chunks of which least is left. Records that no key has yet stay where they are.
///
/// Without a place nothing is ever on disk, and calls cost a branch. One thread. All calls throw
/// DiskFailed and MemoryRefused.
template <class K, class V, class L, class R, bool = kStoresRecords<L> && kStoresRecords<R>>
class JoinSpill final : public ColdKeys {
 public:
  /// All outlive it.
  JoinSpill(KeyedTables<K, V>& keys, JoinPartsSide<L> left, JoinPartsSide<R> right,
            MemoryMeter* meter, JoinLife<V> life)
      : keys_(&keys),
        left_(&left.records),
        right_(&right.records),
        spilled_(Codec(left, right, meter, std::move(life)), keys, moved_bytes_) {}
  JoinSpill(const JoinSpill&) = delete;
  JoinSpill& operator=(const JoinSpill&) = delete;

  void spill_to(const SpillPlace& place) { spilled_.spill_to(place); }
  /// Something that is not over may be on disk.
  bool holds_any(Time watermark) const {
    return any() && spilled_.keys() > 0 && watermark != kTimeMax;
  }

  /// Between batches: the keys of these hashes are in the tables until room is made.
  void bring(std::span<const std::uint64_t> hashes) {
    if (any()) spilled_.bring(hashes);
  }
  void bring_one(std::uint64_t hash) { bring({&hash, 1}); }
  /// The same for the keys of the records from `first` on that a side has taken.
  template <class Side>
  void bring_records(Side& side, std::uint64_t first, std::size_t count) {
    if (!any()) return;
    const std::vector<std::uint64_t>& known = side.hashes(first, count);
    if (!known.empty()) return bring(known);
    hashes_.clear();  // the key of some throws: the others are needed still
    for (std::size_t at = 0; at < count; ++at) {
      if (const auto hash = side.hash_of(first + at)) hashes_.push_back(*hash);
    }
    bring(hashes_);
  }

  /// Between batches: what memory has no room for goes to disk. First, for what moves out of chunks
  /// takes room itself until they are empty. Holes that nobody can fill are taken for room up to an
  /// eighth only.
  void make_room() {
    JoinedBytes bytes = held();
    if (retry_wasted_ > 0)
      bytes.wasted = std::min(bytes.wasted, (bytes.taken + keys_->bytes()) / 8);
    spilled_.shed(any() ? -static_cast<std::int64_t>(bytes.wasted) : 0);
    any_ = spilled_.active();
    if (any()) fill_holes();
    spilled_.tell();
  }
  /// Between batches: the watermark has come there, and no key is asked for what is over by then.
  void reach(Time watermark) {
    spilled_.reach(watermark, kTimeMin);
    make_room();
  }
  /// Has the keys as they are now written later, wherever they are; make(chain) makes the parts of
  /// those in memory.
  template <class Make>
  void save_later(StateWriter& writer, Make&& make) {
    save_with_disk_later<K>(writer, spilled_, make);
  }

 private:
  using Codec = JoinCodec<V, L, R>;
  using Spilled = SpilledRows<K, Codec>;
  static constexpr std::size_t kMoveBytesMin = 64u << 10;
  /// Of all that is taken; of chunks of which an eighth has gone, twice as much comes of it.
  static constexpr std::size_t kLittle = 128;

  void bring_cold(std::span<const TimedHash> alarms) override {
    make_room();
    hashes_.clear();
    for (const TimedHash& alarm : alarms) hashes_.push_back(alarm.hash);
    spilled_.bring(hashes_);
  }
  void forget_cold(std::uint64_t hash) override { spilled_.forgotten(hash); }
  JoinedBytes held() const {
    const JoinedBytes& left = left_->bytes();
    const JoinedBytes& right = right_->bytes();
    return {left.taken + right.taken, left.wasted + right.wasted};
  }
  /// Holes are an eighth at most then, but for those that nobody can fill: where little comes of
  /// it, this is not tried again before there are so many more. O(1), O(keys in memory) at times.
  void fill_holes() {
    for (;;) {
      const JoinedBytes bytes = held();
      const std::size_t all = bytes.taken + keys_->bytes();
      if (bytes.wasted * 8 <= all) retry_wasted_ = 0;
      if (bytes.wasted * 8 <= all || bytes.wasted < retry_wasted_) return;
      move_out(std::max(kMoveBytesMin, all / 8));
      const std::size_t next = held().wasted + all / kLittle;
      retry_wasted_ = next > bytes.wasted ? next : 0;
    }
  }
  /// Moves records out of chunks that are used little, about so many bytes.
  void move_out(std::size_t bytes) {
    if (left_->bytes().wasted > right_->bytes().wasted) {
      right_->leave_sparse(left_->leave_sparse(bytes));
    } else {
      left_->leave_sparse(right_->leave_sparse(bytes));
    }
    // Where a record lies is nothing that images hold.
    TableSweep<K, V>::for_each_untold(*keys_, [this](V& row) {
      row.move([this](int side, std::uint64_t slot) {
        return side == 0 ? moved(*left_, slot) : moved(*right_, slot);
      });
    });
  }
  template <class Records>
  static std::uint64_t moved(Records& records, std::uint64_t slot) {
    return records.leaves(slot) ? records.move(slot) : slot;
  }

  KeyedTables<K, V>* keys_;
  JoinedRecords<L>* left_;
  JoinedRecords<R>* right_;
  std::int64_t moved_bytes_ = 0;  ///< of records, which their own meter counts
  Spilled spilled_;
  std::size_t retry_wasted_ = 0;  ///< so much has to be wasted before it is tried again
  std::vector<std::uint64_t> hashes_;
};

/// Records that cannot be stored stay in memory.
template <class K, class V, class L, class R>
class JoinSpill<K, V, L, R, false> final : public ColdKeys {
 public:
  JoinSpill(KeyedTables<K, V>&, JoinPartsSide<L>, JoinPartsSide<R>, MemoryMeter*, JoinLife<V>) {}
  void spill_to(const SpillPlace&) {}
  bool holds_any(Time) const { return false; }
  void bring(std::span<const std::uint64_t>) {}
  void bring_one(std::uint64_t) {}
  template <class Side>
  void bring_records(Side&, std::uint64_t, std::size_t) {}
  void make_room() {}
  void reach(Time) {}
  template <class Make>
  void save_later(StateWriter& writer, Make&& make) {
    writer.later(make(chain_of_keys<K>(writer)));
  }

 private:
  void bring_cold(std::span<const TimedHash>) override {}
  void forget_cold(std::uint64_t) override {}
};

}  // namespace millrace::detail
