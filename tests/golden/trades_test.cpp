// Windows of a thousand trades, moving averages, and how fast cards spend, against rows that a
// plain script computed.
#include "line_fields.hpp"

namespace millrace::golden {
namespace {

constexpr const char* kNoData = "there is no folder shared/ beside the clone";

struct Trade {
  Timestamp time;
  std::int64_t line = 0;
  double price = 0;
  double volume = 0;
};

struct Thousand {
  Timestamp first, last;
  double low = 0;
  double high = 0;
  double volume = 0;
};

struct Average {
  std::int64_t line = 0;
  Timestamp time;
  double price = 0;
  double mean = 0;
  std::int64_t trades = 0;
};

/// Numbers the trades of a file from 0, without its header, which holds no digits.
struct ParseTrade {
  std::int64_t line = 0;
  void operator()(std::string_view text, Output<Trade>& out) {
    if (text.find_first_of("0123456789") == text.npos) return;
    const auto fields = split_line(text);
    out.emit({time_of(fields[0]), line++, number_of(fields[1]), number_of(fields[2])});
  }
};

constexpr auto kOneKey = [](const Trade&) { return 0; };

void declare_thousands(const Stream<Trade>& trades, Lines& found) {
  trades.key_by(kOneKey)
      .window(count_window(1000))
      .aggregate(min(&Trade::time).as(&Thousand::first), max(&Trade::time).as(&Thousand::last),
                 min(&Trade::price).as(&Thousand::low), max(&Trade::price).as(&Thousand::high),
                 sum(&Trade::volume).as(&Thousand::volume))
      .to(each([&found](const auto& row) {
        const Thousand& of = row.value;
        EXPECT_EQ(row.window_start, of.first.micros);
        EXPECT_EQ(row.window_end, of.last.micros + 1);
        found.push_back(fmt::format("{},{},{},{:.2f},{:.2f},{:.8f}", found.size(),
                                    of.first.micros / 1000, of.last.micros / 1000, of.low, of.high,
                                    of.volume));
      }));
}

/// A row where the price leaves its mean of the last hundred by `by`, which it had not before.
void declare_alerts(const Stream<Trade>& trades, double by, Lines& found) {
  trades.key_by(kOneKey)
      .over(last(100))
      .aggregate(last(&Trade::line).as(&Average::line), last(&Trade::time).as(&Average::time),
                 last(&Trade::price).as(&Average::price), mean(&Trade::price).as(&Average::mean),
                 count().as(&Average::trades))
      .to(each([&found, by, away = false](const auto& row) mutable {
        const Average& of = row.value;
        if (of.trades < 100) return;
        const double off = of.price / of.mean - 1;
        if (std::abs(off) >= by && !away) {
          found.push_back(fmt::format("{},{},{:.2f},{:.6f},{}", of.line, of.time.micros / 1000,
                                      of.price, of.mean, off > 0 ? "UP" : "DOWN"));
        }
        away = std::abs(off) >= by;
      }));
}

class RecordWindows : public testing::TestWithParam<std::uint32_t> {
 protected:
  void expect_trades(std::string_view name, const std::string& file, double by) {
    const std::string folder = shared_folder(name);
    if (!std::filesystem::exists(folder)) GTEST_SKIP() << kNoData;
    Results results;
    Topology topology("trades");
    struct Same : Bolt<Trade, Trade> {
      void process(const Trade& trade, Output<Trade>& out) override { out.emit(trade); }
    };
    auto trades =
        topology.from(lines(folder + file)).flat_map(ParseTrade{}).event_time(&Trade::time);
    // Only their place in the file can say which of two with one stamp came first.
    trades = topology.bolt("same", Same{}, shuffle(trades));
    declare_thousands(trades, results["count_window_1000.csv"]);
    declare_alerts(trades, by, results["alerts_sma100.csv"]);
    run(topology, GetParam(), 1 + GetParam() % 2);
    for (const auto& [expected, found] : results) {
      expect_rows(expected, read_rows(folder + "expected/" + expected), found);
    }
  }
};

TEST_P(RecordWindows, OfBitcoin) {
  expect_trades("btc-ticks", "bitstamp_trades_from_20131125_usd.csv.gz", 0.01);
}
TEST_P(RecordWindows, OfFutures) { expect_trades("futures-ticks", "ticks-part1.csv.gz", 0.0005); }

struct Payment {
  Timestamp time;
  std::int64_t id = 0;
  std::int64_t customer = 0;
  double amount = 0;
};

struct Velocity {
  std::int64_t id = 0;
  Timestamp time;
  std::int64_t payments = 0;
  double mean = 0;
};

void parse_payment(std::string_view line, Output<Payment>& out) {
  if (line.starts_with("tx_id,")) return;
  const auto fields = split_line(line);
  out.emit({time_of(fields[1]), static_cast<std::int64_t>(number_of(fields[0])),
            static_cast<std::int64_t>(number_of(fields[2])), number_of(fields[4])});
}

TEST_P(RecordWindows, OfCards) {
  const std::string folder = shared_folder("card-fraud");
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << kNoData;
  std::map<std::int64_t, std::pair<std::string, std::string>> rows;  // by payment, as the file is
  Topology topology("cards");
  topology.from(lines(folder + "tx-2018-*.csv.gz"))
      .flat_map(parse_payment)
      .event_time(&Payment::time)
      .key_by(&Payment::customer)
      .over(last(24h))
      .aggregate(last(&Payment::id).as(&Velocity::id), last(&Payment::time).as(&Velocity::time),
                 count().as(&Velocity::payments), mean(&Payment::amount).as(&Velocity::mean))
      .to(each([&rows](const auto& row) {
        const Velocity& of = row.value;
        auto& [each_one, alert] = rows[of.id];
        each_one = fmt::format("{},{},{:.6f}", of.id, of.payments, of.mean);
        if (of.payments < 10) return;
        alert = fmt::format("{},{},{},{}", of.id, of.time.micros / 1000, row.key, of.payments);
      }));
  run(topology, GetParam(), 1 + GetParam() % 2);
  Lines velocities;
  Lines alerts;
  for (const auto& [id, texts] : rows) {
    velocities.push_back(texts.first);
    if (!texts.second.empty()) alerts.push_back(texts.second);
  }
  expect_rows("customer_1day", read_rows(folder + "expected/customer_1day.csv.gz"), velocities);
  expect_rows("alerts_velocity", read_rows(folder + "expected/alerts_velocity.csv"), alerts);
}

INSTANTIATE_TEST_SUITE_P(Parallelism, RecordWindows, testing::Range(1u, 9u));

}  // namespace
}  // namespace millrace::golden
