// PaneSet: the panes of a windowed aggregate, each a set of keyed tables, and the windows that a
// watermark closes.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "state/keyed_tables.hpp"
#include "window/pane_disk.hpp"
#include "window/recent_panes.hpp"
#include "window/window.hpp"

namespace millrace::detail {

/// Identifies a pane. Records that were late for the earlier windows of their pane lie in a pane of
/// their own that only windows ending at `first_end` or later read: so what a window holds depends
/// on each record's own lateness and not on when the window happened to fire.
struct PaneKey {
  Time start;
  Time first_end;  ///< kTimeMin: every window that covers the pane
  friend auto operator<=>(const PaneKey&, const PaneKey&) = default;
};

/// The pane of a window that shares none. Cumulating ones begin at the same time: their ends tell
/// them apart.
inline PaneKey whole_window(const Windows& windows, Time end) {
  const bool cumulating = windows.kind() == Windows::Kind::cumulating;
  return {windows.start_of(end), cumulating ? end : kTimeMin};
}

/// The end of the first window that reads the pane.
inline Time first_end(const Windows& windows, bool shared, const PaneKey& pane) {
  if (shared) return windows.first_end(pane.start);
  return pane.first_end != kTimeMin ? pane.first_end
                                    : saturating_add(pane.start, windows.size_us());
}

/// After the window that ends at `end`, the next ends one slide later: what begins before it is
/// done, and so is the pane of a window that shares none.
inline bool is_over(const Windows& windows, bool shared, const PaneKey& pane, Time end) {
  return end == kTimeMax || pane.start < windows.start_of(windows.next_end_after(end)) ||
         (!shared && pane.first_end != kTimeMin && pane.first_end <= end);
}

/// A pane that a window holds.
template <class Tables>
struct CoveredPane {
  PaneKey key;
  Tables* tables;
  DiskTable* disk;  ///< what more it holds; null: nothing
};

/// A pane that records have come to.
template <class Tables>
struct OpenPane {
  std::unique_ptr<Tables> tables;
  std::uint64_t number = 0;  ///< by which images know it; 0: no image has had it
  /// What more it holds; null: nothing. An image may read it longer than windows do.
  std::shared_ptr<PaneDisk> disk = nullptr;

  bool holds_any() const { return tables->size() > 0 || disk; }
  DiskTable* on_disk() const { return disk ? &disk->table() : nullptr; }
};

/// Tables of panes that are over, to be used again.
template <class Tables>
class SpareTables {
 public:
  void count_with(MemoryMeter* meter) { meter_ = meter; }
  std::unique_ptr<Tables> take() {
    if (kept_.empty()) return std::make_unique<Tables>(meter_);
    auto tables = std::move(kept_.back());
    kept_.pop_back();
    return tables;
  }
  void put(std::unique_ptr<Tables> tables) {
    tables->clear();
    tables->forget_changes();  // who does not live to the next image does not pay for it
    if (kept_.size() < kKeptMax) kept_.push_back(std::move(tables));
  }
  void drop() { kept_.clear(); }

 private:
  static constexpr std::size_t kKeptMax = 4;
  MemoryMeter* meter_ = nullptr;
  std::vector<std::unique_ptr<Tables>> kept_;
};

/// The panes of one task. `shared` panes are slices that sliding windows merge; without it (an
/// aggregate that cannot merge) there is a pane a window and a record is added to each.
///
/// One thread. Memory: one table entry a key and pane; throws MemoryRefused as KeyedTables does.
template <class K, class Acc>
class PaneSet {
 public:
  using Tables = KeyedTables<K, Acc>;
  using Slot = PaneSlot<Tables>;
  using Pane = OpenPane<Tables>;

  PaneSet(Windows windows, bool shared)
      : windows_(std::move(windows)), shared_(shared || !windows_.overlap()) {}

  /// Before the first record: `meter` counts the panes and outlives them; null: nobody does.
  void count_with(MemoryMeter* meter) { spare_.count_with(meter); }

  /// The pane of an on-time record. O(1).
  Slot pane_of(Time time) {
    if (windows_.is_global()) return {&tables({0, kTimeMin}), kTimeMin, kTimeMax};
    const Period pane = windows_.pane_of(time);
    if (const Slot* const recent = recent_.find(pane.start)) return *recent;
    Tables& opened = tables({pane.start, kTimeMin});
    return recent_.remember({&opened, pane.start, pane.end}, panes_.size());
  }

  /// Calls add(Tables&) for every pane that must hold a record of `time` whose own watermark was
  /// `behind` (kTimeMin: on time). False: too late for every window. Lateness: dropped from a
  /// window iff end <= behind.
  template <class Add>
  bool add_slow(Time time, Time behind, Add&& add) {
    if (windows_.is_global()) {
      add(tables({0, kTimeMin}));
      return true;
    }
    if (windows_.last_end(time) <= behind) return false;
    if (shared_) {
      const bool partly = windows_.first_end(time) <= behind;
      add(tables(
          {windows_.pane_of(time).start, partly ? windows_.next_end_after(behind) : kTimeMin}));
      return true;
    }
    const Time last = windows_.last_end(time);
    for (Time end = windows_.first_end(time);; end = saturating_add(end, windows_.slide_us())) {
      if (end > behind) add(tables(whole_window(windows_, end)));
      if (end >= last) return true;
    }
  }

  /// The tables of a pane, made when new.
  Tables& tables(PaneKey key) {
    const auto found = panes_.find(key);
    if (found != panes_.end()) return *found->second.tables;
    return *panes_.emplace(key, Pane{spare_.take()}).first->second.tables;
  }

  bool shared() const { return shared_; }
  const Windows& windows() const { return windows_; }
  const std::map<PaneKey, Pane>& panes() const { return panes_; }
  std::map<PaneKey, Pane>& panes() { return panes_; }
  /// Gives back the memory of panes that are over.
  void drop_spare() { spare_.drop(); }
  /// What images have of a part of a pane under its number so far counts no more.
  void number_anew(std::uint64_t& number) { number = ++numbers_; }
  /// The end of the last window that fired; kTimeMin: none has.
  Time closed_end() const { return closed_end_; }
  void continue_behind(Time end) { closed_end_ = end; }  ///< before the first record

  /// The watermark at which the first window that holds records fires; kTimeMax: at the end of
  /// input. nullopt: no window holds any.
  std::optional<Time> closes_at() const {
    if (panes_.empty()) return std::nullopt;
    return windows_.is_global() ? kTimeMax : next_end();
  }

  /// Calls fire(start, end, vector of CoveredPane) for every window with end <= watermark that
  /// holds records, in order of their ends, and drops panes that no later window reads. Global
  /// windows fire at kTimeMax with the widest bounds.
  template <class Fire>
  void close(Time watermark, Fire&& fire) {
    if (windows_.is_global()) {
      if (watermark == kTimeMax && !panes_.empty()) {
        const auto& [key, pane] = *panes_.begin();
        fire(kTimeMin, kTimeMax,
             std::vector{CoveredPane<Tables>{key, pane.tables.get(), pane.on_disk()}});
        panes_.clear();
      }
      return;
    }
    while (!panes_.empty()) {
      const Time end = next_end();
      if (end > watermark) return;
      collect(end);
      if (!covered_.empty()) fire(windows_.start_of(end), end, covered_);
      closed_end_ = end;
      drop_before(end);
    }
  }

  /// When drain() hands something over: the end of the earliest pane. nullopt: there is none.
  std::optional<Time> drains_at() const {
    if (panes_.empty()) return std::nullopt;
    return windows_.is_global() ? kTimeMax : windows_.pane_of(panes_.begin()->first.start).end;
  }
  /// Hands over every pane that ends at or before `watermark` with visit(key, tables, what of it is
  /// on disk, or null), then forgets it: the sender's side of two phases.
  template <class Visit>
  void drain(Time watermark, Visit&& visit) {
    while (!panes_.empty() && *drains_at() <= watermark) {
      Pane& first = panes_.begin()->second;
      visit(panes_.begin()->first, *first.tables, first.on_disk());
      recycle(panes_.begin());
    }
  }

 private:
  /// End of the next window to fire: after the last closed one and not before the earliest pane's
  /// first.
  Time next_end() const {
    const Time earliest = first_end(windows_, shared_, panes_.begin()->first);
    if (closed_end_ == kTimeMin) return earliest;
    return std::max(earliest, windows_.next_end_after(closed_end_));
  }

  void collect(Time end) {
    covered_.clear();
    const PaneKey from =
        shared_ ? PaneKey{windows_.start_of(end), kTimeMin} : whole_window(windows_, end);
    for (auto at = panes_.lower_bound(from); at != panes_.end() && at->first.start < end; ++at) {
      if (!shared_ && at->first != from) break;
      if (const Pane& pane = at->second; at->first.first_end <= end && pane.holds_any())
        covered_.push_back({at->first, pane.tables.get(), pane.on_disk()});
    }
  }

  void drop_before(Time end) {
    while (!panes_.empty() && is_over(windows_, shared_, panes_.begin()->first, end))
      recycle(panes_.begin());
  }

  void recycle(typename std::map<PaneKey, Pane>::iterator at) {
    if (at->first.first_end == kTimeMin) recent_.forget(at->first.start);
    spare_.put(std::move(at->second.tables));
    panes_.erase(at);
  }

  Windows windows_;
  bool shared_;
  Time closed_end_ = kTimeMin;
  std::map<PaneKey, Pane> panes_;
  std::uint64_t numbers_ = 0;   ///< of parts of panes in images
  RecentPanes<Tables> recent_;  ///< of panes of on-time records
  SpareTables<Tables> spare_;
  std::vector<CoveredPane<Tables>> covered_;
};

/// The start of the earliest pane; nullopt: there is none.
template <class K, class Acc>
std::optional<Time> first_start(const PaneSet<K, Acc>& panes) {
  const auto first_end = panes.drains_at();
  if (!first_end) return std::nullopt;
  if (panes.windows().is_global()) return kTimeMin;
  return panes.windows().pane_of(*first_end - 1).start;
}

/// The lesser of those that are there.
inline std::optional<Time> earlier(std::optional<Time> a, std::optional<Time> b) {
  if (!a || !b) return a ? a : b;
  return std::min(*a, *b);
}

}  // namespace millrace::detail
