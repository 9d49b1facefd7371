// Promise: NEXMark's queries q0 to q8 give what a naive look over the whole list of events gives,
// in order and out of order, whatever the schedule.
#include "bench/nexmark_generator.hpp"
#include "bench/nexmark_queries.hpp"
#include "nexmark_model.hpp"
#include "schedule_run.hpp"

namespace millrace::property {
namespace {

namespace nx = bench::nexmark;

constexpr std::uint64_t kEvents = 20'000;
/// Forty seconds of event time: four windows of q7 and q8.
constexpr Duration kSpacing{2000};

struct NexmarkCase {
  std::vector<std::vector<nx::Event>> partitions;
  std::int64_t out_of_order = 0;  ///< microseconds
  std::uint32_t tasks = 1;
  Duration longest{0};
};

void move_to(nx::Event& event, std::int64_t time) {
  event.time = Timestamp{time};
  (event.person    ? event.person->time
   : event.auction ? event.auction->time
                   : event.bid->time) = event.time;
}

/// What the generator makes, and more of what is easily got wrong: times at the bounds of auctions
/// and windows, equal prices, equal counts.
std::vector<nx::Event> draw_events(std::uint64_t seed, detail::Random& random) {
  const nx::Generator generator({.seed = seed, .spacing = kSpacing});
  std::vector<nx::Event> events;
  std::vector<nx::Auction> auctions;
  std::uint64_t in_turn = 0;
  for (std::uint64_t index = 0; index < kEvents; ++index) {
    nx::Event event = generator(index);
    const std::int64_t edge = (event.time.micros + 500'000) / 2'000'000 * 2'000'000;
    if (std::abs(event.time.micros - edge) < 500'000 && random.chance(0.1))
      move_to(event, edge - random.between(0, 1));
    if (event.auction) auctions.push_back(*event.auction);
    if (event.bid) {
      nx::Bid& bid = *event.bid;
      if (random.chance(1.0 / 300)) bid.price = 200'000'000;
      if (random.chance(0.2)) {
        const nx::Auction& of =
            auctions[auctions.size() - 1 - random.below(std::min<std::size_t>(auctions.size(), 9))];
        bid.auction = of.id;
        move_to(event, (random.chance(0.3) ? of.time : of.expires).micros + random.between(-1, 1));
      } else if (index > kEvents * 2 / 3) {
        bid.auction = nx::kFirstId + static_cast<std::int64_t>(++in_turn % 2);
      }
    }
    events.push_back(event);
  }
  return events;
}

NexmarkCase draw_nexmark(std::uint64_t seed, bool in_order, std::vector<nx::Event>& all) {
  detail::Random random(seed ^ 0x0ae0);
  NexmarkCase drawn;
  drawn.longest =
      nx::longest_auction({.seed = seed, .spacing = kSpacing}) + std::chrono::seconds(1);
  drawn.tasks = static_cast<std::uint32_t>(random.between(1, 4));
  drawn.partitions.resize(static_cast<std::size_t>(random.between(1, 4)));
  if (!in_order) drawn.out_of_order = random.between(1, 4'000'000);
  all = draw_events(seed, random);
  std::vector<std::pair<std::int64_t, std::size_t>> arrivals;
  for (std::size_t at = 0; at < all.size(); ++at)
    arrivals.emplace_back(all[at].time.micros + random.between(0, drawn.out_of_order), at);
  std::sort(arrivals.begin(), arrivals.end());
  for (const auto& [arrival, at] : arrivals)
    drawn.partitions[random.below(drawn.partitions.size())].push_back(all[at]);
  return drawn;
}

void declare(const NexmarkCase& drawn, Topology& topology, Rows& rows) {
  const auto events =
      topology.from(records(drawn.partitions, drawn.tasks))
          .event_time(&nx::Event::time, {.out_of_order = Duration(drawn.out_of_order)});
  const auto into = [&rows](const char* name) {
    return each([list = &rows[name]](const auto& row) { list->push_back(nexmark_row(row)); });
  };
  nx::q0(events).to(into("q0"));
  nx::q1(events).to(into("q1"));
  nx::q2(events).to(into("q2"));
  nx::q3(events).to(into("q3"));
  nx::q4(events, drawn.longest).to(into("q4"));
  nx::q5(events).to(into("q5"));
  nx::q6(events, drawn.longest).to(into("q6"));
  nx::q7(events).to(into("q7"));
  nx::q8(events).to(into("q8"));
}

/// 1 to 4 tasks, by threads and in simulated orders.
bool same_for_tasks(std::uint64_t seed, const Declare& declare_all, const Rows& expected) {
  detail::Random random(seed ^ 0x5eed);
  for (std::uint32_t tasks = 1; tasks <= 4; ++tasks) {
    Schedule schedule = draw_schedule(random, tasks % 2 == 0);
    schedule.plan.parallelism = tasks;
    schedule.run.batch_records_max = std::max<std::size_t>(schedule.run.batch_records_max, 64);
    schedule.run.speed = 0;
    const Outcome outcome = run_once(declare_all, schedule);
    const std::string where = fmt::format("seed {}: {}", seed, schedule.to_string());
    const std::string wrong = difference(expected, outcome.rows);
    EXPECT_TRUE(outcome.status.ok()) << where << ": " << outcome.status.to_string();
    EXPECT_EQ(wrong, "") << where;
    if (!outcome.status.ok() || !wrong.empty()) return false;
  }
  return true;
}

void expect_equal(bool in_order) {
  NexmarkHits hits;
  const std::uint64_t cases = std::max<std::uint64_t>(seeds() / 20, 1);
  for (std::uint64_t seed = 1; seed <= cases; ++seed) {
    std::vector<nx::Event> all;
    const NexmarkCase drawn = draw_nexmark(seed, in_order, all);
    const Rows expected = NexmarkModel(all, hits).rows();
    const auto run = [&](Topology& topology, Rows& rows) { declare(drawn, topology, rows); };
    if (!same_for_tasks(seed, run, expected)) return;
  }
  EXPECT_GT(hits.local_items, 20 * cases);
  EXPECT_GT(hits.before_their_seller, 0u);
  EXPECT_GT(hits.at_begin, 20 * cases);
  EXPECT_GT(hits.at_end, 50 * cases);
  EXPECT_GT(hits.won_at_end, 5 * cases);
  EXPECT_GT(hits.too_late, 50 * cases);
  EXPECT_GT(hits.sales, 500 * cases);
  EXPECT_GT(hits.more_than_ten, 100 * cases);
  EXPECT_GT(hits.equal_counts, 0u);
  EXPECT_GT(hits.equal_prices, 3 * cases);
  EXPECT_GT(hits.new_users, 50 * cases);
  EXPECT_GT(hits.sold_in_another_window, 50 * cases);
  EXPECT_GT(hits.on_an_edge, 20 * cases);
}

TEST(ScheduleDoesNotMatter, NexmarkEqualsTheModelInOrder) { expect_equal(true); }
TEST(ScheduleDoesNotMatter, NexmarkEqualsTheModelOutOfOrder) { expect_equal(false); }

}  // namespace
}  // namespace millrace::property
