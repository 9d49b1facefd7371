// IntervalJoin: pairs of records of two streams with equal keys, whose event times are near each
// other.
#pragma once

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "operator/interval_keys.hpp"
#include "operator/join_operator.hpp"
#include "operator/join_turns.hpp"

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
/// Cost: a look-up a record, O(log n + matches) for n records of its key that are kept, O(log keys)
/// now and then. Memory: a copy of each record and 16 bytes for as long as partners may come, of
/// inner joins up to twice as long; about 100 bytes a key.
template <class L, class LKey, class R, class RKey, class Out, class Maker>
class IntervalJoin final : public JoinOperator<L, LKey, R, RKey, Out, Maker> {
  using Base = JoinOperator<L, LKey, R, RKey, Out, Maker>;

 public:
  using Left = typename Base::Left;
  using Right = typename Base::Right;
  using K = typename LKey::View;

  IntervalJoin(JoinInterval interval, JoinKind kind, typename Left::KeyPtr left,
               typename Right::KeyPtr right, Maker maker)
      : Base(kind, std::move(left), std::move(right), std::move(maker)), interval_(interval) {}

  void open(const OperatorContext& context) override {
    Base::open(context);
    keys_.emplace(interval_, keeps(0) || keeps(1), context.state);
    if (context.makes_arrivals) turns_ = std::make_unique<JoinTurns>(context.state);
  }
  void save_state(StateWriter& writer) override {
    save_time(writer, kJoinWatermark, watermark_);
    JoinImage images[2];
    keys_->for_each(watermark_, [&](int side, std::uint64_t hash, const JoinEntry& entry) {
      const JoinMark mark = entry.matched() ? JoinMark::matched : JoinMark::open;
      images[side].add(hash, {entry.time, entry.slot(), kTimeMin, mark});
    });
    if (turns_) save_turns(images);
    images[0].save(writer, 0, this->template side<0>().records());
    images[1].save(writer, 1, this->template side<1>().records());
  }
  void restore_state(StateReader& reader) override {
    reached_ = watermark_ = restore_least_time(reader, kJoinWatermark, kTimeMin);
    restore<0>(reader);
    restore<1>(reader);
  }
  void process_input(std::uint32_t input, BatchBase& batch, bool, Outputs& outputs) override {
    if (input == 0) {
      take<0>(static_cast<Batch<L>&>(batch), outputs);
    } else {
      take<1>(static_cast<Batch<R>&>(batch), outputs);
    }
  }
  void advance(Time watermark, Outputs& outputs) override {
    if (turns_) handle_turns(turn_before(watermark), outputs);
    reached_ = watermark_ = watermark;
    keys_->close(
        watermark, [&](const JoinEntry& entry) { let_go<0>(entry, outputs); },
        [&](const JoinEntry& entry) { let_go<1>(entry, outputs); });
    rows().flush(outputs);
  }
  /// Rows of records that waited for a partner have their own times.
  Time forwarded(Time watermark) const override {
    if (watermark == kTimeMax) return watermark;
    std::int64_t wait = interval_.lateness.count();
    if (keeps(0)) wait = std::max(wait, interval_.wait_us(0));
    if (keeps(1)) wait = std::max(wait, interval_.wait_us(1));
    return saturating_add(watermark, -wait);
  }
  Waiting waiting() const override { return {turns_ ? turns_->size() : 0, kNeverDue}; }
  Standing standing() const override {
    const std::int64_t wait = std::max(interval_.wait_us(0), interval_.wait_us(1));
    return holding(waiting().records > 0 || !keys_->empty(), saturating_add(watermark_, -wait));
  }
  void release(std::int64_t, bool drain, Outputs& outputs) override {
    if (drain && turns_) handle_turns(kTimeMax, outputs);
    rows().flush(outputs);
  }

 private:
  using Base::emit, Base::keeps, Base::rows;

  void save_turns(JoinImage (&images)[2]) {
    turns_->for_each([&](int side, std::uint64_t slot, Time time) {
      const auto add = [&](const K&, std::uint64_t hash) {
        images[side].add(hash, {time, slot, kTimeMin, JoinMark::waiting});
      };
      if (side == 0) {
        this->template side<0>().with_key(slot, Left::kNoPlace, add);
      } else {
        this->template side<1>().with_key(slot, Right::kNoPlace, add);
      }
    });
  }
  template <int kSide>
  void restore(StateReader& reader) {
    const auto take = [&](const K& key, std::uint64_t hash, const JoinKept& kept) {
      if (kept.mark != JoinMark::waiting) {
        const JoinEntry entry(kept.time, kept.slot, kept.mark == JoinMark::matched);
        return keys_->template add<kSide>(keys_->of(key, hash), hash, entry);
      }
      // Also where nobody breaks ties any more: rows are made when the watermark comes.
      if (!turns_) turns_ = std::make_unique<JoinTurns>(this->context().state);
      turns_->push(kSide, kept.time, kept.slot);
    };
    this->template restore_side<kSide>(reader, take);
  }

  template <int kSide, class T>
  void take(Batch<T>& in, Outputs& outputs) {
    auto& side = this->template side<kSide>();
    const auto is_late = [this](Time time, Time behind) {
      return saturating_add(time, interval_.lateness.count()) < behind;
    };
    const auto handle = [&](std::uint64_t first, std::size_t count) {
      for (std::size_t at = 0; at < count; ++at) {
        const Time time = side.time_of(in, at);
        if (turns_) {
          turns_->push(kSide, time, first + at);
        } else {
          match<kSide>(first + at, at, time, outputs);
        }
      }
    };
    rows().set_due(in.due_ns);
    side.take(in, kSide + 1, this->context(), outputs, is_late, handle);
    rows().flush(outputs);
  }

  /// The turn of a record comes when all that go before it are there, late ones too.
  Time turn_before(Time watermark) const {
    if (watermark == kTimeMax) return watermark;
    return saturating_add(saturating_add(watermark, -interval_.lateness.count()), -1);
  }
  void handle_turns(Time until, Outputs& outputs) {
    const auto place_of = [this](int side, std::uint64_t slot) {
      return side == 0 ? this->template side<0>().records().place_of(slot)
                       : this->template side<1>().records().place_of(slot);
    };
    turns_->take(until, place_of, [&](int side, std::uint64_t slot, Time time) {
      reached_ = saturating_add(time, interval_.lateness.count());
      if (side == 0) {
        match<0>(slot, Left::kNoPlace, time, outputs);
      } else {
        match<1>(slot, Right::kNoPlace, time, outputs);
      }
    });
  }

  /// Handles one record: finds its partners, and keeps it for those that are to come.
  template <int kSide>
  void match(std::uint64_t slot, std::size_t place, Time time, Outputs& outputs) {
    this->template handle<kSide>(slot, place, [&](const K& key, std::uint64_t hash) {
      IntervalRecords& of_key = keys_->of(key, hash);
      const JoinEntry entry(time, slot, emit_pairs<kSide>(of_key, slot, time, outputs));
      const bool stays = interval_.closes(kSide, time) >= reached_;
      if (stays) {
        keys_->template add<kSide>(of_key, hash, entry);
      } else {  // its partners lie before it
        tell<kSide>(entry, outputs);
        keys_->leave(of_key, key, hash);
      }
      return stays;
    });
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
    if (!turns_) return {};
    return this->template side<kSide>().records().place_of(slot).child(2 * child + kSide);
  }

  template <int kSide>
  void let_go(const JoinEntry& entry, Outputs& outputs) {
    tell<kSide>(entry, outputs);
    this->template side<kSide>().records().gone(entry.slot());
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
  Time reached_ = kTimeMin;           ///< the same as the record at hand must see it
  std::unique_ptr<JoinTurns> turns_;  ///< null: records are handled as they come
};

}  // namespace millrace::detail
