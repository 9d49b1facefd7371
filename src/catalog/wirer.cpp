// The inputs of bolts: which streams flow there, grouped how, and what does not fit.
#include "catalog/wirer.hpp"

#include <set>
#include <utility>

#include <fmt/format.h>

#include "base/text.hpp"
#include "operator/record_rows.hpp"

namespace millrace::detail {
namespace {

bool same_fields(const RowSchema& a, const RowSchema& b) {
  if (&a == &b) return true;
  if (a.fields().size() != b.fields().size()) return false;
  for (std::size_t at = 0; at < a.fields().size(); ++at) {
    const ColumnInfo& one = a.fields()[at];
    const ColumnInfo& other = b.fields()[at];
    if (one.name != other.name || one.type != other.type || one.optional != other.optional) {
      return false;
    }
  }
  return true;
}
Grouping grouping_of(const GroupingText& text, const std::vector<std::size_t>& key) {
  if (text.type == "shuffle") return {GroupingKind::shuffle};
  if (text.type == "local_or_shuffle") return {GroupingKind::local_or_shuffle};
  if (text.type == "global") return {GroupingKind::global};
  if (text.type == "all") return {GroupingKind::all};
  if (text.type == "none") return {};
  using Key = KeyFn<RowRef, KeyFields>;
  const GroupingKind kind =
      text.type == "fields" ? GroupingKind::fields : GroupingKind::partial_key;
  return {kind, std::make_shared<const TypedKeyHash<RowRef, Key>>(Key(KeyFields(key)))};
}
bool find_key(Mistakes& mistakes, const GroupingText& grouping, const RowSchema& schema,
              std::vector<std::size_t>& key) {
  bool good = true;
  for (const ConfigNode& arg : grouping.args) {
    const auto field = schema.find(arg.text);
    if (field && schema.fields()[*field].type != ColumnType::object) {
      key.push_back(*field);
      continue;
    }
    mistakes.add(arg.place, field ? fmt::format("\"{}\" is a list: rows are grouped by numbers, "
                                                "texts, times and booleans",
                                                arg.text)
                                  : no_such_field(arg.text, schema));
    good = false;
  }
  return good;
}

}  // namespace

Wiring Wirer::wire(const ComponentText& text, const Entry& entry,
                   const std::function<bool(const StreamText&)>& belongs) {
  Wiring wiring;
  std::size_t count = 0;
  for (const StreamText& stream : file_.streams) {
    if (stream.to != text.id || (belongs && !belongs(stream))) continue;
    ++count;
    connect(stream, entry, wiring);
  }
  if (count == 0) {
    wiring.good = false;
    if (text.id.empty()) return wiring;
    mistakes_.add(text.place, fmt::format("no stream leads to \"{}\": add one, - from: ..., to: {}",
                                          text.id, text.id));
  }
  if (wiring.ranked != nullptr && count > 1) {
    mistakes_.add(text.place, fmt::format("{} reads one aggregate, \"{}\" is given {} streams",
                                          entry.name, text.id, count));
    wiring.good = false;
  }
  return wiring;
}

void Wirer::connect(const StreamText& stream, const Entry& entry, Wiring& wiring) {
  const auto from = made_.find(stream.from);
  if (from == made_.end() || !from->second.made) {
    wiring.good = false;  // its own mistake is noted
    return;
  }
  if (entry.ranks) {
    if (from->second.ranked == nullptr) {
      refuse(wiring, stream.from_place,
             fmt::format("{} ranks an aggregate of windows that nothing but top reads: \"{}\" "
                         "is none",
                         entry.name, stream.from));
      return;
    }
    wiring.ranked = from->second.ranked.get();
    wiring.schema = wiring.ranked->schema;
    return;
  }
  if (stream.grouping.stream == "errors") add_errors(stream.from, from->second);
  const auto outlet = from->second.streams.find(stream.grouping.stream);
  if (outlet == from->second.streams.end()) {
    no_such_stream(stream, from->second, wiring);
    return;
  }
  join(stream, entry, outlet->second, wiring);
}

/// The stream `errors`, the dead letters as rows, is made when it is first read.
void Wirer::add_errors(const std::string& id, MadeStreams& made) {
  if (made.streams.empty() || made.streams.count("errors")) return;
  std::set<NodeId> nodes(made.made_by.begin(), made.made_by.end());
  for (const auto& [name, outlet] : made.streams) {
    for (const Upstream& from : outlet.rows.from()) nodes.insert(from.node);
  }
  std::vector<Upstream> letters;
  for (const NodeId node : nodes) letters.push_back({node, kErrorsPort});
  Declaration& declaration = topology_.declaration();
  Node node = operator_node<RecordRows<DeadLetter>>("errors", inputs_from(letters, {}));
  node.output = &batch_type<RowRef>();
  const NodeId errors = declaration.graph.add(std::move(node));
  declaration.graph.rename(errors, id + " errors");
  made.streams.emplace("errors",
                       row_stream(declaration, {{errors, 0}}, schema_of_records<DeadLetter>()));
}

void Wirer::no_such_stream(const StreamText& stream, const MadeStreams& from, Wiring& wiring) {
  std::vector<std::string> names;
  for (const auto& [name, outlet] : from.streams) names.push_back(name.empty() ? "default" : name);
  if (names.empty()) {
    refuse(wiring, stream.from_place,
           fmt::format("\"{}\" is an end: nothing flows out of it", stream.from));
  } else if (stream.grouping.stream.empty()) {
    refuse(wiring, stream.from_place,
           fmt::format("\"{}\" has several streams, {}: say which, grouping: {{streamId: {}}}",
                       stream.from, fmt::join(names, ", "), names.front()));
  } else {
    std::vector<std::string> known = names;
    known.emplace_back("errors");
    const std::string near = nearest_word(stream.grouping.stream, known);
    refuse(wiring, stream.grouping.stream_place,
           fmt::format("\"{}\" has no stream \"{}\"{}", stream.from, stream.grouping.stream,
                       near.empty() ? fmt::format("; it has {}", fmt::join(names, ", "))
                                    : ": did you mean \"" + near + "\"?"));
  }
}

void Wirer::join(const StreamText& stream, const Entry& entry, const RowStream& rows,
                 Wiring& wiring) {
  if (!wiring.schema) wiring.schema = rows.schema;
  if (!same_fields(*wiring.schema, *rows.schema)) {
    refuse(wiring, stream.from_place,
           fmt::format("\"{}\" has other fields than the streams before it: {} is given one kind "
                       "of rows; use select to make them alike",
                       stream.from, stream.to));
    return;
  }
  std::vector<std::size_t> key;
  const bool by_fields = stream.grouping.type == "fields";
  const bool of_all = entry.keyed == Keyed::or_global && stream.grouping.type == "global";
  if (stream.grouping.type.empty() || !find_key(mistakes_, stream.grouping, *rows.schema, key) ||
      (by_fields && key.empty())) {
    wiring.good = false;  // the grouping's own mistake is noted
    return;
  }
  const bool is_keyed = entry.keyed != Keyed::no && (by_fields || of_all);
  if (!is_keyed && (entry.keyed == Keyed::needed || entry.keyed == Keyed::or_global)) {
    refuse(wiring, stream.grouping.place,
           fmt::format("{} works by key: give its stream the grouping {{type: fields, args: "
                       "[field]}}{}",
                       entry.name,
                       entry.keyed == Keyed::or_global ? ", or global for one of all rows" : ""));
    return;
  }
  if (entry.keyed != Keyed::no && !is_keyed) key.clear();
  if (entry.keyed != Keyed::no && !wiring.from.empty() && wiring.key != key) {
    refuse(wiring, stream.grouping.place,
           fmt::format("the streams to \"{}\" are grouped by different fields", stream.to));
    return;
  }
  wiring.key = key;
  for (Upstream from : rows.rows.from()) {
    from.grouping = is_keyed ? Grouping{} : grouping_of(stream.grouping, key);
    wiring.from.push_back(from);
  }
}

void Wirer::refuse(Wiring& wiring, const Place& place, std::string message) {
  wiring.good = false;
  mistakes_.add(place, std::move(message));
}

}  // namespace millrace::detail
