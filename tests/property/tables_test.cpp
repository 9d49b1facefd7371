// Promise: tables, their changes and joins with them give what a naive look over the whole input
// gives, whatever the schedule.
#include <optional>

#include "join_input.hpp"

namespace millrace::property {
namespace {

using detail::JoinKind;

/// How often the draws hit what is easily got wrong.
struct TableHits {
  std::uint64_t inserts = 0, updates = 0, erased = 0, deleted_nothing = 0, late = 0,
                behind_in_time = 0, equal_stamps = 0, after_deletion = 0, looked_up = 0, alone = 0,
                moved = 0, named = 0;
};

struct TableCase {
  Input left, right;
  std::int64_t lateness = 0;
};

TableCase draw_tables(std::uint64_t seed) {
  Random random(seed ^ 0x7ab1e);
  TableCase drawn{draw_input(random), draw_input(random), 0};
  if (random.chance(0.5)) drawn.lateness = random.between(1, 40);
  for (auto& partition : drawn.right.partitions) {  // onto stamps of the left side
    for (Event& event : partition) {
      const auto& lefts = drawn.left.partitions[random.below(drawn.left.partitions.size())];
      if (!lefts.empty() && random.chance(0.4))
        event.time = lefts[random.below(lefts.size())].time + random.between(-1, 1);
    }
  }
  return drawn;
}

/// The key of the other side that a record names.
std::int32_t name_of(const Event& event) { return static_cast<std::int32_t>(event.number % 3); }
bool is_gone(const Event& event) { return event.number % 4 == 0; }

std::string text_of(const Change<Event>& change) {
  return fmt::format("{} {}", change.sign(), property::text_of(change.record));
}
std::string text_of(const Change<Pair>& change) {
  return fmt::format("{} {}", change.sign(), property::text_of(change.record));
}
std::int32_t key_of(const Event& event) { return event.key; }
std::int32_t key_of(const Pair& pair) { return pair.key; }

/// What is told of a group of rows.
struct Totals {
  std::int64_t rows = 0;
  std::int64_t sum = 0;
  std::string least;
  double mean = 0;
};
using Group = Aggregate<std::int32_t, Totals>;
std::int32_t key_of(const Group& group) { return group.key; }
std::string text_of(const Change<Group>& change) {
  const Totals& of = change.record.value;
  return fmt::format("{} {}: {} {} {} {}", change.sign(), change.record.key, of.rows, of.sum,
                     of.least, of.mean);
}
std::int32_t group_of(const Event& event) { return static_cast<std::int32_t>(event.number % 3); }
std::int32_t group_of(const Pair& pair) { return static_cast<std::int32_t>(pair.right % 3); }
template <class Row, class Name, class Number>
auto grouped(const Stream<Change<Row>>& changes, Name name, Number number) {
  return group_by(changes, [](const Row& row) { return group_of(row); })
      .aggregate(count().as(&Totals::rows), sum(number).as(&Totals::sum),
                 min(name).as(&Totals::least), mean(number).as(&Totals::mean));
}

/// The changes as they come and, by key, in their order.
template <class T>
void collect_changes(const Stream<Change<T>>& changes, Rows& rows, const std::string& name) {
  changes.to(each(
      [list = &rows[name]](const Change<T>& change) { list->push_back({text_of(change), 0}); }));
  changes.key_by([](const Change<T>& change) { return std::int32_t{key_of(change.record)}; })
      .window(global())
      .list([](const Change<T>& change) { return text_of(change); }, 10'000)
      .to(each([list = &rows[name + " order"]](const auto& row) {
        list->push_back({fmt::format("{}: {}", row.key, fmt::join(row.value, " | ")), 0});
      }));
}

void declare(const TableCase& drawn, Topology& topology, Rows& rows) {
  const auto left = declare_input(topology, drawn.left).key_by(&Event::key);
  const auto right = declare_input(topology, drawn.right).key_by(&Event::key);
  const auto collect_late = [&](const Stream<Event>& late, const std::string& name) {
    late.to(each([list = &rows[name]](const Event& event) {
      list->push_back({property::text_of(event), 0});
    }));
  };
  const auto changes = left.table(is_gone).changes();
  collect_changes<Event>(changes, rows, "changes");
  collect_late(changes.late(), "late");

  const auto tables =
      left.table(is_gone).join(right.table(is_gone)).allowed_lateness(Duration(drawn.lateness));
  const auto inner = tables.inner([](const Event& l, const Event& r) { return pair_of(&l, &r); });
  collect_changes<Pair>(inner, rows, "inner");
  collect_late(inner.late_left(), "late left");
  collect_late(inner.late_right(), "late right");
  collect_changes<Pair>(tables.left([](const Event& l, const Event* r) { return pair_of(&l, r); }),
                        rows, "left");
  collect_changes<Pair>(tables.right([](const Event* l, const Event& r) { return pair_of(l, &r); }),
                        rows, "right");
  collect_changes<Pair>(tables.full([](const Event* l, const Event* r) { return pair_of(l, r); }),
                        rows, "full");

  const auto named = left.table(is_gone).join(right.table(is_gone), name_of);
  collect_changes<Pair>(named.inner([](const Event& l, const Event& r) { return pair_of(&l, &r); }),
                        rows, "named");
  collect_changes<Pair>(named.left([](const Event& l, const Event* r) { return pair_of(&l, r); }),
                        rows, "named or not");

  collect_changes<Group>(grouped(changes, &Event::name, &Event::number), rows, "groups");
  collect_changes<Group>(grouped(inner, &Pair::left_name, &Pair::left), rows, "groups of pairs");

  const auto lookup = left.join(right.table(is_gone)).allowed_lateness(Duration(drawn.lateness));
  lookup.inner([](const Event& l, const Event& r) { return pair_of(&l, &r); })
      .to(collect_text(rows, "looked up"));
  lookup.left([](const Event& l, const Event* r) { return pair_of(&l, r); })
      .to(collect_text(rows, "looked up or alone"));
}

// ---- the model

struct Turn {
  ModelRecord record;
  int side;
};

/// What counts of both sides, by time and place.
std::vector<Turn> turns_of(const std::vector<ModelRecord>& left,
                           const std::vector<ModelRecord>& right, std::int64_t lateness, Rows& rows,
                           const std::array<std::string, 2>& late, TableHits& hits) {
  std::vector<Turn> turns;
  for (const int side : {0, 1}) {
    for (const ModelRecord& record : side == 0 ? left : right) {
      const bool behind = record.watermark && record.time < *record.watermark;
      if (behind && record.time + lateness < *record.watermark) {
        rows[late[side]].push_back({property::text_of(record.event()), 0});
        ++hits.late;
      } else {
        turns.push_back({record, side});
        hits.behind_in_time += behind;
      }
    }
  }
  std::sort(turns.begin(), turns.end(), [](const Turn& a, const Turn& b) {
    return std::tie(a.record.time, a.record.arrival) < std::tie(b.record.time, b.record.arrival);
  });
  return turns;
}

/// The rows of a query over tables as they are, by key; the changes are how they differ.
template <class Row>
class Watched {
 public:
  Watched(Rows& rows, std::string name) : rows_(rows), name_(std::move(name)) {
    rows_[name_];
    rows_[name_ + " order"];
  }
  ~Watched() {
    for (const auto& [key, list] : lists_)
      rows_[name_ + " order"].push_back({fmt::format("{}: {}", key, fmt::join(list, " | ")), 0});
  }
  void see(std::int32_t key, const std::optional<Row>& after, TableHits& hits) {
    const auto before = held_.find(key);
    const bool had = before != held_.end();
    if (had) tell(key, {after ? ChangeKind::update_before : ChangeKind::erase, before->second});
    if (after) tell(key, {had ? ChangeKind::update_after : ChangeKind::insert, *after});
    ++(!had ? hits.inserts : after ? hits.updates : hits.erased);
    if (after) {
      held_[key] = *after;
    } else {
      held_.erase(key);
    }
  }
  bool has(std::int32_t key) const { return held_.contains(key); }
  void tell(std::int32_t key, const Change<Row>& change) {
    rows_[name_].push_back({text_of(change), 0});
    lists_[key].push_back(text_of(change));
  }

 private:
  Rows& rows_;
  std::string name_;
  std::map<std::int32_t, Row> held_;
  std::map<std::int32_t, std::vector<std::string>> lists_;
};

using Held = std::map<std::int32_t, Event>;

/// Puts a record into its table; false: it changes nothing.
bool put(Held& table, const Event& event, TableHits& hits) {
  if (!is_gone(event)) {
    table[event.key] = event;
    return true;
  }
  const bool was_there = table.erase(event.key) > 0;
  hits.deleted_nothing += !was_there;
  return was_there;
}
const Event* find_in(const Held& table, std::int32_t key) {
  const auto at = table.find(key);
  return at == table.end() ? nullptr : &at->second;
}

Totals totals_of(const std::vector<std::pair<std::int64_t, std::string>>& rows) {
  Totals totals;
  for (const auto& [number, name] : rows) {
    totals.least = totals.rows == 0 ? name : std::min(totals.least, name);
    totals.rows += 1;
    totals.sum += number;
  }
  totals.mean = static_cast<double>(totals.sum) / static_cast<double>(totals.rows);
  return totals;
}

/// The groups of what a query gives, looked at anew after each record.
class WatchedGroups {
 public:
  WatchedGroups(Rows& rows, std::string name) : changes_(rows, std::move(name)) {}

  /// `all`: group, number and name of each row.
  void see(const std::vector<std::tuple<std::int32_t, std::int64_t, std::string>>& all,
           TableHits& hits) {
    for (std::int32_t group = 0; group < 3; ++group) {
      std::vector<std::pair<std::int64_t, std::string>> rows;
      for (const auto& [of, number, name] : all) {
        if (of == group) rows.emplace_back(number, name);
      }
      std::optional<Group> after;
      if (!rows.empty()) after = Group{group, totals_of(rows), kTimeMin, kTimeMax};
      const std::string text = after ? text_of({ChangeKind::insert, *after}) : "";
      if (std::exchange(shown_[group], text) != text) changes_.see(group, after, hits);
    }
  }

 private:
  Watched<Group> changes_;
  std::map<std::int32_t, std::string> shown_;
};

void model_changes(const std::vector<ModelRecord>& left, Rows& rows, TableHits& hits) {
  Held table;
  Watched<Event> changes(rows, "changes");
  WatchedGroups groups(rows, "groups");
  for (const Turn& turn : turns_of(left, {}, 0, rows, {"late", "late"}, hits)) {
    const Event event = turn.record.event();
    if (!put(table, event, hits)) continue;
    const Event* const row = find_in(table, event.key);
    changes.see(event.key, row ? std::optional(*row) : std::nullopt, hits);
    std::vector<std::tuple<std::int32_t, std::int64_t, std::string>> all;
    for (const auto& [key, one] : table) all.emplace_back(group_of(one), one.number, one.name);
    groups.see(all, hits);
  }
}

void model_join(const std::vector<Turn>& turns, JoinKind kind, const std::string& name, Rows& rows,
                TableHits& hits) {
  std::array<Held, 2> tables;
  Watched<Pair> changes(rows, name);
  std::optional<WatchedGroups> groups;
  if (kind == JoinKind::inner) groups.emplace(rows, "groups of pairs");
  for (const Turn& turn : turns) {
    const Event event = turn.record.event();
    if (!put(tables[turn.side], event, hits)) continue;
    const Event* const l = find_in(tables[0], event.key);
    const Event* const r = find_in(tables[1], event.key);
    const bool is_row =
        (l && r) || (l && detail::keeps_left(kind)) || (r && detail::keeps_right(kind));
    if (is_row || changes.has(event.key))
      changes.see(event.key, is_row ? std::optional(pair_of(l, r)) : std::nullopt, hits);
    if (!groups) continue;
    std::vector<std::tuple<std::int32_t, std::int64_t, std::string>> all;
    for (const auto& [key, one] : tables[0]) {
      const Event* const other = find_in(tables[1], key);
      if (other != nullptr) all.emplace_back(group_of(pair_of(&one, other)), one.number, one.name);
    }
    groups->see(all, hits);
  }
}

/// Rows with those that they name: what a row names is a part of where it is.
void model_references(const std::vector<Turn>& turns, bool alone, const std::string& name,
                      Rows& rows, TableHits& hits) {
  std::array<Held, 2> tables;
  Watched<Pair> changes(rows, name);
  const auto tell = [&](ChangeKind kind, const Event& left, const Event* right) {
    if (right != nullptr || alone) changes.tell(left.key, {kind, pair_of(&left, right)});
  };
  for (const Turn& turn : turns) {
    const Event event = turn.record.event();
    const std::array<Held, 2> before = tables;
    if (!put(tables[turn.side], event, hits)) continue;
    const Event* const was = find_in(before[turn.side], event.key);
    const Event* const is = find_in(tables[turn.side], event.key);
    if (turn.side == 0) {
      const bool stays = was != nullptr && is != nullptr && name_of(*was) == name_of(*is);
      hits.moved += was != nullptr && is != nullptr && !stays;
      if (was != nullptr)
        tell(stays ? ChangeKind::update_before : ChangeKind::erase, *was,
             find_in(tables[1], name_of(*was)));
      if (is != nullptr)
        tell(stays ? ChangeKind::update_after : ChangeKind::insert, *is,
             find_in(tables[1], name_of(*is)));
      continue;
    }
    for (const auto& [key, left] : tables[0]) {
      if (name_of(left) != event.key) continue;
      const bool had = was != nullptr || alone;
      const bool has = is != nullptr || alone;
      ++hits.named;
      if (had) tell(has ? ChangeKind::update_before : ChangeKind::erase, left, was);
      if (has) tell(had ? ChangeKind::update_after : ChangeKind::insert, left, is);
    }
  }
}

/// A table counts at a time as it is when all its records up to then are in it.
void model_lookup(std::vector<Turn> turns, Rows& rows, TableHits& hits) {
  std::stable_sort(turns.begin(), turns.end(), [](const Turn& a, const Turn& b) {
    return std::pair(a.record.time, -a.side) < std::pair(b.record.time, -b.side);
  });
  Held table;
  std::map<std::int32_t, Time> deleted;
  std::optional<Time> changed;
  for (const Turn& turn : turns) {
    const Event event = turn.record.event();
    if (turn.side == 1) {
      if (is_gone(event)) deleted[event.key] = event.time;
      put(table, event, hits);
      changed = event.time;
      continue;
    }
    hits.equal_stamps += changed == event.time;
    const Event* const found = find_in(table, event.key);
    ++(found != nullptr ? hits.looked_up : hits.alone);
    hits.after_deletion += found == nullptr && deleted.contains(event.key);
    const std::string text = property::text_of(pair_of(&event, found));
    rows["looked up or alone"].push_back({text, 0});
    if (found != nullptr) rows["looked up"].push_back({text, 0});
  }
}

Rows model(const TableCase& drawn, TableHits& hits) {
  Rows rows;
  for (const char* sink : {"late", "late left", "late right", "looked up", "looked up or alone"})
    rows[sink];
  const auto left = model_records(drawn.left, 0);
  const auto right = model_records(drawn.right, 2);
  model_changes(left, rows, hits);
  const auto turns = turns_of(left, right, drawn.lateness, rows, {"late left", "late right"}, hits);
  model_join(turns, JoinKind::inner, "inner", rows, hits);
  model_join(turns, JoinKind::left, "left", rows, hits);
  model_join(turns, JoinKind::right, "right", rows, hits);
  model_join(turns, JoinKind::full, "full", rows, hits);
  TableHits again;  // of the same turns
  Rows again_rows;
  const auto in_time = drawn.lateness == 0 ? turns
                                           : turns_of(left, right, 0, again_rows,
                                                      {"late left", "late right"}, again);
  model_references(in_time, false, "named", rows, hits);
  model_references(in_time, true, "named or not", rows, again);
  model_lookup(turns, rows, hits);
  for (auto& [sink, list] : rows) std::sort(list.begin(), list.end());
  return rows;
}

TEST(ScheduleDoesNotMatter, TablesEqualTheModel) {
  TableHits hits;
  for_each_seed([&](std::uint64_t seed) {
    const TableCase drawn = draw_tables(seed);
    return same_for_all_schedules(
        seed, [&](Topology& topology, Rows& rows) { declare(drawn, topology, rows); },
        model(drawn, hits));
  });
  if (std::getenv("MILLRACE_SEED") != nullptr) return;
  EXPECT_GT(hits.inserts, 2'000u);
  EXPECT_GT(hits.updates, 5'000u);
  EXPECT_GT(hits.erased, 1'000u);
  EXPECT_GT(hits.deleted_nothing, 500u);
  EXPECT_GT(hits.late, 200u);
  EXPECT_GT(hits.behind_in_time, 100u);
  EXPECT_GT(hits.equal_stamps, 50u);
  EXPECT_GT(hits.after_deletion, 200u);
  EXPECT_GT(hits.looked_up, 500u);
  EXPECT_GT(hits.alone, 300u);
  EXPECT_GT(hits.moved, 500u);
  EXPECT_GT(hits.named, 400u);
}

}  // namespace
}  // namespace millrace::property
