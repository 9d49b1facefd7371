// Windows that emit early, late or finally, of random topologies, give what a naive model gives,
// whatever the schedule.
#include "random_topology.hpp"

namespace millrace::property {
namespace {

/// What the draws hit of the edges of lateness.
struct LateHits {
  std::uint64_t records = 0;
  std::uint64_t equal_stamps = 0;
  std::uint64_t at_start = 0;
  std::uint64_t at_end = 0;
  std::uint64_t watermark_at_end = 0;        ///< the first that is late for a window
  std::uint64_t watermark_before_end = 0;    ///< the last that is in time
  std::uint64_t watermark_at_close = 0;      ///< at end + lateness: the first that is too late
  std::uint64_t watermark_before_close = 0;  ///< the last that still counts
  std::uint64_t at_early = 0;                ///< stamped exactly at an early row: not in it
  std::uint64_t watermark_at_early = 0;      ///< behind exactly that: not in it
  std::uint64_t several_late = 0;            ///< windows with more than one late row
  std::uint64_t never_on_time = 0;           ///< windows of which all records were late
  std::uint64_t too_late = 0;
  std::uint64_t partly_too_late = 0;
};

/// What is drawn beside the case.
struct Drawn {
  Windows windows;
  std::int64_t lateness;
  std::int64_t span;  ///< of early rows; 0: none fit
  std::int64_t each;  ///< records from one early row to the next
};
Drawn draw_lateness(const Case& drawn) {
  Random random(drawn.seed ^ 0x1a7e);
  Drawn made{drawn.windows, random.chance(0.15) ? 0 : random.between(1, 60), 0,
             random.between(1, 4)};
  if (made.windows.is_global()) made.windows = tumbling(Duration(random.between(2, 60)));
  const bool cumulating = made.windows.kind() == Windows::Kind::cumulating;
  const std::int64_t shortest = cumulating ? made.windows.slide_us() : made.windows.size_us();
  if (shortest > 1) made.span = random.between(1, shortest - 1);
  if (shortest > 2 && random.chance(0.5)) made.span = (shortest + 1) / 2;
  return made;
}

/// All windows that hold `time`, found by trying every start.
std::vector<Bounds> windows_of(Time time, Windows windows) {
  ModelRecord record{};
  record.time = time;
  return model_windows(record, windows);
}

/// Moves records to where the watermark comes to stand at the end of a window of theirs, or where
/// it closes, or one off.
void aim(Case& drawn, const Drawn& with) {
  Random random(drawn.seed ^ 0xa13);
  for (Input& input : drawn.inputs) {
    for (auto& partition : input.partitions) {
      for (std::size_t at = 2; at < partition.size(); ++at) {
        const Event& before = partition[at - 2];
        if (random.chance(0.3)) {
          const auto windows = windows_of(before.time, with.windows);
          const Bounds window = windows[random.below(windows.size())];
          Time edge = window.second + (random.chance(0.6) ? with.lateness : 0);
          if (with.span > 0 && random.chance(0.2)) edge = window.first + with.span;
          partition[at - 1].time = edge + random.between(-1, 1) + input.out_of_order;
          partition[at].time = random.chance(0.3) ? window.first : before.time;
          partition[at].key = before.key;
        } else if (random.chance(0.1)) {
          partition[at].time = before.time;
        }
      }
    }
  }
}

using Group = std::vector<const ModelRecord*>;

/// The rows of a key and window: why each came, and what came since the one before.
struct RowCause {
  Firing firing;
  Group fresh;
};
using History = std::vector<RowCause>;

bool counts(const ModelRecord& record, Time until) {
  return !record.watermark || *record.watermark < until;
}

/// How early rows come.
enum class Early { none, spans, composed, records, turns };

/// A second span beside `with.span`.
std::int64_t other_span(const Drawn& with) { return (with.span + 1) / 2; }
/// Of the composed trigger: whether a key with `rows` rows, the last one at `last`, has one at
/// `at`: twice where a multiple of both spans has come, then where one of either has.
bool is_due(Bounds window, Time last, Time at, std::size_t rows, const Drawn& with) {
  const auto come = [&](std::int64_t span) {
    for (Time tick = window.first + span; tick <= at; tick += span) {
      if (tick > last) return true;
    }
    return false;
  };
  const bool one = come(with.span);
  const bool other = come(other_span(with));
  return rows < 2 ? one && other : one || other;
}

History history(const Group& all, Bounds window, const Drawn& with, Early early) {
  const auto [start, end] = window;
  History steps;
  Group taken;
  Group waiting;
  const auto take = [&](Firing firing, auto may) {
    Group fresh;
    for (const ModelRecord* record : all) {
      const bool known = std::ranges::find(taken, record) != taken.end();
      if (!known && may(*record)) fresh.push_back(record);
    }
    taken.insert(taken.end(), fresh.begin(), fresh.end());
    if (!fresh.empty() || (firing == Firing::on_time && !taken.empty()))
      steps.push_back({firing, fresh});
  };
  if (early == Early::spans && with.span > 0) {
    for (Time at = start + with.span; at < end; at += with.span) {
      take(Firing::early, [at](const ModelRecord& r) { return r.time < at && counts(r, at); });
    }
  }
  if (early == Early::composed && with.span > 0) {
    Time last = start;
    for (Time at = start + 1; at < end; ++at) {
      const bool tick = (at - start) % with.span == 0 || (at - start) % other_span(with) == 0;
      const std::size_t rows = steps.size();
      if (!tick || !is_due(window, last, at, rows, with)) continue;
      take(Firing::early, [at](const ModelRecord& r) { return r.time < at && counts(r, at); });
      if (steps.size() > rows) last = at;
    }
  }
  if (early == Early::turns) {  // two rows of one record more
    for (const ModelRecord* record : all) {
      if (!counts(*record, end)) continue;
      waiting.push_back(record);
      const auto wanted = static_cast<std::size_t>(with.each) + (steps.size() < 2 ? 1 : 0);
      if (waiting.size() < wanted) continue;
      take(Firing::early,
           [&](const ModelRecord& r) { return std::ranges::find(waiting, &r) != waiting.end(); });
      waiting.clear();
    }
  }
  if (early == Early::records) {  // in the order of arrival, so many at a time
    std::int64_t in_time = 0;
    for (const ModelRecord* record : all) in_time += counts(*record, end);
    for (std::int64_t rows = in_time / with.each; rows > 0; --rows) {
      std::int64_t left = with.each;
      take(Firing::early, [&](const ModelRecord& r) { return counts(r, end) && left-- > 0; });
    }
  }
  take(Firing::on_time, [end = end](const ModelRecord& r) { return counts(r, end); });
  Group late;
  for (const ModelRecord* record : all) {
    if (!counts(*record, end)) late.push_back(record);
  }
  std::ranges::sort(late, [](auto* a, auto* b) {
    return std::tie(*a->watermark, a->time) != std::tie(*b->watermark, b->time)
               ? std::tie(*a->watermark, a->time) < std::tie(*b->watermark, b->time)
               : a->arrival < b->arrival;
  });
  for (const ModelRecord* record : late) steps.push_back({Firing::late, {record}});
  return steps;
}

/// The records of each window and key that it takes, in the order of arrival.
using Groups = std::map<Bounds, std::map<std::int32_t, Group>>;
Groups groups_of(const std::vector<ModelRecord>& records, const Drawn& with) {
  Groups groups;
  for (const ModelRecord& record : records) {
    for (const Bounds& window : windows_of(record.time, with.windows)) {
      if (counts(record, window.second + with.lateness))
        groups[window][record.key].push_back(&record);
    }
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

/// A sink that numbers the rows of each key and window as they come.
auto collect_updates(Rows& rows, const std::string& name) {
  using Counts = std::map<std::pair<std::int32_t, Bounds>, std::size_t>;
  return each([list = &rows[name], counts = std::make_shared<Counts>()](const auto& row) {
    const Bounds window{row.window_start, row.window_end};
    list->push_back(update_row(row.key, window, (*counts)[{row.key, window}]++, row.firing,
                               row.retracted, row.value));
  });
}
std::string text_of_event(const Event& event) {
  return fmt::format("{} {} {} {}", event.time, event.key, event.name, event.number);
}
auto collect_events(Rows& rows, const std::string& name) {
  return each(
      [list = &rows[name]](const Event& event) { list->push_back({text_of_event(event), 0}); });
}

RefiringWindows refiring(const Drawn& with) {
  return with.windows.allowed_lateness(Duration(with.lateness));
}
RefiringWindows with_early(const Drawn& with) {
  return with.span > 0 ? refiring(with).early(every(Duration(with.span))) : refiring(with);
}

RefiringWindows with_composed(const Drawn& with) {
  if (with.span == 0) return refiring(with);
  const EarlyTrigger one = every(Duration(with.span));
  const EarlyTrigger other = every(Duration(other_span(with)));
  return refiring(with).early(all_of(one, other).times(2).then(any_of(one, other)));
}

void declare(const Case& drawn, const Drawn& with, Topology& topology, Rows& rows) {
  const auto by_key = declare_trunk(topology, drawn).key_by(&Event::key);
  const auto fold = [](const auto& windowed) {
    return windowed.fold(
        Stats{}, [](Stats& stats, const Event& event) { add_to(stats, event); },
        [](Stats& stats, const Stats& other) { merge_into(stats, other); });
  };
  const auto plain = by_key.window(refiring(with)).count().named("counts");
  plain.to(collect_updates(rows, "lateness"));
  plain.late().to(collect_events(rows, "too late"));
  fold(by_key.window(with_early(with))).to(collect_updates(rows, "early"));
  fold(by_key.window(with_early(with).discarding())).to(collect_updates(rows, "discarding"));
  by_key.window(with_early(with).retracting())
      .last(&Event::number)
      .to(collect_updates(rows, "retracting"));
  by_key.window(with_composed(with).retracting())
      .last(&Event::number)
      .to(collect_updates(rows, "composed"));
  const auto finals = by_key.window(refiring(with).final_only()).count();
  finals.to(collect(rows, "finals"));
  using Final = Aggregate<std::int32_t, std::int64_t>;
  finals.key_by(&Final::key)
      .window(tumbling(1us))
      .sum(&Final::value)
      .to(collect(rows, "windows of finals"));
  finals.late().to(collect_events(rows, "too late for finals"));
}

/// What the rows hold in each mode: of the fold, and for `last`.
Stats stats_of(const Group& group) {
  Stats stats;
  for (const ModelRecord* record : group) add_to(stats, record->event());
  return stats;
}
std::int64_t last_of(const Group& group) {
  const auto* last = *std::ranges::max_element(group, [](auto* a, auto* b) {
    return a->time != b->time ? a->time < b->time : a->arrival < b->arrival;
  });
  return last->number;
}

void append(Group& held, const Group& fresh) {
  held.insert(held.end(), fresh.begin(), fresh.end());
}

void model_accumulating(std::int32_t key, Bounds window, const History& steps,
                        std::vector<OutRow>& rows) {
  Group held;
  std::size_t number = 0;
  for (const auto& [firing, fresh] : steps) {
    append(held, fresh);
    rows.push_back(update_row(key, window, number++, firing, false, stats_of(held)));
  }
}
void model_counts(std::int32_t key, Bounds window, const History& steps,
                  std::vector<OutRow>& rows) {
  std::int64_t held = 0;
  std::size_t number = 0;
  for (const auto& [firing, fresh] : steps) {
    held += static_cast<std::int64_t>(fresh.size());
    rows.push_back(update_row(key, window, number++, firing, false, held));
  }
}
void model_discarding(std::int32_t key, Bounds window, const History& steps,
                      std::vector<OutRow>& rows) {
  std::size_t number = 0;
  for (const auto& [firing, fresh] : steps) {
    if (fresh.empty()) continue;
    rows.push_back(update_row(key, window, number++, firing, false, stats_of(fresh)));
  }
}
void model_retracting(std::int32_t key, Bounds window, const History& steps,
                      std::vector<OutRow>& rows) {
  Group held;
  std::size_t number = 0;
  for (const auto& [firing, fresh] : steps) {
    if (!held.empty())
      rows.push_back(update_row(key, window, number++, firing, true, last_of(held)));
    append(held, fresh);
    rows.push_back(update_row(key, window, number++, firing, false, last_of(held)));
  }
}

void model_too_late(const std::vector<ModelRecord>& records, const Drawn& with, Rows& rows) {
  for (const ModelRecord& record : records) {
    bool taken = false;
    for (const Bounds& window : windows_of(record.time, with.windows))
      taken |= counts(record, window.second + with.lateness);
    if (taken) continue;
    for (const char* sink : {"too late", "too late for finals"})
      rows[sink].push_back({text_of_event(record.event()), 0});
  }
}

Rows model(const std::vector<ModelRecord>& records, const Drawn& with) {
  Rows rows;
  for (const char* sink : {"lateness", "too late", "early", "discarding", "retracting", "composed",
                           "finals", "windows of finals", "too late for finals"})
    rows[sink];
  model_too_late(records, with, rows);
  for (const auto& [window, keys] : groups_of(records, with)) {
    for (const auto& [key, group] : keys) {
      model_counts(key, window, history(group, window, with, Early::none), rows["lateness"]);
      const History steps = history(group, window, with, Early::spans);
      model_accumulating(key, window, steps, rows["early"]);
      model_discarding(key, window, steps, rows["discarding"]);
      model_retracting(key, window, steps, rows["retracting"]);
      model_retracting(key, window, history(group, window, with, Early::composed),
                       rows["composed"]);
      const auto held = static_cast<std::int64_t>(group.size());
      rows["finals"].push_back(row_of(key, window, held));
      rows["windows of finals"].push_back(row_of(key, {window.second - 1, window.second}, held));
    }
  }
  for (auto& [sink, list] : rows) std::sort(list.begin(), list.end());
  return rows;
}

void count_window_hits(const ModelRecord& record, Bounds window, const Drawn& with,
                       LateHits& hits) {
  const auto [start, end] = window;
  hits.at_start += record.time == start;
  const bool early = with.span > 0;
  hits.at_early += early && record.time > start && (record.time - start) % with.span == 0;
  if (!record.watermark) return;
  const Time behind = *record.watermark;
  hits.watermark_at_end += behind == end;
  hits.watermark_before_end += behind == end - 1;
  hits.watermark_at_close += behind == end + with.lateness;
  hits.watermark_before_close += with.lateness > 0 && behind == end + with.lateness - 1;
  hits.watermark_at_early += early && behind > start && behind < end && record.time < behind &&
                             (behind - start) % with.span == 0;
}

void count_hits(const std::vector<ModelRecord>& records, const Drawn& with, LateHits& hits) {
  std::set<Time> seen;
  for (const ModelRecord& record : records) {
    ++hits.records;
    hits.equal_stamps += !seen.insert(record.time).second;
    hits.at_end += !windows_of(record.time - 1, with.windows).empty() &&
                   windows_of(record.time - 1, with.windows).front().second == record.time;
    std::size_t taken = 0;
    const auto windows = windows_of(record.time, with.windows);
    for (const Bounds& window : windows) {
      count_window_hits(record, window, with, hits);
      taken += counts(record, window.second + with.lateness);
    }
    hits.too_late += taken == 0;
    hits.partly_too_late += taken > 0 && taken < windows.size();
  }
  for (const auto& [window, keys] : groups_of(records, with)) {
    for (const auto& [key, group] : keys) {
      const auto late = std::ranges::count_if(
          group, [end = window.second](auto* record) { return !counts(*record, end); });
      hits.several_late += late > 1;
      hits.never_on_time += static_cast<std::size_t>(late) == group.size();
    }
  }
}

void expect_all_hit(const LateHits& hits) {
  EXPECT_GE(hits.equal_stamps * 5, hits.records) << "less than a fifth of the stamps came twice";
  EXPECT_GT(hits.at_start, 0u) << "no record exactly at a start";
  EXPECT_GT(hits.at_end, 0u) << "no record exactly at an end";
  EXPECT_GT(hits.watermark_at_end, 0u) << "no record behind exactly an end";
  EXPECT_GT(hits.watermark_before_end, 0u) << "no record behind a microsecond before an end";
  EXPECT_GT(hits.watermark_at_close, 0u) << "no record behind exactly end + lateness";
  EXPECT_GT(hits.watermark_before_close, 0u) << "no record a microsecond before it";
  EXPECT_GT(hits.at_early, 0u) << "no record exactly at an early row";
  EXPECT_GT(hits.watermark_at_early, 0u) << "no record behind exactly an early row";
  EXPECT_GT(hits.several_late, 0u) << "no window with several late records";
  EXPECT_GT(hits.never_on_time, 0u) << "no window with late records alone";
  EXPECT_GT(hits.too_late, 0u) << "no record too late";
  EXPECT_GT(hits.partly_too_late, 0u) << "no record too late for some of its windows only";
}

TEST(ScheduleDoesNotMatter, LateAndEarlyRowsEqualTheModel) {
  LateHits hits;
  for_each_seed([&](std::uint64_t seed) {
    Case drawn = draw_case(seed);
    const Drawn with = draw_lateness(drawn);
    aim(drawn, with);
    const std::vector<ModelRecord> records = model_records(drawn);
    count_hits(records, with, hits);
    const Rows expected = model(records, with);
    const std::uint64_t late = expected.at("too late").size();
    const auto check_late = [late](const detail::Report& report) -> std::string {
      for (const auto& part : report.components) {
        if (part.name == "counts" && part.late != late)
          return fmt::format("{} records counted late, the model has {}", part.late, late);
      }
      return "";
    };
    return same_for_all_schedules(
        seed, [&](Topology& topology, Rows& rows) { declare(drawn, with, topology, rows); },
        expected, check_late);
  });
  if (std::getenv("MILLRACE_SEED") == nullptr) expect_all_hit(hits);
}

/// Of one partition the order of arrival is that of the input.
TEST(ScheduleDoesNotMatter, EarlyRowsByCountEqualTheModel) {
  std::uint64_t early_rows = 0;
  for_each_seed([&](std::uint64_t seed) {
    Case drawn = draw_case(seed);
    drawn.steps.clear();
    drawn.inputs.resize(1);
    drawn.inputs[0].partitions.resize(1);
    const Drawn with = draw_lateness(drawn);
    aim(drawn, with);
    const std::vector<ModelRecord> records = model_records(drawn);
    Rows expected;
    for (const char* sink : {"accumulating", "discarding", "retracting", "turns"}) expected[sink];
    for (const auto& [window, keys] : groups_of(records, with)) {
      for (const auto& [key, group] : keys) {
        const History steps = history(group, window, with, Early::records);
        for (const RowCause& step : steps) early_rows += step.firing == Firing::early;
        model_accumulating(key, window, steps, expected["accumulating"]);
        model_discarding(key, window, steps, expected["discarding"]);
        model_retracting(key, window, steps, expected["retracting"]);
        model_retracting(key, window, history(group, window, with, Early::turns),
                         expected["turns"]);
      }
    }
    for (auto& [sink, list] : expected) std::sort(list.begin(), list.end());
    const auto declare_counts = [&](Topology& topology, Rows& rows) {
      const auto by_key = declare_trunk(topology, drawn).key_by(&Event::key);
      const RefiringWindows spec = refiring(with).early(every(static_cast<std::size_t>(with.each)));
      const auto fold = [](const auto& windowed) {
        return windowed.fold(
            Stats{}, [](Stats& stats, const Event& event) { add_to(stats, event); },
            [](Stats& stats, const Stats& other) { merge_into(stats, other); });
      };
      fold(by_key.window(spec)).to(collect_updates(rows, "accumulating"));
      fold(by_key.window(spec.discarding())).to(collect_updates(rows, "discarding"));
      by_key.window(spec.retracting()).last(&Event::number).to(collect_updates(rows, "retracting"));
      const auto few = static_cast<std::size_t>(with.each);
      by_key.window(refiring(with).early(every(few + 1).times(2).then(every(few))).retracting())
          .last(&Event::number)
          .to(collect_updates(rows, "turns"));
    };
    return same_for_all_schedules(seed, declare_counts, expected);
  });
  if (std::getenv("MILLRACE_SEED") != nullptr) return;
  EXPECT_GT(early_rows, 0u);
}

}  // namespace
}  // namespace millrace::property
