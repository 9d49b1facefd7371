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

namespace millrace::detail {

/// A row goes with its records and comes with them. What those that went leave behind in the chunks
/// of records is reclaimed when it is an eighth of all: records of keys that are used often move
/// out of chunks of which little is left.
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
        store_(left, right, meter, std::move(life)),
        spilled_(JoinCodec<V, L, R>(store_), keys, moved_bytes_) {}
  JoinSpill(const JoinSpill&) = delete;
  JoinSpill& operator=(const JoinSpill&) = delete;

  void spill_to(const SpillPlace& place) {
    spilled_.spill_to(place);
    reclaim_bytes_ = std::max<std::size_t>(kReclaimBytesMin, place.state_max_bytes / 8);
  }
  /// Something that is not over may be on disk.
  bool holds_any(Time watermark) const {
    return any() && spilled_.keys() > 0 && watermark != kTimeMax;
  }

  /// Between batches: the keys of these hashes are in the tables until the next call.
  void bring(std::span<const std::uint64_t> hashes) {
    make_room();
    if (any()) spilled_.bring(hashes);
  }
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

  /// Between batches: what memory has no room for goes to disk.
  void make_room() {
    if (!any()) {
      spilled_.shed(0);
      any_ = spilled_.active();
      return;
    }
    const JoinedBytes bytes = held();
    left_over_ = std::min(left_over_, bytes.wasted);
    const bool much = (bytes.wasted - left_over_) * 8 > bytes.taken + keys_->bytes();
    spilled_.shed(-static_cast<std::int64_t>(much ? reclaim() : bytes.wasted));
    spilled_.tell();
  }
  /// Between batches: the watermark has come there, and no key is asked for what is over by then.
  void reach(Time watermark) {
    spilled_.reach(watermark, kTimeMin);
    make_room();
  }
  /// What is written later: `parts` of the keys as they are now, and those on disk.
  template <class Parts>
  std::unique_ptr<OpenParts> with_those_on_disk(std::unique_ptr<Parts> parts,
                                                const ImageChain& chain) {
    return std::make_unique<SpilledParts<Spilled, Parts>>(spilled_, std::move(parts), chain);
  }

 private:
  using Spilled = SpilledRows<K, JoinCodec<V, L, R>>;
  static constexpr std::size_t kReclaimBytesMin = 64u << 10;
  static constexpr std::size_t kBringsMax = 1024;  ///< one by one, between two makings of room

  void bring_cold(std::uint64_t hash) override {
    if (++brought_ % kBringsMax == 0) make_room();
    spilled_.bring({&hash, 1});
  }
  void forget_cold(std::uint64_t hash) override { spilled_.forgotten(hash); }
  JoinedBytes held() {
    const JoinedBytes left = store_.template records<0>().bytes();
    const JoinedBytes right = store_.template records<1>().bytes();
    return {left.taken + right.taken, left.wasted + right.wasted};
  }
  /// Moves records out of chunks that are used little; a part of them, so that it takes little room
  /// itself. Returns how many bytes are wasted still. O(keys in memory).
  std::size_t reclaim() {
    store_.template records<0>().leave_sparse(reclaim_bytes_);
    store_.template records<1>().leave_sparse(reclaim_bytes_);
    // Where a record lies is nothing that images hold: who watches is not told.
    keys_->for_each([this](const K&, const V& row) {
      const_cast<V&>(row).move([this](int side, std::uint64_t slot) {
        return side == 0 ? moved<0>(slot) : moved<1>(slot);
      });
    });
    return left_over_ = held().wasted;
  }
  template <int kSide>
  std::uint64_t moved(std::uint64_t slot) {
    auto& records = store_.template records<kSide>();
    return records.leaves(slot) ? records.move(slot) : slot;
  }

  KeyedTables<K, V>* keys_;
  JoinStore<V, L, R> store_;
  std::int64_t moved_bytes_ = 0;  ///< of records, which their own meter counts
  Spilled spilled_;
  std::size_t reclaim_bytes_ = kReclaimBytesMin;  ///< of a side, at a time
  std::size_t left_over_ = 0;                     ///< wasted bytes that nobody could reclaim
  std::size_t brought_ = 0;
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
  template <class Side>
  void bring_records(Side&, std::uint64_t, std::size_t) {}
  void make_room() {}
  void reach(Time) {}
  template <class Parts>
  std::unique_ptr<OpenParts> with_those_on_disk(std::unique_ptr<Parts> parts, const ImageChain&) {
    return parts;
  }

 private:
  void bring_cold(std::uint64_t) override {}
  void forget_cold(std::uint64_t) override {}
};

}  // namespace millrace::detail
