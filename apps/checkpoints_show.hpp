// `millrace checkpoints show`: what an epoch keeps, entry by entry.
#pragma once

namespace millrace::apps {

/// `argv[0]` is "show". Gives the exit code.
int checkpoints_show_main(int argc, char** argv);

}  // namespace millrace::apps
