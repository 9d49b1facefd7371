// WindowTimeline: puts what happens to windows that emit more than once in the order of watermarks.
#pragma once

#include <algorithm>
#include <optional>
#include <utility>

#include "operator/late_records.hpp"
#include "operator/timeline_windows.hpp"

namespace millrace::detail {

template <class K, class Kernel, Refires kRefires>
class TimelineImage;

/// The windows of one task. When the watermark rises, panes that are complete go into the windows
/// that hold them, windows fire and close at their times, and a late record counts at the watermark
/// that it was behind: so rows, also early and late ones, are the same whatever the schedule. Only
/// early rows by clock or by records are made of what has arrived: for them records go into their
/// windows at once. Keys of panes and of windows may lie on disk; late records do not. One thread.
template <class K, class Kernel, Refires kRefires>
class WindowTimeline {
 public:
  using Acc = typename Kernel::Acc;
  using Held = TimelineWindows<K, Kernel, kRefires>;
  using Cells = typename Held::Cells;
  using Cell = typename Held::Cell;
  using Window = typename Held::Window;
  using Call = typename Held::Call;

  explicit WindowTimeline(const RefiringWindows& spec) : spec_(spec), held_(spec) {}

  /// Before the first record; null: nobody counts.
  void count_with(MemoryMeter* meter) {
    held_.count_with(meter);
    late_.count_with(meter);
  }

  const RefiringWindows& spec() const { return spec_; }
  /// Its panes are where records go that are not behind the end of theirs.
  Held& held() { return held_; }
  /// True for a record that no window takes any more.
  bool is_too_late(Time time, Time behind) const { return spec_.gone(time) <= behind; }
  /// Keeps a record until its turn: one behind the end of its pane, or of one of its windows.
  void add_late(LateRecord<K, Acc> record) { late_.add(std::move(record)); }
  const LateRecords<K, Acc>& late() const { return late_; }
  /// Adds a record at once to the windows that it is in time for, which may fire. True when there
  /// are others that take it, as a late one.
  bool add_now(Time time, Time behind, const K& key, std::uint64_t hash, const Acc& one,
               const Call& call) {
    bool late = false;
    each_end(spec_.windows(), time, [&](Time end) {
      if (end > behind) {
        const Time from = std::clamp(saturating_add(reached_, 1), kTimeMin + 1, end);
        Window& window = held_.open().changing(end, from);
        Cell& cell = held_.merge(window, key, hash, one, call);
        held_.cells().fire_early(key, window, cell, reached_, call.kernel, call.context,
                                 call.outputs);
      } else {
        late |= spec_.rules().closes(end) > behind;
      }
    });
    return late;
  }
  /// Where the clock stands; before records are added that are told by it.
  void set_clock(std::int64_t now_ns) { held_.cells().set_clock(now_ns); }
  /// The early rows of all that has changed. True: some are not due yet.
  bool fire_early(const Call& call) {
    bool waits = false;
    held_.open().for_each(
        [&](Window& window) { waits |= held_.fire_changed(window, reached_, call); });
    flush(call.outputs);
    return waits;
  }
  void flush(Outputs& outputs) { held_.cells().flush(outputs); }
  /// From when on it holds records; kTimeMin while late ones wait; nullopt: it holds none.
  std::optional<Time> holds_from() const {
    return late_.first() ? kTimeMin
                         : earlier(first_start(held_.panes()), held_.open().first_start());
  }
  /// The watermark at which something happens next.
  std::optional<Time> next() const {
    const auto step = next_step();
    return step ? std::optional(step->first) : std::nullopt;
  }
  /// Does what happens up to `watermark`.
  void advance(Time watermark, const Call& call) {
    while (const auto next = next_step()) {
      const auto [when, step] = *next;
      // Of the records behind exactly this watermark more may come.
      const bool due = step == Step::late ? when < watermark : when <= watermark;
      if (!due && watermark != kTimeMax) break;
      if (step == Step::pane) held_.take_panes(spec_.windows(), when, call);
      if (step == Step::window) look_at(held_.open().first(), call);
      if (step == Step::late) take_late(call);
    }
    flush(call.outputs);
    reached_ = watermark;
  }

 private:
  friend class TimelineImage<K, Kernel, kRefires>;
  enum class Step { pane, window, late };  ///< in the order in which they go at the same time

  std::optional<std::pair<Time, Step>> next_step() const {
    std::optional<std::pair<Time, Step>> first;
    const auto offer = [&first](std::optional<Time> when, Step step) {
      if (when && (!first || *when < first->first)) first.emplace(*when, step);
    };
    offer(held_.panes().drains_at(), Step::pane);
    offer(held_.open().next(), Step::window);
    offer(late_.first(), Step::late);
    return first;
  }

  void look_at(Window& window, const Call& call) {
    if (window.next < window.end) {
      const bool waits = held_.fire_changed(window, window.next, call);
      const Time from = saturating_add(window.next, 1);
      const Time next = waits ? held_.open().next_look(window.start, window.end, from) : window.end;
      held_.open().look_at(window, next);
      return;
    }
    if (Cells::kFinally || window.next == window.end) held_.fire_all(window, call);
    const Time closes = spec_.rules().closes(window.end);
    if (window.next == closes) {
      held_.close(window);
    } else {
      held_.open().look_at(window, closes);
    }
  }

  /// The first of the late records counts in its windows; those that have ended emit again.
  void take_late(const Call& call) {
    const LateRecord<K, Acc> record = late_.take();
    const K key(record.key);
    each_end(spec_.windows(), record.stamp.time, [&](Time end) {
      const bool ended = end <= record.behind;
      const bool has_it = spec_.rules().by_arrival() && !ended;
      if (spec_.rules().closes(end) <= record.behind || has_it) return;
      Window& window = held_.open().changing(end, saturating_add(record.behind, 1));
      Cell& cell = held_.merge(window, key, record.hash, record.acc, call);
      if (!ended || Cells::kFinally) return;
      const FiringPlace place = Cells::place_of(window, Firing::late, record.behind);
      held_.cells().fire(key, cell, place, call.kernel, call.context, call.outputs);
    });
  }

  RefiringWindows spec_;
  Held held_;
  LateRecords<K, Acc> late_;
  Time reached_ = kTimeMin;  ///< the watermark
};

/// Calls visit(key, start, end, accumulator) for all that came in time for their windows, which may
/// still change; several times a key and window. For those who look on.
template <class K, class Kernel, Refires kRefires, class Visit>
void each_held(WindowTimeline<K, Kernel, kRefires>& timeline, const Kernel& kernel, Visit&& visit) {
  using Acc = typename Kernel::Acc;
  timeline.held().open().for_each([&](auto& window) {
    const auto visit_cell = [&](const K& key, const auto& cell) {
      visit(key, window.start, window.end, std::as_const(cell.acc));
    };
    window.cells->for_each(visit_cell);
    for (std::uint32_t group = 0; group < kKeyGroups; ++group)
      timeline.held().spilled().each_on_disk(window, group, visit_cell);
  });
  const Windows& windows = timeline.spec().windows();
  for (const auto& [pane, open] : timeline.held().panes().panes()) {
    each_end(windows, pane.start, [&, &held = open](Time end) {
      const Time start = windows.is_global() ? kTimeMin : windows.start_of(end);
      each_of_pane<K>(*held.tables, held.on_disk(), kernel,
                      [&](const K& key, const Acc& acc) { visit(key, start, end, acc); });
    });
  }
}

/// Calls visit(accumulator) for each one in memory, once, in however many windows it is, and for
/// those of late records.
template <class K, class Kernel, Refires kRefires, class Visit>
void each_accumulator(WindowTimeline<K, Kernel, kRefires>& timeline, Visit&& visit) {
  using Acc = typename Kernel::Acc;
  timeline.held().open().for_each([&](auto& window) {
    window.cells->for_each([&](const K&, const auto& cell) { visit(cell.acc); });
  });
  for (const auto& [key, pane] : timeline.held().panes().panes())
    pane.tables->for_each([&](const K&, const Acc& acc) { visit(acc); });
  timeline.late().for_each([&](const LateRecord<K, Acc>& record) { visit(record.acc); });
}

}  // namespace millrace::detail
