// `millrace dead-letters`: what runs have set aside, from the command line.
#pragma once

namespace millrace::apps {

/// Takes the arguments from "dead-letters" on and returns the exit code.
int dead_letters_main(int argc, char** argv);

/// Its command that writes; `argv[0]` is the command's own word.
int dead_letters_replay(int argc, char** argv);

}  // namespace millrace::apps
