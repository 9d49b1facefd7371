// The topology `trending`: a spout of edits, three filtering bolts side by side, counts, top lists
// and alerts.
#pragma once

#include <memory>
#include <string>

#include "oracle.hpp"

namespace millrace::apps {

/// Declares the demo's topology. `edits` is the path of the file; `alerts` of the log of large
/// removals. The oracle outlives the run.
void declare_trending(Topology& topology, const std::string& edits, const std::string& alerts,
                      std::shared_ptr<Oracle> oracle);

}  // namespace millrace::apps
