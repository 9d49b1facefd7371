// Reading rules word by word.
#include "operator/rule_words.hpp"

#include <charconv>
#include <optional>
#include <vector>

#include <fmt/format.h>

#include "base/text.hpp"
#include "operator/call_words.hpp"

namespace millrace::detail {
namespace {

constexpr const char* kUsage =
    "a rule is above(90), below(10), rises_by(5, 1min), falls_by(5, 1min), silent_for(30s) or "
    "deviates_by(4), then perhaps .until_below(80), .lasting(30s), ...";

std::optional<double> number_in(const Call& call, std::size_t at) {
  if (at >= call.args.size()) return std::nullopt;
  double number = 0;
  const std::string& text = call.args[at];
  const char* const end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, number);
  return read.ec == std::errc() && read.ptr == end ? std::optional(number) : std::nullopt;
}
std::optional<Duration> span_in(const Call& call, std::size_t at) {
  return at < call.args.size() ? parse_duration(call.args[at]) : std::nullopt;
}

/// The first word; nullopt: it is none.
std::optional<Rule> begun(const Call& call) {
  const auto number = number_in(call, 0);
  if (call.args.size() == 2 && number) {
    const auto span = span_in(call, 1);
    if (span && call.name == "rises_by") return rises_by(*number, *span);
    if (span && call.name == "falls_by") return falls_by(*number, *span);
    return std::nullopt;
  }
  if (call.args.size() != 1) return std::nullopt;
  if (call.name == "silent_for") {
    const auto span = span_in(call, 0);
    return span ? std::optional(silent_for(*span)) : std::nullopt;
  }
  if (!number) return std::nullopt;
  if (call.name == "above") return above(*number);
  if (call.name == "below") return below(*number);
  if (call.name == "deviates_by") return deviates_by(*number);
  return std::nullopt;
}

/// A word behind the first; nullopt: it is none.
std::optional<Rule> gone_on(const Rule& rule, const Call& call) {
  if (call.args.size() != 1) return std::nullopt;
  const auto span = span_in(call, 0);
  if (span && call.name == "lasting") return rule.lasting(*span);
  if (span && call.name == "by_time_of_day") return rule.by_time_of_day(*span);
  const auto count = count_of(call.args.front());
  if (count && *count < 1'000'000'000 && call.name == "over_last")
    return rule.over_last(static_cast<std::int64_t>(*count));
  const auto number = number_in(call, 0);
  if (!number) return std::nullopt;
  if (call.name == "until_below") return rule.until_below(*number);
  if (call.name == "until_above") return rule.until_above(*number);
  if (call.name == "and_at_least") return rule.and_at_least(*number);
  return std::nullopt;
}

}  // namespace

std::variant<Rule, std::string> parse_rule(std::string_view text) {
  std::optional<Rule> rule;
  for (const std::string_view step : cut_steps(text)) {
    const auto call = parse_call(step);
    auto next = !call ? std::nullopt : rule ? gone_on(*rule, *call) : begun(*call);
    if (!next) return fmt::format("\"{}\" is no rule's: {}", without_blanks(step), kUsage);
    rule = std::move(next);
  }
  if (const Status valid = rule->validate(); !valid) return valid.message();
  return *rule;
}

}  // namespace millrace::detail
