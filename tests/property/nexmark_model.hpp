// NEXMark's queries, naively: loops over the whole list of events. Shares nothing with the queries
// but the types of events and rows.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "bench/nexmark_events.hpp"
#include "bench/nexmark_queries.hpp"
#include "schedule_run.hpp"

namespace millrace::property {

// Rows as texts.
inline OutRow nexmark_row(const bench::nexmark::Bid& bid) {
  return {fmt::format("{} {} {} {} {}", bid.auction, bid.bidder, bid.price, bid.time.micros,
                      bid.extra)};
}
inline OutRow nexmark_row(const bench::nexmark::BidInEuro& bid) {
  return {fmt::format("{} {} {} {}", bid.auction, bid.bidder, bid.time.micros, bid.extra),
          bid.price.to_double()};
}
inline OutRow nexmark_row(const bench::nexmark::AuctionPrice& row) {
  return {fmt::format("{} {}", row.auction, row.price)};
}
inline OutRow nexmark_row(const bench::nexmark::LocalItem& item) {
  return {fmt::format("{} {} {} {}", item.name, item.city, item.state, item.auction)};
}
inline OutRow nexmark_row(const bench::nexmark::AverageOf& row) {
  return {fmt::format("{} {} {}", row.key, row.value.sales, row.value.closed.micros),
          row.value.price};
}
inline OutRow nexmark_row(const bench::nexmark::HotItem& item) {
  return {fmt::format("{} {} {}", item.window_end.micros, item.auction, item.bids)};
}
inline OutRow nexmark_row(const bench::nexmark::HighestBid& bid) {
  return {fmt::format("{} {} {} {} {}", bid.auction, bid.bidder, bid.price, bid.time.micros,
                      bid.extra)};
}
inline OutRow nexmark_row(const bench::nexmark::NewUser& user) {
  return {fmt::format("{} {} {}", user.id, user.name, user.window_start.micros)};
}

/// How often the events hit what is easily got wrong.
struct NexmarkHits {
  std::uint64_t local_items = 0, before_their_seller = 0, at_begin = 0, at_end = 0, won_at_end = 0,
                too_late = 0, sales = 0, more_than_ten = 0, equal_counts = 0, equal_prices = 0,
                new_users = 0, sold_in_another_window = 0, on_an_edge = 0;
};

class NexmarkModel {
 public:
  using Event = bench::nexmark::Event;
  using Person = bench::nexmark::Person;
  using Auction = bench::nexmark::Auction;
  using Bid = bench::nexmark::Bid;

  NexmarkModel(const std::vector<Event>& events, NexmarkHits& hits) : hits_(hits) {
    for (const Event& event : events) {
      if (event.person) people_.push_back(*event.person);
      if (event.auction) auctions_.push_back(*event.auction);
      if (event.bid) bids_.push_back(*event.bid);
      hits_.on_an_edge += event.time.micros % kTen == 0;
    }
  }

  Rows rows() {
    each_bid();
    local_items();
    sales();
    hot_items();
    highest_bids();
    new_users();
    for (auto& [sink, list] : rows_) std::sort(list.begin(), list.end());
    return rows_;
  }

 private:
  static constexpr std::int64_t kTen = 10'000'000;
  static constexpr std::int64_t kTwo = 2'000'000;

  void each_bid() {
    for (const Bid& bid : bids_) {
      rows_["q0"].push_back(nexmark_row(bid));
      rows_["q1"].push_back(
          {fmt::format("{} {} {} {}", bid.auction, bid.bidder, bid.time.micros, bid.extra),
           0.908 * static_cast<double>(bid.price)});
      if (bid.auction % 123 == 0)
        rows_["q2"].push_back({fmt::format("{} {}", bid.auction, bid.price)});
    }
  }
  void local_items() {
    const std::set<std::string_view> states = {"OR", "ID", "CA"};
    for (const Auction& auction : auctions_) {
      for (const Person& person : people_) {
        if (auction.category != 10 || auction.seller != person.id || !states.contains(person.state))
          continue;
        rows_["q3"].push_back(
            {fmt::format("{} {} {} {}", person.name, person.city, person.state, auction.id)});
        ++hits_.local_items;
        hits_.before_their_seller += auction.time < person.time;
      }
    }
  }
  void sales() {
    struct Sold {
      std::int64_t closed, price, category, seller;
    };
    std::vector<Sold> sold;
    for (const Auction& auction : auctions_) {
      std::int64_t best = -1;
      bool at_end = false;
      for (const Bid& bid : bids_) {
        if (bid.auction != auction.id) continue;
        hits_.at_begin += bid.time == auction.time;
        hits_.at_end += bid.time == auction.expires;
        hits_.too_late += bid.time > auction.expires;
        if (bid.time < auction.time || bid.time > auction.expires || bid.price <= best) continue;
        best = bid.price;
        at_end = bid.time == auction.expires;
      }
      if (best < 0) continue;
      sold.push_back({auction.expires.micros, best, auction.category, auction.seller});
      hits_.won_at_end += at_end;
    }
    hits_.sales += sold.size();
    std::sort(sold.begin(), sold.end(),
              [](const Sold& a, const Sold& b) { return a.closed < b.closed; });
    std::map<std::int64_t, std::vector<std::int64_t>> of_category, of_seller;
    for (const Sold& sale : sold) {
      averaged("q4", sale.category, sale.closed, sale.price, of_category[sale.category], 1'000'000);
      averaged("q6", sale.seller, sale.closed, sale.price, of_seller[sale.seller], 10);
    }
  }
  void averaged(const char* query, std::int64_t key, std::int64_t closed, std::int64_t price,
                std::vector<std::int64_t>& prices, std::size_t most) {
    prices.push_back(price);
    const std::size_t count = std::min(prices.size(), most);
    hits_.more_than_ten += prices.size() > most;
    double sum = 0;
    for (std::size_t at = prices.size() - count; at < prices.size(); ++at)
      sum += static_cast<double>(prices[at]);
    rows_[query].push_back(
        {fmt::format("{} {} {}", key, count, closed), sum / static_cast<double>(count)});
  }
  void hot_items() {
    std::map<std::int64_t, std::map<std::int64_t, std::int64_t>> counts;  // by end, by auction
    for (const Bid& bid : bids_) {
      const std::int64_t pane = bid.time.micros / kTwo;
      for (std::int64_t end = pane + 1; end <= pane + 5; ++end) ++counts[end * kTwo][bid.auction];
    }
    for (const auto& [end, of_auctions] : counts) {
      std::int64_t most = 0;
      for (const auto& [auction, count] : of_auctions) most = std::max(most, count);
      std::uint64_t winners = 0;
      for (const auto& [auction, count] : of_auctions) {
        if (count != most) continue;
        rows_["q5"].push_back({fmt::format("{} {} {}", end, auction, count)});
        ++winners;
      }
      hits_.equal_counts += winners > 1;
    }
  }
  void highest_bids() {
    std::map<std::int64_t, std::int64_t> highest;
    for (const Bid& bid : bids_) {
      std::int64_t& price = highest[bid.time.micros / kTen];
      price = std::max(price, bid.price);
    }
    std::map<std::int64_t, std::uint64_t> winners;
    for (const Bid& bid : bids_) {
      const std::int64_t window = bid.time.micros / kTen;
      if (bid.price != highest[window]) continue;
      rows_["q7"].push_back(nexmark_row(bid));
      hits_.equal_prices += winners[window]++ > 0;
    }
  }
  void new_users() {
    for (const Person& person : people_) {
      const std::int64_t window = person.time.micros / kTen;
      bool here = false;
      bool elsewhere = false;
      for (const Auction& auction : auctions_) {
        if (auction.seller != person.id) continue;
        (auction.time.micros / kTen == window ? here : elsewhere) = true;
      }
      hits_.sold_in_another_window += elsewhere;
      if (!here) continue;
      rows_["q8"].push_back({fmt::format("{} {} {}", person.id, person.name, window * kTen)});
      ++hits_.new_users;
    }
  }

  std::vector<Person> people_;
  std::vector<Auction> auctions_;
  std::vector<Bid> bids_;
  NexmarkHits& hits_;
  Rows rows_;
};

}  // namespace millrace::property
