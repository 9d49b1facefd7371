// `millrace journal`: a journal from the command line.
#pragma once

namespace millrace::apps {

/// Takes the arguments from "journal" on and returns the exit code.
int journal_main(int argc, char** argv);

/// Its commands; `argv[0]` is the command's own word.
int journal_produce(int argc, char** argv);
int journal_consume(int argc, char** argv);

}  // namespace millrace::apps
