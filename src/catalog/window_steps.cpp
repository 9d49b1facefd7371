// Steps behind a window: when it emits, what it emits, and how long it waits.
#include "catalog/window_steps.hpp"

#include <algorithm>
#include <optional>
#include <vector>

#include <fmt/format.h>

#include "base/text.hpp"
#include "base/time.hpp"
#include "catalog/trigger_words.hpp"

namespace millrace::detail {
namespace {

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

/// What a step is given.
const char* usage_of(std::string_view name) {
  if (name == "offset") return "a time with its unit, such as 30min or -2h";
  if (name == "last") return "a number of rows or a time with its unit, such as 100 or 5min";
  if (name == "allowed_lateness") return "a time with its unit, such as 10s";
  return "nothing";
}

std::string misused(const OuterCall& step) {
  return fmt::format(".{0} takes {1}, found .{0}({2})", step.name, usage_of(step.name),
                     step.inside);
}

std::string no_step(std::string_view text, const std::optional<OuterCall>& step) {
  const std::string near = step ? nearest_word(std::string(step->name), kSteps) : "";
  if (!near.empty()) return fmt::format("found .{}: did you mean .{}?", text, near);
  return fmt::format("a window may go on with .{}, found .{}", fmt::join(kSteps, ", ."), text);
}

/// Windows, or why they cannot be.
using Changed = std::variant<RowWindows, std::string>;

/// A step of windows or sessions that emit more than once.
template <class Refiring>
Changed refired(const Refiring& windows, const OuterCall& step) {
  if (step.name == "allowed_lateness") {
    const auto lateness = signed_span(step.inside);
    if (!lateness) return misused(step);
    return RowWindows(windows.allowed_lateness(*lateness));
  }
  if (step.name == "early") {
    const auto trigger = parse_trigger(step.inside);
    if (const auto* const why = std::get_if<std::string>(&trigger)) return *why;
    return RowWindows(windows.early(std::get<EarlyTrigger>(trigger)));
  }
  if (!step.inside.empty()) return misused(step);
  if (step.name == "accumulating") return RowWindows(windows.accumulating());
  if (step.name == "discarding") return RowWindows(windows.discarding());
  if (step.name == "retracting") return RowWindows(windows.retracting());
  return RowWindows(windows.final_only());
}

Changed moved(const RowWindows& windows, const OuterCall& step) {
  const auto offset = signed_span(step.inside);
  if (!offset) return misused(step);
  if (const auto* const plain = std::get_if<Windows>(&windows))
    return RowWindows(plain->offset(*offset));
  if (const auto* const again = std::get_if<RefiringWindows>(&windows))
    return RowWindows(again->offset(*offset));
  return "windows of a key's own have no bounds that could be moved: take .offset away";
}

Changed emitting(const RowWindows& windows, const OuterCall& step) {
  return std::visit(
      [&](const auto& cut) -> Changed {
        using Spec = std::decay_t<decltype(cut)>;
        if constexpr (std::is_same_v<Spec, Windows>) {
          return refired(RefiringWindows(cut), step);
        } else if constexpr (std::is_same_v<Spec, Sessions<RowGap>>) {
          return refired(RefiringSessions<RowGap>(cut), step);
        } else if constexpr (requires { cut.rules(); }) {
          return refired(cut, step);
        } else {
          return fmt::format("windows of so many rows emit when they are full: take .{} away",
                             step.name);
        }
      },
      windows);
}

/// Nothing but what is cut by event time, or emits once, can be cut by the clock. Not empty: why.
std::string cut_by_clock(RowCut& cut, const OuterCall& step) {
  if (!step.inside.empty()) return misused(step);
  if (std::holds_alternative<CountWindows>(cut.windows)) {
    return "these windows are not of time: take .by_clock() away";
  }
  cut.by_clock = true;
  return "";
}

bool is_final(const RowWindows& windows) {
  return std::holds_alternative<FinalWindows>(windows) ||
         std::holds_alternative<FinalSessions<RowGap>>(windows);
}

/// Windows as the step says; not empty: why they cannot be.
std::string change_windows(RowWindows& windows, const OuterCall& step) {
  Changed changed = step.name == "offset" ? moved(windows, step) : emitting(windows, step);
  if (auto* const why = std::get_if<std::string>(&changed)) return std::move(*why);
  windows = std::get<RowWindows>(std::move(changed));
  return "";
}

/// What steps that fit each alone cannot be together; empty: they can.
std::string clash_of(const RowCut& cut) {
  if (cut.last && refires(cut.windows)) {
    return "windows that emit early or late hold all of their rows: take .last away";
  }
  if (cut.by_clock && is_final(cut.windows)) {
    return "windows of the wall clock are final as they are, for nothing is late: take "
           ".final_only() away";
  }
  return "";
}

}  // namespace

std::variant<RowCut, std::string> apply_step(const RowCut& cut, std::string_view text) {
  if (is_final(cut.windows)) {
    return fmt::format("nothing can follow .final_only(): put .{} before it", text);
  }
  const auto step = outer_call(text);
  if (!step || !is_step(step->name)) return no_step(text, step);
  RowCut changed = cut;
  std::string why;
  if (step->name == "last") {
    changed.last = parse_last(text);
    if (!changed.last) why = misused(*step);
  } else if (step->name == "by_clock") {
    why = cut_by_clock(changed, *step);
  } else {
    why = change_windows(changed.windows, *step);
  }
  if (why.empty()) why = clash_of(changed);
  if (!why.empty()) return why;
  return changed;
}

}  // namespace millrace::detail
