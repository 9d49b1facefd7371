// The files that the program carries: the demo's edits (gzip) and the rows that its oracle expects.
#pragma once

#include <string_view>

namespace millrace::apps {

/// 39,244 edits as JSON lines, gzip; see data/wikipedia-edits/README.md.
std::string_view carried_edits();
/// window_start_ms,rank,channel,edits,added,deleted: computed by tools/expected_wikipedia.py.
std::string_view carried_expected();

}  // namespace millrace::apps
