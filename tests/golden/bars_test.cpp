// Bars of two files of trades and the events of a shop, against rows that a plain script computed.
#include "line_fields.hpp"

namespace millrace::golden {
namespace {

struct Trade {
  Timestamp time;
  double price = 0;
  double volume = 0;
};

struct Bar {
  double open = 0;
  double high = 0;
  double low = 0;
  double close = 0;
  double volume = 0;
  double vwap = 0;
  std::int64_t trades = 0;
};

struct Average {
  double price = 0;
  std::int64_t trades = 0;
};

/// The header holds no digits; every other line is a trade.
void parse_trade(std::string_view line, Output<Trade>& out) {
  if (line.find_first_of("0123456789") == line.npos) return;
  const auto fields = split_line(line);
  out.emit({time_of(fields[0]), number_of(fields[1]), number_of(fields[2])});
}

void bars_of(const Stream<Trade>& trades, Windows windows, Lines& lines) {
  trades.key_by([](const Trade&) { return 0; })
      .window(windows)
      .aggregate(first(&Trade::price).as(&Bar::open), max(&Trade::price).as(&Bar::high),
                 min(&Trade::price).as(&Bar::low), last(&Trade::price).as(&Bar::close),
                 sum(&Trade::volume).as(&Bar::volume),
                 mean(&Trade::price, &Trade::volume).as(&Bar::vwap), count().as(&Bar::trades))
      .to(each([&lines](const auto& row) {
        const Bar& bar = row.value;
        lines.push_back(fmt::format("{},{:.2f},{:.2f},{:.2f},{:.2f},{:.8f},{:.6f},{}",
                                    row.window_start / 1000, bar.open, bar.high, bar.low, bar.close,
                                    bar.volume, bar.vwap, bar.trades));
      }));
}

void means_of(const Stream<Trade>& trades, Lines& lines) {
  trades.key_by([](const Trade&) { return 0; })
      .window(sliding(5min, 1min))
      .aggregate(mean(&Trade::price).as(&Average::price), count().as(&Average::trades))
      .to(each([&lines](const auto& row) {
        lines.push_back(fmt::format("{},{:.6f},{}", row.window_start / 1000, row.value.price,
                                    row.value.trades));
      }));
}

class Bars : public testing::TestWithParam<std::uint32_t> {};

/// `shuffled`: the trades pass a shuffle over all tasks before they meet again, so that only their
/// place in the file can say which of two with one stamp came first.
void expect_bars(const std::string& folder, const std::string& file, std::uint32_t parallelism,
                 bool shuffled, std::uint64_t records) {
  if (!std::filesystem::exists(folder))
    GTEST_SKIP() << "there is no folder shared/ beside the clone";
  Results results;
  Topology topology("bars");
  auto trades = topology.from(lines(folder + file)).flat_map(parse_trade).event_time(&Trade::time);
  struct Same : Bolt<Trade, Trade> {
    void process(const Trade& trade, Output<Trade>& out) override { out.emit(trade); }
  };
  if (shuffled) trades = topology.bolt("same", Same{}, shuffle(trades));
  bars_of(trades, tumbling(1min), results["ohlcv_1m.csv"]);
  bars_of(trades, tumbling(1h), results["ohlcv_1h.csv"]);
  means_of(trades, results["mean_price_hopping_5m_1m.csv"]);
  EXPECT_EQ(run(topology, parallelism, 1 + parallelism % 2).records_in, records);
  for (const auto& [name, found] : results) {
    expect_rows(name, read_rows(folder + "expected/" + name), found);
  }
}

TEST_P(Bars, OfBitcoin) {
  for (const bool shuffled : {false, true}) {
    expect_bars(shared_folder("btc-ticks"), "bitstamp_trades_from_20131125_usd.csv.gz", GetParam(),
                shuffled, 100'001);
  }
}

TEST_P(Bars, OfFutures) {
  for (const bool shuffled : {false, true}) {
    expect_bars(shared_folder("futures-ticks"), "ticks-part1.csv.gz", GetParam(), shuffled,
                250'001);
  }
}

struct Click {
  Timestamp time;
  std::string_view event;
};

/// The file is grouped by user: its stamps lie up to half a year out of order.
TEST_P(Bars, EventsADayOfTheShop) {
  const std::string folder = shared_folder("shop-clickstream");
  if (!std::filesystem::exists(folder))
    GTEST_SKIP() << "there is no folder shared/ beside the clone";
  Lines found;
  Topology topology("shop");
  topology.from(lines(folder + "ecom.csv.gz"))
      .flat_map([](std::string_view line, Output<Click>& out) {
        if (line.starts_with("user_id,")) return;
        const auto fields = split_line(line);
        out.emit({time_of(fields[3]), fields[2]});
      })
      .event_time(&Click::time, {.out_of_order = 200 * 24h})
      .key_by(&Click::event)
      .window(tumbling(24h))
      .count()
      .to(each([&found](const auto& row) {
        found.push_back(fmt::format("{},{},{}", row.window_start / 1000, row.key, row.value));
      }));
  EXPECT_EQ(run(topology, GetParam(), 1 + GetParam() % 2).records_in, 31'107u);
  expect_rows("events_1d.csv", sorted(read_rows(folder + "expected/events_1d.csv")), sorted(found));
}

INSTANTIATE_TEST_SUITE_P(Parallelism, Bars, testing::Range(1u, 9u));

}  // namespace
}  // namespace millrace::golden
