// Broken pages: a disk that fails under what is mapped of it ends the process with a sentence.
#pragma once

namespace millrace::detail {

/// From now on a page of state on disk (env/scratch_pages.hpp) that cannot be read or written ends
/// this process at once with error 4002 and its file on stderr, exit code 74. Nothing is drained or
/// cleaned up, as after a kill. Of other memory SIGBUS is what it was before. Any thread.
void exit_when_pages_break();

}  // namespace millrace::detail
