// NEXMark's queries q0 to q8, each a few verbs over the stream of events.
//
// As those of the Nexmark suite for Flink say them in SQL, with two differences. What SQL says of
// all time is said here of what a stream can keep: q3 joins over a day, and q4 and q6 count an
// auction when it ends, in place of taking a row back for each higher bid. And q6, which that suite
// leaves out, is here.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "nexmark_events.hpp"

namespace millrace::bench::nexmark {

inline Stream<Person> persons_of(const Stream<Event>& events) {
  return events.flat_map([](const Event& event, Output<Person>& out) {
    if (event.person) out.emit(*event.person);
  });
}
inline Stream<Auction> auctions_of(const Stream<Event>& events) {
  return events.flat_map([](const Event& event, Output<Auction>& out) {
    if (event.auction) out.emit(*event.auction);
  });
}
inline Stream<Bid> bids_of(const Stream<Event>& events) {
  return events.flat_map([](const Event& event, Output<Bid>& out) {
    if (event.bid) out.emit(*event.bid);
  });
}

/// Pass through: every bid as it is. What an engine costs without work.
inline Stream<Bid> q0(const Stream<Event>& events) { return bids_of(events); }

struct BidInEuro {
  std::int64_t auction = 0;
  std::int64_t bidder = 0;
  Decimal<3> price;  ///< cents
  Timestamp time;
  std::string_view extra;
};
/// Currency conversion: every bid with its price in euro.
inline Stream<BidInEuro> q1(const Stream<Event>& events) {
  return bids_of(events).map([](const Bid& bid) {
    return BidInEuro{bid.auction, bid.bidder, Decimal<3>{908} * bid.price, bid.time, bid.extra};
  });
}

struct AuctionPrice {
  std::int64_t auction = 0;
  std::int64_t price = 0;
};
/// Selection: the bids for every 123rd auction.
inline Stream<AuctionPrice> q2(const Stream<Event>& events) {
  return bids_of(events)
      .filter([](const Bid& bid) { return bid.auction % 123 == 0; })
      .map([](const Bid& bid) { return AuctionPrice{bid.auction, bid.price}; });
}

struct LocalItem {
  std::string_view name;
  std::string_view city;
  std::string_view state;
  std::int64_t auction = 0;
};
/// Local item suggestion: who of Oregon, Idaho and California sells in category 10. An auction and
/// its seller are at most a day apart, in either order.
inline Stream<LocalItem> q3(const Stream<Event>& events) {
  constexpr std::chrono::hours kDay(24);
  return auctions_of(events)
      .filter([](const Auction& auction) { return auction.category == 10; })
      .key_by(&Auction::seller)
      .join(persons_of(events)
                .filter([](const Person& person) {
                  return person.state == "OR" || person.state == "ID" || person.state == "CA";
                })
                .key_by(&Person::id))
      .within(kDay, kDay)
      .inner([](const Auction& auction, const Person& seller) {
        return LocalItem{seller.name, seller.city, seller.state, auction.id};
      });
}

/// A bid that came while its auction was open.
struct Offer {
  std::int64_t auction = 0;
  std::int64_t category = 0;
  std::int64_t seller = 0;
  std::int64_t price = 0;
  Timestamp time;
  Timestamp expires;
};
/// What an auction was sold for.
struct Sale {
  std::int64_t auction = 0;
  std::int64_t category = 0;
  std::int64_t seller = 0;
  std::int64_t price = 0;
  Timestamp closed;
};
/// The greatest offer of each auction that had one, when it has ended: a session of its offers that
/// lasts until then. No auction may be longer than `longest`.
inline Stream<Sale> sales_of(const Stream<Event>& events, Duration longest) {
  const auto until_closed = [](const Offer& offer) -> Duration {
    return Duration(offer.expires.micros - offer.time.micros + 1);
  };
  const auto auctions = auctions_of(events).key_by(&Auction::id).table();
  return bids_of(events)
      .key_by(&Bid::auction)
      .join(auctions)
      .within(longest)
      .inner([](const Bid& bid, const Auction& auction) {
        return Offer{auction.id, auction.category, auction.seller,
                     bid.price,  bid.time,         auction.expires};
      })
      .filter([](const Offer& offer) { return offer.time <= offer.expires; })
      .key_by(&Offer::auction, &Offer::category, &Offer::seller)
      .window(session(until_closed))
      .max(&Offer::price)
      .map([](const auto& row) {
        const auto& [auction, category, seller] = row.key;
        return Sale{auction, category, seller, row.value, Timestamp{row.window_end - 1}};
      });
}

/// What the sales of a category or seller make on average, up to the latest of them.
struct Average {
  double price = 0;
  std::int64_t sales = 0;
  Timestamp closed;
};
using AverageOf = Aggregate<std::int64_t, Average>;

/// Average price for a category: of all its auctions that have ended; a row at each end.
inline Stream<AverageOf> q4(const Stream<Event>& events, Duration longest) {
  return sales_of(events, longest)
      .key_by(&Sale::category)
      .restore_order()
      .key_by(&Sale::category)
      .aggregate(mean(&Sale::price).as(&Average::price), count().as(&Average::sales),
                 max(&Sale::closed).as(&Average::closed));
}

struct HotItem {
  Timestamp window_end;
  std::int64_t auction = 0;
  std::int64_t bids = 0;
};
/// The auctions that share the greatest number of bids.
struct Hottest {
  std::int64_t bids = 0;
  std::vector<std::int64_t> auctions;

  void take(const Hottest& other) {
    if (other.bids < bids) return;
    if (other.bids > bids) auctions.clear();
    bids = other.bids;
    auctions.insert(auctions.end(), other.auctions.begin(), other.auctions.end());
  }
  void take(std::int64_t auction, std::int64_t its_bids) {
    if (its_bids < bids) return;
    if (its_bids > bids) auctions.clear();
    bids = its_bids;
    auctions.push_back(auction);
  }
};
/// Hot items: every two seconds, the auctions with most bids in the last ten.
inline Stream<HotItem> q5(const Stream<Event>& events) {
  using Count = Aggregate<std::int64_t, std::int64_t>;
  return bids_of(events)
      .key_by(&Bid::auction)
      .window(sliding(std::chrono::seconds(10), std::chrono::seconds(2)))
      .count()
      .key_by(&Count::window_end)
      .window(tumbling(std::chrono::seconds(2)))
      .fold(
          Hottest{},
          [](Hottest& hottest, const Count& row) noexcept { hottest.take(row.key, row.value); },
          [](Hottest& hottest, const Hottest& other) noexcept { hottest.take(other); })
      .flat_map([](const Aggregate<Time, Hottest>& row, Output<HotItem>& out) {
        for (const std::int64_t auction : row.value.auctions)
          out.emit(HotItem{Timestamp{row.key}, auction, row.value.bids});
      });
}

/// Average selling price by seller: of the last ten auctions that have ended; a row at each end.
inline Stream<AverageOf> q6(const Stream<Event>& events, Duration longest) {
  return sales_of(events, longest)
      .key_by(&Sale::seller)
      .over(last(10))
      .aggregate(mean(&Sale::price).as(&Average::price), count().as(&Average::sales),
                 max(&Sale::closed).as(&Average::closed));
}

struct HighestBid {
  std::int64_t auction = 0;
  std::int64_t bidder = 0;
  std::int64_t price = 0;
  Timestamp time;
  std::string extra;
};
/// The bids that share the greatest price.
struct HighestBids {
  std::int64_t price = -1;
  std::vector<HighestBid> bids;

  void take(const Bid& bid) {
    if (bid.price < price) return;
    if (bid.price > price) bids.clear();
    price = bid.price;
    bids.push_back({bid.auction, bid.bidder, bid.price, bid.time, std::string(bid.extra)});
  }
  void take(const HighestBids& other) {
    if (other.price < price) return;
    if (other.price > price) bids.clear();
    price = other.price;
    bids.insert(bids.end(), other.bids.begin(), other.bids.end());
  }
};
/// Highest bid: of every ten seconds the bids with the greatest price.
inline Stream<HighestBid> q7(const Stream<Event>& events) {
  return bids_of(events)
      .key_by([](const Bid&) { return std::int32_t{0}; })
      .window(tumbling(std::chrono::seconds(10)))
      .fold(
          HighestBids{}, [](HighestBids& highest, const Bid& bid) noexcept { highest.take(bid); },
          [](HighestBids& highest, const HighestBids& other) noexcept { highest.take(other); })
      .flat_map([](const auto& row) { return row.value.bids; });
}

struct NewUser {
  std::int64_t id = 0;
  std::string_view name;
  Timestamp window_start;
};
/// Monitor new users: who came and put something up for sale within the same ten seconds.
inline Stream<NewUser> q8(const Stream<Event>& events) {
  constexpr std::int64_t kWindowUs = 10'000'000;
  return persons_of(events)
      .key_by(&Person::id)
      .join(auctions_of(events).key_by(&Auction::seller))
      .window(tumbling(Duration(kWindowUs)))
      .semi()
      .map([](const Person& person) {
        const std::int64_t start = person.time.micros / kWindowUs * kWindowUs;
        return NewUser{person.id, person.name, Timestamp{start}};
      });
}

}  // namespace millrace::bench::nexmark
