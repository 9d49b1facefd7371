// The template of a new program, its name and where Millrace is installed filled in.
#include "new_program.hpp"

#include <sysexits.h>
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "host/host.hpp"
#include "service/embedded.hpp"

namespace millrace::detail {

/// The files of apps/template.
std::span<const EmbeddedFile> template_files();

}  // namespace millrace::detail

namespace millrace::apps {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kNameCharsMax = 64;
constexpr const char* kHelp = R"(Writes a stream program of your own, ready to build and run.

usage: millrace new NAME

  NAME   the folder to write, the program's and its topology's name: a lower-case letter, then
         lower-case letters, digits, - or _; at most 64 characters

Then: cd NAME && make run
)";

Status invalid(std::string message) { return {Code::option_invalid, std::move(message)}; }

Status check_name(std::string_view name) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  };
  const bool good = !name.empty() && name.size() <= kNameCharsMax && name[0] >= 'a' &&
                    name[0] <= 'z' && std::all_of(name.begin(), name.end(), fits);
  // CMake keeps these for targets of its own.
  constexpr std::string_view kTaken[] = {"all", "clean", "help", "install", "package", "test"};
  if (good && std::find(std::begin(kTaken), std::end(kTaken), name) == std::end(kTaken)) return {};
  return invalid(fmt::format(
      "new {}: the name is {}: give a lower-case letter, then lower-case letters, digits, - or _, "
      "such as my-stream",
      name, good ? "one that build tools keep for themselves" : "not one for a program"));
}

/// Where `make install` or the package put Millrace, told from this program's own path; empty when
/// it runs from where it was built.
std::string installed_prefix() {
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  if (error) return {};
  const fs::path prefix = program.parent_path().parent_path();
  return fs::exists(prefix / "lib" / "cmake" / "Millrace", error) ? prefix.string() : std::string();
}

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
    text.replace(at, from.size(), to);
}

Status write_program(const fs::path& folder, const std::string& name, const std::string& prefix) {
  std::error_code error;
  // It fails where something of that name is there, and so never writes over it.
  if (!fs::create_directory(folder, error)) {
    const bool taken = !error || error == std::errc::file_exists;
    return {Code::sink_failed,
            fmt::format("new {}: the folder cannot be made: {}: {}", name,
                        taken ? "it exists" : error.message(),
                        taken ? "choose another name" : "go to a folder that you may write in")};
  }
  for (const detail::EmbeddedFile& file : detail::template_files()) {
    std::string text(file.bytes);
    replace_all(text, "@NAME@", name);
    replace_all(text, "@PREFIX@", prefix);
    const fs::path path = folder / (file.name == "gitignore" ? ".gitignore" : file.name);
    std::ofstream out(path, std::ios::binary);
    out << text << std::flush;
    if (!out) {
      return {Code::sink_failed,
              fmt::format("new {}: {} cannot be written: is the disk full? Remove the folder and "
                          "try again",
                          name, path.string())};
    }
  }
  return {};
}

}  // namespace

int new_main(int argc, char** argv) {
  const std::string name = argc > 1 ? argv[1] : "";
  if (name == "--help" || name == "-h") {
    std::fputs(kHelp, stdout);
    return 0;
  }
  if (argc != 2) {
    return detail::report_error(invalid(fmt::format(
        "new takes one name, and got {}: `millrace new my-stream`", std::max(argc - 1, 0))));
  }
  if (Status status = check_name(name); !status) return detail::report_error(status);
  const std::string prefix = installed_prefix();
  if (Status status = write_program(name, name, prefix.empty() ? "/usr/local" : prefix); !status) {
    detail::report_error(status);
    return EX_CANTCREAT;
  }
  fmt::print(
      "{0}/ is written. Next:\n\n  cd {0}\n  make run\n\nIt prints the address of its page. "
      "Two lines of main.cpp are marked: edit them to see your own stream.\n",
      name);
  if (prefix.empty()) {
    fmt::print(
        "\nMillrace itself is not installed where this program runs from; first, in its "
        "repository:\n\n  make install\n");
  }
  return 0;
}

}  // namespace millrace::apps
