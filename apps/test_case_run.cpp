// Running a text test, and what is wrong with what came of it.
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <simdjson.h>

#include "test_case.hpp"

namespace millrace::apps {
namespace {

namespace fs = std::filesystem;

constexpr auto kPatience = std::chrono::seconds(60);

std::string read_file(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

/// A folder that is gone with it.
class Scratch {
 public:
  Scratch() {
    std::string name = (fs::temp_directory_path() / "millrace-test-XXXXXX").string();
    if (::mkdtemp(name.data())) path_ = name;
  }
  ~Scratch() {
    std::error_code ignored;
    if (!path_.empty()) fs::remove_all(path_, ignored);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

struct Ended {
  bool started = false;
  bool in_time = true;
  int code = -1;
  int signal = 0;
  std::string out;
  std::string err;
};

/// Waits for the child; ends it when it takes too long.
void wait_for(pid_t child, Ended& ended) {
  const auto give_up = std::chrono::steady_clock::now() + kPatience;
  int status = 0;
  while (::waitpid(child, &status, WNOHANG) == 0) {
    if (std::chrono::steady_clock::now() > give_up) {
      ended.in_time = false;
      ::kill(child, SIGKILL);
      ::waitpid(child, &status, 0);
      break;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  if (WIFEXITED(status)) ended.code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) ended.signal = WTERMSIG(status);
}

/// Its streams are files beside the folder, so that no pipe can fill.
Ended run_program(const std::vector<std::string>& command, const fs::path& streams,
                  const fs::path& folder) {
  std::vector<char*> arguments;
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  const std::string in = streams / "in";
  const std::string out = streams / "out";
  const std::string err = streams / "err";
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, in.c_str(), O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 1, out.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  posix_spawn_file_actions_addopen(&actions, 2, err.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  posix_spawn_file_actions_addchdir_np(&actions, folder.c_str());
  Ended ended;
  pid_t child = 0;
  ended.started =
      ::posix_spawn(&child, command[0].c_str(), &actions, nullptr, arguments.data(), environ) == 0;
  posix_spawn_file_actions_destroy(&actions);
  if (!ended.started) return ended;
  wait_for(child, ended);
  ended.out = read_file(out);
  ended.err = read_file(err);
  return ended;
}

/// The JSON text in one form: members in their order, no blanks.
Result<std::string> one_form(const std::string& json) {
  simdjson::dom::parser parser;
  simdjson::dom::element element;
  if (const auto error = parser.parse(simdjson::padded_string(json)).get(element)) {
    return Status(Code::option_invalid, simdjson::error_message(error));
  }
  return simdjson::minify(element);
}

class Judge {
 public:
  Judge(const TextTest& test, const Ended& ended, const fs::path& folder)
      : test_(test), ended_(ended), folder_(folder), out_(lines_of(ended.out)) {}

  Complaints judge() {
    if (wants_summary() && !out_.empty() && out_.back().starts_with("{\"topology\"")) {
      summary_ = out_.back();
      out_.pop_back();
    }
    exit();
    errors();
    for (const Expectation& expected : test_.expectations) check(expected);
    if (!complaints_.empty() && !ended_.err.empty())
      complaints_.push_back("  standard error was:\n" + indented(ended_.err));
    return std::move(complaints_);
  }

 private:
  bool wants_summary() const {
    return std::ranges::any_of(test_.expectations, [](const Expectation& expected) {
      return expected.of == Expectation::Of::summary;
    });
  }
  static std::string indented(const std::string& text) {
    std::string out;
    for (const std::string& line : lines_of(text)) out += "    " + line + '\n';
    return out;
  }
  void complain(std::size_t line, const std::string& what) {
    complaints_.push_back(fmt::format("  {}:{}: {}", test_.path, line, what));
  }

  void exit() {
    const std::size_t line = test_.exit_line != 0 ? test_.exit_line : test_.line;
    if (!ended_.in_time) return complain(line, "it did not end within 60 seconds");
    if (ended_.signal != 0) return complain(line, fmt::format("signal {} ended it", ended_.signal));
    if (ended_.code != test_.exit_code)
      complain(line,
               fmt::format("it ended with code {}, expected {}", ended_.code, test_.exit_code));
  }

  void errors() {
    std::vector<std::string> numbers;
    for (const std::string& line : lines_of(ended_.err)) {
      if (line.starts_with("error ")) numbers.push_back(line.substr(6, line.find(' ', 6) - 6));
    }
    if (numbers == test_.errors) return;
    complain(test_.errors_line != 0 ? test_.errors_line : test_.line,
             fmt::format("it reported {}, expected {}", listed(numbers), listed(test_.errors)));
  }
  static std::string listed(const std::vector<std::string>& numbers) {
    if (numbers.empty()) return "no error";
    std::string all = "error";
    for (const std::string& number : numbers) all += ' ' + number;
    return all;
  }

  void check(const Expectation& expected) {
    switch (expected.of) {
      case Expectation::Of::standard_output:
        return compare(expected, out_, "standard output");
      case Expectation::Of::file:
        if (!fs::exists(folder_ / expected.file))
          return complain(expected.line, '"' + expected.file + "\" was not written");
        return compare(expected, lines_of(read_file(folder_ / expected.file)), expected.file);
      case Expectation::Of::standard_error:
        for (const std::string& text : expected.lines) {
          if (ended_.err.find(text) == std::string::npos)
            complain(expected.line, "standard error does not have \"" + text + '"');
        }
        return;
      case Expectation::Of::summary:
        return compare_summary(expected);
    }
  }

  void compare(const Expectation& expected, std::vector<std::string> actual,
               const std::string& what) {
    std::vector<std::string> wanted = expected.lines;
    if (expected.any_order) {
      std::ranges::sort(wanted);
      std::ranges::sort(actual);
    }
    const std::string diff = diff_of_lines(wanted, actual);
    if (!diff.empty()) complain(expected.line, what + " differs (- expected, + actual):\n" + diff);
  }

  /// Lines "path/in/the/summary = JSON".
  void compare_summary(const Expectation& expected) {
    simdjson::dom::parser parser;
    simdjson::dom::element summary;
    if (parser.parse(simdjson::padded_string(summary_)).get(summary) != simdjson::SUCCESS)
      return complain(expected.line, "it printed no summary");
    for (std::size_t at = 0; at < expected.lines.size(); ++at) {
      const std::string& line = expected.lines[at];
      const std::size_t where = expected.line + 1 + at;
      const std::size_t equals = line.find(" = ");
      if (equals == std::string::npos) {
        complain(where, "\"" + line + "\": say it as path/of/it = JSON");
        continue;
      }
      const std::string path = line.substr(0, equals);
      const Result<std::string> wanted = one_form(line.substr(equals + 3));
      simdjson::dom::element found;
      if (!wanted) {
        complain(where,
                 "\"" + line.substr(equals + 3) + "\" is no JSON: " + wanted.error().message());
      } else if (summary.at_pointer("/" + path).get(found) != simdjson::SUCCESS) {
        complain(where, "the summary has no \"" + path + '"');
      } else if (const std::string actual = simdjson::minify(found); actual != *wanted) {
        complain(where, fmt::format("{} of the summary differs:\n    - {}\n    + {}\n", path,
                                    *wanted, actual));
      }
    }
  }

  const TextTest& test_;
  const Ended& ended_;
  const fs::path folder_;
  std::vector<std::string> out_;
  std::string summary_;
  Complaints complaints_;
};

/// The program by its path, and the flags that keep one with run() quiet and let it report.
std::vector<std::string> command_of(const TextTest& test, const std::string& programs) {
  std::vector<std::string> command = test.command;
  const bool has_path = command[0].find('/') != std::string::npos;
  const fs::path base = has_path ? fs::path(test.path).parent_path() : fs::path(programs);
  command[0] = fs::absolute(base / command[0]).lexically_normal();
  if (test.as_is) return command;
  const bool headless = std::ranges::any_of(
      command, [](const std::string& word) { return word == "--ui" || word == "--headless"; });
  if (!headless) command.emplace_back("--headless");
  if (std::ranges::any_of(test.expectations, [](const Expectation& expected) {
        return expected.of == Expectation::Of::summary;
      }))
    command.emplace_back("--json");
  return command;
}

}  // namespace

Complaints run_text_test(const TextTest& test, const std::string& programs) {
  const auto failed = [&test](const std::string& why) {
    return Complaints{fmt::format("  {}:{}: {}", test.path, test.line, why)};
  };
  const Scratch scratch;
  if (scratch.path().empty()) return failed("no folder for it can be made; look at TMPDIR");
  const fs::path folder = scratch.path() / "folder";
  fs::create_directory(folder);
  for (const auto& [name, content] : test.files) {
    if (fs::path(name).is_absolute() || name.find("..") != std::string::npos)
      return failed("file " + name + ": name a file in the folder of the test");
    fs::create_directories((folder / name).parent_path());
    std::ofstream(folder / name, std::ios::binary) << content;
  }
  std::ofstream(scratch.path() / "in", std::ios::binary) << test.input;
  const std::vector<std::string> command = command_of(test, programs);
  if (::access(command[0].c_str(), X_OK) != 0)
    return failed(fmt::format("\"{}\" is no program; build it, or name its folder with --programs",
                              command[0]));
  const Ended ended = run_program(command, scratch.path(), folder);
  if (!ended.started) return failed("\"" + command[0] + "\" could not be started");
  return Judge(test, ended, folder).judge();
}

}  // namespace millrace::apps
