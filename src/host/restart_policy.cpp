// Reading restart policies, and counting failures.
#include "host/restart_policy.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <string>

namespace millrace::detail {
namespace {

std::optional<std::int64_t> parse_count(std::string_view text) {
  std::int64_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc() || end != text.data() + text.size() || count < 1) return std::nullopt;
  return count;
}

/// The parts before and behind the first `mark`; the second is empty when there is none.
std::pair<std::string_view, std::string_view> cut(std::string_view text, char mark) {
  const std::size_t at = text.find(mark);
  if (at == std::string_view::npos) return {text, {}};
  return {text.substr(0, at), text.substr(at + 1)};
}

std::int64_t ns_of(Duration span) { return std::chrono::nanoseconds(span).count(); }

}  // namespace

Result<RestartPolicy> RestartPolicy::of(std::string_view text) {
  const auto [kind, rest] = cut(text, ':');
  const auto [first, second] = cut(rest, ',');
  const auto delay = parse_duration(second);
  RestartPolicy policy;
  bool good = delay && *delay >= Duration(0);
  if (kind == "none" && rest.empty()) return policy;
  if (kind == "fixed") {
    const auto tries = parse_count(first);
    good = good && tries;
    if (good) policy.tries_ = *tries;
    policy.kind_ = Kind::fixed;
  } else if (kind == "exponential") {
    const auto least = parse_duration(first);
    good = good && least && *least > Duration(0) && *delay >= *least;
    if (good) policy.next_ = *least;
    policy.kind_ = Kind::exponential;
  } else if (kind == "rate") {
    const auto [count, span_text] = cut(first, '/');
    const auto tries = parse_count(count);
    const auto span = parse_duration(span_text);
    good = good && tries && span && *span > Duration(0);
    if (good) policy.tries_ = *tries;
    if (good) policy.span_ = *span;
    policy.kind_ = Kind::rate;
  } else {
    good = false;
  }
  if (!good) {
    return Status(Code::option_invalid,
                  fmt::format("--restart {}: give none, fixed:TRIES,DELAY, "
                              "exponential:FIRST,LONGEST or rate:FAILURES/SPAN,DELAY, such as "
                              "fixed:3,10s, exponential:1s,1min or rate:3/5min,10s",
                              text));
  }
  policy.delay_ = policy.kind_ == Kind::exponential ? policy.next_ : *delay;
  policy.longest_ = *delay;
  return policy;
}

std::optional<Duration> RestartPolicy::failed(std::int64_t now_ns) {
  constexpr int kCalm = 10;
  switch (kind_) {
    case Kind::none:
      return std::nullopt;
    case Kind::fixed:
      if (tries_ == 0) return std::nullopt;
      --tries_;
      return delay_;
    case Kind::exponential: {
      if (!failures_ns_.empty() && now_ns - failures_ns_.back() > kCalm * ns_of(longest_)) {
        next_ = delay_;
      }
      failures_ns_.assign(1, now_ns);
      const Duration delay = next_;
      next_ = std::min(longest_, next_ * 2);
      return delay;
    }
    case Kind::rate:
      while (!failures_ns_.empty() && now_ns - failures_ns_.front() >= ns_of(span_)) {
        failures_ns_.pop_front();
      }
      if (static_cast<std::int64_t>(failures_ns_.size()) >= tries_) return std::nullopt;
      failures_ns_.push_back(now_ns);
      return delay_;
  }
  return std::nullopt;
}

bool RestartPolicy::may_help(Code code) {
  return code == Code::user_code_failed || code == Code::source_failed ||
         code == Code::sink_failed || code == Code::input_corrupt;
}

}  // namespace millrace::detail
