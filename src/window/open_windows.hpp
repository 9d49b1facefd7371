// OpenWindows: the windows of a task that have begun and take records, and when each is to be
// looked at next.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <utility>

#include "state/counted_allocator.hpp"
#include "window/pane_set.hpp"
#include "window/refiring_windows.hpp"

namespace millrace::detail {

/// A window with a cell for each of its keys.
template <class K, class Cell>
struct OpenWindow {
  Time start;
  Time end;
  Time next;  ///< when it is looked at: an early row, its end, or when it closes
  std::unique_ptr<KeyedTables<K, Cell>> cells;
  CountedVector<std::uint64_t> changed;  ///< hashes of keys that changed since the last early rows
  std::uint64_t number = 0;              ///< by which images know it; 0: no image has had it
};

/// One thread. Memory: a cell a key and window; throws MemoryRefused as KeyedTables does.
template <class K, class Cell>
class OpenWindows {
 public:
  using Window = OpenWindow<K, Cell>;
  using Tables = KeyedTables<K, Cell>;

  /// `finals`: each window is looked at when it closes, not before.
  OpenWindows(const RefiringWindows& spec, bool finals) : spec_(spec), finals_(finals) {}

  /// Before the first record: `meter` counts the cells and outlives them; null: nobody does.
  void count_with(MemoryMeter* meter) {
    meter_ = meter;
    spare_.count_with(meter);
  }

  /// The window that ends at `end`, in which something changes that is seen from `from` on.
  Window& changing(Time end, Time from) {
    const auto found = windows_.find(end);
    if (found == windows_.end()) {
      return open(end, next_look(start_of(end), end, from));
    }
    Window& window = found->second;
    const Time next = next_look(window.start, end, from);
    if (next < window.next) look_at(window, next);
    return window;
  }
  /// The window that ends at `end`, of an image: to be looked at at `next`, if not before.
  Window& restored(Time end, Time next) {
    const auto found = windows_.find(end);
    if (found == windows_.end()) return open(end, next);
    if (next < found->second.next) look_at(found->second, next);
    return found->second;
  }
  /// When the next window is to be looked at.
  std::optional<Time> next() const {
    if (agenda_.empty()) return std::nullopt;
    return agenda_.begin()->first;
  }
  /// The start of the earliest one; nullopt: there is none.
  std::optional<Time> first_start() const {
    if (windows_.empty()) return std::nullopt;
    return windows_.begin()->second.start;
  }
  /// The window of next(). Then call look_at or close for it.
  Window& first() { return windows_.find(agenda_.begin()->second)->second; }
  void look_at(Window& window, Time when) {
    agenda_.erase({window.next, window.end});
    window.next = when;
    agenda_.emplace(when, window.end);
  }
  void close(Window& window) { spare_.put(take_out(window)); }
  /// Closes it for who goes on with its cells.
  std::unique_ptr<Tables> take_out(Window& window) {
    agenda_.erase({window.next, window.end});
    const auto at = windows_.find(window.end);
    auto cells = std::move(at->second.cells);
    windows_.erase(at);
    return cells;
  }
  /// What images have of the window under its number so far counts no more.
  void number_anew(Window& window) { window.number = ++numbers_; }
  /// Tables of windows that have closed are kept for the next ones no longer.
  void drop_spare() { spare_.drop(); }
  template <class Visit>
  void for_each(Visit&& visit) {
    for (auto& [end, window] : windows_) visit(window);
  }

  /// When a window is to be looked at in which something changes that is seen from `from` on.
  Time next_look(Time start, Time end, Time from) const {
    if (finals_ || from > end) return spec_.rules().closes(end);
    from = std::max(from, saturating_add(start, 1));
    Time next = end;
    spec_.rules().early().each_every([&](EarlyTrigger::Kind kind, std::int64_t span) {
      if (kind != EarlyTrigger::Kind::event_time) return;
      const Time tick = spec_.last_tick(start, from, span);
      next = std::min(next, tick == from ? from : saturating_add(tick, span));
    });
    return next;
  }

 private:
  Time start_of(Time end) const {
    return spec_.windows().is_global() ? kTimeMin : spec_.windows().start_of(end);
  }
  Window& open(Time end, Time next) {
    Window made{start_of(end), end, next, spare_.take(),
                CountedVector<std::uint64_t>(CountedAllocator<std::uint64_t>(meter_))};
    agenda_.emplace(next, end);
    return windows_.emplace(end, std::move(made)).first->second;
  }

  RefiringWindows spec_;
  bool finals_;
  MemoryMeter* meter_ = nullptr;
  SpareTables<Tables> spare_;
  std::uint64_t numbers_ = 0;               ///< of windows in images
  std::map<Time, Window> windows_;          ///< by end: no two of one kind end together
  std::set<std::pair<Time, Time>> agenda_;  ///< (when to look, end of the window)
};

}  // namespace millrace::detail
