// The two phases of a windowed aggregate across a shuffle: combine where records are, merge where
// keys live.
#pragma once

#include <utility>

#include "operator/aggregate.hpp"

namespace millrace::detail {

/// A partial accumulator on its way to the task that owns its key.
template <class K, class Acc>
struct Partial {
  K key{};
  Acc acc{};
  Time pane_start = 0;
  Time first_end = kTimeMin;
};

/// First phase, on the sender's side: combines by key and pane and hands the partial results on
/// when the pane is complete, or its table grows large, so that few records cross. Lateness is
/// judged here, where the marks are.
template <class T, class Key, class Kernel>
class WindowCombine final : public Operator, public HoldsAggregates {
 public:
  using K = typename Key::View;
  using Acc = typename Kernel::Acc;
  using Row = Partial<K, Acc>;

  WindowCombine(Windows windows, typename PaneFiller<T, Key, Kernel>::KeyPtr key, Kernel kernel)
      : panes_(windows, true), filler_(std::move(key), std::move(kernel)) {}

  void open(const OperatorContext& context) override {
    Operator::open(context);
    panes_.count_with(context.state);
  }
  void process(BatchBase& base, bool, Outputs& outputs) override {
    filler_.add(static_cast<Batch<T>&>(base), panes_, context());
    if (filler_.keys_in_pane() > kKeysMax) drain(kTimeMax, outputs);
  }
  void advance(Time watermark, Outputs& outputs) override { drain(watermark, outputs); }
  /// Hands everything on: the second phase keeps it.
  void before_barrier(Outputs& outputs) override { drain(kTimeMax, outputs); }
  void add_held(std::unique_ptr<HeldAggregates>& held) override {
    add_held_panes(held, panes_, kTimeMin, filler_.kernel());
  }
  Standing standing() const override { return standing_of(panes_); }

 private:
  /// Beyond it combining saves little and memory would double.
  static constexpr std::size_t kKeysMax = 1u << 17;

  void drain(Time watermark, Outputs& outputs) {
    panes_.drain(watermark, [&](const PaneKey& pane, KeyedTables<K, Acc>& tables, DiskTable*) {
      tables.for_each([&](const K& key, Acc& acc) {
        rows_.add(
            [&](Arena& arena) {
              return Row{KeyTraits<K>::intern(key, arena), std::move(acc), pane.start,
                         pane.first_end};
            },
            [](Batch<Row>&) {}, context());
        rows_.flush_full(context(), outputs);
      });
    });
    rows_.flush(outputs);
    filler_.forget_pane();
  }

  PaneSet<K, Acc> panes_;
  PaneFiller<T, Key, Kernel> filler_;
  RowBatcher<Row> rows_;
};

/// Second phase: merges partial results by key and pane, and fires windows.
template <class K, class Kernel>
class WindowMerge final : public Operator, public HoldsAggregates, public Spills {
 public:
  using Acc = typename Kernel::Acc;
  using Row = Partial<K, Acc>;

  WindowMerge(Windows windows, Kernel kernel) : panes_(windows, true), kernel_(std::move(kernel)) {}

  void open(const OperatorContext& context) override {
    Operator::open(context);
    panes_.count_with(context.state);
  }
  void spill_to(const SpillPlace& place) override { spill_.spill_to(place); }
  void process(BatchBase& base, bool, Outputs&) override {
    auto& in = static_cast<Batch<Row>&>(base);
    for (const Row& row : in.values) {
      auto& tables = panes_.tables({row.pane_start, row.first_end});
      auto& acc = tables.upsert(row.key, KeyTraits<K>::hash(row.key),
                                [&]() -> decltype(auto) { return kernel_.init(); });
      kernel_.merge(acc, row.acc);
    }
    tally().processed += in.values.size();
    make_room();
  }
  /// Partial results carry the beginnings of their panes in place of times.
  Time newest_of(const BatchBase& base) const override {
    Time newest = kTimeMin;
    for (const Row& row : static_cast<const Batch<Row>&>(base).values) {
      newest = std::max(newest, row.pane_start);
    }
    return newest;
  }
  void advance(Time watermark, Outputs& outputs) override {
    panes_.close(watermark, [&](Time start, Time end, const auto& covered) {
      emitter_.fire(start, end, covered, kernel_, context(), outputs);
    });
    spill_.tell(panes_);
  }
  void save_state(StateWriter& writer) override {
    save_panes<K, Kernel>(writer, panes_, emitter_.merged_to(), kernel_);
  }
  void restore_state(StateReader& reader) override {
    restore_panes<K, Kernel>(reader, panes_, kernel_, [this] { make_room(); });
  }
  void add_held(std::unique_ptr<HeldAggregates>& held) override {
    add_held_panes(held, panes_, emitter_.merged_to(), kernel_);
    if (held->weighs()) spill_.weighed();
  }
  Standing standing() const override { return standing_of(panes_); }

 private:
  void make_room() {
    if (spill_.shed(panes_, kernel_)) emitter_.let_go();
  }

  PaneSet<K, Acc> panes_;
  Kernel kernel_;
  PaneSpill<K, Kernel> spill_;
  WindowEmitter<K, Kernel> emitter_;
};

/// Hash of the key of a partial result, for the shuffle between the phases.
template <class K, class Acc>
class PartialKeyHash final : public KeyHash {
 public:
  void hash(const BatchBase& base, std::vector<std::uint64_t>& hashes) const override {
    const auto& batch = static_cast<const Batch<Partial<K, Acc>>&>(base);
    hashes.resize(batch.values.size());
    for (std::size_t at = 0; at < hashes.size(); ++at) {
      hashes[at] = KeyTraits<K>::hash(batch.values[at].key);
    }
  }
};

}  // namespace millrace::detail
