// Sentences about errors of the system.
#include "env/posix_messages.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <system_error>

namespace millrace::detail {
namespace {

std::string_view advice(int error) {
  switch (error) {
    case ENOENT:
      return "check the path";
    case EACCES:
    case EPERM:
      return "check the permissions of the file and its folders";
    case EMFILE:
    case ENFILE:
      return "raise the limit of open files (ulimit -n)";
    case ENOSPC:
    case EDQUOT:
      return "free some space or choose another place";
    case EFBIG:
      return "the file is at its largest size (ulimit -f): choose another file";
    case EROFS:
      return "choose a place that can be written";
    default:
      return "check the path and the device behind it";
  }
}

}  // namespace

std::string shown(const std::string& path, bool reading) {
  if (path == "-") return reading ? "standard input" : "standard output";
  return fmt::format("\"{}\"", path);
}

Status failure(Code code, const std::string& path, bool reading, std::string_view what, int error) {
  return Status(code, fmt::format("{} {}: {}; {}", shown(path, reading), what,
                                  std::generic_category().message(error), advice(error)));
}

std::string no_match_sentence(const std::string& pattern) {
  return fmt::format("\"{}\" matches no file; check the folder and the pattern", pattern);
}

}  // namespace millrace::detail
