// Windows by their words.
#include "catalog/window_words.hpp"

#include <charconv>

#include <fmt/format.h>

#include "base/text.hpp"
#include "base/time.hpp"
#include "catalog/window_steps.hpp"

namespace millrace::detail {
namespace {

using WindowsOrWhy = std::variant<RowWindows, std::string>;

constexpr const char* kForms =
    "tumbling(5min), sliding(6h, 15min), cumulating(24h, 1h), session(30min), count_window(1000), "
    "count_window(1000, 100) or global()";
const std::vector<std::string> kNames = {"tumbling", "sliding",      "cumulating",
                                         "session",  "count_window", "global"};

std::optional<std::uint64_t> count_of(const std::string& text) {
  std::uint64_t count = 0;
  const char* const end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, count);
  if (read.ec != std::errc() || read.ptr != end) return std::nullopt;
  return count;
}

std::optional<std::vector<std::uint64_t>> counts_of(const Call& call) {
  std::vector<std::uint64_t> counts;
  for (const std::string& arg : call.args) {
    const auto count = count_of(arg);
    if (!count) return std::nullopt;
    counts.push_back(*count);
  }
  return counts;
}

std::optional<std::vector<Duration>> spans_of(const Call& call) {
  std::vector<Duration> spans;
  for (const std::string& arg : call.args) {
    const auto span = parse_duration(arg);
    if (!span) return std::nullopt;
    spans.push_back(*span);
  }
  return spans;
}

std::optional<Windows> time_windows(const Call& call) {
  const auto spans = spans_of(call);
  if (!spans) return std::nullopt;
  const std::size_t count = spans->size();
  if (call.name == "global" && count == 0) return global();
  if (call.name == "tumbling" && count == 1) return tumbling(spans->front());
  if (call.name == "sliding" && count == 2) return sliding(spans->front(), spans->back());
  if (call.name == "cumulating" && count == 2) return cumulating(spans->front(), spans->back());
  return std::nullopt;
}

std::optional<RowWindows> windows_of(const Call& call) {
  if (call.name == "session") {
    const auto spans = spans_of(call);
    if (!spans || spans->size() != 1) return std::nullopt;
    return session(spans->front());
  }
  if (call.name == "count_window") {
    const auto counts = counts_of(call);
    if (!counts || counts->empty() || counts->size() > 2) return std::nullopt;
    return count_window(counts->front(), counts->back());
  }
  return time_windows(call);
}

WindowsOrWhy checked(RowWindows windows) {
  const Status valid = std::visit([](const auto& one) { return one.validate(); }, windows);
  if (!valid) return valid.message();
  return windows;
}

}  // namespace

std::string_view without_blanks(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

std::optional<Call> parse_call(std::string_view text) {
  text = without_blanks(text);
  const std::size_t open = text.find('(');
  if (open == text.npos || open == 0 || text.back() != ')') return std::nullopt;
  Call call{std::string(without_blanks(text.substr(0, open))), {}};
  std::string_view inside = without_blanks(text.substr(open + 1, text.size() - open - 2));
  if (inside.find_first_of("()") != inside.npos) return std::nullopt;
  while (!inside.empty()) {
    const std::size_t comma = inside.find(',');
    call.args.emplace_back(without_blanks(inside.substr(0, comma)));
    if (call.args.back().empty()) return std::nullopt;
    if (comma == inside.npos) break;
    inside.remove_prefix(comma + 1);
    if (without_blanks(inside).empty()) return std::nullopt;
  }
  return call;
}

std::variant<RowWindows, std::string> parse_window(std::string_view text) {
  text = without_blanks(text);
  const std::vector<std::string_view> steps = cut_steps(text);
  const auto call = parse_call(steps.front());
  auto windows = call ? windows_of(*call) : std::nullopt;
  if (!windows) {
    const std::string near = call ? nearest_word(call->name, kNames) : "";
    const bool misspelt = !near.empty() && near != call->name;
    return fmt::format("\"window\" is {}, found {}{}", kForms, text,
                       misspelt ? ": did you mean \"" + near + "\"?" : "");
  }
  for (std::size_t at = 1; at < steps.size(); ++at) {
    WindowsOrWhy changed = apply_step(*windows, steps[at]);
    if (std::holds_alternative<std::string>(changed)) return changed;
    windows = std::get<RowWindows>(std::move(changed));
  }
  return checked(*windows);
}

std::variant<RowWindows, std::string> parse_over(std::string_view text) {
  const auto call = parse_call(text);
  if (call && call->name == "last" && call->args.size() == 1) {
    if (const auto count = count_of(call->args.front())) return checked(LastRecords{*count});
    if (const auto span = parse_duration(call->args.front())) return checked(LastSpan{*span});
  }
  return fmt::format("\"over\" is last(100) or last(5min), found {}", text);
}

}  // namespace millrace::detail
