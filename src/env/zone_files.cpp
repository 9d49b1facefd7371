// Finding and reading the files of time zones.
#include "env/zone_files.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>
#include <vector>

#include <fmt/format.h>

#include "base/text.hpp"

namespace millrace::detail {
namespace {

namespace fs = std::filesystem;

constexpr const char* kFolder = "/usr/share/zoneinfo";

/// Letters, digits, "_", "-", "+" between single slashes: nothing that leads out of the folder.
bool is_zone_name(std::string_view name) {
  if (name.empty() || name.front() == '/' || name.back() == '/') return false;
  if (name.find("//") != name.npos) return false;
  return std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '+' || c == '/';
  });
}

/// Of the folders "posix" and "right" (with leap seconds) all names are there twice.
std::vector<std::string> zone_names(const fs::path& folder) {
  std::vector<std::string> names;
  std::error_code failed;
  const auto end = fs::recursive_directory_iterator();
  for (auto at = fs::recursive_directory_iterator(folder, failed); !failed && at != end;
       at.increment(failed)) {
    const std::string name = at->path().lexically_relative(folder).generic_string();
    if (name == "posix" || name == "right") at.disable_recursion_pending();
    if (at->is_regular_file(failed) && is_zone_name(name)) names.push_back(name);
  }
  return names;
}

Status no_such_zone(std::string_view name, const fs::path& folder) {
  const std::string nearest = nearest_word(name, zone_names(folder));
  return {Code::window_invalid,
          fmt::format("there is no time zone \"{}\": {}", name,
                      nearest.empty() ? "give a name of the IANA database, such as Europe/Berlin, "
                                        "America/New_York or UTC"
                                      : fmt::format("did you mean {}?", nearest))};
}

}  // namespace

Result<std::string> read_zone_file(std::string_view name, const std::string& folder) {
  const fs::path at = folder.empty() ? kFolder : folder;
  std::error_code failed;
  if (!fs::is_directory(at, failed)) {
    return Status(Code::window_invalid,
                  fmt::format("the time zone \"{}\" is not known, for {} is not there: install the "
                              "time zones of the system (Debian: apt-get install tzdata)",
                              name, at.string()));
  }
  if (!is_zone_name(name)) return no_such_zone(name, at);
  const fs::path path = at / fs::path(name);
  if (!fs::is_regular_file(path, failed)) return no_such_zone(name, at);
  std::ifstream file(path, std::ios::binary);
  std::string bytes(std::istreambuf_iterator<char>(file), {});
  if (!bytes.starts_with("TZif")) return no_such_zone(name, at);  // tables beside the zones
  return bytes;
}

}  // namespace millrace::detail
