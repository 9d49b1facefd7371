// Threads that take the next piece until there is none.
#include "runtime/side_by_side.hpp"

#include <algorithm>
#include <atomic>
#include <system_error>
#include <thread>
#include <vector>

namespace millrace::detail {

void side_by_side(std::size_t count, std::size_t threads,
                  const std::function<void(std::size_t)>& work) {
  std::atomic<std::size_t> next{0};
  const auto take_on = [&] {
    for (std::size_t at = next++; at < count; at = next++) work(at);
  };
  const std::size_t helpers = std::min(count, std::max<std::size_t>(threads, 1)) - (count > 0);
  std::vector<std::thread> others;
  others.reserve(helpers);
  try {
    while (others.size() < helpers) others.emplace_back(take_on);
  } catch (const std::system_error&) {
    // Those that there are do it.
  }
  take_on();
  for (std::thread& other : others) other.join();
}

}  // namespace millrace::detail
