// WindowCells: the accumulators of windows that emit more than once, and the rows that they make.
#pragma once

#include <algorithm>
#include <optional>
#include <type_traits>

#include "operator/early_clock.hpp"
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
  std::uint32_t fresh = 0;      ///< records, or panes of them, since the last row
  std::uint32_t rows = 0;       ///< sent
  Time row_at = kTimeMin;       ///< where event time stood at the last row
  std::int64_t changed_ns = 0;  ///< when the first record since then came, by the clock
  std::int64_t made() const { return rows; }
};
template <class Acc, class V>
struct WindowCell<Acc, V, true> {
  Acc acc;
  std::uint32_t fresh = 0;
  std::uint32_t rows = 0;  ///< sent, those taken back too
  Time row_at = kTimeMin;
  std::int64_t changed_ns = 0;
  std::int64_t made() const { return (rows + 1) / 2; }
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
      : spec_(spec),
        discards_(spec.rules().mode() == RefiringWindows::Mode::discarding),
        notes_changes_(spec.rules().early().uses(EarlyTrigger::Kind::event_time) ||
                       spec.rules().early().uses(EarlyTrigger::Kind::clock)) {}

  /// Where the clock stands; only triggers of the clock ask.
  void set_clock(std::int64_t now_ns) { now_ns_ = now_ns; }

  static FiringPlace place_of(const Window& window, Firing firing, Time behind = kTimeMin) {
    return {window.start, window.end, saturating_add(window.end, -1), firing, behind};
  }

  /// Merges `acc` into the cell of a key; its reference is valid until the next call.
  Cell& merge(Window& window, const K& key, std::uint64_t hash, const Acc& acc,
              const Kernel& kernel) {
    Cell& cell = window.cells->upsert(key, hash, [&] { return Cell{kernel.init()}; });
    kernel.merge(cell.acc, acc);
    if (cell.fresh++ > 0) return cell;
    cell.changed_ns = now_ns_;
    if (notes_changes_) window.changed.push_back(hash);
    return cell;
  }

  /// Of a cell of an image.
  void note_restored(Window& window, std::uint64_t hash, Cell& cell) {
    cell.changed_ns = now_ns_;
    if (cell.fresh > 0 && notes_changes_) window.changed.push_back(hash);
  }

  /// The rows of all keys of the key groups [from, to).
  void fire_groups(Window& window, std::uint32_t from, std::uint32_t to, const Kernel& kernel,
                   const OperatorContext& context, Outputs& outputs) {
    const FiringPlace place = place_of(window, Firing::on_time);
    const auto fire_one = [&](const K& key, Cell& cell) {
      if (cell.fresh > 0 || !discards_) fire(key, cell, place, kernel, context, outputs);
    };
    window.cells->for_each(fire_one, from, to);
    flush(outputs);
  }
  /// The early rows of the keys that have changed and are due, with event time at `reached`. True:
  /// some have changed and are not. bring(hash) is called before the keys of a hash are looked at.
  template <class Bring>
  bool fire_changed(Window& window, Time reached, const Kernel& kernel,
                    const OperatorContext& context, Outputs& outputs, Bring&& bring) {
    auto& changed = window.changed;
    std::sort(changed.begin(), changed.end());  // a key that had a row meanwhile is there twice
    changed.erase(std::unique(changed.begin(), changed.end()), changed.end());
    std::erase_if(changed, [&](std::uint64_t hash) {
      bool waits = false;
      bring(hash);
      window.cells->for_each_of(hash, [&](const K& key, Cell& cell) {
        fire_early(key, window, cell, reached, kernel, context, outputs);
        waits |= cell.fresh > 0;
      });
      return !waits;
    });
    flush(outputs);
    return !changed.empty();
  }
  /// The early row of one key, where it is due.
  void fire_early(const K& key, const Window& window, Cell& cell, Time reached,
                  const Kernel& kernel, const OperatorContext& context, Outputs& outputs) {
    const auto holds = [&](EarlyTrigger::Kind kind, std::int64_t amount) {
      return asks(window, cell, reached, kind, amount);
    };
    if (cell.fresh == 0 || !spec_.rules().early().fires(cell.made(), holds)) return;
    cell.row_at = reached;
    fire(key, cell, place_of(window, Firing::early), kernel, context, outputs);
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

  /// Whether one every() asks for a row. One of a span: when a multiple of it has come since.
  bool asks(const Window& window, const Cell& cell, Time reached, EarlyTrigger::Kind kind,
            std::int64_t amount) const {
    if (kind == EarlyTrigger::Kind::records) return cell.fresh >= amount;
    if (kind == EarlyTrigger::Kind::clock)
      return last_clock_tick(now_ns_, amount) > cell.changed_ns;
    const Time since = std::max(cell.row_at, window.start);
    return reached > since && spec_.last_tick(window.start, reached, amount) > since;
  }

  RefiringWindows spec_;
  bool discards_;
  bool notes_changes_;  ///< there are early rows of all keys that have changed
  std::int64_t now_ns_ = 0;
  std::conditional_t<kFinally, WindowRows<K, Kernel>, None> finals_;
  std::conditional_t<kFinally, None, UpdateRows<K, V>> updates_;
};

}  // namespace millrace::detail
