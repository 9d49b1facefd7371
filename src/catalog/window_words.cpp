// Windows by their words.
#include "catalog/window_words.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>

#include <fmt/format.h>

#include "base/text.hpp"
#include "base/time.hpp"
#include "catalog/window_steps.hpp"

namespace millrace::detail {
namespace {

constexpr const char* kForms =
    "tumbling(5min), sliding(6h, 15min), cumulating(24h, 1h), session(30min), count_window(1000), "
    "count_window(1000, 100), daily(Europe/Berlin), weekly(UTC, sunday), monthly(Asia/Tokyo), "
    "quarterly(UTC), yearly(UTC) or global()";
const std::vector<std::string> kNames = {"tumbling",     "sliding",   "cumulating", "session",
                                         "count_window", "global",    "daily",      "weekly",
                                         "monthly",      "quarterly", "yearly"};

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

/// Without the quotes that it would have in a program.
std::string_view zone_of(std::string_view text) {
  const bool quoted = text.size() > 1 && text.front() == '"' && text.back() == '"';
  return quoted ? text.substr(1, text.size() - 2) : text;
}

std::optional<std::chrono::weekday> weekday_named(std::string_view name) {
  constexpr std::array<std::string_view, 7> kDays = {"sunday",   "monday", "tuesday", "wednesday",
                                                     "thursday", "friday", "saturday"};
  const auto found = std::find(kDays.begin(), kDays.end(), name);
  if (found == kDays.end()) return std::nullopt;
  return std::chrono::weekday(static_cast<unsigned>(found - kDays.begin()));
}

std::optional<Windows> calendar_windows(const Call& call) {
  if (call.name == "weekly" && call.args.size() == 2) {
    const auto first = weekday_named(call.args.back());
    if (!first) return std::nullopt;
    return weekly(zone_of(call.args.front()), *first);
  }
  if (call.args.size() != 1) return std::nullopt;
  const std::string_view zone = zone_of(call.args.front());
  if (call.name == "daily") return daily(zone);
  if (call.name == "weekly") return weekly(zone);
  if (call.name == "monthly") return monthly(zone);
  if (call.name == "quarterly") return quarterly(zone);
  if (call.name == "yearly") return yearly(zone);
  return std::nullopt;
}

std::optional<Windows> time_windows(const Call& call) {
  if (auto windows = calendar_windows(call)) return windows;
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

/// The first thing that is wrong with it; empty: nothing.
std::string problem_of(const RowCut& cut) {
  const auto check = [](const auto& one) { return one.validate(); };
  Status valid = std::visit(check, cut.windows);
  if (valid.ok() && cut.last) valid = std::visit(check, *cut.last);
  return valid.message();
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

const Windows* shared_windows(const RowWindows& windows) {
  if (const auto* const by_clock = std::get_if<ByClock<Windows>>(&windows))
    return &by_clock->windows;
  return std::get_if<Windows>(&windows);
}

std::optional<HowFarBack> parse_last(std::string_view text) {
  const auto call = parse_call(text);
  if (!call || call->name != "last" || call->args.size() != 1) return std::nullopt;
  if (const auto count = count_of(call->args.front())) return LastRecords{*count};
  if (const auto span = parse_duration(call->args.front())) return LastSpan{*span};
  return std::nullopt;
}

std::variant<RowCut, std::string> parse_window(std::string_view text) {
  text = without_blanks(text);
  const std::vector<std::string_view> steps = cut_steps(text);
  const auto call = parse_call(steps.front());
  const auto windows = call ? windows_of(*call) : std::nullopt;
  if (!windows) {
    const std::string near = call ? nearest_word(call->name, kNames) : "";
    const bool misspelt = !near.empty() && near != call->name;
    return fmt::format("\"window\" is {}, found {}{}", kForms, text,
                       misspelt ? ": did you mean \"" + near + "\"?" : "");
  }
  RowCut cut{*windows, std::nullopt};
  for (std::size_t at = 1; at < steps.size(); ++at) {
    std::variant<RowCut, std::string> changed = apply_step(cut, steps[at]);
    if (std::holds_alternative<std::string>(changed)) return changed;
    cut = std::get<RowCut>(std::move(changed));
  }
  if (std::string why = problem_of(cut); !why.empty()) return why;
  return cut;
}

std::variant<RowCut, std::string> parse_over(std::string_view text) {
  if (const auto last = parse_last(text)) {
    const RowCut cut{std::visit([](const auto& one) { return RowWindows(one); }, *last), {}};
    if (std::string why = problem_of(cut); !why.empty()) return why;
    return cut;
  }
  return fmt::format("\"over\" is last(100) or last(5min), found {}", text);
}

}  // namespace millrace::detail
