// Random patterns by name find in random rows what the model of typed patterns finds, whatever the
// schedule, and go on where they were when they are cut at random places.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "../property/match_model.hpp"
#include "../property/operator_cuts.hpp"
#include "millrace/millrace.hpp"
#include "millrace/yaml.hpp"

namespace millrace::property {
namespace {

/// An event with what conditions ask of it as members of their own.
struct Lettered {
  Timestamp time;
  std::int32_t key = 0;
  std::string name;
  std::int64_t number = 0;
  std::int32_t kind = 0;
  std::optional<std::int32_t> value;
};

using detail::PatternShape;
using detail::StageKind;
using detail::StageShape;

bool takes(const std::vector<StageShape>& stages, const std::string& name) {
  return std::ranges::any_of(stages, [&](const StageShape& stage) {
    return stage.kind == StageKind::group ? takes(stage.stages, name)
                                          : stage.kind == StageKind::single && stage.name == name;
  });
}

/// A drawn pattern as a person would write it.
class YamlPattern {
 public:
  explicit YamlPattern(const DrawnPattern& drawn) : drawn_(drawn) {}

  std::string parameters() const {
    const PatternShape& shape = drawn_.shape;
    std::string text = "stages: [" + list(shape.stages) + "]";
    if (shape.within.count() > 0) text += fmt::format(", within: {}us", shape.within.count());
    if (shape.within_neighbours.count() > 0)
      text += fmt::format(", within_neighbours: {}us", shape.within_neighbours.count());
    const std::string stage = "(" + shape.skip_stage + ")";
    const std::string rules[] = {"", "to_next", "past_last", "to_first" + stage, "to_last" + stage};
    const std::string& rule = rules[static_cast<std::size_t>(shape.after_match)];
    return rule.empty() ? text : text + ", skip: " + rule;
  }

 private:
  std::string list(const std::vector<StageShape>& stages) const {
    std::string text;
    for (const StageShape& stage : stages)
      text += (text.empty() ? "" : ", ") + one(stage, &stage == &stages.front());
    return text;
  }
  std::string one(const StageShape& stage, bool is_first) const {
    constexpr const char* kWords[] = {"next", "followed_by", "followed_by_any"};
    std::string word = is_first ? "begin" : kWords[static_cast<std::size_t>(stage.contiguity)];
    if (stage.kind == StageKind::not_next) word = "not_next";
    if (stage.kind == StageKind::not_followed_by) word = "not_followed_by";
    std::string text = "{" + word + ": ";
    text += stage.kind == StageKind::group ? "[" + list(stage.stages) + "]" : stage.name;
    if (stage.condition != detail::kNoCondition) text += ", where: " + condition(stage.condition);
    if (stage.lasting.count() > 0) text += fmt::format(", lasting: {}us", stage.lasting.count());
    if (stage.until != detail::kNoCondition) text += ", until: " + condition(stage.until);
    if (stage.times_max == detail::kAnyTimes) {
      text += stage.times_min == 1 ? ", one_or_more: true"
                                   : fmt::format(", times_or_more: {}", stage.times_min);
    } else if (stage.times_max > stage.times_min) {
      text += fmt::format(", times: [{}, {}]", stage.times_min, stage.times_max);
    } else if (stage.times_max > 1) {
      text += fmt::format(", times: {}", stage.times_max);
    }
    if (stage.times_max > 1 && stage.inner == Contiguity::next) text += ", consecutive: true";
    if (stage.times_max > 1 && stage.inner == Contiguity::followed_by_any)
      text += ", allow_combinations: true";
    if (stage.optional) text += ", optional: true";
    if (stage.greedy) text += ", greedy: true";
    return text + "}";
  }
  std::string condition(std::uint32_t number) const {
    const Asked& asked = drawn_.conditions[number];
    std::vector<int> kinds;
    for (int kind = 0; kind < 4; ++kind) {
      if ((asked.kinds >> kind & 1) != 0) kinds.push_back(kind);
    }
    std::string text = fmt::format("kind in ({})", fmt::join(kinds, ", "));
    if (asked.looks_back) text += " and (count() = 0 or not value < last(value))";
    if (asked.by_count && takes(drawn_.shape.stages, asked.stage))
      text += fmt::format(" and count({}) < 3", asked.stage);
    return "\"" + text + "\"";
  }

  const DrawnPattern& drawn_;
};

void add_names(const std::vector<StageShape>& stages, std::vector<std::string>& names) {
  for (const StageShape& stage : stages) {
    if (stage.kind == StageKind::single) names.push_back(stage.name);
    add_names(stage.stages, names);
  }
}
std::vector<std::string> names_in(const PatternShape& shape) {
  std::vector<std::string> names;
  add_names(shape.stages, names);
  return names;
}

std::vector<std::vector<Lettered>> lettered(const Partitions& partitions) {
  std::vector<std::vector<Lettered>> all;
  for (const auto& partition : partitions) {
    auto& rows = all.emplace_back();
    for (const Event& event : partition) {
      const Letter letter = letter_of(event);
      rows.push_back({{event.time},
                      event.key,
                      std::string(event.name),
                      event.number,
                      letter.kind,
                      letter.value});
    }
  }
  return all;
}

/// A bolt `found` with those parameters over `letters`.
Topology topology_of(const std::string& parameters, const std::string& key, const Input& input) {
  const std::string text = fmt::format(
      R"(
name: patterns
spouts:
  - {{id: in, type: letters, with: {{event_time: {{field: time, out_of_order: {}us}}}}}}
bolts:
  - {{id: found, type: match, with: {{{}}}}}
  - {{id: shown, type: view}}
streams:
  - {{from: in, to: found, grouping: {{type: fields, args: [{}]}}}}
  - {{from: found, to: shown}}
)",
      input.out_of_order, parameters, key);
  YamlOptions options;
  options.components.spout("letters", "rows that were drawn", {},
                           [letters = lettered(input.partitions), tasks = input.tasks](
                               const Parameters&) { return records(letters, tasks); });
  Result<Topology> topology = topology_from_yaml(text, options);
  if (!topology) throw Error(topology.error());
  return *std::move(topology);
}

detail::NodeId found_in(Topology& topology) {
  const auto& nodes = topology.declaration().graph.nodes();
  const auto at = std::ranges::find(nodes, "found", &detail::Node::name);
  return static_cast<detail::NodeId>(at - nodes.begin());
}

std::string json(const RowRef& row) {
  std::string text;
  detail::append_row_json(text, row);
  return text;
}

/// `rows`: one or all.
void declare(const MatchCase& drawn, const std::string& rows, Topology& topology, Rows& out) {
  std::string values = "records: count(), first_name: first(name), last_number: last(number)";
  for (const std::string& stage : names_in(drawn.drawn.shape)) {
    values += fmt::format(", {0}_first: first({0}.number), {0}_last: {0}.number, {0}_n: count({0})",
                          stage);
  }
  topology = topology_of(fmt::format("{}, values: {{{}}}, rows: {}",
                                     YamlPattern(drawn.drawn).parameters(), values, rows),
                         "key", drawn.input);
  const detail::NodeId found = found_in(topology);
  const char* const ports[] = {"matches", "late", "over"};
  for (std::uint32_t port = 0; port < 3; ++port) {
    Stream<RowRef>(topology.declaration(), {{found, port}})
        .to(each(
            [list = &out[ports[port]]](const RowRef& row) { list->push_back({json(row), 0}); }));
  }
}

std::string text_json(const std::string& text) {
  std::string out;
  detail::append_json_string(out, text);
  return out;
}
std::string time_json(Time time) { return "\"" + detail::format_iso_time(time) + "\""; }
std::string row_json(const ModelRecord& record) {
  const Letter letter = letter_of(record.event());
  return fmt::format(R"("time":{},"key":{},"name":{},"number":{},"kind":{},"value":{})",
                     time_json(record.time), record.key, text_json(record.name), record.number,
                     letter.kind, letter.value);
}
/// The values of a match, as its rows show them.
std::string values_json(const ModelMatch& match, const std::vector<std::string>& stages) {
  const auto& records = match.records;
  std::string text =
      fmt::format(R"("records":{},"first_name":{},"last_number":{})", records.size(),
                  text_json(records.front().second.name), records.back().second.number);
  for (const std::string& stage : stages) {
    std::string first = "null";
    std::string last = "null";
    int count = 0;
    for (const auto& [its, record] : records) {
      if (its != stage) continue;
      last = std::to_string(record.number);
      if (count++ == 0) first = last;
    }
    text +=
        fmt::format(R"(,"{0}_first":{1},"{0}_last":{2},"{0}_n":{3})", stage, first, last, count);
  }
  return text;
}

Rows model(const MatchCase& drawn, const std::string& mode) {
  const std::vector<std::string> stages = names_in(drawn.drawn.shape);
  const ModelMatches model = model_matches(drawn);
  Rows rows{{"matches", {}}, {"over", {}}, {"late", {}}};
  for (const ModelMatch& match : model.matches) {
    auto& list = rows[match.whole ? "matches" : "over"];
    const std::string values = values_json(match, stages);
    if (mode == "one") {
      list.push_back(
          {fmt::format(R"({{"key":{},"time":{},{}}})", match.key, time_json(match.time), values),
           0});
      continue;
    }
    for (std::size_t at = 0; at < match.records.size(); ++at) {
      const auto& [stage, record] = match.records[at];
      list.push_back({fmt::format(R"({{"stage":"{}","step":{},{},{}}})", stage, at + 1, values,
                                  row_json(record)),
                      0});
    }
  }
  for (const ModelRecord& record : model.late)
    rows["late"].push_back({"{" + row_json(record) + "}", 0});
  for (auto& [sink, list] : rows) std::sort(list.begin(), list.end());
  return rows;
}

TEST(MatchRows, EqualTheModelWhateverTheSchedule) {
  std::size_t matches = 0;
  std::size_t over = 0;
  for_each_seed([&](std::uint64_t seed) {
    const MatchCase drawn = draw_match_case(seed);
    SCOPED_TRACE(drawn.drawn.shape.to_string());
    const std::string mode = seed % 3 == 0 ? "all" : "one";
    const Rows wanted = model(drawn, mode);
    matches += wanted.at("matches").size();
    over += wanted.at("over").size();
    return same_for_all_schedules(
        seed, [&](Topology& topology, Rows& rows) { declare(drawn, mode, topology, rows); },
        wanted);
  });
  if (std::getenv("MILLRACE_SEED") != nullptr) return;
  EXPECT_GT(matches, 300u);
  EXPECT_GT(over, 100u);
}

// ---- cut at random places

OperatorStep rows_step(Draw& draw, const RowSchemaPtr& schema) {
  OperatorStep step = draw.batch<Note>(0, [&](Time time) { return draw.note(time); });
  const auto& notes = static_cast<const Batch<Note>&>(*step.batch);
  auto rows = std::make_shared<detail::RowBatch>();
  rows->values.begin(schema);
  for (const Note& note : notes.values) {
    const std::size_t at = rows->values.size();
    rows->values.column(0).put_integer(at, note.time.micros);
    rows->values.column(1).put_integer(at, note.key);
    rows->values.column(2).put_text(at, note.name);
    rows->values.column(3).put_integer(at, note.number);
    rows->values.column(4).put_integer(at, note.number & 3);
    if (note.number % 5 == 0) {
      rows->values.column(5).put_null(at);
    } else {
      rows->values.column(5).put_integer(at, note.number / 4 % 4);
    }
    rows->values.end_row();
  }
  rows->times = notes.times;
  rows->arrivals = notes.arrivals;
  rows->behind = notes.behind;
  step.batch = std::move(rows);
  return step;
}

void compare_cuts(const std::string& pattern, const std::string& key) {
  SCOPED_TRACE(pattern + " by " + key);
  Topology topology = topology_of(pattern, key, {.partitions = {{}}});
  const detail::Node& node = topology.declaration().graph.node(found_in(topology));
  const OperatorTasks::Show show = [](std::uint32_t port, const detail::BatchBase& base,
                                      std::size_t at) {
    const RowRef row = static_cast<const detail::RowBatch&>(base).values[at];
    std::string lane;  // of one key: what tasks emit for others has no order
    if (const auto key = row.schema().find("key")) lane += std::to_string(row.integer(*key));
    if (const auto name = row.schema().find("name")) lane += row.text(*name);
    return std::pair(lane, fmt::format("{} {} {}", port, base.times[at], json(row)));
  };
  const Subject subject{
      node.make_operator, {{&batch_type<RowRef>(), node.inputs.front().grouping.hash}}, show};
  const RowSchemaPtr schema = detail::schema_of_records<Lettered>();
  EXPECT_GT(
      compare(subject,
              [&](Draw& draw) {
                std::vector<OperatorStep> steps;
                while (steps.size() < 100) {
                  const std::uint64_t what = draw.random().below(10);
                  steps.push_back(what < 7 ? rows_step(draw, schema) : draw.watermark());
                }
                steps.push_back({.kind = OperatorStep::Kind::watermark, .watermark = kTimeMax});
                return steps;
              }),
      0u);
}

TEST(StoredMatchRows, GoOnWhatTheyWaitFor) {
  compare_cuts(
      "stages: [{begin: a, where: kind = 0}, {followed_by: b, where: number > a.number, "
      "one_or_more: true, greedy: true}, {followed_by: c, where: kind = 3}], within: 200us, skip: "
      "past_last, values: {a: a.number, n: count(b), value: b.value}",
      "name");
  compare_cuts(
      "stages: [{begin: a, where: kind = 0}, {followed_by_any: b, where: value = first(value), "
      "times: [1, 3]}], within: 90us, rows: all",
      "key, name");
  compare_cuts(
      "stages: [{begin: a, where: kind = 0}, {not_followed_by: n, where: kind = 1}], within: 60us, "
      "values: {name: a.name, since: a.time}",
      "key");
}

}  // namespace
}  // namespace millrace::property
