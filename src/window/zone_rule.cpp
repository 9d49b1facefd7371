// Reading the rules of time zones, and the days on which clocks change.
#include "window/zone_rule.hpp"

#include "base/civil_date.hpp"
#include "base/time_unit.hpp"

namespace millrace::detail {
namespace {

/// Eats a rule from the left; what does not fit leaves `good` false.
class RuleReader {
 public:
  explicit RuleReader(std::string_view text) : text_(text) {}

  bool good = true;

  bool done() const { return text_.empty(); }
  bool next_is(char wanted) const { return !text_.empty() && text_.front() == wanted; }
  bool eat(char wanted) {
    if (!next_is(wanted)) return false;
    text_.remove_prefix(1);
    return true;
  }
  void need(char wanted) { good &= eat(wanted); }

  /// "CET" or "<+03>".
  void name() {
    const bool quoted = eat('<');
    std::size_t length = 0;
    while (length < text_.size() && (quoted ? text_[length] != '>' : is_letter(text_[length])))
      ++length;
    good &= length >= 3;
    text_.remove_prefix(length);
    if (quoted) need('>');
  }
  int number(int most) {
    int value = 0;
    bool any = false;
    for (; !text_.empty() && text_.front() >= '0' && text_.front() <= '9'; any = true) {
      value = value * 10 + (text_.front() - '0');
      if (value > most) good = false;
      if (!good) return 0;
      text_.remove_prefix(1);
    }
    good &= any;
    return value;
  }
  /// "-3", "2:30" or "1:02:03", in microseconds.
  std::int64_t clock() {
    const bool minus = eat('-');
    if (!minus) eat('+');
    std::int64_t seconds = number(167) * 3'600;
    if (eat(':')) seconds += number(59) * 60;
    if (eat(':')) seconds += number(59);
    return (minus ? -seconds : seconds) * kSecondUs;
  }
  /// ",M3.5.0/2"
  YearlyDay day() {
    need(',');
    YearlyDay day{YearlyDay::Kind::day_of_year, 0, 0, 0, 2 * 3'600 * kSecondUs};
    if (eat('M')) {
      day.kind = YearlyDay::Kind::day_of_month;
      day.month = number(12);
      need('.');
      day.week = number(5);
      need('.');
      day.day = number(6);
      good &= day.month >= 1 && day.week >= 1;
    } else if (eat('J')) {
      day.kind = YearlyDay::Kind::no_leap_day;
      day.day = number(365);
      good &= day.day >= 1;
    } else {
      day.day = number(365);
    }
    if (eat('/')) day.clock = clock();
    return day;
  }

 private:
  static bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

  std::string_view text_;
};

/// Days since 1970; in range for every year of Time.
std::int64_t day_in(std::int64_t year, const YearlyDay& when) {
  const std::int64_t first = days_from_civil(year, 1, 1);
  if (when.kind == YearlyDay::Kind::day_of_year) return first + when.day;
  if (when.kind == YearlyDay::Kind::no_leap_day)
    return first + when.day - 1 + (is_leap(year) && when.day >= 60 ? 1 : 0);
  const auto month = static_cast<unsigned>(when.month);
  const std::int64_t first_of_month = days_from_civil(year, month, 1);
  const std::int64_t ahead = when.day - std::int64_t{weekday_of(first_of_month)};
  std::int64_t day = first_of_month + (ahead < 0 ? ahead + 7 : ahead) + 7 * (when.week - 1);
  if (day >= first_of_month + std::int64_t{days_in_month(year, month)})
    day -= 7;  // the last of four
  return day;
}

}  // namespace

std::optional<ZoneRule> ZoneRule::parse(std::string_view text) {
  RuleReader in(text);
  in.name();
  ZoneRule rule{-in.clock(), std::nullopt};
  if (in.good && !in.done()) {
    in.name();
    const bool own = !in.next_is(',');
    const std::int64_t offset = own ? -in.clock() : rule.offset + 3'600 * kSecondUs;
    const YearlyDay begins = in.day();
    rule.summer = Summer{offset, begins, in.day()};
  }
  if (!in.good || !in.done()) return std::nullopt;
  return rule;
}

void ZoneRule::add_changes(std::int64_t year, std::vector<ZoneChange>& changes) const {
  if (!summer) return;
  const Time begins = day_in(year, summer->begins) * kDayUs + summer->begins.clock - offset;
  const Time ends = day_in(year, summer->ends) * kDayUs + summer->ends.clock - summer->offset;
  changes.push_back({begins, summer->offset});
  changes.push_back({ends, offset});
}

}  // namespace millrace::detail
