// Reading test files, and diffs of lines.
#include "test_case.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include <fmt/format.h>

namespace millrace::apps {
namespace {

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

/// Words as a shell cuts them: at blanks, but for those in double quotes.
std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  bool quoted = false;
  bool any = false;
  for (const char c : text) {
    if (c == '"') {
      quoted = !quoted;
      any = true;
    } else if (c == ' ' && !quoted) {
      if (any) words.push_back(std::exchange(word, {}));
      any = false;
    } else {
      word += c;
      any = true;
    }
  }
  if (any) words.push_back(word);
  return words;
}

constexpr const char* kTopologyFile = "topology.yaml";

/// Walks the lines of a file. "=== NAME" begins a case, "--- WHAT" a section; a content line that
/// would be one of them stands behind a backslash.
class Reader {
 public:
  Reader(const std::string& path, std::string_view text) : path_(path), lines_(lines_of(text)) {}

  Result<std::vector<TextTest>> read() {
    for (; at_ < lines_.size(); ++at_) {
      const std::string& line = lines_[at_];
      if (line.empty() || line.starts_with('#')) continue;
      if (line.starts_with("=== ")) {
        TextTest& test = tests_.emplace_back();
        test.path = path_;
        test.line = at_ + 1;
        test.name = line.substr(4);
        continue;
      }
      if (!line.starts_with("--- ")) return wrong("text outside of a section");
      if (tests_.empty()) return wrong("a section before the first case: begin with \"=== NAME\"");
      if (Status status = section(words_of(std::string_view(line).substr(4))); !status.ok())
        return status;
    }
    for (const TextTest& test : tests_) {
      if (test.command.empty())
        return Status(Code::option_invalid,
                      fmt::format("{}:{}: case \"{}\" runs nothing: say \"--- run PROGRAM ...\"",
                                  path_, test.line, test.name));
    }
    if (tests_.empty()) return wrong("the file has no case: begin with \"=== NAME\"");
    return std::move(tests_);
  }

 private:
  Status wrong(const std::string& what) const {
    return {Code::option_invalid, fmt::format("{}:{}: {}", path_, at_ + 1, what)};
  }

  std::vector<std::string> content() {
    std::vector<std::string> content;
    while (at_ + 1 < lines_.size()) {
      const std::string& next = lines_[at_ + 1];
      if (next.starts_with("--- ") || next.starts_with("=== ")) break;
      content.push_back(next.starts_with("\\--- ") || next.starts_with("\\=== ") ? next.substr(1)
                                                                                 : next);
      ++at_;
    }
    // Blank lines before the next section part it from this one; "\" is a blank line to keep.
    while (!content.empty() && content.back().empty()) content.pop_back();
    for (std::string& line : content) {
      if (line == "\\") line.clear();
    }
    return content;
  }
  std::string content_text() {
    std::string text;
    for (const std::string& line : content()) text += line + '\n';
    return text;
  }

  static std::vector<std::string> topology_command(const std::vector<std::string>& flags) {
    std::vector<std::string> command = {"millrace", "run", kTopologyFile};
    command.insert(command.end(), flags.begin(), flags.end());
    return command;
  }

  Status section(const std::vector<std::string>& words) {
    TextTest& test = tests_.back();
    const std::string what = words.empty() ? "" : words[0];
    const std::vector<std::string> rest(words.begin() + (words.empty() ? 0 : 1), words.end());
    if (what == "run" || what == "command") return command(test, what == "command", rest);
    if (what == "file" && rest.size() == 1) {
      test.files[rest[0]] = content_text();
    } else if (what == "stdin" && rest.empty()) {
      test.input = content_text();
    } else if (what == "exit" && rest.size() == 1) {
      return exit(test, rest[0]);
    } else if (what == "error" && !rest.empty()) {
      test.errors_line = at_ + 1;
      test.errors = rest;
    } else if (what == "topology") {
      if (Status status = command(test, false, topology_command(rest)); !status.ok()) return status;
      test.files[kTopologyFile] = content_text();
    } else {
      return expectation(test, what, rest);
    }
    return {};
  }

  Status command(TextTest& test, bool as_is, const std::vector<std::string>& words) {
    if (words.empty()) return wrong("the name of a program is missing");
    if (!test.command.empty()) return wrong("the case runs something already");
    test.command = words;
    test.as_is = as_is;
    return {};
  }

  Status exit(TextTest& test, const std::string& text) {
    test.exit_line = at_ + 1;
    const auto [end, error] =
        std::from_chars(text.data(), text.data() + text.size(), test.exit_code);
    if (error != std::errc() || end != text.data() + text.size())
      return wrong("exit " + text + ": give the code as a number");
    return {};
  }

  Status expectation(TextTest& test, const std::string& what,
                     const std::vector<std::string>& rest) {
    using Of = Expectation::Of;
    Expectation expected;
    expected.line = at_ + 1;
    expected.any_order = !rest.empty() && rest.back() == "unordered";
    const std::size_t words = rest.size() - (expected.any_order ? 1 : 0);
    if (what == "stdout" && words == 0) {
      expected.of = Of::standard_output;
    } else if (what == "stderr" && rest == std::vector<std::string>{"has"}) {
      expected.of = Of::standard_error;
    } else if (what == "output" && words == 1) {
      expected.of = Of::file;
      expected.file = rest[0];
    } else if (what == "summary" && rest.empty()) {
      expected.of = Of::summary;
    } else {
      return wrong("\"--- " + what +
                   "\": a section is run, command, file NAME, stdin, exit CODE, error NUMBER..., "
                   "stdout [unordered], output NAME [unordered], stderr has, summary or topology");
    }
    expected.lines = content();
    test.expectations.push_back(std::move(expected));
    return {};
  }

  const std::string path_;
  const std::vector<std::string> lines_;
  std::size_t at_ = 0;
  std::vector<TextTest> tests_;
};

/// The lengths of the longest common subsequences of all pairs of ends (Hunt and McIlroy's table).
std::vector<std::vector<std::size_t>> common_lengths(const std::vector<std::string>& a,
                                                     const std::vector<std::string>& b) {
  std::vector<std::vector<std::size_t>> length(a.size() + 1,
                                               std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = a.size(); i-- > 0;) {
    for (std::size_t j = b.size(); j-- > 0;) {
      length[i][j] =
          a[i] == b[j] ? length[i + 1][j + 1] + 1 : std::max(length[i + 1][j], length[i][j + 1]);
    }
  }
  return length;
}

/// Unchanged lines that no difference is near to become "...".
std::string with_context(const std::vector<std::string>& lines) {
  constexpr std::size_t kNear = 2;
  std::string out;
  bool left_out = false;
  for (std::size_t at = 0; at < lines.size(); ++at) {
    bool near = false;
    for (std::size_t other = at > kNear ? at - kNear : 0;
         other < std::min(lines.size(), at + kNear + 1); ++other) {
      near |= lines[other][0] != ' ';
    }
    if (near) out += "    " + lines[at] + '\n';
    if (!near && !left_out) out += "    ...\n";
    left_out = !near;
  }
  return out;
}

}  // namespace

Result<std::vector<TextTest>> read_text_tests(const std::string& path, std::string_view text) {
  return Reader(path, text).read();
}

std::string diff_of_lines(const std::vector<std::string>& expected,
                          const std::vector<std::string>& actual) {
  if (expected == actual) return {};
  constexpr std::size_t kLinesMax = 2000;  // the table is quadratic
  if (std::max(expected.size(), actual.size()) > kLinesMax) {
    const auto at = std::mismatch(expected.begin(), expected.end(), actual.begin(), actual.end());
    return fmt::format("    line {} is the first that differs\n    - {}\n    + {}\n",
                       at.first - expected.begin() + 1,
                       at.first == expected.end() ? "(the end)" : *at.first,
                       at.second == actual.end() ? "(the end)" : *at.second);
  }
  const auto length = common_lengths(expected, actual);
  std::vector<std::string> lines;
  std::size_t i = 0;
  std::size_t j = 0;
  while (i < expected.size() || j < actual.size()) {
    if (i < expected.size() && j < actual.size() && expected[i] == actual[j]) {
      lines.push_back("  " + expected[i++]);
      ++j;
    } else if (j == actual.size() ||
               (i < expected.size() && length[i + 1][j] >= length[i][j + 1])) {
      lines.push_back("- " + expected[i++]);
    } else {
      lines.push_back("+ " + actual[j++]);
    }
  }
  return with_context(lines);
}

}  // namespace millrace::apps
