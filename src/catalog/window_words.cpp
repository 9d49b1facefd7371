// Windows by their words.
#include "catalog/window_words.hpp"

#include <algorithm>
#include <array>
#include <chrono>

#include <fmt/format.h>

#include "base/text.hpp"
#include "base/time.hpp"
#include "catalog/window_steps.hpp"

namespace millrace::detail {
namespace {

constexpr const char* kForms =
    "tumbling(5min), sliding(6h, 15min), cumulating(24h, 1h), session(30min), "
    "session(patience, 1s) by a field, count_window(1000), count_window(1000, 100), "
    "daily(Europe/Berlin), weekly(UTC, sunday), monthly(Asia/Tokyo), "
    "quarterly(UTC), yearly(UTC) or global()";
const std::vector<std::string> kNames = {"tumbling",     "sliding",   "cumulating", "session",
                                         "count_window", "global",    "daily",      "weekly",
                                         "monthly",      "quarterly", "yearly"};

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

/// The gap that a call of session says: a time, or a field and its unit.
std::optional<RowGap> gap_of(const Call& call) {
  const auto span = call.args.empty() ? std::nullopt : parse_duration(call.args.back());
  if (!span || call.args.size() > 2) return std::nullopt;
  if (call.args.size() == 1) return RowGap{*span};
  if (parse_duration(call.args.front())) return std::nullopt;
  return RowGap{*span, GapField{call.args.front()}};
}

std::optional<RowWindows> windows_of(const Call& call) {
  if (call.name == "session") {
    if (auto gap = gap_of(call)) return session(std::move(*gap));
    return std::nullopt;
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
  const auto check_clock = [](const auto& one) {
    return ByClock<std::decay_t<decltype(one)>>{one}.validate();
  };
  Status valid =
      cut.by_clock ? std::visit(check_clock, cut.windows) : std::visit(check, cut.windows);
  if (valid.ok() && cut.last) valid = std::visit(check, *cut.last);
  return valid.message();
}

}  // namespace

bool refires(const RowWindows& windows) {
  return std::visit([](const auto& one) { return kRefires<std::decay_t<decltype(one)>>; }, windows);
}

std::string bind_gap(RowWindows& windows, const RowSchema& schema) {
  return std::visit(
      [&](auto& cut) -> std::string {
        if constexpr (requires { cut.gap; }) {
          return cut.gap.bind(schema);
        } else if constexpr (requires { cut.with_gap({}); }) {
          RowGap gap = cut.sessions().gap;
          std::string why = gap.bind(schema);
          cut = cut.with_gap(std::move(gap));
          return why;
        } else {
          return "";
        }
      },
      windows);
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
  RowCut cut{*windows};
  for (std::size_t at = 1; at < steps.size(); ++at) {
    std::variant<RowCut, std::string> changed = apply_step(cut, steps[at]);
    if (std::holds_alternative<std::string>(changed)) return changed;
    cut = std::get<RowCut>(std::move(changed));
  }
  if (std::string why = problem_of(cut); !why.empty()) return why;
  return cut;
}

std::variant<RowCut, std::string> parse_over(std::string_view text) {
  const std::vector<std::string_view> steps = cut_steps(without_blanks(text));
  const auto last = parse_last(steps.front());
  const bool by_clock = steps.size() == 2 && steps.back() == "by_clock()";
  if (!last || (steps.size() > 1 && !by_clock)) {
    return fmt::format("\"over\" is last(100), last(5min) or last(5min).by_clock(), found {}",
                       text);
  }
  if (by_clock && std::holds_alternative<LastRecords>(*last)) {
    return fmt::format("the last rows are the same by any clock: take .by_clock() away, found {}",
                       text);
  }
  const RowCut cut{std::visit([](const auto& one) { return RowWindows(one); }, *last), by_clock};
  if (std::string why = problem_of(cut); !why.empty()) return why;
  return cut;
}

}  // namespace millrace::detail
