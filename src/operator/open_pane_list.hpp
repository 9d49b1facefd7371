// The panes that a task had open, as its image lists them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/byte_codec.hpp"
#include "window/pane_set.hpp"

namespace millrace::detail {

/// The part of the list. Entries of panes that it does not name are of such as are over.
inline constexpr std::string_view kOpenPanes = "panes:open";

/// Entries of what panes have on disk: of a key they are older than those of what memory has.
inline constexpr std::string_view kPanesOnDisk = "panes:disk";

struct OpenPaneList {
  struct Pane {
    std::uint64_t number = 0;  ///< by which entries name it
    PaneKey key;               ///< where it begins, and the first window that reads it
  };
  Time closed = kTimeMin;  ///< the end of the last window that fired
  std::vector<Pane> panes = {};
};

inline void put_open_panes(std::string& out, const OpenPaneList& list) {
  put_number(out, list.closed);
  for (const OpenPaneList::Pane& pane : list.panes) {
    put_varint(out, pane.number);
    put_number(out, pane.key.start);
    put_number(out, pane.key.first_end);
  }
}

/// Up to the end of the bytes; nullopt: they do not fit.
inline std::optional<OpenPaneList> read_open_panes(BytesCursor in) {
  OpenPaneList list;
  list.closed = in.number<Time>();
  while (in.ok() && !in.rest().empty()) {
    OpenPaneList::Pane& pane = list.panes.emplace_back();
    pane.number = in.varint();
    pane.key.start = in.number<Time>();
    pane.key.first_end = in.number<Time>();
  }
  if (!in.ok()) return std::nullopt;
  return list;
}

}  // namespace millrace::detail
