// `millrace new NAME`: writes a program of one's own that builds against the installed package.
#pragma once

namespace millrace::apps {

/// `millrace new NAME`; argv[0] is "new". Writes the folder NAME in the working directory, never
/// over something that is there. Prints what to do next; returns the process's exit code.
int new_main(int argc, char** argv);

}  // namespace millrace::apps
