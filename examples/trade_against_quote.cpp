// Trades beside the quote that was valid when they were made: how far each was from the middle.
#include <optional>
#include <string_view>

#include "millrace/millrace.hpp"

using namespace millrace;

struct Trade {
  std::string_view symbol;
  double price = 0;
  Timestamp at;
};

struct Quote {
  std::string_view symbol;
  double bid = 0, ask = 0;
  Timestamp at;
};

struct Judged {
  std::string_view symbol;
  double price = 0;
  std::optional<double> off;         // from the middle of the quote; none: no quote
  std::optional<std::int64_t> aged;  // milliseconds of the quote
};

Judged judged(const Trade& trade, const Quote* quote) {
  if (quote == nullptr) return {trade.symbol, trade.price, {}, {}};
  const double middle = (quote->bid + quote->ask) / 2;
  const auto age = std::chrono::duration_cast<std::chrono::milliseconds>(trade.at - quote->at);
  return {trade.symbol, trade.price, trade.price - middle, age.count()};
}

int main(int argc, char** argv) {
  Topology market("trades against quotes");
  const auto trades = market.from(csv<Trade>("examples/trades.csv"))
                          .named("trades")
                          .event_time(&Trade::at, {.out_of_order = 2s})
                          .named("trade times");
  const auto quotes = market.from(csv<Quote>("examples/quotes.csv"))
                          .named("quotes")
                          .event_time(&Quote::at, {.out_of_order = 2s})
                          .named("quote times");
  trades.key_by(&Trade::symbol)
      .as_of(quotes.key_by(&Quote::symbol))
      .within(10s)  // an older quote says nothing
      .left(judged)
      .named("judged")
      .to(print());
  return run(market, argc, argv);
}
