// Triggers by their words: every, any_of, all_of, and the steps behind them.
#include "catalog/trigger_words.hpp"

#include <algorithm>
#include <optional>
#include <vector>

#include <fmt/format.h>

#include "base/text.hpp"
#include "base/time.hpp"
#include "operator/call_words.hpp"

namespace millrace::detail {
namespace {

using Parsed = std::variant<EarlyTrigger, std::string>;

constexpr const char* kTriggerForms = "every(10s), every(100), any_of(...) or all_of(...)";
constexpr const char* kTriggerSteps = ".by_clock(), .times(5) or .then(every(1min))";
/// One that is nested deeper has more parts than a trigger may have.
constexpr int kTriggerDepthMax = 20;

Parsed trigger_at(std::string_view text, int depth);

/// ": did you mean "every"?", or nothing.
std::string hint(const std::optional<OuterCall>& call, const std::vector<std::string>& words) {
  const std::string near = call ? nearest_word(std::string(call->name), words) : "";
  return near.empty() || near == call->name ? "" : fmt::format(": did you mean {}?", near);
}

Parsed every_of(std::string_view amount) {
  if (const auto span = parse_duration(amount)) return every(*span);
  if (const auto rows = count_of(amount)) return every(static_cast<std::size_t>(*rows));
  return fmt::format(
      "every takes a time with its unit or a number of rows, such as every(10s) or every(100), "
      "found every({})",
      amount);
}

Parsed joined_of(const OuterCall& call, int depth) {
  std::vector<EarlyTrigger> parts;
  for (const std::string_view argument : cut_arguments(call.inside)) {
    Parsed part = trigger_at(argument, depth);
    if (std::holds_alternative<std::string>(part)) return part;
    parts.push_back(std::get<EarlyTrigger>(part));
  }
  if (!parts.empty()) return EarlyTrigger::joined(call.name == "all_of", parts);
  return fmt::format("{0} joins triggers, such as {0}(every(100), every(10s)), found {0}()",
                     call.name);
}

Parsed first_of(std::string_view text, int depth) {
  const auto call = outer_call(text);
  if (call && call->name == "every") return every_of(call->inside);
  if (call && (call->name == "any_of" || call->name == "all_of")) return joined_of(*call, depth);
  return fmt::format(".early takes {}, found {}{}", kTriggerForms, text,
                     hint(call, {"every", "any_of", "all_of"}));
}

Parsed apply(const EarlyTrigger& trigger, std::string_view text, int depth) {
  const auto call = outer_call(text);
  if (call && call->name == "by_clock" && call->inside.empty()) {
    if (trigger.uses(EarlyTrigger::Kind::event_time)) return trigger.by_clock();
    return fmt::format("{} has no span that the clock could measure: take .by_clock() away",
                       trigger.to_string());
  }
  if (call && call->name == "times") {
    if (const auto rows = count_of(call->inside)) {
      return trigger.times(static_cast<std::int64_t>(*rows));
    }
    return fmt::format(".times takes a number of rows, such as 5, found .{}", text);
  }
  if (call && call->name == "then") {
    Parsed next = trigger_at(call->inside, depth);
    if (std::holds_alternative<std::string>(next)) return next;
    return trigger.then(std::get<EarlyTrigger>(next));
  }
  return fmt::format("a trigger may go on with {}, found .{}{}", kTriggerSteps, text,
                     hint(call, {"by_clock", "times", "then"}));
}

Parsed trigger_at(std::string_view text, int depth) {
  if (depth > kTriggerDepthMax)
    return fmt::format("a trigger has at most 16 parts, found {} more", text);
  const std::vector<std::string_view> steps = cut_steps(text);
  Parsed made = first_of(steps.front(), depth + 1);
  for (std::size_t at = 1; at < steps.size(); ++at) {
    if (std::holds_alternative<std::string>(made)) return made;
    made = apply(std::get<EarlyTrigger>(made), steps[at], depth + 1);
  }
  return made;
}

}  // namespace

Parsed parse_trigger(std::string_view text) { return trigger_at(text, 0); }

}  // namespace millrace::detail
