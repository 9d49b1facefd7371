// The bolt watch by name: a row when a rule begins to hold for a key, and when it ends.
#include "catalog/watch_entries.hpp"

#include <memory>
#include <utility>
#include <vector>

#include "catalog/row_events.hpp"
#include "catalog/row_keys.hpp"
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

MadeStreams make_watch(const Making& making) {
  const auto number = number_field(making, *making.settings.node("of"), "a rule watches a number");
  const RowSchemaPtr schema = event_schema(making, {},
                                           {{"time", ColumnType::timestamp},
                                            {"event", ColumnType::text},
                                            {"value", ColumnType::real},
                                            {"since", ColumnType::timestamp}});
  const auto rule = parse_rule(making.settings.text("rule"));
  if (const auto* const why = std::get_if<std::string>(&rule)) making.wrong("rule", *why);
  if (!number || !schema || rule.index() != 0) return MadeStreams::none();
  return with_keyed_rows(*making.input, making.key, [&](const auto& keyed, bool encoded) {
    using K = typename std::decay_t<decltype(keyed)>::K;
    const OrderedStream<RowRef> ordered = keyed.restore_order().named(making.text.id + " order");
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
                .required = true,
                .doc = "such as above(90).until_below(80).lasting(30s); rises_by(5, 1min), "
                       "silent_for(30s), deviates_by(4).by_time_of_day(1h)"}},
              make_watch};
  entry.keyed = Keyed::needed;
  entries.emplace("watch", std::move(entry));
}

}  // namespace millrace::detail
