// `millrace rescale`: gives components of a running topology other numbers of tasks.
#pragma once

namespace millrace::apps {

/// Takes the arguments from its own word on; returns the exit code.
int rescale_main(int argc, char** argv);

}  // namespace millrace::apps
