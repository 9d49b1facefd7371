// IntervalJoin: pairs of records of two streams with equal keys, whose event times are near each
// other.
#pragma once

#include <algorithm>
#include <optional>
#include <utility>

#include "operator/interval_keys.hpp"
#include "operator/spilling_join.hpp"

namespace millrace::detail {

/// Input 0 is the left side, input 1 the right one. A pair is emitted when both are there, with the
/// later time of the two; a record without a partner, where the kind keeps it, when no partner can
/// come any more, with its own time, for which the watermark that is handed on waits. A record that
/// came behind the watermark of its own source partition by more than the lateness is late (ports 1
/// and 2): then no record that it could match has been forgotten, whatever the schedule.
///
/// Where a reader breaks ties, records are handled in the order of time and place when the
/// watermark has passed them, so that the rows made of one have places in an order of their own.
///
/// Cost: a look-up a record, O(log n + matches) for n records of its key that are kept; of inner
/// joins a walk over the keys beside, at most four places of a table a record. Memory: a copy of
/// each record and 16 bytes for as long as partners may come, of inner joins about twice as long;
/// about 100 bytes a key.
template <class L, class LKey, class R, class RKey, class Out, class Maker>
class IntervalJoin final : public SpillingJoin<IntervalRecords, L, LKey, R, RKey, Out, Maker> {
  using Base = SpillingJoin<IntervalRecords, L, LKey, R, RKey, Out, Maker>;

 public:
  using typename Base::K, typename Base::Left, typename Base::Right;

  IntervalJoin(JoinInterval interval, JoinKind kind, typename Left::KeyPtr left,
               typename Right::KeyPtr right, Maker maker)
      : Base("intervals", kind, std::move(left), std::move(right), std::move(maker)),
        interval_(interval) {}

  void open(const OperatorContext& context) override {
    Base::open(context);
    keys_.emplace(interval_, keeps(0) || keeps(1), context.state);
    const auto gone = [this](auto side, const JoinEntry& one) { this->let_go(side, one.slot()); };
    keys_->set_cold(this->open_spill(keys_->tables(), keys_->life(watermark_, gone)));
    if (context.makes_arrivals) this->start_turns();
  }
  void save_state(StateWriter& writer) override {
    save_time(writer, kJoinWatermark, watermark_);
    this->save_keys(writer, keys_->each_kept(watermark_));
  }
  void restore_state(StateReader& reader) override {
    reached_ = watermark_ = restore_least_time(reader, kJoinWatermark, kTimeMin);
    this->restore_keys(reader, [this](auto side, const K& key, auto hash, const JoinKept& kept) {
      if (interval_.closes(side, kept.time) < watermark_)  // gone since it was written
        return this->let_go(side, kept.slot);
      keys_->template add<decltype(side)::value>(keys_->of(key, hash), hash, entry_of(kept),
                                                 kTimeMin, [](auto, const JoinEntry&) {});
    });
  }
  void process_input(std::uint32_t input, BatchBase& batch, bool, Outputs& outputs) override {
    if (input == 0) return take<0>(static_cast<Batch<L>&>(batch), outputs);
    take<1>(static_cast<Batch<R>&>(batch), outputs);
  }
  void advance(Time watermark, Outputs& outputs) override {
    if (turns()) handle_turns(interval_.complete(watermark), outputs);
    reached_ = watermark_ = watermark;
    keys_->close(watermark, lets_go(outputs));
    rows().flush(outputs);
    spill().reach(watermark);
  }
  /// Rows of records that waited for a partner have their own times.
  Time forwarded(Time watermark) const override {
    if (watermark == kTimeMax) return watermark;
    std::int64_t wait = interval_.lateness.count();
    if (keeps(0)) wait = std::max(wait, interval_.wait_us(0));
    if (keeps(1)) wait = std::max(wait, interval_.wait_us(1));
    return saturating_add(watermark, -wait);
  }
  Standing standing() const override {
    const std::int64_t wait = std::max(interval_.wait_us(0), interval_.wait_us(1));
    return holding(this->waiting().records > 0 || !keys_->empty() || spill().holds_any(watermark_),
                   saturating_add(watermark_, -wait));
  }
  void release(std::int64_t, bool drain, Outputs& outputs) override {
    if (drain && turns()) handle_turns(kTimeMax, outputs);
    rows().flush(outputs);
  }

 private:
  using Base::emit, Base::keeps, Base::rows, Base::spill, Base::turns;

  template <int kSide, class T>
  void take(Batch<T>& in, Outputs& outputs) {
    auto& side = this->template side<kSide>();
    const auto is_late = [this](Time time, Time behind) {
      return saturating_add(time, interval_.lateness.count()) < behind;
    };
    const auto handle = [&](std::uint64_t first, std::size_t count) {
      if (!turns()) return match_all<kSide>(in, first, count, outputs);
      for (std::size_t at = 0; at < count; ++at)
        turns()->push(kSide, side.time_of(in, at), first + at);
    };
    rows().set_due(in.due_ns);
    side.take(in, kSide + 1, this->context(), outputs, is_late, handle);
    rows().flush(outputs);
    spill().make_room();
  }
  template <int kSide, class T>
  void match_all(const Batch<T>& in, std::uint64_t first, std::size_t count, Outputs& outputs) {
    auto& side = this->template side<kSide>();
    spill().bring_records(side, first, count);
    const LookAhead keys(side.hashes(first, count), keys_->near(), keys_->next());
    this->template handle<kSide>(
        first, count, keys, [&](std::size_t at, const K& key, std::uint64_t hash) {
          return match<kSide>(first + at, key, hash, side.time_of(in, at), outputs);
        });
  }
  void handle_turns(Time until, Outputs& outputs) {
    this->take_turns(
        until, keys_->near(), keys_->next(),
        [&](auto side, Time time, std::uint64_t slot, const K& key, std::uint64_t hash) {
          reached_ = saturating_add(time, interval_.lateness.count());
          return match<decltype(side)::value>(slot, key, hash, time, outputs);
        });
  }

  /// Finds the partners of one record, and keeps it for those that are to come. True: it stays.
  template <int kSide>
  bool match(std::uint64_t slot, const K& key, std::uint64_t hash, Time time, Outputs& outputs) {
    IntervalRecords& of_key = keys_->of(key, hash);
    const JoinEntry entry(time, slot, emit_pairs<kSide>(of_key, slot, time, outputs));
    if (interval_.closes(kSide, time) >= reached_) {
      keys_->template add<kSide>(of_key, hash, entry, watermark_, lets_go(outputs));
      return true;
    }
    tell<kSide>(entry, outputs);  // its partners lie before it
    keys_->leave(of_key, key, hash);
    return false;
  }
  template <int kSide>
  bool emit_pairs(IntervalRecords& of_key, std::uint64_t slot, Time time, Outputs& outputs) {
    auto& others = of_key.template entries<1 - kSide>();
    if (others.empty()) return false;
    const Time last = interval_.last_partner(kSide, time);
    auto at = others.from(interval_.first_partner(kSide, time));
    std::uint64_t child = 0;
    for (; at != others.end() && at->time <= last; ++at) {
      at->match();
      const Arrival place = place_of<kSide>(slot, child++);
      const auto [left, right] =
          kSide == 0 ? std::pair(slot, at->slot()) : std::pair(at->slot(), slot);
      emit(left, right, std::max(time, at->time), place, outputs);
    }
    return child > 0;
  }
  /// A stream joined with itself has each record on both sides.
  template <int kSide>
  Arrival place_of(std::uint64_t slot, std::uint64_t child) {
    if (!turns()) return {};
    return this->template side<kSide>().records().place_of(slot).child(2 * child + kSide);
  }
  auto lets_go(Outputs& outputs) {
    return [this, &outputs](auto side, const JoinEntry& entry) {
      tell<decltype(side)::value>(entry, outputs);
      this->let_go(side, entry.slot());
    };
  }
  template <int kSide>
  void tell(const JoinEntry& entry, Outputs& outputs) {
    if (entry.matched() || !keeps(kSide)) return;
    const Arrival place = place_of<kSide>(entry.slot(), 0);
    this->template emit_alone<kSide>(entry.slot(), entry.time, place, outputs);
  }

  JoinInterval interval_;
  std::optional<IntervalKeys<K>> keys_;  ///< from open() on
  Time watermark_ = kTimeMin;
  Time reached_ = kTimeMin;  ///< the same as the record at hand must see it
};

}  // namespace millrace::detail
