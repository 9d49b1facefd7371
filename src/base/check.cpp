// The end of a process whose invariant broke.
#include "base/check.hpp"

#include <cstdio>
#include <cstdlib>

namespace millrace::detail {

void check_failed(const char* file, int line, const char* expression, std::string_view note) {
  std::fprintf(stderr,
               "9001 broken invariant at %s:%d: %s (%.*s): this is a bug of Millrace, please report it\n",
               file, line, expression, static_cast<int>(note.size()), note.data());
  std::abort();
}

}  // namespace millrace::detail
