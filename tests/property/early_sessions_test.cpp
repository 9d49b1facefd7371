// Early rows of sessions by records, in each mode, against a naive model.
#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "early_rows.hpp"
#include "schedule_run.hpp"

namespace millrace::property {
namespace {

struct SessionHits {
  int early = 0;
  int late = 0;
  int joined = 0;         ///< rows that replace those of several sessions
  int last_to_count = 0;  ///< time + lateness = W
  int too_late = 0;
  int exactly_gap = 0;
};

struct ModelSession {
  Time first;
  Time last;
  std::int64_t all;
  std::int64_t fresh;
  std::int64_t fresh_records;
  bool over;
  std::vector<Told> standing;
};

/// The sessions of a key, as a list that is looked through for each record.
class ModelKey {
 public:
  ModelKey(const SessionCase& with, SessionHits& hits) : with_(with), hits_(hits) {}

  void take(const TimedHit& event) {
    const Time time = event.hit.when.micros;
    if (!event.behind) return put(time, event.hit.number, time);
    hits_.last_to_count += time + with_.lateness == *event.behind;
    if (time + with_.lateness < *event.behind) {
      ++hits_.too_late;
    } else {
      waiting_.insert({{*event.behind, time, waiting_.size() + taken_}, event.hit.number});
    }
  }
  void advance(Time watermark) {
    while (true) {
      Time when = waiting_.empty() ? kTimeMax : std::get<0>(waiting_.begin()->first);
      const bool record_first = when != kTimeMax;
      const Time turn = when;
      for (const ModelSession& one : sessions_) {
        if (!one.over) when = std::min(when, one.last);
      }
      if (when == kTimeMax || (when >= watermark && watermark != kTimeMax)) return;
      if (record_first && turn == when) {
        const auto [place, number] = *waiting_.begin();
        waiting_.erase(waiting_.begin());
        ++taken_;
        put(std::get<1>(place), number, turn);
        continue;
      }
      for (ModelSession& one : sessions_) {
        if (one.over || one.last != when) continue;
        one.over = true;
        if (one.fresh_records > 0 || with_.mode != RefireMode::discarding)
          emit(one, Firing::on_time);
      }
    }
  }
  const std::vector<Told>& rows() const { return rows_; }

 private:
  void put(Time time, std::int64_t number, Time turn) {
    ModelSession made{time, time + with_.gap, number, number, 1, false, {}};
    std::vector<ModelSession> kept;
    for (ModelSession& one : sessions_) {  // in the order of time
      if (one.last < time || one.first > time + with_.gap) {
        kept.push_back(one);
        continue;
      }
      hits_.exactly_gap += one.last == time || one.first == time + with_.gap;
      made.first = std::min(made.first, one.first);
      made.last = std::max(made.last, one.last);
      made.all += one.all;
      made.fresh += one.fresh;
      made.fresh_records += one.fresh_records;
      made.standing.insert(made.standing.end(), one.standing.begin(), one.standing.end());
    }
    made.over = made.last < turn;
    if (made.over) {
      emit(made, Firing::late);
    } else if (made.fresh_records >= with_.records) {
      emit(made, Firing::early);
    }
    const auto behind = std::ranges::find_if(
        kept, [&made](const ModelSession& one) { return one.first > made.first; });
    kept.insert(behind, made);
    sessions_ = std::move(kept);
  }
  void emit(ModelSession& session, Firing firing) {
    hits_.early += firing == Firing::early;
    hits_.late += firing == Firing::late;
    hits_.joined += session.standing.size() > 1;
    tell(rows_, session.standing, with_.mode, {session.first, session.last, 0, firing}, session.all,
         session.fresh);
    session.fresh = 0;
    session.fresh_records = 0;
  }

  SessionCase with_;
  SessionHits& hits_;
  std::vector<ModelSession> sessions_;
  /// Late ones by the watermark that they are behind, then by time and arrival.
  std::map<std::tuple<Time, Time, std::size_t>, std::int64_t> waiting_;
  std::size_t taken_ = 0;
  std::vector<Told> rows_;
};

ByKey model_sessions(const std::vector<TimedHit>& events, const SessionCase& with,
                     SessionHits& hits) {
  std::map<std::int32_t, ModelKey> keys;
  for (const TimedHit& event : events) {
    keys.try_emplace(event.hit.key, with, hits).first->second.take(event);
    for (auto& [key, model] : keys) model.advance(event.watermark);
  }
  ByKey rows;
  for (auto& [key, model] : keys) {
    model.advance(kTimeMax);
    if (!model.rows().empty()) rows[key] = model.rows();
  }
  return rows;
}

TEST(EarlyRows, OfSessionsByRecords) {
  SessionHits hits;
  for_each_seed([&](std::uint64_t seed) {
    bool good = true;
    for (int round = 0; round < 5 && good; ++round) {
      detail::Random random(seed * 31 + static_cast<std::uint64_t>(round));
      const SessionCase with{random.between(1, 20), random.chance(0.2) ? 0 : random.between(1, 60),
                             random.between(0, 15), random.between(1, 5), draw_mode(random)};
      const auto late = session(Duration(with.gap)).allowed_lateness(Duration(with.lateness));
      const auto spec =
          in_mode(late.early(every(static_cast<std::size_t>(with.records))), with.mode);
      Driven driven(spec, static_cast<int>(random.between(1, 3)), Duration(with.out_of_order));
      const std::vector<Hit> input = draw_hits(random, with);
      for (const Hit& hit : input) driven.pipe(hit);
      driven.end();
      const std::string wrong = difference(
          model_sessions(events_of(input, with.out_of_order), with, hits), driven.rows());
      EXPECT_EQ(wrong, "") << "MILLRACE_SEED=" << seed << ' ' << spec.to_string();
      good = wrong.empty();
    }
    return good;
  });
  if (std::getenv("MILLRACE_SEED") != nullptr) return;
  EXPECT_GT(hits.early, 100) << "hardly an early row";
  EXPECT_GT(hits.late, 100) << "hardly a late row";
  EXPECT_GT(hits.joined, 10) << "hardly a row that replaced several";
  EXPECT_GT(hits.last_to_count, 10) << "hardly a record of exactly the lateness";
  EXPECT_GT(hits.too_late, 10) << "hardly a record beyond it";
  EXPECT_GT(hits.exactly_gap, 10) << "hardly a record exactly at a gap";
}

}  // namespace
}  // namespace millrace::property
