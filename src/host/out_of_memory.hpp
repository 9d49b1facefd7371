// Out of memory: the process ends with a sentence, as if it had been killed, and goes no further.
#pragma once

namespace millrace::detail {

/// From now on an allocation of this process that fails, or a thread that cannot be made, ends it
/// at once with error 3002 on stderr and exit code 69. Nothing is drained or cleaned up: what lies
/// in journals and state folders is as after a kill, which all of them survive. Else the exception
/// would be taken for one of the code at hand, and a good record set aside for it. Nothing changes
/// where the program has a new_handler of its own. Any thread.
void exit_when_out_of_memory();

}  // namespace millrace::detail
