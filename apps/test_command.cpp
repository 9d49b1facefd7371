// `millrace test`: runs text tests, says what failed, and writes JUnit's report.
#include <sysexits.h>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "host/host.hpp"
#include "test_case.hpp"

namespace millrace::apps {
namespace {

constexpr const char* kHelp =
    R"(Runs text tests: files ending in .test with programs, their input and what must come of it.

usage: millrace test [--junit FILE] [--programs FOLDER] FILE...

  --junit FILE       writes the outcome as JUnit XML, too
  --programs FOLDER  where programs named without a path are (default: beside millrace)

Ends with 0 when every case passed, else with 1. The format: docs/guides/how-to-write-text-tests.md
)";

struct Options {
  std::string junit;
  std::string programs;
  std::vector<std::string> files;
  bool help = false;
};

Result<Options> read_options(int argc, char** argv) {
  Options options;
  for (int at = 1; at < argc; ++at) {
    const std::string word = argv[at];
    std::string* value = word == "--junit"      ? &options.junit
                         : word == "--programs" ? &options.programs
                                                : nullptr;
    if (word == "--help" || word == "-h") {
      options.help = true;
    } else if (value) {
      if (at + 1 == argc)
        return Status(Code::option_invalid, word + ": its value is missing; --help tells more");
      *value = argv[++at];
    } else if (word.starts_with("-")) {
      return Status(Code::option_unknown, word + ": there is no such flag; --help lists them");
    } else {
      options.files.push_back(word);
    }
  }
  if (options.files.empty() && !options.help)
    return Status(Code::option_invalid, "test: name at least one file ending in .test");
  return options;
}

Result<std::vector<TextTest>> load(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return Status(Code::source_failed, '"' + path + "\" cannot be read; check the path");
  std::ostringstream text;
  text << file.rdbuf();
  return read_text_tests(path, text.str());
}

std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        // XML has no other control characters.
        out += static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t' ? '?' : c;
    }
  }
  return out;
}

struct Outcome {
  TextTest test;
  Complaints complaints;
  double seconds = 0;
};

std::string junit_of(const std::vector<Outcome>& outcomes, std::size_t failed) {
  std::string xml = fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
      "<testsuite name=\"millrace\" tests=\"{}\" failures=\"{}\" errors=\"0\">\n",
      outcomes.size(), failed);
  for (const Outcome& outcome : outcomes) {
    xml += fmt::format(
        "  <testcase classname=\"{}\" name=\"{}\" file=\"{}\" line=\"{}\" "
        "time=\"{:.3f}\"",
        escaped(std::filesystem::path(outcome.test.path).stem()), escaped(outcome.test.name),
        escaped(outcome.test.path), outcome.test.line, outcome.seconds);
    if (outcome.complaints.empty()) {
      xml += "/>\n";
      continue;
    }
    std::string all;
    for (const std::string& complaint : outcome.complaints) all += complaint + '\n';
    xml += fmt::format("><failure message=\"{}\">{}</failure></testcase>\n",
                       escaped(outcome.complaints.front().substr(0, 200)), escaped(all));
  }
  return xml + "</testsuite>\n";
}

std::string beside_this_program() {
  std::error_code error;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", error);
  return error ? "." : self.parent_path().string();
}

}  // namespace

int test_main(int argc, char** argv) {
  Result<Options> options = read_options(argc, argv);
  if (!options) return detail::report_error(options.error());
  if (options->help) {
    std::fputs(kHelp, stdout);
    return 0;
  }
  if (options->programs.empty()) options->programs = beside_this_program();
  std::vector<Outcome> outcomes;
  std::size_t failed = 0;
  for (const std::string& path : options->files) {
    Result<std::vector<TextTest>> tests = load(path);
    if (!tests) return detail::report_error(tests.error());
    for (TextTest& test : *tests) {
      const auto began = std::chrono::steady_clock::now();
      Complaints complaints = run_text_test(test, options->programs);
      const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
      if (!complaints.empty()) {
        ++failed;
        std::printf("FAILED %s:%zu %s\n", test.path.c_str(), test.line, test.name.c_str());
        for (const std::string& complaint : complaints) std::printf("%s\n", complaint.c_str());
      }
      outcomes.push_back({std::move(test), std::move(complaints), took.count()});
    }
  }
  std::printf("%zu cases, %zu failed\n", outcomes.size(), failed);
  if (!options->junit.empty()) {
    std::ofstream file(options->junit, std::ios::binary);
    if (!(file << junit_of(outcomes, failed)))
      return detail::report_error(
          {Code::sink_failed, '"' + options->junit + "\" cannot be written; check the path"});
  }
  return failed == 0 ? 0 : 1;
}

}  // namespace millrace::apps
