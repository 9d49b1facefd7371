// Keyed state and timers over real data, against rows that a plain script computed.
#include "golden_run.hpp"
#include "millrace/millrace.hpp"

namespace millrace::golden {
namespace {

using Text = std::string_view;

struct Click {
  std::int64_t ts_ms = 0;
  Text user_id;
  Text event;
  Timestamp time() const { return {ts_ms * 1000}; }
};

struct Abandoned {
  Timestamp fired;
  std::string user;
  Timestamp added;
};

struct AbandonedCart {
  ValueState<Timestamp> open;  // when something was put into the cart last

  void process(const Click& click, KeyedContext<Text>& context, Output<Abandoned>&) {
    if (click.event != "add_to_cart" && click.event != "purchase") return;
    if (open) context.timers().remove(*open + 30min);
    open.clear();
    if (click.event != "add_to_cart") return;
    open.set(click.time());
    context.timers().at(click.time() + 30min);
  }
  void on_timer(Time time, KeyedContext<Text>& context, Output<Abandoned>& out) {
    out.emit({{time}, std::string(context.key()), *open});
    open.clear();
  }
};

class StateOverData : public testing::TestWithParam<std::uint32_t> {};

TEST_P(StateOverData, AbandonedCarts) {
  const std::string folder = shared_folder("shop-clickstream") + "expected/";
  if (!std::filesystem::exists(folder))
    GTEST_SKIP() << "there is no folder shared/ beside the clone";
  Lines found;
  Topology topology("carts");
  topology.from(millrace::csv<Click>(folder + "by_time.csv.gz"))
      .event_time(&Click::time)
      .key_by(&Click::user_id)
      .process(AbandonedCart{})
      .to(each([&found](const Abandoned& row) {
        found.push_back(
            fmt::format("{},{},{}", row.fired.micros / 1000, row.user, row.added.micros / 1000));
      }));
  run(topology, GetParam(), 1 + GetParam() % 2);
  Lines expected = read_rows(folder + "cep_abandoned_cart.csv");
  if (GetParam() == 1) {  // one task: by time, then by key
    expect_rows("cep_abandoned_cart.csv", expected, found);
  } else {
    expect_rows("cep_abandoned_cart.csv", sorted(expected), sorted(found));
  }
}

struct Payment {
  std::int64_t tx_id = 0;
  std::int64_t ts = 0;
  std::int64_t customer = 0;
  Timestamp time() const { return {ts * 1'000'000}; }
};

struct Velocity {
  std::int64_t tx_id = 0;
  std::int64_t ts = 0;
  std::int64_t customer = 0;
  std::uint64_t count = 0;
};

/// The customer's payments of the last day up to and with this one.
struct CardVelocity {
  ListState<Time> payments{{.ttl = 24h}};

  void process(const Payment& payment, KeyedContext<std::int64_t>& context, Output<Velocity>& out) {
    const Time oldest = context.time() - Duration(24h).count();
    payments.add(context.time());
    payments.erase_if([oldest](Time time) { return time <= oldest; });
    if (payments.size() >= 10)
      out.emit({payment.tx_id, payment.ts, payment.customer, payments.size()});
  }
};

TEST_P(StateOverData, CardVelocity) {
  const std::string folder = shared_folder("card-fraud");
  if (!std::filesystem::exists(folder))
    GTEST_SKIP() << "there is no folder shared/ beside the clone";
  if (GetParam() % 3 != 1) return;  // half a million lines
  Lines found;
  Topology topology("cards");
  topology.from(millrace::csv<Payment>(folder + "tx-2018-0*.csv.gz"))
      .event_time(&Payment::time)
      .restore_order()  // two months, two partitions
      .key_by(&Payment::customer)
      .process(CardVelocity{})
      .to(each([&found](const Velocity& row) {
        found.push_back(
            fmt::format("{},{},{},{}", row.tx_id, row.ts * 1000, row.customer, row.count));
      }));
  run(topology, GetParam(), 1 + GetParam() % 2);
  const Lines expected = read_rows(folder + "expected/alerts_velocity.csv");
  if (GetParam() == 1) {
    expect_rows("alerts_velocity.csv", expected, found);
  } else {
    expect_rows("alerts_velocity.csv", sorted(expected), sorted(found));
  }
}

struct Position {
  std::int64_t timestamp = 0;
  Text icao24;
  Text latitude;
  Text longitude;
  Text altitude;
  std::optional<std::int32_t> vertical_rate;
  Timestamp time() const { return {timestamp * 1000}; }
};

struct Descent {
  std::int64_t timestamp = 0;
  std::string icao24;
  std::int32_t vertical_rate = 0;
};

/// A row when a fast descent begins.
struct FastDescent {
  ValueState<bool> descends;

  void process(const Position& at, KeyedContext<Text>& context, Output<Descent>& out) noexcept {
    if (!at.vertical_rate) return;
    const bool now = *at.vertical_rate <= -3000;
    if (now && !descends.value_or(false))
      out.emit({at.timestamp, std::string(context.key()), *at.vertical_rate});
    descends.set(now);
  }
};

/// The last line of each aircraft, at the end of input.
struct LatestState {
  ValueState<std::string> line;

  void process(const Position& at, KeyedContext<Text>& context, Output<std::string>&) {
    if (!line) context.timers().at(kTimeMax - 1);
    line.set(fmt::format("{},{},{},{},{}", at.icao24, at.timestamp, at.latitude, at.longitude,
                         at.altitude));
  }
  void on_timer(Time, KeyedContext<Text>&, Output<std::string>& out) { out.emit(*line); }
};

TEST_P(StateOverData, Aircraft) {
  const std::string folder = shared_folder("adsb-paris");
  if (!std::filesystem::exists(folder))
    GTEST_SKIP() << "there is no folder shared/ beside the clone";
  Lines descents;
  Lines states;
  Topology topology("aircraft");
  auto positions = topology.from(millrace::csv<Position>(folder + "positions.csv.gz"))
                       .event_time(&Position::time);
  auto aircraft = positions.key_by(&Position::icao24);
  aircraft.process(FastDescent{}).to(each([&descents](const Descent& row) {
    descents.push_back(fmt::format("{},{},{}", row.timestamp, row.icao24, row.vertical_rate));
  }));
  aircraft.process(LatestState{}).to(each([&states](const std::string& row) {
    states.push_back(row);
  }));
  run(topology, GetParam(), 1 + GetParam() % 2);
  expect_rows("alerts_fast_descent.csv",
              sorted(read_rows(folder + "expected/alerts_fast_descent.csv")), sorted(descents));
  const Lines expected = read_rows(folder + "expected/latest_state.csv");
  expect_rows("latest_state.csv", expected, GetParam() == 1 ? states : sorted(states));
}

INSTANTIATE_TEST_SUITE_P(Parallelism, StateOverData, testing::Range(1u, 9u));

}  // namespace
}  // namespace millrace::golden
