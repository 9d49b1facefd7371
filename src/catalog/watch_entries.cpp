// The bolt watch by name: a row when a rule begins to hold for a key, and when it ends.
#include "catalog/watch_entries.hpp"

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "catalog/row_events.hpp"
#include "catalog/row_keys.hpp"
#include "millrace/rule_sets.hpp"
#include "millrace/rules.hpp"
#include "operator/rule_words.hpp"

namespace millrace::detail {
namespace {

/// Events as values of rows: time, event, value, since.
template <class K>
struct RowEventForm {
  using Emitted = Aggregate<K, RowValues>;
  static Emitted made(const RuleEvent<K>& event) {
    return {event.key,
            {event.time, std::string(event.began ? "began" : "ended"), event.value, event.since}};
  }
};

/// Events of a set of rules as values of rows: time, rule, event, cause, value, since.
template <class K>
struct RowSetEventForm {
  using Emitted = Aggregate<K, RowValues>;
  static Emitted made(const RuleSetEvent<K>& event) {
    return {event.key,
            {event.time, std::string(event.rule), std::string(word_of(event)),
             std::string(to_string(event.cause)), event.value, event.since}};
  }
};

/// The fields of rows that are rules.
struct RuleFields {
  std::size_t id = 0;
  std::size_t rule = 0;
  std::optional<std::size_t> where;

  RuleText operator()(const RowRef& row) const {
    const auto text = [&row](std::size_t field) {
      return row.is_null(field) ? std::string() : std::string(row.text(field));
    };
    return {text(id), text(rule), where ? text(*where) : std::string()};
  }
};

std::optional<RuleFields> rule_fields(const Making& making) {
  const RowSchema& schema = *making.right->schema;
  const auto text = [&schema](const char* name) {
    const auto field = schema.find(name);
    return field && schema.fields()[*field].type == ColumnType::text ? field : std::nullopt;
  };
  const auto id = text("id");
  const auto rule = text("rule");
  if (id && rule) return RuleFields{*id, *rule, text("where")};
  making.wrong("rules",
               fmt::format("the rows of \"{}\" are no rules: these have the texts id and rule, and "
                           "perhaps where",
                           making.settings.text("rules")));
  return std::nullopt;
}

/// Conditions on the rows that are watched.
RuleWhere<RowRef> where_of(const RowSchemaPtr& schema) {
  return [schema](const std::string& text) -> std::variant<RuleFilter<RowRef>, std::string> {
    auto parsed = parse_predicate(text, *schema);
    if (const auto* const error = std::get_if<ExprError>(&parsed)) return error->message;
    return RuleFilter<RowRef>(std::get<Predicate>(std::move(parsed)));
  };
}

MadeStreams make_set_watch(const Making& making, const AnyNumber& number) {
  const auto fields = rule_fields(making);
  const RowSchemaPtr schema = event_schema(making, {},
                                           {{"time", ColumnType::timestamp},
                                            {"rule", ColumnType::text},
                                            {"event", ColumnType::text},
                                            {"cause", ColumnType::text},
                                            {"value", ColumnType::real},
                                            {"since", ColumnType::timestamp}});
  if (!fields || !schema) return MadeStreams::none();
  const RuleWhere<RowRef> where = where_of(making.input->schema);
  const Stream<RuleText> rules = making.right->rows.map(*fields)
                                     .named(making.text.id + " texts")
                                     .map(ReadRules<RowRef>{where});
  return with_keyed_rows(*making.input, making.key, [&](const auto& keyed, bool encoded) {
    using Form = RowSetEventForm<typename std::decay_t<decltype(keyed)>::K>;
    const OrderedStream<RowRef> ordered = keyed.restore_order();
    const auto events =
        watched_by<Form>(static_cast<const Stream<RowRef>&>(ordered), keyed, number, rules, where);
    const NodeId id = events.from().front().node;
    emit_rows<typename Form::Emitted>(events.declaration(), id, schema, encoded);
    const RowStream rows = row_stream(events.declaration(), {{id, 0}}, schema);
    MadeStreams made = MadeStreams::of(row_stream(making.finished(rows.rows), schema));
    made.streams.emplace("late", row_stream(ordered.late(), making.input->schema));
    made.made_by = {ordered.from().front().node, rules.from().front().node};
    return made;
  });
}

MadeStreams make_watch(const Making& making) {
  const auto number = number_field(making, *making.settings.node("of"), "a rule watches a number");
  if (making.right) return number ? make_set_watch(making, *number) : MadeStreams::none();
  const RowSchemaPtr schema = event_schema(making, {},
                                           {{"time", ColumnType::timestamp},
                                            {"event", ColumnType::text},
                                            {"value", ColumnType::real},
                                            {"since", ColumnType::timestamp}});
  const std::string& text = making.settings.text("rule");
  if (is_pattern_rule(text)) {
    making.wrong("rule",
                 "this is a pattern: it may be one of rules that are data, or take the bolt match");
    return MadeStreams::none();
  }
  const auto rule = parse_rule(text);
  if (const auto* const why = std::get_if<std::string>(&rule)) making.wrong("rule", *why);
  if (!number || !schema || rule.index() != 0) return MadeStreams::none();
  return with_keyed_rows(*making.input, making.key, [&](const auto& keyed, bool encoded) {
    using K = typename std::decay_t<decltype(keyed)>::K;
    const OrderedStream<RowRef> ordered = keyed.restore_order();
    const auto events = watched<RowEventForm<K>>(ordered, keyed, *number, std::get<Rule>(rule));
    const NodeId id = events.from().front().node;
    emit_rows<typename RowEventForm<K>::Emitted>(events.declaration(), id, schema, encoded);
    const RowStream rows = row_stream(events.declaration(), {{id, 0}}, schema);
    MadeStreams made = MadeStreams::of(row_stream(making.finished(rows.rows), schema));
    made.streams.emplace("late", row_stream(ordered.late(), making.input->schema));
    made.made_by = {ordered.from().front().node};
    return made;
  });
}

}  // namespace

void add_watch_entries(Entries& entries) {
  Entry entry{"watch",
              EntryRole::verb,
              "a row when a rule begins to hold for a key, and when it ends, in the order of event "
              "time; rows that come too late go to the stream late",
              {{.name = "of", .type = ParamType::field, .required = true, .doc = "the number"},
               {.name = "rule",
                .type = ParamType::text,
                .doc = "such as above(90).until_below(80).lasting(30s); rises_by(5, 1min), "
                       "silent_for(30s), deviates_by(4).by_time_of_day(1h)"},
               {.name = "rules",
                .type = ParamType::text,
                .doc = "or a component whose rows are rules, or patterns of values, which come, "
                       "change and go: texts id, rule (empty: removed) and perhaps where, a "
                       "condition; its stream has the grouping all"}},
              make_watch};
  entry.one_of = {"rule", "rules"};
  entry.beside = "rules";
  entry.keyed = Keyed::needed;
  entries.emplace("watch", std::move(entry));
}

}  // namespace millrace::detail
