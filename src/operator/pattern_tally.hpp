// PatternTally: how many partial matches the patterns of a set of rules keep.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include "operator/kept_figures.hpp"
#include "pattern/matcher.hpp"

namespace millrace::detail {

/// Of all keys of a task. What a call adds counts when the call is done, and not where it is
/// undone. One thread.
class PatternTally {
 public:
  /// `keys`: how many keys have partial matches, or matches that wait, that had none.
  void add(const MatchCounts& added, int keys) {
    added_ += added;
    added_keys_ += keys;
  }
  void keep() {
    counts_ += std::exchange(added_, {});
    keys_ += std::exchange(added_keys_, 0);
  }
  void undo() {
    added_ = {};
    added_keys_ = 0;
  }
  void tell(MatchFigures& figures) const {
    figures.tell(static_cast<std::size_t>(counts_.partial), static_cast<std::size_t>(keys_),
                 static_cast<std::size_t>(counts_.waiting));
  }

 private:
  MatchCounts counts_;
  MatchCounts added_;  ///< by the call at hand
  std::int64_t keys_ = 0;
  std::int64_t added_keys_ = 0;
};

}  // namespace millrace::detail
