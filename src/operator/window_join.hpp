// WindowJoin: the records of two streams with equal keys that lie in the same window.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "operator/co_group.hpp"
#include "operator/spilling_join.hpp"
#include "operator/window_join_keys.hpp"

namespace millrace::detail {

/// Emits the rows of a window when the watermark has passed its end by the lateness, with the
/// window's end less 1 as their time: of each key all pairs, or each record of the side that is
/// alone. Which windows a record is late for is said by its own partition's watermark, as for
/// aggregates; late for all of them it leaves by port 1 or 2.
///
/// Cost: a look-up a record, O(1) in order; a row each pair. O(log keys) a key and window. Memory:
/// a copy of each record and 24 bytes until its last window is over.
template <class L, class LKey, class R, class RKey, class Out, class Maker>
class WindowJoin final : public SpillingJoin<WindowJoinRecords, L, LKey, R, RKey, Out, Maker> {
  using Base = SpillingJoin<WindowJoinRecords, L, LKey, R, RKey, Out, Maker>;

 public:
  using typename Base::K;
  static constexpr RowPlaces kRowPlaces = RowPlaces::of_key_in_turn;

  WindowJoin(Windows windows, Duration lateness, JoinKind kind, typename Base::Left::KeyPtr left,
             typename Base::Right::KeyPtr right, Maker maker)
      : Base("windows", kind, std::move(left), std::move(right), std::move(maker)),
        windows_(std::move(windows), lateness) {}

  void open(const OperatorContext& context) override {
    Base::open(context);
    keys_.emplace(windows_, context.state);
    keys_->set_cold(this->open_spill(keys_->tables()));
  }
  void save_state(StateWriter& writer) override {
    save_time(writer, kJoinWatermark, watermark_);
    this->save_keys(writer, EachKept());
  }
  void restore_state(StateReader& reader) override {
    watermark_ = restore_least_time(reader, kJoinWatermark, kTimeMin);
    this->restore_keys(reader, [this](auto side, const K& key, auto hash, const JoinKept& kept) {
      const WindowJoinEntry entry{kept.time, kept.slot, kept.behind};
      keys_->template add<decltype(side)::value>(key, hash, entry, watermark_);
    });
  }
  void process_input(std::uint32_t input, BatchBase& batch, bool, Outputs& outputs) override {
    if (input == 0) return take<0>(static_cast<Batch<L>&>(batch), outputs);
    take<1>(static_cast<Batch<R>&>(batch), outputs);
  }
  void advance(Time watermark, Outputs& outputs) override {
    const auto emit = [&](Records& of_key, Time end, std::uint64_t hash) {
      emit_window(of_key, end, hash, outputs);
    };
    const auto gone = [this](auto side, std::uint64_t slot) { this->let_go(side, slot); };
    keys_->close(watermark, emit, gone);
    this->rows().flush(outputs);
    watermark_ = watermark;
    this->spill().make_room();
  }
  Time forwarded(Time watermark) const override { return windows_.passed(watermark); }
  Standing standing() const override { return keys_->standing(); }

 private:
  using Records = WindowJoinRecords;
  /// Rows are made of all records of a key and window at once.
  static constexpr bool kGroups = requires { Maker::kGroups; };

  template <int kSide, class T>
  void take(Batch<T>& in, Outputs& outputs) {
    auto& side = this->template side<kSide>();
    const auto is_late = [this](Time time, Time behind) {
      return windows_.is_over(windows_.last_end(time), behind);
    };
    const auto keep = [&](std::uint64_t first, std::size_t count) {
      this->spill().bring_records(side, first, count);
      const auto near = [this](std::uint64_t hash) { keys_->prefetch(hash); };
      const LookAhead keys(side.hashes(first, count), near);
      this->template handle<kSide>(
          first, count, keys, [&](std::size_t at, const K& key, std::uint64_t hash) {
            const WindowJoinEntry entry{side.time_of(in, at), first + at, side.behind_of(at)};
            keys_->template add<kSide>(key, hash, entry, entry.behind);
            return true;
          });
    };
    this->rows().set_due(in.due_ns);
    side.take(in, kSide + 1, this->context(), outputs, is_late, keep);
    this->spill().make_room();
  }

  void emit_window(Records& of_key, Time end, std::uint64_t hash, Outputs& outputs) {
    collect<0>(of_key.left, end, left_);
    collect<1>(of_key.right, end, right_);
    if constexpr (kGroups) {
      emit_group(end, hash, outputs);
    } else {
      emit_pairs(saturating_add(end, -1), hash, outputs);
    }
  }
  /// All pairs, or each record of the side that is alone.
  void emit_pairs(Time time, std::uint64_t hash, Outputs& outputs) {
    std::uint64_t child = 0;
    const auto place = [&] {
      return Arrival::at(this->context().component, 0, hash).child(child++);
    };
    const bool both = !left_.empty() && !right_.empty();
    if (both && makes_pairs(this->kind())) {
      for (const auto& left : left_) {
        for (const auto& right : right_) this->emit(left.slot, right.slot, time, place(), outputs);
      }
      return;
    }
    if (both ? this->kind() == JoinKind::semi : this->keeps(0)) {
      for (const auto& left : left_)
        this->template emit_alone<0>(left.slot, time, place(), outputs);
    }
    if (both || !this->keeps(1)) return;
    for (const auto& right : right_)
      this->template emit_alone<1>(right.slot, time, place(), outputs);
  }
  /// One call for all of them.
  void emit_group(Time end, std::uint64_t hash, Outputs& outputs) {
    if (left_.empty() && right_.empty()) return;
    point_to(this->template side<0>().records(), left_, lefts_);
    point_to(this->template side<1>().records(), right_, rights_);
    const auto emit = [&](const K& key, std::uint64_t) {
      const CoGroup<K, L, R> group{key, GroupedRecords<L>(lefts_), GroupedRecords<R>(rights_),
                                   windows_.start_of(end), end};
      const auto make = [&](Batch<Out>& out) {
        this->rows().maker()(out, group, this->context().arenas);
      };
      const auto describe = [&] {
        return "group " + key_text(key) + " of the window to " + format_iso_time(end);
      };
      const Arrival place = Arrival::at(this->context().component, 0, hash);
      this->rows().add_all(make, saturating_add(end, -1), place, describe, this->context(),
                           outputs);
    };
    if (left_.empty()) {
      this->template side<1>().with_key(right_.front().slot, nullptr, emit);
    } else {
      this->template side<0>().with_key(left_.front().slot, nullptr, emit);
    }
  }
  /// The records of the window that are not late for it, in the order of times and places.
  template <int kSide>
  void collect(Records::Entries& entries, Time end, std::vector<WindowJoinEntry>& found) {
    found.clear();
    auto at = entries.from(windows_.start_of(end));
    for (; at != entries.end() && at->time < end; ++at) {
      if (at->behind == kTimeMin || !windows_.is_over(end, at->behind)) found.push_back(*at);
    }
    if (!kGroups && !this->context().makes_arrivals) return;
    const auto& records = this->template side<kSide>().records();
    std::stable_sort(found.begin(), found.end(), [&](const auto& a, const auto& b) {
      return a.time != b.time ? a.time < b.time
                              : records.place_of(a.slot) < records.place_of(b.slot);
    });
  }

  LastingWindows windows_;
  std::optional<WindowJoinKeys<K>> keys_;  ///< from open() on
  Time watermark_ = kTimeMin;
  std::vector<WindowJoinEntry> left_;  ///< of the window at hand
  std::vector<WindowJoinEntry> right_;
  std::vector<const L*> lefts_;  ///< the same as records, for co_group
  std::vector<const R*> rights_;
};

}  // namespace millrace::detail
