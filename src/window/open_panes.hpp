// each_open_pane: what the windows of a PaneSet that have not fired hold.
#pragma once

#include <optional>

#include "window/pane_set.hpp"

namespace millrace::detail {

/// Calls visit(start, end, OpenPane) for each pane of each window that has not fired: a key may
/// come several times in a window. Panes in time that begin before `merged_to` hold those that
/// follow them up to there too (see PaneStacks): of these a window reads its first alone. For those
/// who look on. O(panes x windows that hold them).
template <class K, class Acc, class Visit>
void each_open_pane(const PaneSet<K, Acc>& panes, Time merged_to, Visit&& visit) {
  const Windows& windows = panes.windows();
  std::optional<Time> before;  // the last pane in time: where it begins
  for (const auto& [key, open] : panes.panes()) {
    const auto look_at = [&, &pane = key, &held = open](Time end) {
      const bool fired = end <= panes.closed_end() && panes.closed_end() != kTimeMin;
      if (fired || end < pane.first_end) return;
      const Time start = windows.is_global() ? kTimeMin : windows.start_of(end);
      const bool merged = pane.first_end == kTimeMin && pane.start < merged_to;
      if (merged && before && *before >= start) return;
      visit(start, end, held);
    };
    if (panes.shared()) {
      each_end(windows, key.start, look_at);
    } else {
      const bool own_end = key.first_end != kTimeMin;
      look_at(own_end ? key.first_end : saturating_add(key.start, windows.size_us()));
    }
    if (key.first_end == kTimeMin) before = key.start;
  }
}

}  // namespace millrace::detail
