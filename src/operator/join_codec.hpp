// JoinCodec: what a join keeps of a key, with the records that it names, as bytes.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "operator/cold_keys.hpp"
#include "operator/join_parts.hpp"

namespace millrace::detail {

/// What a join has in its tables for a key: which records it keeps of either side. Beside these
/// calls, wakes() where it has a time to be woken at. A record is named by its slot.
template <class V>
concept JoinRow = requires(V& row, const V& kept, JoinKept one, MemoryMeter* meter,
                           std::uint64_t (*move)(int side, std::uint64_t slot),
                           void (*use)(int side, const JoinKept& kept)) {
  kept.each(use);  // those of a side in the order in which put() takes them
  row.put(0, one, meter);
  row.move(move);  // each slot becomes move(side, slot)
};

/// Of one program's run: nothing of the bytes is read by another, so they say no shape. Copies have
/// the same records. One thread. See DiskRows.
template <JoinRow V, class L, class R>
class JoinCodec {
 public:
  using Row = V;

  /// Both sides' records, and `meter`, outlive it.
  JoinCodec(JoinPartsSide<L> left, JoinPartsSide<R> right, MemoryMeter* meter, JoinLife<V> life)
      : sides_(left, right), meter_(meter), life_(std::move(life)) {}
  JoinCodec(const JoinCodec& other)
      : sides_(other.sides_), meter_(other.meter_), life_(other.life_) {}
  JoinCodec& operator=(const JoinCodec&) = delete;

  static Row fresh() { return Row(); }
  /// Appends the bytes of a row, without what is over.
  void store(std::string& out, Row& row) {
    if (life_.trim) life_.trim(row);
    if constexpr (requires { row.wakes(); }) put_number(out, row.wakes());
    for (std::vector<JoinKept>& kept : kept_) kept.clear();
    row.each([this](int side, const JoinKept& kept) { kept_[side].push_back(kept); });
    store_side<0>(out);
    store_side<1>(out);
  }
  /// Into an empty one, whose records are kept from then on. False: they are no such bytes.
  bool load(BytesCursor& in, Row& row) {
    if constexpr (requires { row.wakes(); }) row.wakes() = in.number<Time>();
    return load_side<0>(in, row) && load_side<1>(in, row) && in.ok();
  }
  /// The records of a row that lies on disk, or is forgotten, go.
  void let_go(const Row& row) {
    row.each([this](int side, const JoinKept& kept) {
      side == 0 ? records<0>().gone(kept.slot) : records<1>().gone(kept.slot);
    });
  }
  OverAt over_at(const Row& row) const { return life_.over_at ? life_.over_at(row) : OverAt(); }
  /// What its records take, about.
  std::int64_t heap_of(const Row& row) {
    std::size_t bytes = 0;
    row.each([&](int side, const JoinKept& kept) {
      bytes += side == 0 ? records<0>().bytes_of(kept.slot) : records<1>().bytes_of(kept.slot);
    });
    return static_cast<std::int64_t>(bytes);
  }

 private:
  template <int kSide>
  using RecordOf = std::tuple_element_t<kSide, std::tuple<L, R>>;

  template <int kSide>
  auto& records() {
    return std::get<kSide>(sides_).records;
  }
  template <int kSide>
  void store_side(std::string& out) {
    put_varint(out, kept_[kSide].size());
    if (kept_[kSide].empty()) return;
    if constexpr (std::is_same_v<RecordOf<kSide>, RowRef>) {
      const RowBatch& rows = records<kSide>().batch(kept_[kSide].front().slot);
      std::get<kSide>(loaded_).values.begin(rows.values.schema());
    }
    store_.store(out, kept_[kSide], records<kSide>());
  }
  template <int kSide>
  bool load_side(BytesCursor& in, Row& row) {
    auto& batch = std::get<kSide>(loaded_);
    batch.clear();
    marks_.clear();
    for (std::uint64_t left = in.varint(); left > 0; --left) {
      marks_.push_back(in.number<JoinMark>());
      if (!load_place(in, batch) || !load_one(in, batch.values)) return false;
    }
    keep_marked(batch, marks_, places_, records<kSide>(),
                [&](const JoinKept& kept) { row.put(kSide, kept, meter_); });
    return true;
  }
  template <class T>
  static bool load_one(BytesCursor& in, std::vector<T>& to) {
    return load_value(in, to.emplace_back());
  }
  static bool load_one(BytesCursor& in, RowColumns& to) { return load_row(in, to); }

  std::tuple<JoinPartsSide<L>, JoinPartsSide<R>> sides_;
  MemoryMeter* meter_;
  JoinLife<V> life_;
  KeptStore store_;
  std::array<std::vector<JoinKept>, 2> kept_;  ///< of the row that is stored
  std::tuple<Batch<L>, Batch<R>> loaded_;      ///< of the one that is loaded
  std::vector<JoinMark> marks_;                ///< of these
  std::vector<std::uint32_t> places_;          ///< numbers from 0 on
};

}  // namespace millrace::detail
