// RuleSetWatch: rules that come, change and go, over the numbers of each key in the order of event
// time.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "operator/broadcast_side.hpp"
#include "operator/edition_memory.hpp"
#include "operator/pattern_rule.hpp"
#include "operator/rule_set.hpp"
#include "operator/rule_watch.hpp"
#include "operator/rule_words.hpp"

namespace millrace {

/// That a rule of a set began to hold for a key, or ended; or that the values of a key made the
/// pattern that a rule is.
template <class K>
struct RuleSetEvent {
  K key{};
  std::string_view rule;  ///< its id
  bool began = false;
  RuleCause cause = RuleCause::value;
  double value = 0;           ///< the key's latest one of the records that the rule is for
  Timestamp since{kTimeMin};  ///< when it was first met; of silence the last value's time
  Timestamp time{kTimeMin};   ///< when it began, or ended
  /// Of a pattern, whose first value is of `since` and whose last one is `value`: it neither begins
  /// nor ends.
  bool matched = false;
};

namespace detail {

/// "began", "ended" or "matched".
template <class K>
std::string_view word_of(const RuleSetEvent<K>& event) {
  if (event.matched) return "matched";
  return event.began ? "began" : "ended";
}

/// A rule that holds. Each text that comes is an edition of its own, by which keys know it.
struct RuleEdition {
  std::int64_t edition = 0;
  std::string rule;
  std::string where;
};
/// One that holds no more; keys that know it are told at once.
struct RuleGone {
  std::string id;
  RuleCause cause = RuleCause::removed;
};
/// How a key stands with an edition.
struct EditionState {
  RuleState stands;
  Time due = kTimeMax;    ///< of its timer
  std::uint64_t met = 0;  ///< conditions of a pattern that remember, which its last value met
};

/// Emits events as they are.
template <class K>
struct SetEventForm {
  using Emitted = RuleSetEvent<K>;
  static Emitted made(RuleSetEvent<K> event) { return event; }
};

/// A rule as it is read; the same for all keys.
template <class T>
struct ReadRule {
  std::int64_t edition = 0;
  std::string id;
  Rule rule;
  RuleFilter<T> is_for;                                 ///< empty: for all
  std::shared_ptr<PatternRuleWatch> pattern = nullptr;  ///< in place of the rule
};

/// The rules of the moment, the same in all tasks.
template <class T>
class RuleTexts {
 public:
  explicit RuleTexts(RuleWhere<T> where) : where_(std::move(where)) {}

  auto states() { return std::tie(rules_, gone_, counted_); }

  /// Rules of a time come before its records.
  void take(const RuleText& text, Time own_time) {
    const Time time = std::max(own_time, floor_);
    if (time > changed_at_) gone_.clear();
    const RuleEdition* const before = rules_.get(text.id);
    const bool same = before != nullptr && before->rule == text.rule && before->where == text.where;
    if (same || (before == nullptr && text.rule.empty())) return;
    if (before != nullptr) {
      const bool removed = text.rule.empty();
      gone_.set(before->edition, {text.id, removed ? RuleCause::removed : RuleCause::changed});
      changed_ = changed_at_ = time;
    }
    std::int64_t edition = 0;
    counted_.update(0, [&](std::int64_t& count) { edition = ++count; });
    if (text.rule.empty()) {
      rules_.erase(text.id);
    } else {
      rules_.set(text.id, {edition, text.rule, text.where});
    }
  }
  /// By id. Texts become rules again when one has come, and in a run that goes on.
  const std::vector<ReadRule<T>>& read() {
    const std::int64_t* const count = counted_.get(0);
    if (count == nullptr || *count == read_at_) return read_;
    read_.clear();
    longest_us_ = 0;
    for (const auto& [id, edition] : rules_) {
      if (is_pattern_rule(edition.rule)) {
        read_pattern(id, edition);
        continue;
      }
      const auto parsed = parse_rule(edition.rule);
      if (parsed.index() != 0) continue;  // of an image of another version: see check_rule()
      const Rule& rule = std::get<Rule>(parsed);
      read_.push_back({edition.edition, id, rule, filter_of(edition.where)});
      if (rule.looks_back()) longest_us_ = std::max(longest_us_, rule.span_us());
    }
    read_at_ = *count;
    return read_;
  }
  /// So far a rule looks back.
  std::int64_t longest_us() const { return longest_us_; }
  /// The editions that went last, and why.
  const auto& gone() { return gone_.all(); }
  /// When rules changed or went since this was asked; nullopt: none did.
  std::optional<Time> take_change() { return std::exchange(changed_, std::nullopt); }
  /// What comes late holds from then on.
  void set_floor(Time watermark) { floor_ = watermark; }

 private:
  void read_pattern(const std::string& id, const RuleEdition& edition) {
    auto parsed = parse_pattern_rule(edition.rule);
    if (parsed.index() != 0) return;  // the same
    auto watch = std::make_shared<PatternRuleWatch>(std::get<PatternRule>(std::move(parsed)));
    longest_us_ = std::max(longest_us_, watch->rule().looks_back_us());
    read_.push_back({edition.edition, id, above(0), filter_of(edition.where), std::move(watch)});
  }
  RuleFilter<T> filter_of(const std::string& where) const {
    if (where.empty()) return {};
    const auto filter = where_(where);
    if (filter.index() != 0) return [](const T&) { return false; };
    return std::get<RuleFilter<T>>(filter);
  }

  RuleWhere<T> where_;
  BroadcastState<std::string, RuleEdition> rules_;      ///< by id
  BroadcastState<std::int64_t, RuleGone> gone_;         ///< of the last time that any went
  BroadcastState<std::int64_t, std::int64_t> counted_;  ///< editions so far, at 0
  std::vector<ReadRule<T>> read_;
  std::int64_t read_at_ = -1;  ///< how many editions there had been
  std::int64_t longest_us_ = 0;
  std::optional<Time> changed_;
  Time changed_at_ = kTimeMin;
  Time floor_ = kTimeMin;
};

/// The events of editions, for the key at hand.
template <class K, class Form>
struct EditionEvents {
  using Emitted = typename Form::Emitted;

  static void begin(const std::string& id, RuleState& stands, Time time, KeyedContext<K>& context,
                    Output<Emitted>& out) {
    stands.began = true;
    emit(id, stands, RuleCause::value, time, context, out);
  }
  static void end(const std::string& id, RuleState& stands, RuleCause cause,
                  KeyedContext<K>& context, Output<Emitted>& out) {
    if (!stands.began) return;
    stands.began = false;
    emit(id, stands, cause, context.time(), context, out);
  }
  static void emit(const std::string& id, const RuleState& stands, RuleCause cause, Time time,
                   KeyedContext<K>& context, Output<Emitted>& out, bool matched = false) {
    out.emit(Form::made({key_held_by(context.key(), out), out.intern(id), stands.began, cause,
                         stands.value, Timestamp{stands.since}, Timestamp{time}, matched}));
  }
};

/// Run by a RuleSetProcess, which sees to it that keys are told of what changed at once.
template <class T, class K, class Number, class Form = SetEventForm<K>>
class RuleSetWatch {
 public:
  using Emitted = typename Form::Emitted;
  using Events = EditionEvents<K, Form>;

  RuleSetWatch(Number number, RuleWhere<T> where)
      : number_(std::move(number)), texts_(std::move(where)) {}

  auto states() { return std::tuple_cat(texts_.states(), memory_.states(), std::tie(stands_)); }
  RuleTexts<T>& texts() { return texts_; }
  EditionMemory& memory() { return memory_; }
  /// Whether the key at hand knows a rule that is no more.
  bool knows_gone() {
    return std::ranges::any_of(texts_.gone(),
                               [this](const auto& gone) { return stands_.contains(gone.first); });
  }

  void on_broadcast(const RuleText& text, BroadcastContext& context, Output<Emitted>&) {
    texts_.take(text, context.time());
  }
  void process(const T& record, KeyedContext<K>& context, Output<Emitted>& out) {
    end_gone(context, out);
    const double value = number_or_nan(std::invoke(number_, record));
    if (std::isnan(value)) return;
    const auto& rules = texts_.read();
    memory_.forget_before(saturating_add(context.time(), -texts_.longest_us()));
    for (const ReadRule<T>& rule : rules) {
      if (rule.is_for && !rule.is_for(record)) continue;
      EditionState now = stands_of(rule);
      if (rule.pattern) {
        follow(rule, now, value, context.time(), context, out);
        continue;
      }
      if (rule.rule.kind() == Rule::Kind::silent) {
        heard(rule, now, value, context, out);
      } else {
        judge(rule, now, value, context, out);
      }
      keep(rule, now);
    }
  }
  void on_timer(Time time, KeyedContext<K>& context, Output<Emitted>& out) {
    end_gone(context, out);
    for (const ReadRule<T>& rule : texts_.read()) {
      EditionState now = stands_of(rule);
      if (now.due != time) continue;
      if (rule.pattern) {
        now.due = kTimeMax;
        follow(rule, now, std::nullopt, time, context, out);
        continue;
      }
      ring(rule, now, time, context, out);
      keep(rule, now);
    }
  }

 private:
  EditionState stands_of(const ReadRule<T>& rule) {
    const EditionState* const its = stands_.get(rule.edition);
    return its != nullptr ? *its : EditionState();
  }
  /// A threshold that is not met has nothing to remember.
  void keep(const ReadRule<T>& rule, const EditionState& now) {
    const Rule::Kind kind = rule.rule.kind();
    const bool threshold = kind == Rule::Kind::above || kind == Rule::Kind::below;
    if (!threshold || now.stands.met) return stands_.set(rule.edition, now);
    if (stands_.contains(rule.edition)) stands_.erase(rule.edition);
  }

  /// Of a pattern: what it has begun, with a value or without.
  void follow(const ReadRule<T>& rule, EditionState& now, std::optional<double> value, Time time,
              KeyedContext<K>& context, Output<Emitted>& out) {
    const auto matched = [&](double last, Time since, Time at) {
      const RuleState stands{.since = since, .value = last};
      Events::emit(rule.id, stands, RuleCause::value, at, context, out, true);
    };
    const Time due = memory_.go_on(rule.edition, *rule.pattern, now.met, time, value, matched);
    if (due != now.due) {
      let_go(rule.edition, now, context);
      if (due != kTimeMax) wait(now, due, context);
    }
    // What is remembered is forgotten with what the key knows of the edition.
    if (due != kTimeMax || rule.pattern->rule().remembers()) return stands_.set(rule.edition, now);
    if (stands_.contains(rule.edition)) stands_.erase(rule.edition);
  }

  void judge(const ReadRule<T>& rule, EditionState& now, double value, KeyedContext<K>& context,
             Output<Emitted>& out) {
    const Time time = context.time();
    const bool met = memory_.is_met(rule.edition, rule.rule, now.stands.met, value, time);
    now.stands.value = value;
    if (met == now.stands.met) return;
    now.stands.met = met;
    if (!met) {
      let_go(rule.edition, now, context);
      return Events::end(rule.id, now.stands, RuleCause::value, context, out);
    }
    now.stands.since = time;
    if (rule.rule.lasting_us() == 0) return Events::begin(rule.id, now.stands, time, context, out);
    wait(now, saturating_add(time, rule.rule.lasting_us()), context);
  }
  /// A value came, so there is no silence; the timer that is set looks again when it is due.
  void heard(const ReadRule<T>& rule, EditionState& now, double value, KeyedContext<K>& context,
             Output<Emitted>& out) {
    now.stands.value = value;
    Events::end(rule.id, now.stands, RuleCause::value, context, out);
    now.stands.since = context.time();
    if (now.due == kTimeMax)
      wait(now, saturating_add(context.time(), rule.rule.span_us()), context);
  }
  void ring(const ReadRule<T>& rule, EditionState& now, Time time, KeyedContext<K>& context,
            Output<Emitted>& out) {
    now.due = kTimeMax;
    if (rule.rule.kind() == Rule::Kind::silent) {
      const Time due = saturating_add(now.stands.since, rule.rule.span_us());
      if (due > time) return wait(now, due, context);
    }
    Events::begin(rule.id, now.stands, time, context, out);
  }

  static void wait(EditionState& now, Time due, KeyedContext<K>& context) {
    now.due = due;
    context.timers().at(due);
  }
  /// A timer may be that of several editions.
  void let_go(std::int64_t edition, EditionState& now, KeyedContext<K>& context) {
    const Time due = std::exchange(now.due, kTimeMax);
    if (due == kTimeMax) return;
    const bool others = std::ranges::any_of(stands_, [&](const auto& other) {
      return other.first != edition && other.second.due == due;
    });
    if (!others) context.timers().remove(due);
  }
  /// Editions that are no more end at the time at hand, and are forgotten.
  void end_gone(KeyedContext<K>& context, Output<Emitted>& out) {
    for (const auto& [edition, gone] : texts_.gone()) {
      const EditionState* const its = stands_.get(edition);
      if (its == nullptr) continue;
      EditionState now = *its;
      let_go(edition, now, context);
      Events::end(gone.id, now.stands, gone.cause, context, out);
      stands_.erase(edition);
      memory_.forget(edition);
    }
  }

  Number number_;
  RuleTexts<T> texts_;
  EditionMemory memory_;
  MapState<std::int64_t, EditionState> stands_{{.name = "stands"}};
};

template <class K>
struct RowShape<RuleSetEvent<K>> {
  static std::vector<ColumnInfo> columns(const RowNames& names) {
    std::vector<ColumnInfo> columns = {{"time", ColumnType::timestamp}};
    append_part_columns<K>(columns, names.keys);
    for (const char* text : {"rule", "event", "cause"}) columns.push_back({text, ColumnType::text});
    columns.push_back({"value", ColumnType::real});
    columns.push_back({"since", ColumnType::timestamp});
    return columns;
  }
  template <class Visit>
  static void visit_cells(const RuleSetEvent<K>& event, const Visit& visit) {
    visit(event.time);
    visit_part(event.key, visit);
    visit(event.rule);
    visit(word_of(event));
    visit(to_string(event.cause));
    visit(event.value);
    visit(event.since);
  }
  static std::optional<std::pair<Time, Time>> window(const RuleSetEvent<K>&) {
    return std::nullopt;
  }
};

}  // namespace detail
}  // namespace millrace
