// Text tests: files ending in .test that name a program, its input and what must come of it.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.hpp"

namespace millrace::apps {

/// What must hold of one output, with the lines that say so.
struct Expectation {
  enum class Of { standard_output, file, standard_error, summary };
  Of of = Of::standard_output;
  std::string file = {};
  bool any_order = false;
  std::size_t line = 0;  ///< of the test file, where it is said
  std::vector<std::string> lines = {};
};

/// One case of a test file.
struct TextTest {
  std::string path;  ///< of the test file
  std::size_t line = 0;
  std::string name;
  std::vector<std::string> command;  ///< the program and its arguments
  bool as_is = false;                ///< without the flags that keep a run() program quiet
  std::map<std::string, std::string> files;
  std::string input;  ///< standard input
  int exit_code = 0;
  std::size_t exit_line = 0;
  std::vector<std::string> errors;  ///< the numbers that standard error must show, in this order
  std::size_t errors_line = 0;
  std::vector<Expectation> expectations;
};

/// The cases of a file's text. Errors: 1002 with path:line and what is wrong there.
Result<std::vector<TextTest>> read_text_tests(const std::string& path, std::string_view text);

/// What is wrong, sentences and diffs that begin with path:line; empty: the test passed.
using Complaints = std::vector<std::string>;

/// Runs the program in a folder of its own, which is gone afterwards. `programs` is the folder of
/// programs that are named without a path.
Complaints run_text_test(const TextTest& test, const std::string& programs);

/// What differs, a line each: "  " both, "- " expected alone, "+ " actual alone; unchanged lines
/// far from a difference are left out. Empty: they are equal.
std::string diff_of_lines(const std::vector<std::string>& expected,
                          const std::vector<std::string>& actual);

/// The command: `millrace test [--junit FILE] [--programs DIR] FILE...`.
int test_main(int argc, char** argv);

}  // namespace millrace::apps
