// Bolts by name that let rows through by their key and time: restore_order, deduplicate, ...
#include <utility>

#include "catalog/entry.hpp"
#include "catalog/row_keys.hpp"
#include "operator/row_picks.hpp"

namespace millrace::detail {
namespace {

/// The rows that `pick(keyed stream)` lets through.
template <class Pick>
MadeStreams picked(const Making& making, Pick pick) {
  const Stream<RowRef> rows =
      with_keyed_rows(*making.input, making.key,
                      [&](const auto& keyed, bool) -> Stream<RowRef> { return pick(keyed); });
  return making.same_rows(rows);
}

MadeStreams make_deduplicate(const Making& making) {
  const Duration within = making.settings.duration("within");
  return picked(making, [within](const auto& keyed) { return keyed.deduplicate(within); });
}

MadeStreams make_latest(const Making& making) {
  const Duration span = making.settings.duration("span");
  return picked(making, [span](const auto& keyed) { return keyed.latest(span); });
}

MadeStreams make_throttle(const Making& making) {
  const auto limit = static_cast<std::uint32_t>(making.settings.integer("limit"));
  const Duration per = making.settings.duration("per");
  return picked(making, [limit, per](const auto& keyed) { return keyed.throttle(limit, per); });
}

/// Of all rows, or of each key where they are grouped by fields.
MadeStreams make_restore_order(const Making& making) {
  const OrderedStream<RowRef> ordered =
      making.key.empty() ? making.input->rows.restore_order()
                         : with_keyed_rows(*making.input, making.key, [](const auto& keyed, bool) {
                             return keyed.restore_order();
                           });
  MadeStreams made = making.same_rows(ordered);
  made.streams.emplace("late", row_stream(ordered.late(), making.input->schema));
  return made;
}

void add(Entries& entries, std::string name, std::string doc, std::vector<ParamInfo> params,
         MadeStreams (*make)(const Making&), Keyed keyed) {
  Entry entry{name, EntryRole::verb, std::move(doc), std::move(params), make};
  entry.keyed = keyed;
  entries.emplace(std::move(name), std::move(entry));
}

}  // namespace

void add_pick_entries(Entries& entries) {
  add(entries, "deduplicate", "the first row of each key, then none within a span of event time",
      {{.name = "within",
        .type = ParamType::duration,
        .standard = "0s",
        .doc = "so long none passes; 0s: for all time"}},
      make_deduplicate, Keyed::needed);
  add(entries, "latest", "the latest row of each key and span of event time",
      {{.name = "span",
        .type = ParamType::duration,
        .required = true,
        .doc = "how long; a span begins with a row"}},
      make_latest, Keyed::needed);
  add(entries, "throttle", "at most so many rows of each key in any span of event time",
      {{.name = "limit",
        .type = ParamType::integer,
        .required = true,
        .doc = "how many rows",
        .least = 1,
        .most = 1e9},
       {.name = "per", .type = ParamType::duration, .required = true, .doc = "the span"}},
      make_throttle, Keyed::needed);
  add(entries, "restore_order",
      "the rows in the order of event time, all or (grouped by fields) of each key; those that "
      "come too late go to the stream late",
      {}, make_restore_order, Keyed::optional);
}

}  // namespace millrace::detail
