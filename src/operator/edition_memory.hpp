// EditionMemory: what rules that look back, or are patterns, remember of the numbers of a key.
#pragma once

#include <algorithm>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "operator/pattern_rule.hpp"
#include "operator/pattern_tally.hpp"
#include "operator/rule_watch.hpp"

namespace millrace::detail {

/// A value that rises_by() and falls_by() of an edition look back at.
struct EditionSample {
  std::int64_t edition = 0;
  RuleSample sample;
};
struct EditionPart {
  std::int64_t edition = 0;
  std::int64_t part = 0;  ///< of the day; of a pattern's conditions each has its own
  friend auto operator<=>(const EditionPart&, const EditionPart&) = default;
};

/// What the editions remember of the numbers of the key at hand.
class EditionMemory {
 public:
  auto states() { return std::tie(recent_, usual_, partial_); }

  /// Takes a value into the memory of that edition, which was `met` before; whether it is now.
  bool is_met(std::int64_t edition, const Rule& rule, bool met, double value, Time time) {
    if (rule.looks_back()) recent_.add({edition, {time, value}});
    return meets({edition, 0}, rule, met, value, time);
  }
  /// The pattern of an edition goes on, see PatternRuleWatch::go_on; `met`: which of its conditions
  /// that remember the last value met, by bits.
  Time go_on(std::int64_t edition, PatternRuleWatch& pattern, std::uint64_t& met, Time time,
             std::optional<double> value, const PatternRuleWatch::Matched& matched) {
    std::optional<PatternValue> asked;
    if (value) {
      met = which_are_met(edition, pattern.rule(), met, *value, time);
      asked = PatternValue{*value, met};
    }
    const std::string* const its = partial_.get(edition);
    const bool had = its != nullptr;
    std::string partial = had ? *its : std::string();
    const auto [due, added] = pattern.go_on(partial, time, asked, matched);
    change_partial(added, [&] {
      if (!partial.empty()) {
        partial_.set(edition, partial);
      } else if (had) {
        partial_.erase(edition);
      }
    });
    return due;
  }
  /// Counts what the key at hand has kept, of an image.
  void count_partial() {
    MatchCounts all;
    for (const auto& [edition, kept] : partial_) all += PatternRuleWatch::count(kept);
    tally_.add(all, partial_.empty() ? 0 : 1);
  }
  PatternTally& tally() { return tally_; }
  /// What nobody looks back at any more.
  void forget_before(Time first) {
    if (!recent_.empty() && recent_.begin()->sample.time < first)
      recent_.erase_if([first](const EditionSample& one) { return one.sample.time < first; });
  }
  void forget(std::int64_t edition) {
    const auto is_its = [edition](const EditionSample& one) { return one.edition == edition; };
    if (std::ranges::any_of(recent_, is_its)) recent_.erase_if(is_its);
    std::vector<EditionPart> parts;
    for (const auto& [part, baseline] : usual_) {
      if (part.edition == edition) parts.push_back(part);
    }
    for (const EditionPart& part : parts) usual_.erase(part);
    if (const std::string* const kept = partial_.get(edition)) {
      change_partial(MatchCounts() - PatternRuleWatch::count(*kept),
                     [&] { partial_.erase(edition); });
    }
  }

 private:
  /// More than there can be.
  static constexpr std::int64_t kPartsOfDay = std::int64_t{1} << 40;

  /// What `change` adds to the partial matches of the key at hand.
  template <class Change>
  void change_partial(const MatchCounts& added, Change&& change) {
    const bool had = !partial_.empty();
    change();
    tally_.add(added, int{!partial_.empty()} - int{had});
  }

  /// Takes the value into the memory of the conditions.
  std::uint64_t which_are_met(std::int64_t edition, const PatternRule& pattern, std::uint64_t met,
                              double value, Time time) {
    if (pattern.looks_back_us() > 0) recent_.add({edition, {time, value}});
    std::uint64_t now = 0;
    for (std::size_t at = 0; at < pattern.conditions.size(); ++at) {
      const Rule& rule = pattern.conditions[at];
      if (!rule.remembers()) continue;
      const EditionPart its{edition, static_cast<std::int64_t>(at) * kPartsOfDay};
      if (meets(its, rule, (met >> at & 1) != 0, value, time)) now |= std::uint64_t{1} << at;
    }
    return now;
  }
  /// `its`: with the number of its first part of the day. The value is in `recent_`.
  bool meets(EditionPart its, const Rule& rule, bool met, double value, Time time) {
    switch (rule.kind()) {
      case Rule::Kind::above:
      case Rule::Kind::below:
        return meets_threshold(rule, met, value);
      case Rule::Kind::rises:
        return value - oldest(its.edition, rule, time) >= rule.limit();
      case Rule::Kind::falls:
        return oldest(its.edition, rule, time) - value >= rule.limit();
      default:
        its.part += part_of_day(rule, time);
        return is_unusual(its, rule, value);
    }
  }
  /// In the span that ends with the newest value.
  double oldest(std::int64_t edition, const Rule& rule, Time time) {
    const Time first = saturating_add(time, -rule.span_us());
    auto at = std::ranges::lower_bound(recent_, first, {},
                                       [](const EditionSample& one) { return one.sample.time; });
    while (at->edition != edition) ++at;
    return at->sample.value;
  }
  bool is_unusual(const EditionPart& its, const Rule& rule, double value) {
    bool unusual = false;
    usual_.update(its, [&](RuleBaseline& usual) { unusual = usual.is_unusual(value, rule); });
    return unusual;
  }

  ListState<EditionSample> recent_{{.name = "recent"}};
  MapState<EditionPart, RuleBaseline> usual_{{.name = "usual"}};
  MapState<std::int64_t, std::string> partial_{{.name = "partial"}};
  PatternTally tally_;
};

}  // namespace millrace::detail
