// The topology `trending`: a spout of edits, three filtering bolts side by side, counts, top lists
// and alerts.
#pragma once

#include <memory>
#include <string>

#include "oracle.hpp"

namespace millrace::apps {

/// What the demo's topology reads and writes.
struct TrendingEnds {
  std::string edits;   ///< path of the file of edits
  std::string alerts;  ///< path of the log of large removals
  /// Compares the ranked rows; outlives the run. Null: they go to topic kRankedTopic of the journal
  /// `ranked`, for whoever compares them.
  std::shared_ptr<Oracle> oracle;
  std::string ranked;
};
constexpr const char* kRankedTopic = "ranked";

void declare_trending(Topology& topology, const TrendingEnds& ends);

}  // namespace millrace::apps
