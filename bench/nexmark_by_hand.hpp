// NEXMark's queries by hand: one loop each over events in order; and what a row adds to a checksum,
// whoever computes it.
#pragma once

#include <bit>
#include <cstdint>

#include "harness.hpp"
#include "nexmark_generator.hpp"
#include "nexmark_queries.hpp"

namespace millrace::bench::nexmark {

inline std::uint64_t sum_of(std::uint64_t sum) { return sum; }
template <class... More>
std::uint64_t sum_of(std::uint64_t sum, std::int64_t number, More... more) {
  return sum_of(mix(sum + static_cast<std::uint64_t>(number)), more...);
}
inline std::int64_t sum_of(std::string_view text) {
  return text.empty() ? 0 : static_cast<std::int64_t>(text.size()) * 256 + text.front();
}

inline std::uint64_t row_sum(const Bid& bid) {
  return sum_of(0, bid.auction, bid.bidder, bid.price, bid.time.micros, sum_of(bid.extra));
}
inline std::uint64_t row_sum(const BidInEuro& bid) {
  return sum_of(1, bid.auction, bid.bidder, bid.price.units, bid.time.micros, sum_of(bid.extra));
}
inline std::uint64_t row_sum(const AuctionPrice& row) { return sum_of(2, row.auction, row.price); }
inline std::uint64_t row_sum(const LocalItem& item) {
  return sum_of(3, sum_of(item.name), sum_of(item.city), sum_of(item.state), item.auction);
}
inline std::uint64_t row_sum(const AverageOf& row) {
  return sum_of(4, row.key, std::bit_cast<std::int64_t>(row.value.price), row.value.sales,
                row.value.closed.micros);
}
inline std::uint64_t row_sum(const HotItem& item) {
  return sum_of(5, item.window_end.micros, item.auction, item.bids);
}
inline std::uint64_t row_sum(const HighestBid& bid) {
  return sum_of(7, bid.auction, bid.bidder, bid.price, bid.time.micros, sum_of(bid.extra));
}
inline std::uint64_t row_sum(const NewUser& user) {
  return sum_of(8, user.id, sum_of(user.name), user.window_start.micros);
}

/// The answer of query 0 to 8 over so many events.
Answer answer_by_hand(int query, std::uint64_t events, const Rules& rules);

}  // namespace millrace::bench::nexmark
