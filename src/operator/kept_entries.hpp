// What the image of a stage holds, entry by entry, as JSON: read by the shapes of its parts alone,
// so that it can be told without the program that wrote it.
#pragma once

#include <functional>
#include <span>
#include <string>

#include "base/time.hpp"
#include "state/state_image.hpp"

namespace millrace::detail {

/// An entry of a part: of a key, of a key in a window, or a record that waits.
struct KeptEntry {
  std::string state;       ///< the name of the part: of a state of process its own
  std::string key;         ///< JSON; empty: it is of no key
  Time start = kTimeMin;   ///< of the pane or session; kTimeMin: none
  Time end = kTimeMin;     ///< of the window or session, of a record its event time; kTimeMin: none
  std::string value = {};  ///< JSON
};

/// Calls take(entry) for each entry of the parts of one stage, as one task wrote them. A part that
/// cannot be told is one entry with its shape and the number of its bytes. What an operator notes
/// of its progress is not told. Any bytes may come. O(bytes).
void tell_parts(std::span<const StatePart> parts,
                const std::function<void(const KeptEntry&)>& take);

}  // namespace millrace::detail
