// each_open_pane: what the windows of a PaneSet that have not fired hold.
#pragma once

#include "window/pane_set.hpp"

namespace millrace::detail {

/// Calls visit(start, end, tables) for each pane of each window that has not fired: a key may come
/// several times in a window. For those who look on. O(panes x windows that hold them).
template <class K, class Acc, class Visit>
void each_open_pane(const PaneSet<K, Acc>& panes, Visit&& visit) {
  const Windows& windows = panes.windows();
  for (const auto& [key, tables] : panes.panes()) {
    const auto look_at = [&, &pane = key, &held = *tables](Time end) {
      const bool fired = end <= panes.closed_end() && panes.closed_end() != kTimeMin;
      if (fired || end < pane.first_end) return;
      visit(windows.is_global() ? kTimeMin : windows.start_of(end), end, held);
    };
    if (panes.shared()) {
      each_end(windows, key.start, look_at);
    } else {
      const bool own_end = key.first_end != kTimeMin;
      look_at(own_end ? key.first_end : saturating_add(key.start, windows.size_us()));
    }
  }
}

}  // namespace millrace::detail
