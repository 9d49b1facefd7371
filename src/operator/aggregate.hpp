// Aggregates by key: running (an update a record) and windowed (panes, in one or in two phases).
#pragma once

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "operator/accumulator_tables.hpp"
#include "operator/pane_images.hpp"
#include "operator/pane_spill.hpp"
#include "operator/pane_stacks.hpp"
#include "operator/stateless.hpp"
#include "operator/table_updater.hpp"
#include "operator/window_rows.hpp"
#include "state/handed_tables.hpp"
#include "window/open_panes.hpp"
#include "window/pane_set.hpp"

namespace millrace::detail {

/// Without a window: emits the new value for every record.
template <class T, class Key, class Kernel>
class RunningAggregate final : public Operator,
                               public HoldsAggregates,
                               public Spills,
                               public HandsOver {
 public:
  using K = typename Key::View;
  using Acc = typename Kernel::Acc;
  using Row = millrace::Aggregate<K, typename Kernel::Value>;
  using Updater = TableUpdater<T, Key, Kernel>;

  RunningAggregate(typename Updater::KeyPtr key, Kernel kernel)
      : updater_(std::move(key), std::move(kernel)) {}

  void open(const OperatorContext& context) override {
    Operator::open(context);
    tables_.emplace(updater_.kernel(), context.state);
  }

  void spill_to(const SpillPlace& place) override { tables_->spill_to(place); }

  Anchoring anchoring() const override { return Anchoring::by_record; }
  void process(BatchBase& base, bool, Outputs& outputs) override {
    auto& in = static_cast<Batch<T>&>(base);
    const std::size_t count = in.values.size();
    const std::uint64_t* hashes = tables_->begin_batch(*updater_.key(), in);
    out_.clear();
    carry_marks(in, out_);
    out_.values.reserve(count);
    arena_ = {};
    std::size_t cursor = 0;
    const auto add = [&](std::size_t at) {
      updater_.add_one(tables_->tables(), in, at, hashes, [&](const K& key, const Acc& acc) {
        out_.values.push_back(Row{keep(key), updater_.kernel().result(acc), kTimeMin, kTimeMax});
      });
      inherit_time(in, at, out_, out_.values.size() - 1, out_.values.size(), cursor);
      inherit_arrival(in, at, out_, out_.values.size() - 1, out_.values.size());
    };
    const std::size_t failed = guarded_loop(0, count, in, batch_type<T>(), *context().dead_letters,
                                            add, [](std::size_t) {});
    tally().processed += count - failed;
    tally().dead_lettered += failed;
    tables_->end_batch();
    if (out_.values.empty()) return;
    if constexpr (Key::kBorrowsArena) out_.pin_all(in);
    outputs.push(0, out_);
  }
  void save_state(StateWriter& writer) override { tables_->save(writer, kPart); }
  void restore_state(StateReader& reader) override { tables_->restore(reader, kPart); }
  bool hands_over() const override { return tables_->hands_over(); }
  std::unique_ptr<HandedState> hand_over() override { return tables_->hand_over(kPart); }
  bool take_over(HandedState& handed) override { return tables_->take_over(handed); }
  void add_held(std::unique_ptr<HeldAggregates>& held) override {
    tables_->add_to(HeldOf<Kernel>::in(held, updater_.kernel()));
  }
  std::int64_t take_moved_heap() override { return tables_->take_moved_heap(); }

 private:
  static constexpr const char* kPart = "values";

  /// The key in bytes that live as long as the emitted batch.
  K keep(const K& key) {
    if constexpr (Key::kBorrowsArena || std::is_arithmetic_v<K> || std::is_enum_v<K>) {
      return key;
    } else {
      if (!arena_) {
        arena_ = pool_.take(context().arenas);
        out_.pin(arena_);
      }
      return KeyTraits<K>::intern(key, *arena_);
    }
  }

  Updater updater_;
  std::optional<AccumulatorTables<K, Kernel>> tables_;  ///< from open() on
  Batch<Row> out_;
  ArenaPool pool_{16u << 10};
  ArenaRef arena_;
};

/// Emits the windows of a PaneSet as rows; keys are copied into the emitted batch.
template <class K, class Kernel>
class WindowEmitter {
 public:
  using Acc = typename Kernel::Acc;

  void fire(Time start, Time end, const typename PaneStacks<K, Kernel>::Panes& panes,
            const Kernel& kernel, const OperatorContext& context, Outputs& outputs) {
    const RowPlace place{start, end, end == kTimeMax ? kTimeMin : end - 1};
    const auto emit = [&](const K& key, const Acc& acc) {
      rows_.add(key, acc, place, kernel, context, outputs);
    };
    const bool spilled = std::ranges::any_of(panes, [](const auto& pane) { return pane.disk; });
    if (spilled) {
      each_by_group(panes, kernel, context, emit);
    } else if (panes.size() == 1) {
      panes.front().tables->for_each(emit);
    } else {
      stacks_.merged(end, panes, kernel, context.state).for_each(emit);
    }
    rows_.flush(outputs);
  }

  /// See PaneStacks.
  Time merged_to() const { return stacks_.merged_to(); }
  /// Keys of panes have gone to disk: gives back the memory of what windows have in common.
  void let_go() { stacks_.let_go(); }

 private:
  using Panes = typename PaneStacks<K, Kernel>::Panes;

  /// Of panes that lie on disk in part: in memory is what the window holds of a key group.
  template <class Emit>
  void each_by_group(const Panes& panes, const Kernel& kernel, const OperatorContext& context,
                     const Emit& emit) {
    if constexpr (kSpillsPanes<Kernel>) {
      const auto init = [&]() -> decltype(auto) { return kernel.init(); };
      for (std::uint32_t group = 0; group < kKeyGroups; ++group) {
        KeyedTables<K, Acc> all(context.state);
        const auto add = [&](const K& key, const Acc& acc) {
          kernel.merge(all.upsert(key, KeyTraits<K>::hash(key), init), acc);
        };
        stacks_.each_read(panes, [&](const auto& pane) {
          if (pane.disk) each_on_disk<K>(*pane.disk, group, kernel, add);
          pane.tables->for_each(add, group, group + 1);
        });
        all.for_each(emit);
      }
    }
  }

  PaneStacks<K, Kernel> stacks_;  ///< where windows have several panes
  WindowRows<K, Kernel> rows_;
};

/// What the windows of a PaneSet that have not fired hold. `merged_to`: see each_open_pane.
template <class Kernel, class K>
void add_held_panes(std::unique_ptr<HeldAggregates>& held,
                    const PaneSet<K, typename Kernel::Acc>& panes, Time merged_to,
                    const Kernel& kernel) {
  auto& into = HeldOf<Kernel>::in(held, kernel);
  if (into.weighs()) {  // each once, in however many windows it is
    for (const auto& [key, pane] : panes.panes()) {
      pane.tables->for_each([&](const K&, const typename Kernel::Acc& acc) { into.weigh(acc); });
    }
    return;
  }
  each_open_pane(panes, merged_to, [&](Time start, Time end, const auto& pane) {
    const auto add = [&](const K& key, const typename Kernel::Acc& acc) {
      into.add(key, start, end, acc);
    };
    if constexpr (kSpillsPanes<Kernel>) {
      for (std::uint32_t group = 0; pane.disk && group < kKeyGroups; ++group)
        each_on_disk<K>(pane.disk->table(), group, kernel, add);
    }
    pane.tables->for_each(add);
  });
}

/// What became of a record that came too late for its pane.
enum class Fate { taken, failed, late };

/// Adds the records of batches to the panes they belong to; judges lateness by each record's own
/// mark.
template <class T, class Key, class Kernel>
class PaneFiller {
 public:
  using K = typename Key::View;
  using Acc = typename Kernel::Acc;
  using Panes = PaneSet<K, Acc>;

  using KeyPtr = typename TableUpdater<T, Key, Kernel>::KeyPtr;

  PaneFiller(KeyPtr key, Kernel kernel) : updater_(std::move(key), std::move(kernel)) {}

  const Kernel& kernel() const { return updater_.kernel(); }
  /// The remembered pane is gone after windows closed.
  void forget_pane() { slot_ = {nullptr, kTimeMax, kTimeMin}; }
  /// Keys in the pane used last.
  std::size_t keys_in_pane() const { return slot_.tables ? slot_.tables->size() : 0; }

  const TableUpdater<T, Key, Kernel>& adder() const { return updater_; }

  void add(Batch<T>& in, Panes& panes, const OperatorContext& context) {
    add(in, panes, context, [](std::size_t, Time) { return Fate::late; });
  }
  /// The same, with late(index, its watermark) -> Fate for records too late for all their panes.
  template <class Late>
  void add(Batch<T>& in, Panes& panes, const OperatorContext& context, Late&& late_one) {
    const std::size_t count = in.values.size();
    std::size_t failed = 0;
    std::size_t late = 0;
    if (panes.windows().is_global()) {
      slot_ = panes.pane_of(0);
      failed = updater_.add_run(*slot_.tables, in, 0, count, *context.dead_letters);
    } else if (panes.shared()) {
      add_by_runs(in, panes, context, failed, late, late_one);
    } else {
      for (std::size_t at = 0, cursor = 0; at < count; ++at)
        add_single(in, at, cursor, panes, context, failed, late, late_one);
    }
    context.tally->processed += count - failed - late;
    context.tally->dead_lettered += failed;
    context.tally->late += late;
  }

 private:
  /// Fewer neighbours in one pane than these: panes are looked up record by record, blocks of them
  /// ahead of the adding.
  static constexpr std::size_t kShortRun = 8;
  static constexpr std::size_t kBlock = 64;

  /// Neighbours mostly share a pane: one look-up a run of records, not a record.
  template <class Late>
  void add_by_runs(Batch<T>& in, Panes& panes, const OperatorContext& context, std::size_t& failed,
                   std::size_t& late, Late& late_one) {
    const std::size_t count = in.values.size();
    const Time* times = in.times.data();
    std::size_t cursor = 0;
    std::size_t at = 0;
    while (at < count) {
      const std::size_t stop = cursor < in.behind.size() ? in.behind[cursor].index : count;
      if (at == stop) {
        add_single(in, at, cursor, panes, context, failed, late, late_one);
        ++cursor;
        ++at;
        continue;
      }
      if (times[at] < slot_.from || times[at] >= slot_.to) slot_ = panes.pane_of(times[at]);
      std::size_t end = run_end(times, at + 1, stop, slot_.from, slot_.to);
      if (end - at < kShortRun && end < stop) {
        end = std::min(stop, at + kBlock);
        failed += add_scattered(in, at, end, panes, *context.dead_letters);
      } else {
        failed += updater_.add_run(*slot_.tables, in, at, end, *context.dead_letters);
      }
      at = end;
    }
  }

  std::size_t add_scattered(Batch<T>& in, std::size_t begin, std::size_t end, Panes& panes,
                            DeadLetters& dead_letters) {
    scattered_.clear();
    for (std::size_t at = begin; at < end; ++at) {
      const Time time = in.times[at];
      if (time < slot_.from || time >= slot_.to) slot_ = panes.pane_of(time);
      scattered_.push_back(slot_.tables);
    }
    return updater_.add_scattered(scattered_, in, begin, dead_letters);
  }

  /// First index in [at, stop) whose time lies outside [from, to): blocks of 16 are compared
  /// without branches.
  static std::size_t run_end(const Time* times, std::size_t at, std::size_t stop, Time from,
                             Time to) {
    const auto width = static_cast<std::uint64_t>(to) - static_cast<std::uint64_t>(from);
    const auto outside = [&](std::size_t index) {
      return static_cast<std::uint64_t>(times[index]) - static_cast<std::uint64_t>(from) >= width;
    };
    while (at + 16 <= stop) {
      unsigned any = 0;
      for (std::size_t next = at; next < at + 16; ++next)
        any |= static_cast<unsigned>(outside(next));
      if (any) break;
      at += 16;
    }
    while (at < stop && !outside(at)) ++at;
    return at;
  }

  template <class Late>
  void add_single(Batch<T>& in, std::size_t at, std::size_t& cursor, Panes& panes,
                  const OperatorContext& context, std::size_t& failed, std::size_t& late,
                  Late& late_one) {
    const Time behind = behind_at(in, at, cursor);
    targets_.clear();
    if (!panes.add_slow(in.times[at], behind,
                        [this](auto& tables) { targets_.push_back(&tables); })) {
      const Fate fate = late_one(at, behind);
      late += fate == Fate::late;
      failed += fate == Fate::failed;
    } else {
      failed += updater_.add_to_all(targets_, in, at, *context.dead_letters);
    }
  }

  TableUpdater<T, Key, Kernel> updater_;
  typename Panes::Slot slot_{nullptr, kTimeMax, kTimeMin};
  std::vector<typename Panes::Tables*> targets_;    ///< of one record
  std::vector<typename Panes::Tables*> scattered_;  ///< of each record of a block
};

/// When the first of its windows fires, and from when on its panes hold records.
template <class Panes>
Standing standing_of(const Panes& panes) {
  return {.closes_at = panes.closes_at(), .holds_from = first_start(panes)};
}

/// One phase: records in, windows out.
template <class T, class Key, class Kernel>
class WindowAggregate final : public Operator, public HoldsAggregates, public Spills {
 public:
  using K = typename Key::View;

  WindowAggregate(Windows windows, typename PaneFiller<T, Key, Kernel>::KeyPtr key, Kernel kernel)
      : panes_(windows, Kernel::kMerges), filler_(std::move(key), std::move(kernel)) {}

  void open(const OperatorContext& context) override {
    Operator::open(context);
    panes_.count_with(context.state);
  }
  void spill_to(const SpillPlace& place) override { spill_.spill_to(place); }
  void process(BatchBase& base, bool, Outputs&) override {
    filler_.add(static_cast<Batch<T>&>(base), panes_, context());
    make_room();
  }
  void advance(Time watermark, Outputs& outputs) override {
    panes_.close(watermark, [&](Time start, Time end, const auto& covered) {
      emitter_.fire(start, end, covered, filler_.kernel(), context(), outputs);
    });
    filler_.forget_pane();
    spill_.tell(panes_);
  }
  void save_state(StateWriter& writer) override {
    save_panes<K, Kernel>(writer, panes_, emitter_.merged_to(), filler_.kernel());
  }
  void restore_state(StateReader& reader) override {
    restore_panes<K, Kernel>(reader, panes_, filler_.kernel(), [this] { make_room(); });
  }
  void add_held(std::unique_ptr<HeldAggregates>& held) override {
    add_held_panes(held, panes_, emitter_.merged_to(), filler_.kernel());
    if (held->weighs()) spill_.weighed();
  }
  Standing standing() const override { return standing_of(panes_); }

 private:
  void make_room() {
    if (spill_.shed(panes_, filler_.kernel())) emitter_.let_go();
  }

  PaneSet<K, typename Kernel::Acc> panes_;
  PaneFiller<T, Key, Kernel> filler_;
  PaneSpill<K, Kernel> spill_;
  WindowEmitter<K, Kernel> emitter_;
};

}  // namespace millrace::detail
