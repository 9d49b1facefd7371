// Window joins give what a naive join over the whole input gives, whatever the schedule.
#include "join_input.hpp"

namespace millrace::property {
namespace {

struct WindowHits {
  std::uint64_t pairs = 0, alone = 0, late = 0, partly_late = 0, overlapping = 0, cumulating = 0,
                by_lateness = 0, one_sided = 0, thrown = 0;
};

struct WindowCase {
  Input left, right;
  Windows windows = tumbling(Duration(1));
  std::int64_t lateness = 0;
};

WindowCase draw_case_of_windows(std::uint64_t seed) {
  Random random(seed ^ 0x202);
  WindowCase drawn;
  drawn.left = draw_input(random);
  drawn.right = draw_input(random);
  do {
    drawn.windows = draw_windows(random);
  } while (drawn.windows.is_global());
  drawn.lateness = random.chance(0.5) ? 0 : random.between(1, 40);
  return drawn;
}

/// All records of a key and window, in their order.
std::string text_of_group(std::int32_t key, Bounds window, const std::vector<std::string>& left,
                          const std::vector<std::string>& right) {
  return fmt::format("{} [{}, {}): {} + {}", key, window.first, window.second,
                     fmt::join(left, " | "), fmt::join(right, " | "));
}

struct GroupRow {
  std::int32_t key = 0;
  std::string_view text;
  std::int64_t number = 0;
};
std::string text_of(const GroupRow& row) { return std::string(row.text); }

using EventGroup = CoGroup<std::int32_t, Event, Event>;
/// Two rows of each group; none of those with two left records, at which it throws.
void tell_group(const EventGroup& group, Output<GroupRow>& out) {
  std::vector<std::string> left;
  std::vector<std::string> right;
  for (const Event& event : group.left) left.push_back(text_of(event));
  for (std::size_t at = 0; at < group.right.size(); ++at) right.push_back(text_of(group.right[at]));
  const std::string text =
      text_of_group(group.key, {group.window_start, group.window_end}, left, right);
  out.emit({group.key, out.intern(text), 0});
  if (left.size() == 2) throw std::runtime_error("no trace of it");
  out.emit({group.key, out.intern(text), 1});
}

void declare(const WindowCase& drawn, Topology& topology, Rows& rows) {
  const auto left = declare_input(topology, drawn.left).key_by(&Event::key);
  const auto right = declare_input(topology, drawn.right).key_by(&Event::key);
  const auto join =
      left.join(right).window(drawn.windows).allowed_lateness(Duration(drawn.lateness));
  const auto inner = join.inner([](const Event& l, const Event& r) { return pair_of(&l, &r); });
  inner.to(collect_text(rows, "inner"));
  inner.late_left().to(collect_text(rows, "late left"));
  inner.late_right().to(collect_text(rows, "late right"));
  join.left([](const Event& l, const Event* r) { return pair_of(&l, r); })
      .to(collect_text(rows, "left"));
  join.right([](const Event* l, const Event& r) { return pair_of(l, &r); })
      .to(collect_text(rows, "right"));
  join.semi().to(collect_text(rows, "semi"));
  join.anti().to(collect_text(rows, "anti"));
  const auto full = [](const Event* l, const Event* r) { return pair_of(l, r); };
  join.full(full).to(collect_text(rows, "full"));
  const auto again = join.full(full);
  collect_order(again, rows);
  again.key_by(&Pair::key).window(tumbling(Duration(7))).count().to(collect(rows, "counts"));
  join.co_group([](const EventGroup& group, Output<GroupRow>& out) { tell_group(group, out); })
      .to(collect_text(rows, "groups"));
  join.co_group([](const auto& group) {
        return GroupRow{group.key, group.left.empty() ? std::string_view() : group.left.back().name,
                        std::int64_t(group.right.size())};
      })
      .key_by(&GroupRow::key)
      .window(tumbling(Duration(7)))
      .count()
      .to(collect(rows, "group counts"));
}

/// The windows that a record counts in.
std::vector<Bounds> windows_of(const ModelRecord& record, const WindowCase& drawn,
                               WindowHits& hits) {
  ModelRecord moved = record;
  if (moved.watermark) *moved.watermark -= drawn.lateness;
  const auto open = model_windows(moved, drawn.windows);
  const auto strictly = model_windows(record, drawn.windows);
  moved.watermark.reset();
  const std::size_t all = model_windows(moved, drawn.windows).size();
  hits.partly_late += !open.empty() && open.size() < all;
  hits.by_lateness += open.size() > strictly.size();
  return open;
}

using Group = std::vector<const ModelRecord*>;
struct Sides {
  Group left, right;
};

void collect_side(const std::vector<ModelRecord>& records, const WindowCase& drawn,
                  std::map<std::pair<Bounds, std::int32_t>, Sides>& groups, Group Sides::* side,
                  std::vector<OutRow>& late, WindowHits& hits) {
  for (const ModelRecord& record : records) {
    const auto windows = windows_of(record, drawn, hits);
    for (const Bounds& bounds : windows) (groups[{bounds, record.key}].*side).push_back(&record);
    if (!windows.empty()) continue;
    late.push_back({text_of(record.event()), 0});
    ++hits.late;
  }
}

void add_window(Rows& rows, const Sides& sides, std::vector<std::string>& full, WindowHits& hits) {
  const auto row = [&](const char* sink, const ModelRecord* l, const ModelRecord* r) {
    Event left, right;
    if (l != nullptr) left = l->event();
    if (r != nullptr) right = r->event();
    const std::string text =
        text_of(pair_of(l != nullptr ? &left : nullptr, r != nullptr ? &right : nullptr));
    rows[sink].push_back({text, 0});
    if (std::string_view(sink) == "full") full.push_back(text);
  };
  for (const char* sink : {"inner", "left", "right", "full"}) {
    for (const ModelRecord* l : sides.left)
      for (const ModelRecord* r : sides.right) row(sink, l, r);
  }
  hits.pairs += sides.left.size() * sides.right.size();
  for (const ModelRecord* l : sides.left) {
    rows[sides.right.empty() ? "anti" : "semi"].push_back({text_of(l->event()), 0});
    if (!sides.right.empty()) continue;
    row("left", l, nullptr);
    row("full", l, nullptr);
    ++hits.alone;
  }
  if (!sides.left.empty()) return;
  for (const ModelRecord* r : sides.right) {
    row("right", nullptr, r);
    row("full", nullptr, r);
    ++hits.alone;
  }
}

void in_order(Group& group) {
  std::ranges::sort(group, [](auto* a, auto* b) {
    return a->time != b->time ? a->time < b->time : a->arrival < b->arrival;
  });
}

void add_groups(Rows& rows, const std::map<std::pair<Bounds, std::int32_t>, Sides>& groups,
                WindowHits& hits) {
  rows["groups"];
  rows["group counts"];
  std::map<std::pair<std::int32_t, Time>, std::int64_t> counts;
  for (const auto& [at, sides] : groups) {
    std::vector<std::string> texts[2];
    for (const ModelRecord* record : sides.left) texts[0].push_back(text_of(record->event()));
    for (const ModelRecord* record : sides.right) texts[1].push_back(text_of(record->event()));
    ++counts[{at.second, detail::floor_div(at.first.second - 1, 7) * 7}];
    hits.one_sided += texts[0].empty() || texts[1].empty();
    if (texts[0].size() == 2) {
      ++hits.thrown;
      continue;
    }
    for (int row = 0; row < 2; ++row)
      rows["groups"].push_back({text_of_group(at.second, at.first, texts[0], texts[1]), 0});
  }
  for (const auto& [at, count] : counts)
    rows["group counts"].push_back(row_of(at.first, {at.second, at.second + 7}, count));
}

Rows model(const WindowCase& drawn, const std::vector<ModelRecord>& left,
           const std::vector<ModelRecord>& right, WindowHits& hits) {
  Rows rows;
  for (const char* sink : {"inner", "left", "right", "full", "semi", "anti"}) rows[sink];
  std::map<std::pair<Bounds, std::int32_t>, Sides> groups;
  collect_side(left, drawn, groups, &Sides::left, rows["late left"], hits);
  collect_side(right, drawn, groups, &Sides::right, rows["late right"], hits);
  std::map<std::pair<std::int32_t, Time>, std::map<Time, std::vector<std::string>>> lists;
  std::map<std::pair<std::int32_t, Time>, std::int64_t> counts;
  for (auto& [at, sides] : groups) {
    in_order(sides.left);
    in_order(sides.right);
    std::vector<std::string> full;
    add_window(rows, sides, full, hits);
    const Time time = at.first.second - 1;
    auto& list = lists[{at.second, detail::floor_div(time, 50) * 50}][time];
    list.insert(list.end(), full.begin(), full.end());
    counts[{at.second, detail::floor_div(time, 7) * 7}] += static_cast<std::int64_t>(full.size());
  }
  add_groups(rows, groups, hits);
  rows["order"];
  for (const auto& [at, by_time] : lists) {
    std::vector<std::string> all;
    for (const auto& [time, texts] : by_time) all.insert(all.end(), texts.begin(), texts.end());
    rows["order"].push_back({fmt::format("{} {}", at.second, fmt::join(all, " | ")), 0});
  }
  rows["counts"];
  for (const auto& [at, count] : counts)
    rows["counts"].push_back(row_of(at.first, {at.second, at.second + 7}, count));
  hits.overlapping += drawn.windows.overlap();
  hits.cumulating += drawn.windows.kind() == Windows::Kind::cumulating;
  for (auto& [sink, list] : rows) std::sort(list.begin(), list.end());
  return rows;
}

TEST(ScheduleDoesNotMatter, WindowJoinsEqualTheModel) {
  WindowHits hits;
  for_each_seed([&](std::uint64_t seed) {
    const WindowCase drawn = draw_case_of_windows(seed);
    // Each input is declared as a source and its event_time.
    const auto left = model_records(drawn.left, 0);
    const auto right = model_records(drawn.right, 2);
    return same_for_all_schedules(
        seed, [&](Topology& topology, Rows& rows) { declare(drawn, topology, rows); },
        model(drawn, left, right, hits));
  });
  if (std::getenv("MILLRACE_SEED") != nullptr) return;
  EXPECT_GT(hits.pairs, 1'000u);
  EXPECT_GT(hits.alone, 500u);
  EXPECT_GT(hits.late, 100u);
  EXPECT_GT(hits.partly_late, 30u);
  EXPECT_GT(hits.by_lateness, 100u);
  EXPECT_GT(hits.overlapping, 10u);
  EXPECT_GT(hits.cumulating, 3u);
  EXPECT_GT(hits.one_sided, 300u);
  EXPECT_GT(hits.thrown, 100u);
}

}  // namespace
}  // namespace millrace::property
