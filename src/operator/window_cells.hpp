// WindowCells: the accumulators of windows that emit more than once, and the rows that they make.
#pragma once

#include <algorithm>
#include <optional>
#include <type_traits>

#include "operator/kernels.hpp"
#include "operator/update_rows.hpp"
#include "operator/window_rows.hpp"
#include "window/open_windows.hpp"

namespace millrace::detail {

/// What becomes of a window: one row at the last, or updates, before which those that they replace
/// are taken back.
enum class Refires { finally, updates, retractions };

/// A key in a window.
template <class Acc, class V, bool kRemembers>
struct WindowCell {
  Acc acc;
  std::uint32_t fresh = 0;  ///< records, or panes of them, since the last row
  std::uint32_t rows = 0;   ///< sent
};
template <class Acc, class V>
struct WindowCell<Acc, V, true> {
  Acc acc;
  std::uint32_t fresh = 0;
  std::uint32_t rows = 0;
  std::optional<V> last = {};  ///< the value of the row that stands
};

/// Merges into cells and makes rows of them. One thread.
template <class K, class Kernel, Refires kRefires>
class WindowCells {
 public:
  using Acc = typename Kernel::Acc;
  using V = typename Kernel::Value;
  static constexpr bool kRemembers = kRefires == Refires::retractions;
  static constexpr bool kFinally = kRefires == Refires::finally;
  using Cell = WindowCell<Acc, V, kRemembers>;
  using Window = OpenWindow<K, Cell>;

  explicit WindowCells(const RefiringWindows& spec)
      : discards_(spec.rules().mode() == RefiringWindows::Mode::discarding),
        notes_changes_(spec.rules().early(EarlyTrigger::Kind::event_time) > 0 ||
                       spec.rules().early(EarlyTrigger::Kind::clock) > 0) {}

  static FiringPlace place_of(const Window& window, Firing firing, Time behind = kTimeMin) {
    return {window.start, window.end, saturating_add(window.end, -1), firing, behind};
  }

  /// Merges `acc` into the cell of a key; its reference is valid until the next call.
  Cell& merge(Window& window, const K& key, std::uint64_t hash, const Acc& acc,
              const Kernel& kernel) {
    Cell& cell = window.cells->upsert(key, hash, [&] { return Cell{kernel.init()}; });
    kernel.merge(cell.acc, acc);
    if (cell.fresh++ == 0 && notes_changes_) window.changed.push_back(hash);
    return cell;
  }

  /// The rows of all keys.
  void fire_all(Window& window, const Kernel& kernel, const OperatorContext& context,
                Outputs& outputs) {
    const FiringPlace place = place_of(window, Firing::on_time);
    window.cells->for_each([&](const K& key, Cell& cell) {
      if (cell.fresh > 0 || !discards_) fire(key, cell, place, kernel, context, outputs);
    });
    window.changed.clear();
    flush(outputs);
  }
  /// The early rows of the keys that have changed.
  void fire_changed(Window& window, const Kernel& kernel, const OperatorContext& context,
                    Outputs& outputs) {
    const FiringPlace place = place_of(window, Firing::early);
    for (const std::uint64_t hash : window.changed) {
      window.cells->for_each_of(hash, [&](const K& key, Cell& cell) {
        if (cell.fresh > 0) fire(key, cell, place, kernel, context, outputs);
      });
    }
    window.changed.clear();
    flush(outputs);
  }
  /// The row of one key.
  void fire(const K& key, Cell& cell, const FiringPlace& place, const Kernel& kernel,
            const OperatorContext& context, Outputs& outputs) {
    cell.fresh = 0;
    if constexpr (kFinally) {
      const Time time = saturating_add(place.end, -1);
      finals_.add(key, cell.acc, {place.start, place.end, time}, kernel, context, outputs);
    } else {
      const auto value = result_or_refuse(key, cell.acc, place.start, place.end, kernel, context);
      if (value) {
        if constexpr (kRemembers) {
          if (cell.last) updates_.add(key, *cell.last, true, cell.rows++, place, context, outputs);
          cell.last = value;
        }
        updates_.add(key, *value, false, cell.rows++, place, context, outputs);
      }
      if (discards_) cell.acc = kernel.init();
    }
  }
  void flush(Outputs& outputs) {
    if constexpr (kFinally) {
      finals_.flush(outputs);
    } else {
      updates_.flush(outputs);
    }
  }

 private:
  struct None {};

  bool discards_;
  bool notes_changes_;  ///< there are early rows of all keys that have changed
  std::conditional_t<kFinally, WindowRows<K, Kernel>, None> finals_;
  std::conditional_t<kFinally, None, UpdateRows<K, V>> updates_;
};

}  // namespace millrace::detail
