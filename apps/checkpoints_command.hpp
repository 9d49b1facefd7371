// `millrace checkpoints`: looks into a state folder.
#pragma once

namespace millrace::apps {

/// Takes the arguments from its own word on; returns the exit code.
int checkpoints_main(int argc, char** argv);

}  // namespace millrace::apps
