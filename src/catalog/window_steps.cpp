// Steps behind a window: when it emits, what it emits, and how long it waits.
#include "catalog/window_steps.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

#include <fmt/format.h>

#include "base/text.hpp"
#include "base/time.hpp"

namespace millrace::detail {
namespace {

constexpr std::string_view kByClock = ".by_clock()";
const std::vector<std::string> kSteps = {"offset",           "by_clock",   "last",
                                         "allowed_lateness", "early",      "accumulating",
                                         "discarding",       "retracting", "final_only"};

bool is_step(std::string_view name) {
  return std::find(kSteps.begin(), kSteps.end(), name) != kSteps.end();
}

std::optional<Duration> signed_span(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  const auto span = parse_duration(text);
  if (!span) return std::nullopt;
  return negative ? -*span : *span;
}

/// every(10s), every(10s).by_clock() or every(100).
std::optional<EarlyTrigger> trigger_of(std::string_view text) {
  const bool by_clock = text.ends_with(kByClock);
  if (by_clock) text.remove_suffix(kByClock.size());
  const auto call = parse_call(text);
  if (!call || call->name != "every" || call->args.size() != 1) return std::nullopt;
  const std::string& amount = call->args.front();
  if (const auto span = parse_duration(amount)) {
    return by_clock ? every(*span).by_clock() : every(*span);
  }
  std::size_t records = 0;
  const char* const end = amount.data() + amount.size();
  const auto read = std::from_chars(amount.data(), end, records);
  if (by_clock || read.ec != std::errc() || read.ptr != end) return std::nullopt;
  return every(records);
}

/// The name of a step and what stands in its parentheses.
struct Step {
  std::string_view name;
  std::string_view inside;
};

std::optional<Step> step_of(std::string_view text) {
  const std::size_t open = text.find('(');
  if (open == text.npos || !text.ends_with(')')) return std::nullopt;
  return Step{without_blanks(text.substr(0, open)),
              without_blanks(text.substr(open + 1, text.size() - open - 2))};
}

/// The step of windows that emit more than once; nullopt where its arguments do not fit.
std::optional<RowWindows> refired(const RefiringWindows& windows, const Step& step) {
  if (step.name == "allowed_lateness") {
    const auto lateness = signed_span(step.inside);
    return lateness ? std::optional<RowWindows>(windows.allowed_lateness(*lateness)) : std::nullopt;
  }
  if (step.name == "early") {
    const auto trigger = trigger_of(step.inside);
    return trigger ? std::optional<RowWindows>(windows.early(*trigger)) : std::nullopt;
  }
  if (!step.inside.empty()) return std::nullopt;
  if (step.name == "accumulating") return windows.accumulating();
  if (step.name == "discarding") return windows.discarding();
  if (step.name == "retracting") return windows.retracting();
  if (step.name == "final_only") return windows.final_only();
  return std::nullopt;
}

/// What a step is given.
const char* usage_of(std::string_view name) {
  if (name == "offset") return "a time with its unit, such as 30min or -2h";
  if (name == "last") return "a number of rows or a time with its unit, such as 100 or 5min";
  if (name == "allowed_lateness") return "a time with its unit, such as 10s";
  if (name == "early") return "every(10s), every(100) or every(1s).by_clock()";
  return "nothing";
}

std::string wrong_step(std::string_view text, const std::optional<Step>& step) {
  if (step && is_step(step->name)) {
    return fmt::format(".{} takes {}, found .{}", step->name, usage_of(step->name), text);
  }
  const std::string near = step ? nearest_word(std::string(step->name), kSteps) : "";
  if (!near.empty()) return fmt::format("found .{}: did you mean .{}?", text, near);
  return fmt::format("a window may go on with .{}, found .{}", fmt::join(kSteps, ", ."), text);
}

bool emits_again(const RowWindows& windows) {
  return std::holds_alternative<RefiringWindows>(windows) ||
         std::holds_alternative<FinalWindows>(windows);
}

/// Windows of the wall clock; not empty: why there are none.
std::string cut_by_clock(RowWindows& windows) {
  if (const auto* const timed = std::get_if<Windows>(&windows)) {
    windows = timed->by_clock();
  } else if (const auto* const sessions = std::get_if<Sessions<Duration>>(&windows)) {
    windows = sessions->by_clock();
  } else if (emits_again(windows)) {
    return "windows that emit early or late go by event time: take .by_clock() away";
  } else {
    return "these windows are not of time: take .by_clock() away";
  }
  return "";
}

/// Windows as the step says; not empty: why they cannot be.
std::string change_windows(RowWindows& windows, const Step& step, std::string_view text) {
  if (step.name == "by_clock" && step.inside.empty()) return cut_by_clock(windows);
  const auto* const timed = std::get_if<Windows>(&windows);
  const auto* const again = std::get_if<RefiringWindows>(&windows);
  std::optional<RowWindows> changed;
  if (step.name == "offset") {
    const auto offset = signed_span(step.inside);
    if (offset && !timed && !again) {
      return "windows of a key's own have no bounds that could be moved: take .offset away";
    }
    if (offset && timed) changed = timed->offset(*offset);
    if (offset && again) changed = again->offset(*offset);
  } else if (timed || again) {
    changed = refired(timed ? RefiringWindows(*timed) : *again, step);
  } else if (step.name != "by_clock") {
    return fmt::format(
        "tumbling, sliding, cumulating and calendar windows of event time alone emit early or "
        "late: take .{} away",
        text);
  }
  if (!changed) return wrong_step(text, step);
  windows = *changed;
  return "";
}

}  // namespace

std::vector<std::string_view> cut_steps(std::string_view text) {
  std::vector<std::string_view> steps;
  std::size_t begin = 0;
  int depth = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    depth += text[at] == '(' ? 1 : text[at] == ')' ? -1 : 0;
    if (text[at] != '.' || depth != 0 || at == 0 || text[at - 1] != ')') continue;
    steps.push_back(text.substr(begin, at - begin));
    begin = at + 1;
  }
  steps.push_back(text.substr(begin));
  return steps;
}

std::variant<RowCut, std::string> apply_step(const RowCut& cut, std::string_view text) {
  if (std::holds_alternative<FinalWindows>(cut.windows)) {
    return fmt::format("nothing can follow .final_only(): put .{} before it", text);
  }
  const auto step = step_of(text);
  if (!step || !is_step(step->name)) return wrong_step(text, step);
  RowCut changed = cut;
  std::string why;
  if (step->name == "last") {
    changed.last = parse_last(text);
    if (!changed.last) why = wrong_step(text, step);
  } else {
    why = change_windows(changed.windows, *step, text);
  }
  if (why.empty() && changed.last && emits_again(changed.windows)) {
    why = "windows that emit early or late hold all of their rows: take .last away";
  }
  if (!why.empty()) return why;
  return changed;
}

}  // namespace millrace::detail
