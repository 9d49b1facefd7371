// Notices of random records are those of a slow model whatever the schedule, and those that are cut
// at random places go on as if nothing had been.
#include "millrace/notices.hpp"

#include "join_input.hpp"
#include "operator_cuts.hpp"

namespace millrace::property {

/// Found by the type of its argument.
inline std::string text_of(const Notice<Event>& notice) {
  return fmt::format("{} +{} since {}", text_of(notice.record), notice.held, notice.since.micros);
}

namespace {

NotifyOptions draw_options(Random& random) {
  NotifyOptions options;
  options.cool_down = Duration(random.between(1, 60));
  if (random.chance(0.5)) options.group_wait = Duration(random.between(1, 40));
  if (random.chance(0.6)) {
    options.cap = {static_cast<std::uint32_t>(1 + random.below(4)),
                   Duration(random.between(1, 200))};
  }
  return options;
}

struct NoticeHits {
  std::uint64_t at_once = 0, held = 0, waited = 0, capped = 0, at_the_end = 0;
};

/// From when on the cap allows a notice, by trying the times at which one falls out of the span.
Time allowed_from(Time from, const std::vector<Time>& sent, const NoticeCap& cap) {
  const auto fits = [&](Time time) {
    std::uint32_t in_span = 0;
    for (const Time before : sent) in_span += before > time - cap.per.count() ? 1 : 0;
    return in_span < cap.notices;
  };
  if (cap.notices == 0 || fits(from)) return from;
  Time best = kTimeMax;
  for (const Time before : sent) {
    const Time time = before + cap.per.count();
    if (time > from && time < best && fits(time)) best = time;
  }
  return best;
}

/// The notices of the records of a key, in order.
std::vector<std::string> model_of_key(const std::vector<ModelRecord>& records,
                                      const NotifyOptions& options, NoticeHits& hits) {
  std::vector<std::string> told;
  std::vector<Time> sent;
  std::size_t at = 0;
  while (at < records.size()) {
    const Time first = records[at].time;
    const Time pause_ends =
        sent.empty() ? kTimeMin
                     : allowed_from(sent.back() + options.cool_down.count(), sent, options.cap);
    const bool quiet = first > pause_ends;
    const Time goes = quiet ? first + options.group_wait.count() : pause_ends;
    std::size_t end = at + 1;
    const bool alone = quiet && options.group_wait == Duration(0);
    while (!alone && end < records.size() && records[end].time <= goes) ++end;
    hits.at_once += alone;
    hits.held += !quiet;
    hits.waited += quiet && !alone;
    hits.capped += !sent.empty() && pause_ends > sent.back() + options.cool_down.count();
    hits.at_the_end += records[end - 1].time == goes && !alone;
    told.push_back(
        fmt::format("{} +{} since {}", text_of(records[end - 1].event()), end - at - 1, first));
    sent.push_back(goes);
    at = end;
  }
  return told;
}

Rows model(const Input& input, const NotifyOptions& options, NoticeHits& hits) {
  Rows rows{{"notices", {}}, {"late", {}}};
  std::map<std::int32_t, std::vector<ModelRecord>> keys;
  for (const ModelRecord& record : model_records(input, 0)) {
    if (record.watermark && record.time < *record.watermark) {
      rows["late"].push_back({text_of(record.event()), 0});
    } else {
      keys[record.key].push_back(record);
    }
  }
  for (auto& [key, records] : keys) {
    std::ranges::sort(records, [](const ModelRecord& a, const ModelRecord& b) {
      return a.time == b.time ? a.arrival < b.arrival : a.time < b.time;
    });
    for (const std::string& text : model_of_key(records, options, hits))
      rows["notices"].push_back({text, 0});
  }
  for (auto& [sink, list] : rows) std::sort(list.begin(), list.end());
  return rows;
}

TEST(ScheduleDoesNotMatter, NoticesEqualTheModel) {
  NoticeHits hits;
  for_each_seed([&](std::uint64_t seed) {
    Random random(seed ^ 0xa1a2);
    const Input input = draw_input(random);
    const NotifyOptions options = draw_options(random);
    SCOPED_TRACE(detail::to_string(options));
    const auto declare = [&](Topology& topology, Rows& rows) {
      const auto notices = notify(declare_input(topology, input).key_by(&Event::key), options);
      notices.to(collect_text(rows, "notices"));
      notices.late().to(collect_text(rows, "late"));
    };
    return same_for_all_schedules(seed, declare, model(input, options, hits));
  });
  if (std::getenv("MILLRACE_SEED") != nullptr) return;
  for (const std::uint64_t hit :
       {hits.at_once, hits.held, hits.waited, hits.capped, hits.at_the_end}) {
    EXPECT_GT(hit, 40u);
  }
}

/// In the order of event time, as a notify is given them.
std::vector<OperatorStep> notes_in_order(Draw& draw) {
  std::vector<OperatorStep> steps;
  Random& random = draw.random();
  Time now = 1'000;
  std::uint64_t number = 0;
  while (steps.size() < 40) {
    if (random.chance(0.3)) {
      steps.push_back({.kind = OperatorStep::Kind::watermark, .watermark = now});
      continue;
    }
    auto batch = std::make_shared<Batch<Note>>();
    for (std::uint64_t count = 1 + random.below(6); count > 0; --count) {
      now += random.between(0, 6);
      batch->values.push_back(draw.note(now));
      batch->times.push_back(now);
      batch->arrivals.push_back(detail::Arrival::at(1, 0, number++));
    }
    steps.push_back({.kind = OperatorStep::Kind::batch, .input = 0, .batch = std::move(batch)});
  }
  steps.push_back({.kind = OperatorStep::Kind::watermark, .watermark = kTimeMax});
  return steps;
}

template <class Key, class K, class Part>
void compare_notices(const NotifyOptions& options, Part part) {
  SCOPED_TRACE(detail::to_string(options));
  const auto key = key_by<Note>(part);
  using Step = detail::NotifyStep<Note, K>;
  using Op = detail::NotifyOperator<Note, Key, Step>;
  const Subject subject{[=] { return std::make_unique<Op>(key, Step{options, {}}); },
                        {{&batch_type<Note>(), key}},
                        show_by<Notice<Note>>([part](const Notice<Note>& notice) {
                          return std::invoke(part, notice.record);
                        })};
  compare(subject, notes_in_order);
}

TEST(StoredOperators, NoticesGoOn) {
  for (const NotifyOptions& options :
       {NotifyOptions{.cool_down = Duration(40)},
        NotifyOptions{.cool_down = Duration(5), .group_wait = Duration(30)},
        NotifyOptions{.cool_down = Duration(1), .cap = {3, Duration(120)}}}) {
    compare_notices<NoteByKey, std::int32_t>(options, &Note::key);
    compare_notices<NoteByName, std::string_view>(options, &Note::name);
  }
}

}  // namespace
}  // namespace millrace::property
