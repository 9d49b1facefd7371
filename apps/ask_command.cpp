// `millrace ask`: asks over the page's interface, page by page, and prints rows as JSON lines.
#include "ask_command.hpp"

#include <sysexits.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <simdjson.h>

#include "host/host.hpp"
#include "net/http_client.hpp"
#include "page_asking.hpp"

namespace millrace::apps {
namespace {

constexpr const char* kHelp = R"(Rows of a table of a topology that runs.

usage: millrace ask ADDRESS                    the tables that there are, a JSON object a line
       millrace ask ADDRESS TABLE [flags]      its rows, a JSON object a line, in the order of keys

  --key KEY              of this key; several times: of several. A key of several fields is a JSON
                         list, '["Rome", 7]', of which the last values may be left out
  --prefix TEXT          keys that begin so
  --from KEY             this key and those behind it
  --until KEY            those before this key
  --windows-from TIME    windows that begin then or later, as 2015-09-12T06:00:00Z
  --windows-until TIME   windows that begin before
  --limit N              so many rows at most

ADDRESS is that of its page, as 127.0.0.1:8080 or http://127.0.0.1:8080.
)";

constexpr std::chrono::milliseconds kPatience{30'000};
constexpr std::uint64_t kPage = 1000;

int invalid(const std::string& why) {
  return detail::report_error({Code::option_invalid, "ask: " + why});
}

/// What was asked for; the query without a page.
struct Question {
  std::string table;
  std::string query;
  std::uint64_t limit = std::numeric_limits<std::uint64_t>::max();
};

/// The parameter that a flag is; empty: there is no such flag.
std::string parameter_of(const std::string& flag) {
  static constexpr std::string_view kFlags[] = {
      "--key", "--prefix", "--from", "--until", "--windows-from", "--windows-until", "--limit"};
  for (const std::string_view known : kFlags) {
    if (flag != known) continue;
    std::string name(known.substr(2));
    for (char& letter : name) letter = letter == '-' ? '_' : letter;
    return name;
  }
  return {};
}

/// A sentence where the words are wrong.
std::optional<std::string> read(const std::vector<std::string>& words, Question& question) {
  for (std::size_t at = 1; at < words.size(); ++at) {
    const std::string& word = words[at];
    if (!word.starts_with("--")) {
      if (!question.table.empty()) return fmt::format("{}: one table is asked at a time", word);
      question.table = word;
      continue;
    }
    const std::string name = parameter_of(word);
    if (name.empty()) return word + ": there is no such flag; `millrace ask --help` lists them";
    if (++at == words.size()) return word + " needs a value";
    if (name != "limit") {
      question.query += fmt::format("&{}={}", name, detail::encode_query(words[at]));
      continue;
    }
    const std::string& text = words[at];
    const auto [end, error] =
        std::from_chars(text.data(), text.data() + text.size(), question.limit);
    if (error != std::errc() || end != text.data() + text.size() || question.limit == 0)
      return fmt::format("--limit {}: give a number of rows", text);
  }
  if (question.table.empty() && words.size() > 1) return "name the table before its flags";
  return std::nullopt;
}

/// One answer: its objects in `list` are printed as they came. False: it is none of a page.
bool print_answer(std::string body, std::string_view list, std::uint64_t& rows,
                  std::optional<std::string>& next) {
  const simdjson::padded_string padded(std::move(body));
  simdjson::ondemand::parser parser;
  simdjson::ondemand::document document;
  simdjson::ondemand::array array;
  if (parser.iterate(padded).get(document) || document[list].get_array().get(array)) return false;
  for (auto element : array) {
    std::string_view json;
    if (simdjson::to_json_string(element).get(json)) return false;
    fmt::print("{}\n", json);
    ++rows;
  }
  std::string_view token;
  next.reset();
  if (!document["next"].get_string().get(token)) next = std::string(token);
  return true;
}

int refused(const std::string& body) {
  simdjson::dom::parser parser;
  std::string_view why;
  if (parser.parse(simdjson::padded_string(body))["error"].get(why)) why = "it was refused";
  return invalid(std::string(why));
}

/// All pages of a question.
int print_rows(const std::string& address, const Question& question) {
  const bool lists = question.table.empty();
  std::optional<std::string> after;
  std::uint64_t rows = 0;
  do {
    std::string target = "/api/v1/tables";
    if (!lists) {
      target += fmt::format("/{}?limit={}{}", detail::encode_query(question.table),
                            std::min(kPage, question.limit - rows), question.query);
    }
    if (after) target += "&after=" + *after;
    const auto answer = detail::http_ask("GET", address, target, kPatience);
    if (!answer) return detail::report_error(answer.error());
    if (answer->status >= 400) return refused(answer->body);
    if (!print_answer(answer->body, lists ? "tables" : "rows", rows, after)) {
      return invalid(fmt::format("what answers at \"{}\" is no page of Millrace", address));
    }
  } while (after && rows < question.limit);
  return EX_OK;
}

}  // namespace

int ask_main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  if (words.empty() || words[0] == "--help" || words[0] == "-h") {
    std::fputs(kHelp, stdout);
    return words.empty() ? EX_USAGE : EX_OK;
  }
  Question question;
  if (const auto wrong = read(words, question)) return invalid(*wrong);
  return print_rows(page_address(words[0]), question);
}

}  // namespace millrace::apps
