// WindowJoin: the records of two streams with equal keys that lie in the same window.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "operator/join_operator.hpp"
#include "state/key_alarms.hpp"
#include "state/keyed_tables.hpp"
#include "window/window.hpp"

namespace millrace::detail {

/// What a window join keeps of a record: also the watermark of its own partition that it came
/// behind, for it is late for windows that were over then.
struct WindowJoinEntry {
  Time time;
  std::uint64_t slot;
  Time behind;
};

/// One key's records, those of all open windows once.
struct WindowJoinRecords {
  using Entries = JoinEntries<WindowJoinEntry>;
  explicit WindowJoinRecords(MemoryMeter* meter) : left(meter), right(meter) {}

  bool empty() const { return left.empty() && right.empty(); }
  /// The least time of any; not when empty.
  Time first() const {
    return std::min(left.empty() ? kTimeMax : left.front().time,
                    right.empty() ? kTimeMax : right.front().time);
  }

  Entries left;
  Entries right;
  Time end = kTimeMax;  ///< of the first window that is open
};

/// Emits the rows of a window when the watermark has passed its end by the lateness, with the
/// window's end less 1 as their time: of each key all pairs, or each record of the side that is
/// alone. Which windows a record is late for is said by its own partition's watermark, as for
/// aggregates; late for all of them it leaves by port 1 or 2.
///
/// Cost: a look-up a record, O(1) in order; a row each pair. O(log keys) a key and window. Memory:
/// a copy of each record and 24 bytes until its last window is over.
template <class L, class LKey, class R, class RKey, class Out, class Maker>
class WindowJoin final : public JoinOperator<L, LKey, R, RKey, Out, Maker> {
  using Base = JoinOperator<L, LKey, R, RKey, Out, Maker>;

 public:
  using K = typename LKey::View;

  WindowJoin(Windows windows, Duration lateness, JoinKind kind, typename Base::Left::KeyPtr left,
             typename Base::Right::KeyPtr right, Maker maker)
      : Base(kind, std::move(left), std::move(right), std::move(maker)),
        windows_(std::move(windows)),
        lateness_(lateness.count()) {}

  void open(const OperatorContext& context) override {
    Base::open(context);
    keys_.emplace(context.state);
    alarms_.count_with(context.state);
  }
  void save_state(StateWriter& writer) override {
    save_time(writer, kJoinWatermark, watermark_);
    JoinImage images[2];
    keys_->for_each([&](const K& key, Records& of_key) {
      const std::uint64_t hash = KeyTraits<K>::hash(key);
      for (const auto& entry : of_key.left)
        images[0].add(hash, {entry.time, entry.slot, entry.behind});
      for (const auto& entry : of_key.right)
        images[1].add(hash, {entry.time, entry.slot, entry.behind});
    });
    images[0].save(writer, 0, this->template side<0>().records());
    images[1].save(writer, 1, this->template side<1>().records());
  }
  void restore_state(StateReader& reader) override {
    watermark_ = restore_least_time(reader, kJoinWatermark, kTimeMin);
    this->template restore_side<0>(reader, [this](const K& key, std::uint64_t hash, auto& kept) {
      add<0>(key, hash, {kept.time, kept.slot, kept.behind}, watermark_);
    });
    this->template restore_side<1>(reader, [this](const K& key, std::uint64_t hash, auto& kept) {
      add<1>(key, hash, {kept.time, kept.slot, kept.behind}, watermark_);
    });
  }
  void process_input(std::uint32_t input, BatchBase& batch, bool, Outputs& outputs) override {
    if (input == 0) return take<0>(static_cast<Batch<L>&>(batch), outputs);
    take<1>(static_cast<Batch<R>&>(batch), outputs);
  }
  void advance(Time watermark, Outputs& outputs) override {
    alarms_.ring(watermark, [&](Time when, std::uint64_t hash) {
      keys_->erase_of_hash(hash, [&](const K&, Records& of_key) {
        return when == alarm_of(of_key.end) && fire(of_key, hash, watermark, outputs);
      });
    });
    this->rows().flush(outputs);
    watermark_ = watermark;
  }
  Time forwarded(Time watermark) const override {
    return watermark == kTimeMax ? watermark : saturating_add(watermark, -lateness_);
  }
  Standing standing() const override {
    const auto first = alarms_.first();
    if (!first) return {};
    const Time end = saturating_add(saturating_add(*first, 1), -lateness_);
    Standing standing = holding(true, windows_.start_of(end));
    standing.closes_at = saturating_add(*first, 1);
    return standing;
  }

 private:
  using Records = WindowJoinRecords;
  using Entries = Records::Entries;

  /// A window fires when the watermark is greater.
  Time alarm_of(Time end) const { return saturating_add(saturating_add(end, lateness_), -1); }
  bool is_over(Time end, Time watermark) const {
    return saturating_add(end, lateness_) <= watermark;
  }

  template <int kSide, class T>
  void take(Batch<T>& in, Outputs& outputs) {
    auto& side = this->template side<kSide>();
    const auto is_late = [this](Time time, Time behind) {
      return is_over(windows_.last_end(time), behind);
    };
    const auto keep = [&](std::uint64_t first, std::size_t count) {
      for (std::size_t at = 0; at < count; ++at) {
        const WindowJoinEntry entry{side.time_of(in, at), first + at, side.behind_of(at)};
        this->template handle<kSide>(entry.slot, at, [&](const K& key, std::uint64_t hash) {
          add<kSide>(key, hash, entry, entry.behind);
          return true;
        });
      }
    };
    this->rows().set_due(in.due_ns);
    side.take(in, kSide + 1, this->context(), outputs, is_late, keep);
  }
  /// Windows that were over at the watermark `over` (kTimeMin: none) do not fire for it any more.
  template <int kSide>
  void add(const K& key, std::uint64_t hash, const WindowJoinEntry& entry, Time over) {
    Records& of_key = keys_->upsert(key, hash, [this] { return Records(this->context().state); });
    const bool is_first = of_key.empty();
    (kSide == 0 ? of_key.left : of_key.right).insert(entry);
    Time end = windows_.first_end(entry.time);
    if (over != kTimeMin)
      end = std::max(end, windows_.next_end_after(saturating_add(over, -lateness_)));
    if (is_first || end < of_key.end) wake(of_key, end, hash);
  }
  void wake(Records& of_key, Time end, std::uint64_t hash) {
    of_key.end = end;
    alarms_.add(alarm_of(end), hash);
  }

  /// Fires the windows of a key that are over. True: the key has nothing left.
  bool fire(Records& of_key, std::uint64_t hash, Time watermark, Outputs& outputs) {
    Time end = of_key.end;
    while (is_over(end, watermark)) {
      emit_window(of_key, end, hash, outputs);
      forget<0>(of_key.left, end);
      forget<1>(of_key.right, end);
      if (of_key.empty()) return true;
      end = std::max(windows_.first_end(of_key.first()), windows_.next_end_after(end));
    }
    wake(of_key, end, hash);
    return false;
  }
  template <int kSide>
  void forget(Entries& entries, Time end) {
    while (!entries.empty() && windows_.last_end(entries.front().time) <= end) {
      this->template side<kSide>().records().gone(entries.front().slot);
      entries.pop_front();
    }
  }

  void emit_window(Records& of_key, Time end, std::uint64_t hash, Outputs& outputs) {
    collect<0>(of_key.left, end, left_);
    collect<1>(of_key.right, end, right_);
    const Time time = saturating_add(end, -1);
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
  /// The records of the window that are not late for it, in the order of times and places.
  template <int kSide>
  void collect(Entries& entries, Time end, std::vector<WindowJoinEntry>& found) {
    found.clear();
    auto at = entries.from(windows_.start_of(end));
    for (; at != entries.end() && at->time < end; ++at) {
      if (at->behind == kTimeMin || !is_over(end, at->behind)) found.push_back(*at);
    }
    if (!this->context().makes_arrivals) return;
    const auto& records = this->template side<kSide>().records();
    std::stable_sort(found.begin(), found.end(), [&](const auto& a, const auto& b) {
      return a.time != b.time ? a.time < b.time
                              : records.place_of(a.slot) < records.place_of(b.slot);
    });
  }

  Windows windows_;
  std::int64_t lateness_;                        ///< microseconds
  std::optional<KeyedTables<K, Records>> keys_;  ///< from open() on
  KeyAlarms alarms_;
  Time watermark_ = kTimeMin;
  std::vector<WindowJoinEntry> left_;  ///< of the window at hand
  std::vector<WindowJoinEntry> right_;
};

}  // namespace millrace::detail
