// side_by_side: pieces of work that do not touch each other, shared out among a few threads.
#pragma once

#include <cstddef>
#include <functional>

namespace millrace::detail {

/// Calls work(0) to work(count - 1), each once and in any order, on the calling thread and at most
/// `threads` - 1 others; fewer where the system has no more. Returns when all have returned.
/// `work` must not throw.
void side_by_side(std::size_t count, std::size_t threads,
                  const std::function<void(std::size_t)>& work);

}  // namespace millrace::detail
