// `millrace checkpoint`: a checkpoint of a topology that runs, now.
#pragma once

namespace millrace::apps {

/// Takes the arguments from its own word on; returns the exit code.
int checkpoint_main(int argc, char** argv);

}  // namespace millrace::apps
