// TimelineWindows: the panes and windows of a task that emit more than once, in memory and on disk.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>

#include "operator/pane_spill.hpp"
#include "operator/spilled_windows.hpp"
#include "operator/timeline_call.hpp"
#include "operator/window_cells.hpp"

namespace millrace::detail {

/// The panes that windows which emit early or late are made of.
inline Windows panes_of(const RefiringWindows& spec) {
  if (spec.windows().kind() == Windows::Kind::calendar)
    return spec.windows().in_slices(Duration(spec.rules().early().slice_us()));
  return tumbling(Duration(spec.pane_us())).offset(Duration(spec.windows().offset_us()));
}

/// What a window holds of a key lies in panes, which are not complete, and then in the window
/// itself. Where memory has no room, keys of panes go to disk as PaneSpill says, and keys of
/// windows as SpilledWindows does: these come back when something happens to them. One thread.
/// Throws DiskFailed, and MemoryRefused.
template <class K, class Kernel, Refires kRefires>
class TimelineWindows {
 public:
  using Acc = typename Kernel::Acc;
  using Panes = PaneSet<K, Acc>;
  using Cells = WindowCells<K, Kernel, kRefires>;
  using Cell = typename Cells::Cell;
  using Window = typename Cells::Window;
  using Spilled = SpilledWindows<K, Kernel, kRefires>;
  using Call = TimelineCall<Kernel>;

  explicit TimelineWindows(const RefiringWindows& spec)
      : panes_(panes_of(spec), true), open_(spec, Cells::kFinally), cells_(spec) {}

  void count_with(MemoryMeter* meter) {
    panes_.count_with(meter);
    open_.count_with(meter);
  }
  /// Once, before the first record; see Spills. `kernel` outlives it.
  void spill_to(const Kernel& kernel, const SpillPlace& place) {
    if constexpr (kSpillsPanes<Kernel> && Spilled::Codec::storable()) {
      SpillPlace of_panes = place;
      of_panes.figures = &pane_figures_;
      pane_spill_.spill_to(of_panes);
      spilled_.spill_to(kernel, open_, place);
    }
  }
  /// Between batches: what memory has no room for goes to disk.
  void make_room(const Kernel& kernel) {
    if constexpr (kSpillsPanes<Kernel>) pane_spill_.shed(panes_, kernel);
    spilled_.make_room();
    pane_spill_.tell(panes_);
    spilled_.tell(pane_figures_);
  }
  /// Accumulators in memory have been weighed.
  void weighed() { pane_spill_.weighed(); }
  /// See HoldsAggregates.
  std::int64_t take_moved_heap() { return spilled_.take_moved_heap(); }

  /// Of records whose panes are not complete.
  Panes& panes() { return panes_; }
  const Panes& panes() const { return panes_; }
  /// The windows that have begun, what of them is on disk, and what makes rows of them.
  OpenWindows<K, Cell>& open() { return open_; }
  const OpenWindows<K, Cell>& open() const { return open_; }
  Spilled& spilled() { return spilled_; }
  Cells& cells() { return cells_; }

  /// Merges `acc` into the cell of a key, which is valid until the next call.
  Cell& merge(Window& window, const K& key, std::uint64_t hash, const Acc& acc, const Call& call) {
    spilled_.bring(window, hash);
    return cells_.merge(window, key, hash, acc, call.kernel);
  }
  /// Merges the panes that end at or before `until` into the windows that hold them.
  void take_panes(const Windows& windows, Time until, const Call& call) {
    panes_.drain(until, [&](const PaneKey& pane, auto& tables, DiskTable* disk) {
      each_end(windows, pane.start, [&](Time end) {
        Window& window = open_.changing(end, std::min(until, end));
        each_of_pane<K>(tables, disk, call.kernel, [&](const K& key, const Acc& acc) {
          merge(window, key, KeyTraits<K>::hash(key), acc, call);
        });
      });
    });
  }
  /// The rows of all keys, of those on disk a key group at a time.
  void fire_all(Window& window, const Call& call) {
    const std::uint32_t at_once = spilled_.holds(window) ? 1 : kKeyGroups;
    for (std::uint32_t from = 0; from < kKeyGroups; from += at_once) {
      if (at_once == 1) spilled_.bring_group(window, from);
      cells_.fire_groups(window, from, from + at_once, call.kernel, call.context, call.outputs);
    }
    window.changed.clear();
  }
  /// See WindowCells.
  bool fire_changed(Window& window, Time reached, const Call& call) {
    return cells_.fire_changed(window, reached, call.kernel, call.context, call.outputs,
                               [&](std::uint64_t hash) { spilled_.bring(window, hash); });
  }
  void close(Window& window) {
    std::shared_ptr<typename Spilled::OnDisk> on_disk = spilled_.take_out(window);
    if (on_disk && on_disk.use_count() > 1) {  // an image reads it still
      on_disk->cells = open_.take_out(window);
    } else {
      on_disk.reset();
      open_.close(window);
    }
  }

 private:
  Panes panes_;
  OpenWindows<K, Cell> open_;
  Spilled spilled_;  ///< of open_
  PaneSpill<K, Kernel> pane_spill_;
  SpillFigures pane_figures_;
  Cells cells_;
};

}  // namespace millrace::detail
