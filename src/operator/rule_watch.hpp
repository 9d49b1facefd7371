// RuleWatch: a rule over the numbers of each key, which come in the order of event time.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "operator/number_or_nan.hpp"
#include "operator/processor.hpp"
#include "operator/row_shape.hpp"
#include "operator/rule.hpp"

namespace millrace {

/// That a rule began to hold for a key, or ended.
template <class K>
struct RuleEvent {
  K key{};
  bool began = false;
  double value = 0;           ///< the key's latest one
  Timestamp since{kTimeMin};  ///< when it was first met; of silence the last value's time
  Timestamp time{kTimeMin};   ///< when it began, or ended
};

namespace detail {

/// What is usual for a key, by values with exponentially falling weights.
struct RuleBaseline {
  double mean = 0;
  double variance = 0;
  std::int64_t values = 0;

  /// How far the value lies from the mean, then counts it. The first values weigh as much as each
  /// other (West 1979, as Finch 2009 gives it for such weights).
  bool is_unusual(double value, const Rule& rule) {
    const double away = value - mean;
    const bool unusual = values >= rule.records() &&
                         std::abs(away) > rule.limit() * std::sqrt(variance) &&
                         std::abs(away) >= rule.distance();
    const double weight = std::max(2.0 / static_cast<double>(rule.records() + 1),
                                   1.0 / static_cast<double>(values + 1));
    mean += weight * away;
    variance = (1 - weight) * (variance + weight * away * away);
    ++values;
    return unusual;
  }
};

/// Whether the threshold of above() or below() is met, which was `met` before.
inline bool meets_threshold(const Rule& rule, bool met, double value) {
  if (rule.kind() == Rule::Kind::above)
    return met && rule.has_until() ? value >= rule.until() : value > rule.limit();
  return met && rule.has_until() ? value <= rule.until() : value < rule.limit();
}
/// The number of the part of the day that has a baseline of its own.
inline std::int64_t part_of_day(const Rule& rule, Time time) {
  constexpr std::int64_t kDay = std::chrono::microseconds(std::chrono::hours(24)).count();
  const std::int64_t of_day = ((time % kDay) + kDay) % kDay;
  return rule.part_of_day_us() > 0 ? of_day / rule.part_of_day_us() : 0;
}

/// A value of the span that rises_by() and falls_by() look back over.
struct RuleSample {
  Time time = 0;
  double value = 0;
};

/// How a key stands with its rule. Of silence `met` says that a timer is set.
struct RuleState {
  bool met = false;
  bool began = false;
  Time since = 0;
  double value = 0;
};

/// `out` holds the texts of the key.
template <class K, class Out>
K key_held_by(const K& key, Output<Out>& out) {
  if constexpr (std::is_same_v<K, std::string_view>) {
    return out.intern(key);
  } else if constexpr (requires { std::tuple_size<K>::value; }) {
    return std::apply([&out](const auto&... part) { return K(key_held_by(part, out)...); }, key);
  } else {
    return key;
  }
}

/// Emits events as they are.
template <class K>
struct EventForm {
  using Emitted = RuleEvent<K>;
  static Emitted made(RuleEvent<K> event) { return event; }
};

/// Of a record `Number` takes a number or an optional one; what is absent or no number is passed
/// over.
template <class T, class K, class Number, class Form = EventForm<K>>
struct RuleWatch {
  using Emitted = typename Form::Emitted;

  Rule rule;
  Number number;
  ValueState<RuleState> state{{.name = "state"}};
  ListState<RuleSample> recent{{.name = "recent"}};
  MapState<std::int64_t, RuleBaseline> usual{{.name = "usual"}};

  auto states() { return std::tie(state, recent, usual); }

  void process(const T& record, KeyedContext<K>& context, Output<Emitted>& out) {
    const double value = number_or_nan(std::invoke(number, record));
    if (std::isnan(value)) return;
    RuleState now = state.value_or({});
    if (rule.kind() == Rule::Kind::silent) {
      heard(now, value, context, out);
    } else {
      judge(now, value, is_met(now, value, context.time()), context, out);
    }
    state.set(now);
  }

  void on_timer(Time time, KeyedContext<K>& context, Output<Emitted>& out) {
    RuleState now = *state;
    if (rule.kind() == Rule::Kind::silent) {
      const Time due = saturating_add(now.since, rule.span_us());
      if (due > time) return context.timers().at(due);
      now.met = false;
    }
    begin(now, time, context, out);
    state.set(now);
  }

 private:
  bool is_met(const RuleState& now, double value, Time time) {
    switch (rule.kind()) {
      case Rule::Kind::above:
      case Rule::Kind::below:
        return meets_threshold(rule, now.met, value);
      case Rule::Kind::rises:
        return value - oldest(value, time) >= rule.limit();
      case Rule::Kind::falls:
        return oldest(value, time) - value >= rule.limit();
      default:
        return is_unusual(value, time);
    }
  }
  /// Of the span that ends with this value.
  double oldest(double value, Time time) {
    const Time first = saturating_add(time, -rule.span_us());
    if (!recent.empty() && recent.begin()->time < first)
      recent.erase_if([first](const RuleSample& sample) { return sample.time < first; });
    recent.add({time, value});
    return recent.begin()->value;
  }
  bool is_unusual(double value, Time time) {
    bool unusual = false;
    usual.update(part_of_day(rule, time),
                 [&](RuleBaseline& its) { unusual = its.is_unusual(value, rule); });
    return unusual;
  }

  void judge(RuleState& now, double value, bool met, KeyedContext<K>& context,
             Output<Emitted>& out) {
    now.value = value;
    if (met == now.met) return;
    now.met = met;
    if (!met) {
      if (!now.began) context.timers().remove(saturating_add(now.since, rule.lasting_us()));
      return end(now, context, out);
    }
    now.since = context.time();
    if (rule.lasting_us() == 0) return begin(now, now.since, context, out);
    context.timers().at(saturating_add(now.since, rule.lasting_us()));
  }
  /// A value came, so there is no silence; the timer that is set looks again when it is due.
  void heard(RuleState& now, double value, KeyedContext<K>& context, Output<Emitted>& out) {
    now.value = value;
    end(now, context, out);
    now.since = context.time();
    if (now.met) return;
    now.met = true;
    context.timers().at(saturating_add(now.since, rule.span_us()));
  }

  void begin(RuleState& now, Time time, KeyedContext<K>& context, Output<Emitted>& out) {
    now.began = true;
    emit(now, time, context, out);
  }
  void end(RuleState& now, KeyedContext<K>& context, Output<Emitted>& out) {
    if (!now.began) return;
    now.began = false;
    emit(now, context.time(), context, out);
  }
  void emit(const RuleState& now, Time time, KeyedContext<K>& context, Output<Emitted>& out) {
    out.emit(Form::made({key_held_by(context.key(), out), now.began, now.value,
                         Timestamp{now.since}, Timestamp{time}}));
  }
};

template <class K>
struct RowShape<RuleEvent<K>> {
  static std::vector<ColumnInfo> columns(const RowNames& names) {
    std::vector<ColumnInfo> columns = {{"time", ColumnType::timestamp}};
    append_part_columns<K>(columns, names.keys);
    columns.push_back({"event", ColumnType::text});
    columns.push_back({"value", ColumnType::real});
    columns.push_back({"since", ColumnType::timestamp});
    return columns;
  }
  template <class Visit>
  static void visit_cells(const RuleEvent<K>& event, const Visit& visit) {
    visit(event.time);
    visit_part(event.key, visit);
    visit(std::string_view(event.began ? "began" : "ended"));
    visit(event.value);
    visit(event.since);
  }
  static std::optional<std::pair<Time, Time>> window(const RuleEvent<K>&) { return std::nullopt; }
};

}  // namespace detail
}  // namespace millrace
