// Dead letters as a stream, and what no one reads: counted once, whatever the schedule.
#include "random_topology.hpp"

namespace millrace::property {
namespace {

/// Throws at every fifth number.
std::int64_t fragile(const Event& event) {
  if (event.number % 5 == 0) throw std::runtime_error("five");
  return event.number;
}

/// The errors of a map, of a running and of a windowed aggregate in one stream, and counted by
/// component.
void declare(const Case& drawn, Topology& topology, Rows& rows) {
  const Stream<Event> trunk = declare_trunk(topology, drawn);
  const auto mapped = trunk
                          .map([](const Event& event) {
                            (void)fragile(event);
                            return event;
                          })
                          .named("map under test");
  mapped.to(each([](const Event&) {})).named("what is left");
  const auto sums =
      trunk.key_by(&Event::name).window(drawn.windows).sum(fragile).named("sum under test");
  sums.to(each([](const auto&) {})).named("sums");
  const auto errors = mapped.errors().merge(sums.errors());
  errors
      .to(each([list = &rows["errors"]](const DeadLetter& letter) {
        list->push_back({letter.component + ": " + letter.reason + ": " + letter.record, 0});
      }))
      .named("errors");
  errors.key_by(&DeadLetter::component)
      .window(global())
      .count()
      .to(collect(rows, "errors by component"));
}

std::string json_of(const ModelRecord& record) {
  std::string text;
  append_json(text, record.event());
  return text;
}

Rows model(const Case& drawn, const std::vector<ModelRecord>& records) {
  Rows rows;
  rows["errors"];
  rows["errors by component"];
  std::map<std::string, std::int64_t> counts;
  const auto add = [&](const std::string& component, const ModelRecord& record) {
    rows["errors"].push_back({component + ": five: " + json_of(record), 0});
    ++counts[component];
  };
  for (const ModelRecord& record : records) {
    if (record.number % 5 != 0) continue;
    add("map under test", record);
    if (!model_windows(record, drawn.windows).empty()) add("sum under test", record);
  }
  for (const auto& [component, count] : counts) {
    rows["errors by component"].push_back(
        row_of(std::string_view(component), {kTimeMin, kTimeMax}, count));
  }
  for (auto& [sink, list] : rows) std::sort(list.begin(), list.end());
  return rows;
}

TEST(ScheduleDoesNotMatter, DeadLettersAreAStream) {
  std::size_t errors = 0;
  for_each_seed([&](std::uint64_t seed) {
    const Case drawn = draw_case(seed);
    const Rows wanted = model(drawn, model_records(drawn));
    errors += wanted.at("errors").size();
    std::uint64_t counted = 0;
    for (const OutRow& row : wanted.at("errors"))
      counted += row.text.find(" under test") != row.text.npos;
    return same_for_all_schedules(
        seed, [&](Topology& topology, Rows& rows) { declare(drawn, topology, rows); }, wanted,
        [counted](const detail::Report& report) -> std::string {
          std::uint64_t seen = 0;
          for (const auto& part : report.components) {
            if (part.name.ends_with(" under test")) seen += part.dead_lettered;
          }
          if (seen == counted) return "";
          return fmt::format("{} dead letters counted, the model has {}", seen, counted);
        });
  });
  if (std::getenv("MILLRACE_SEED") == nullptr) {
    EXPECT_GT(errors, 0u);
  }
}

}  // namespace
}  // namespace millrace::property
