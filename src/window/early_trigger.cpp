// Validation and text of triggers of early rows.
#include "window/early_trigger.hpp"

#include <fmt/format.h>

#include <utility>
#include <vector>

namespace millrace {
namespace {

std::string every_text(EarlyTrigger::Kind kind, std::int64_t amount) {
  if (kind == EarlyTrigger::Kind::records) return fmt::format("every({})", amount);
  return fmt::format("every({}){}", detail::format_duration(Duration(amount)),
                     kind == EarlyTrigger::Kind::clock ? ".by_clock()" : "");
}

}  // namespace

Status EarlyTrigger::validate(const std::string& windows) const {
  const char* wrong = nullptr;
  for (std::size_t at = 0; at < count_; ++at) {
    if (steps_[at].amount <= 0) wrong = "every(...) and times(...) need more than 0";
  }
  if (nested_) {
    wrong =
        "times() and then() stand outside any_of and all_of: give the turns one after the other, "
        "any_of(a, b).then(c)";
  }
  if (too_long_) wrong = "its trigger has too many parts: at most 16, with any_of and then counted";
  if (wrong == nullptr) return {};
  return {Code::window_invalid, fmt::format("window {}: {}", windows, wrong)};
}

std::string EarlyTrigger::to_string() const {
  if (nested_ || too_long_) return "...";  // its steps cannot be told apart
  std::string text;  // of the turns before
  std::vector<std::string> parts;
  for (std::size_t at = 0; at < count_; ++at) {
    const auto [op, amount] = steps_[at];
    if (is_every(steps_[at])) {
      parts.push_back(every_text(static_cast<Kind>(op), amount));
    } else if (op == Op::rows) {
      std::string turn = parts.empty() ? "" : std::move(parts.back());
      if (amount != 1) turn += fmt::format(".times({})", amount);
      text = text.empty() ? std::move(turn) : fmt::format("{}.then({})", text, turn);
      parts.clear();
    } else {
      const auto joined = static_cast<std::size_t>(amount);
      const auto first = parts.end() - static_cast<std::ptrdiff_t>(joined);
      std::string all = fmt::format("{}({})", op == Op::all ? "all_of" : "any_of",
                                    fmt::join(first, parts.end(), ", "));
      parts.erase(first, parts.end());
      parts.push_back(std::move(all));
    }
  }
  if (parts.empty()) return text;
  return text.empty() ? parts.back() : fmt::format("{}.then({})", text, parts.back());
}

}  // namespace millrace
