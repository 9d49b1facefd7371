// What call options may be, and how they are told.
#include "operator/call_options.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace millrace::detail {

Status check_call_options(const CallOptions& options, const char* verb, bool takes_turns) {
  const auto wrong = [verb](const char* what) {
    return Status(Code::parameter_invalid, std::string(verb) + ": " + what);
  };
  if (options.in_flight_max == 0) return wrong("in_flight_max is 0: give 1 or more");
  if (options.time_out <= Duration(0)) return wrong("a call needs a time_out of more than 0");
  if (options.tries < 1) return wrong("tries is below 1: the first call counts as one");
  if (options.back_off < Duration(0)) return wrong("back_off is negative: give 0 or more");
  if (options.deadline < Duration(0)) return wrong("deadline is negative: give 0 for none");
  if (options.threads < 1 || options.threads > 1024) return wrong("threads are 1 to 1024 a task");
  if (options.key_in_flight_max == 0) return wrong("key_in_flight_max is 0: give 1 or more");
  if (!takes_turns && options.key_in_flight_max != 1)
    return wrong("key_in_flight_max is for call behind key_by: leave it out, or put key_by before");
  return {};
}

Status check_lookup_options(const LookupOptions& options) {
  if (Status status = check_call_options(options.calls, "lookup"); !status.ok()) return status;
  if (options.expire < Duration(0))
    return {Code::parameter_invalid, "lookup: expire is negative: give 0 for never"};
  if (options.batch_max == 0)
    return {Code::parameter_invalid, "lookup: batch_max is 0: give 1 or more"};
  return {};
}

std::int64_t pause_before_next(const CallOptions& options, int tries) {
  constexpr std::int64_t kMostNs = 60'000'000'000;
  const std::int64_t first = std::chrono::nanoseconds(options.back_off).count();
  std::int64_t pause = first;
  for (int doubled = 1; pause > 0 && doubled < tries && pause < kMostNs; ++doubled) pause *= 2;
  return std::max(first, std::min(pause, kMostNs));
}

std::string call_note(const CallOptions& options, bool by_key) {
  std::string note =
      fmt::format("{}{}, {} in flight, time-out {}", options.ordered ? "ordered" : "unordered",
                  options.ordered && by_key ? " by key" : "", options.in_flight_max,
                  format_duration(options.time_out));
  if (options.key_in_flight_max > 1)
    note += fmt::format(", {} of a key", options.key_in_flight_max);
  if (options.tries > 1) note += fmt::format(", {} tries", options.tries);
  if (options.deadline > Duration(0)) note += ", deadline " + format_duration(options.deadline);
  return note;
}

}  // namespace millrace::detail
