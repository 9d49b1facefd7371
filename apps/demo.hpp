// The demo: the topology `trending` over a real day of Wikipedia edits, replayed, with its own
// oracle.
#pragma once

namespace millrace::apps {

/// `millrace demo [flags]`; returns the process's exit code.
int demo_main(int argc, char** argv);

}  // namespace millrace::apps
