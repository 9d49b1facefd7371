// Sessions that emit early, late or finally, of random topologies, give what a naive model gives,
// whatever the schedule.
#include "random_topology.hpp"

namespace millrace::property {
namespace {

/// What the draws hit of the edges of late sessions.
struct SessionHits {
  std::uint64_t records = 0;
  std::uint64_t equal_stamps = 0;
  std::uint64_t last_that_counts = 0;  ///< time + lateness = W
  std::uint64_t first_too_late = 0;    ///< a microsecond before
  std::uint64_t exactly_gap = 0;       ///< from a record of its session, one of the two late
  std::uint64_t late_rows = 0;
  std::uint64_t joined = 0;        ///< late rows of sessions that were two when they were emitted
  std::uint64_t opened_again = 0;  ///< rows at the end that replace one at an end
  std::uint64_t waited = 0;        ///< late records that an open session took
  std::uint64_t early_rows = 0;
};

struct Drawn {
  std::int64_t gap;
  std::int64_t lateness;
  std::int64_t span;  ///< of early rows
};
Drawn draw_sessions(std::uint64_t seed) {
  Random random(seed ^ 0x5e55);
  return {random.between(1, 30), random.chance(0.15) ? 0 : random.between(1, 80),
          random.between(1, 25)};
}

/// Moves records to a gap from others of their key, and to where they are just not too late.
void aim(Case& drawn, const Drawn& with) {
  Random random(drawn.seed ^ 0x9a9);
  for (Input& input : drawn.inputs) {
    for (auto& partition : input.partitions) {
      Time newest = partition.empty() ? 0 : partition.front().time;
      for (std::size_t at = 1; at < partition.size(); ++at) {
        const Event& before = partition[at - 1 - random.below(std::min<std::size_t>(at, 4))];
        if (random.chance(0.3)) {
          partition[at].key = before.key;
          partition[at].time = before.time + with.gap + random.between(-1, 1);
        } else if (random.chance(0.15)) {
          const Time watermark = newest - input.out_of_order;
          partition[at].time = watermark - with.lateness + random.between(-1, 1);
          partition[at].key = before.key;
        } else if (random.chance(0.2)) {
          partition[at].time = before.time;
        }
        newest = std::max(newest, partition[at].time);
      }
    }
  }
}

using Group = std::vector<const ModelRecord*>;

bool is_late(const ModelRecord& record) {
  return record.watermark && record.time < *record.watermark;
}
bool counts(const ModelRecord& record, const Drawn& with) {
  return !is_late(record) || record.time + with.lateness >= *record.watermark;
}
Time turn_of(const ModelRecord& record) {
  return is_late(record) ? *record.watermark : record.time;
}
bool comes_before(const ModelRecord* a, const ModelRecord* b) {
  return a->time != b->time ? a->time < b->time : a->arrival < b->arrival;
}

struct ModelSession {
  Bounds bounds;
  Group group;
};
/// The sessions of records of one key.
std::vector<ModelSession> sessions_of(Group group, std::int64_t gap) {
  std::ranges::sort(group, comes_before);
  std::vector<ModelSession> sessions;
  for (const ModelRecord* record : group) {
    if (sessions.empty() || record->time > sessions.back().bounds.second)
      sessions.push_back({{record->time, 0}, {}});
    sessions.back().bounds.second = record->time + gap;
    sessions.back().group.push_back(record);
  }
  return sessions;
}

/// A row of a key: what its session holds, what of that no row has told before, and the rows that
/// it replaces.
struct RowCause {
  Bounds bounds;
  Firing firing;
  Group held;
  Group fresh;
  std::vector<std::pair<Bounds, Group>> replaced;
};
using History = std::vector<RowCause>;

/// Goes through time instant by instant, and asks at each what the records so far make.
class ModelKey {
 public:
  ModelKey(Group records, const Drawn& with, bool early)
      : records_(std::move(records)), with_(with), early_(early) {}

  History run() {
    std::set<Time> instants;
    for (const ModelRecord* record : records_) {
      instants.insert(record->time + with_.gap);
      instants.insert(turn_of(*record));
      const Time next = detail::floor_div(turn_of(*record), with_.span) * with_.span + with_.span;
      instants.insert(next - 1);
    }
    for (const Time now : instants) pass(now);
    return std::move(rows_);
  }

 private:
  void pass(Time now) {
    Group late;
    for (const ModelRecord* record : records_) {
      if (is_late(*record) && turn_of(*record) == now) late.push_back(record);
      if (!is_late(*record) && record->time <= now && !known(record)) known_.push_back(record);
    }
    std::ranges::sort(late, comes_before);
    for (const ModelRecord* record : late) {
      known_.push_back(record);
      for (const ModelSession& session : sessions_of(known_, with_.gap)) {
        const bool its = std::ranges::find(session.group, record) != session.group.end();
        if (its && session.bounds.second < now) emit(session, Firing::late);
      }
    }
    for (const ModelSession& session : sessions_of(known_, with_.gap)) {
      if (session.bounds.second == now) emit(session, Firing::on_time);
      const bool look = early_ && detail::floor_div(now + 1, with_.span) * with_.span == now + 1;
      if (look && session.bounds.second > now && !fresh_of(session).empty())
        emit(session, Firing::early);
    }
  }
  bool known(const ModelRecord* record) const {
    return std::ranges::find(known_, record) != known_.end();
  }
  Group fresh_of(const ModelSession& session) const {
    Group fresh;
    for (const ModelRecord* record : session.group) {
      if (!told_.contains(record)) fresh.push_back(record);
    }
    return fresh;
  }
  void emit(const ModelSession& session, Firing firing) {
    RowCause row{session.bounds, firing, session.group, fresh_of(session), {}};
    for (auto at = standing_.begin(); at != standing_.end();) {
      const bool within =
          at->first.first >= session.bounds.first && at->first.second <= session.bounds.second;
      if (within) row.replaced.push_back(*at);
      at = within ? standing_.erase(at) : std::next(at);
    }
    standing_[session.bounds] = session.group;
    told_.insert(session.group.begin(), session.group.end());
    rows_.push_back(std::move(row));
  }

  Group records_;
  Drawn with_;
  bool early_;
  Group known_;
  std::map<Bounds, Group> standing_;
  std::set<const ModelRecord*> told_;
  History rows_;
};

std::map<std::int32_t, Group> groups_of(const std::vector<ModelRecord>& records,
                                        const Drawn& with) {
  std::map<std::int32_t, Group> groups;
  for (const ModelRecord& record : records) {
    if (counts(record, with)) groups[record.key].push_back(&record);
  }
  return groups;
}

template <class V>
OutRow update_row(std::int32_t key, Bounds window, std::size_t number, Firing firing,
                  bool retracted, const V& value) {
  OutRow row = row_of(key, window, value);
  row.text = fmt::format("{} row {} {}{}", row.text, number, static_cast<int>(firing),
                         retracted ? " taken back" : "");
  return row;
}
/// A sink that numbers the rows of each key as they come.
auto collect_updates(Rows& rows, const std::string& name) {
  using Counts = std::map<std::int32_t, std::size_t>;
  return each([list = &rows[name], numbers = std::make_shared<Counts>()](const auto& row) {
    list->push_back(update_row(row.key, {row.window_start, row.window_end}, (*numbers)[row.key]++,
                               row.firing, row.retracted, row.value));
  });
}
std::string text_of_event(const Event& event) {
  return fmt::format("{} {} {} {}", event.time, event.key, event.name, event.number);
}
auto collect_events(Rows& rows, const std::string& name) {
  return each(
      [list = &rows[name]](const Event& event) { list->push_back({text_of_event(event), 0}); });
}

auto fold_stats(const auto& windowed) {
  return windowed.fold(
      Stats{}, [](Stats& stats, const Event& event) { add_to(stats, event); },
      [](Stats& stats, const Stats& other) { merge_into(stats, other); });
}

void declare(const Case& drawn, const Drawn& with, Topology& topology, Rows& rows) {
  const auto by_key = declare_trunk(topology, drawn).key_by(&Event::key);
  const auto late = session(Duration(with.gap)).allowed_lateness(Duration(with.lateness));
  const auto early = late.early(every(Duration(with.span)));
  const auto plain = fold_stats(by_key.window(late)).named("late sessions");
  plain.to(collect_updates(rows, "lateness"));
  plain.late().to(collect_events(rows, "too late"));
  fold_stats(by_key.window(early.discarding())).to(collect_updates(rows, "discarding"));
  by_key.window(late.retracting()).last(&Event::number).to(collect_updates(rows, "retracting"));
  const auto updates = by_key.window(early.retracting()).last(&Event::number);
  updates.to(collect_updates(rows, "early retracting"));
  using Update = WindowUpdate<std::int32_t, std::int64_t>;
  updates.key_by(&Update::key)
      .window(tumbling(10us).allowed_lateness(Duration(with.gap)))
      .sum(&Update::value)
      .to(collect_updates(rows, "windows of updates"));
  const auto finals = by_key.window(late.final_only()).count();
  finals.to(collect(rows, "finals"));
  using Final = Aggregate<std::int32_t, std::int64_t>;
  finals.key_by(&Final::key)
      .window(tumbling(1us))
      .sum(&Final::value)
      .to(collect(rows, "windows of finals"));
  finals.late().to(collect_events(rows, "too late for finals"));
}

Stats stats_of(const Group& group) {
  Stats stats;
  for (const ModelRecord* record : group) add_to(stats, record->event());
  return stats;
}
std::int64_t last_of(const Group& group) {
  return (*std::ranges::max_element(group, comes_before))->number;
}

void model_accumulating(std::int32_t key, const History& history, std::vector<OutRow>& rows) {
  std::size_t number = 0;
  for (const RowCause& row : history)
    rows.push_back(update_row(key, row.bounds, number++, row.firing, false, stats_of(row.held)));
}
void model_discarding(std::int32_t key, const History& history, std::vector<OutRow>& rows) {
  std::size_t number = 0;
  for (const RowCause& row : history) {
    if (!row.fresh.empty())
      rows.push_back(update_row(key, row.bounds, number++, row.firing, false, stats_of(row.fresh)));
  }
}
void model_retracting(std::int32_t key, const History& history, std::vector<OutRow>& rows) {
  std::size_t number = 0;
  for (const RowCause& row : history) {
    for (const auto& [bounds, group] : row.replaced)
      rows.push_back(update_row(key, bounds, number++, row.firing, true, last_of(group)));
    rows.push_back(update_row(key, row.bounds, number++, row.firing, false, last_of(row.held)));
  }
}

Rows model(const std::vector<ModelRecord>& records, const Drawn& with) {
  Rows rows;
  for (const char* sink : {"lateness", "too late", "discarding", "retracting", "early retracting",
                           "finals", "windows of finals", "too late for finals"})
    rows[sink];
  for (const ModelRecord& record : records) {
    if (counts(record, with)) continue;
    for (const char* sink : {"too late", "too late for finals"})
      rows[sink].push_back({text_of_event(record.event()), 0});
  }
  for (const auto& [key, group] : groups_of(records, with)) {
    const History late = ModelKey(group, with, false).run();
    const History early = ModelKey(group, with, true).run();
    model_accumulating(key, late, rows["lateness"]);
    model_discarding(key, early, rows["discarding"]);
    model_retracting(key, late, rows["retracting"]);
    model_retracting(key, early, rows["early retracting"]);
    for (const auto& [bounds, held] : sessions_of(group, with.gap)) {
      const auto size = static_cast<std::int64_t>(held.size());
      rows["finals"].push_back(row_of(key, bounds, size));
      rows["windows of finals"].push_back(row_of(key, {bounds.second, bounds.second + 1}, size));
    }
  }
  for (auto& [sink, list] : rows) std::sort(list.begin(), list.end());
  return rows;
}

void count_hits(const std::vector<ModelRecord>& records, const Drawn& with, SessionHits& hits) {
  std::set<Time> seen;
  for (const ModelRecord& record : records) {
    ++hits.records;
    hits.equal_stamps += !seen.insert(record.time).second;
    if (!is_late(record)) continue;
    hits.last_that_counts += record.time + with.lateness == *record.watermark;
    hits.first_too_late += record.time + with.lateness == *record.watermark - 1;
  }
  for (const auto& [key, group] : groups_of(records, with)) {
    const auto late = std::ranges::count_if(group, [](auto* record) { return is_late(*record); });
    const auto before = hits.late_rows;
    for (const RowCause& row : ModelKey(group, with, false).run()) {
      hits.late_rows += row.firing == Firing::late;
      hits.joined += row.firing == Firing::late && row.replaced.size() > 1;
      hits.opened_again += row.firing == Firing::on_time && !row.replaced.empty();
    }
    hits.waited += static_cast<std::uint64_t>(late) - (hits.late_rows - before);
    for (const RowCause& row : ModelKey(group, with, true).run())
      hits.early_rows += row.firing == Firing::early;
    for (const auto& [bounds, held] : sessions_of(group, with.gap)) {
      for (std::size_t at = 1; at < held.size(); ++at) {
        hits.exactly_gap += held[at]->time - held[at - 1]->time == with.gap &&
                            is_late(*held[at]) != is_late(*held[at - 1]);
      }
    }
  }
}

void expect_all_hit(const SessionHits& hits) {
  EXPECT_GE(hits.equal_stamps * 5, hits.records) << "less than a fifth of the stamps came twice";
  EXPECT_GT(hits.last_that_counts, 0u) << "no record with time + lateness = W";
  EXPECT_GT(hits.first_too_late, 0u) << "no record a microsecond before that";
  EXPECT_GT(hits.exactly_gap, 0u) << "no late record exactly a gap from one in time";
  EXPECT_GT(hits.joined, 0u) << "no late record joined two emitted sessions";
  EXPECT_GT(hits.opened_again, 0u) << "no emitted session was joined to an open one";
  EXPECT_GT(hits.waited, 0u) << "no late record came to an open session";
  EXPECT_GT(hits.early_rows, 0u) << "no early rows";
}

TEST(ScheduleDoesNotMatter, LateAndEarlySessionsEqualTheModel) {
  SessionHits hits;
  for_each_seed([&](std::uint64_t seed) {
    Case drawn = draw_case(seed);
    const Drawn with = draw_sessions(seed);
    aim(drawn, with);
    const std::vector<ModelRecord> records = model_records(drawn);
    count_hits(records, with, hits);
    const auto declare_all = [&](Topology& topology, Rows& rows) {
      declare(drawn, with, topology, rows);
    };
    Rows expected = model(records, with);
    expected["windows of updates"] =  // only the same: their model would be the engine again
        run_once(declare_all, Schedule{}).rows["windows of updates"];
    const std::uint64_t late = expected.at("too late").size();
    const auto check_late = [late](const detail::Report& report) -> std::string {
      for (const auto& part : report.components) {
        if (part.name == "late sessions" && part.late != late)
          return fmt::format("{} records counted late, the model has {}", part.late, late);
      }
      return "";
    };
    return same_for_all_schedules(seed, declare_all, expected, check_late);
  });
  if (std::getenv("MILLRACE_SEED") == nullptr) expect_all_hit(hits);
}

}  // namespace
}  // namespace millrace::property
