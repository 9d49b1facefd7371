// `millrace ask`: rows of a table of a topology that runs.
#pragma once

namespace millrace::apps {

/// Takes the command's own words, "ask" as the first. Returns the exit code.
int ask_main(int argc, char** argv);

}  // namespace millrace::apps
