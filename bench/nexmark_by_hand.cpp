// The loops of NEXMark's queries by hand: events come in order, so nothing waits for a watermark.
#include "nexmark_by_hand.hpp"

#include <array>
#include <cstddef>
#include <queue>
#include <utility>
#include <vector>

#include "flat_map.hpp"

namespace millrace::bench::nexmark {
namespace {

constexpr std::int64_t kSecondUs = 1'000'000;

std::uint32_t key_of(std::int64_t id) { return static_cast<std::uint32_t>(id); }

/// Values by id, in memory that does not move with the map.
template <class V>
class ById {
 public:
  V& operator[](std::int64_t id) {
    std::uint32_t& number = numbers_[key_of(id)];
    if (number == 0) {
      values_.emplace_back();
      number = static_cast<std::uint32_t>(values_.size());
    }
    return values_[number - 1];
  }

 private:
  FlatMap<std::uint32_t, std::uint32_t, 2> numbers_;  ///< from 1 on; 0: none yet
  std::vector<V> values_;
};

/// Bids by themselves: q0, q1, q2.
struct EachBid {
  int query;
  std::uint64_t checksum = 0;
  void take(const Event& event) {
    if (!event.bid) return;
    const Bid& bid = *event.bid;
    if (query == 0) checksum += row_sum(bid);
    if (query == 1) {
      checksum += row_sum(
          BidInEuro{bid.auction, bid.bidder, Decimal<3>{908 * bid.price}, bid.time, bid.extra});
    }
    if (query == 2 && bid.auction % 123 == 0)
      checksum += row_sum(AuctionPrice{bid.auction, bid.price});
  }
  void end() {}
};

/// q3: of each seller who it is, and the auctions that wait to know.
struct Local {
  struct Seller {
    bool known = false;
    std::string_view name, city, state;
    std::vector<std::int64_t> waiting;
  };
  ById<Seller> sellers;
  std::uint64_t checksum = 0;

  void take(const Event& event) {
    if (event.auction && event.auction->category == 10) {
      Seller& seller = sellers[event.auction->seller];
      seller.known ? tell(seller, event.auction->id) : seller.waiting.push_back(event.auction->id);
    }
    if (!event.person) return;
    const Person& person = *event.person;
    if (person.state != "OR" && person.state != "ID" && person.state != "CA") return;
    Seller& seller = sellers[person.id];
    seller.known = true;
    seller.name = person.name, seller.city = person.city, seller.state = person.state;
    for (const std::int64_t auction : seller.waiting) tell(seller, auction);
    seller.waiting.clear();
  }
  void tell(const Seller& seller, std::int64_t auction) {
    checksum += row_sum(LocalItem{seller.name, seller.city, seller.state, auction});
  }
  void end() {}
};

/// q4 and q6: the greatest bid of each open auction; at their ends the sales of each group. As by
/// the engine, the last row of each group and the number of rows count.
struct Averages {
  struct Open {
    std::int64_t group = 0;
    std::int64_t expires = 0;
    std::int64_t price = -1;
  };
  struct Group {
    std::int64_t id = 0;
    std::int64_t sum = 0;
    std::int64_t sales = 0;
    std::int64_t closed = 0;
    std::array<std::int64_t, 10> last{};
  };
  using End = std::pair<std::int64_t, std::int64_t>;  ///< when, and which auction

  explicit Averages(bool last_ten) : of_sellers(last_ten) {}

  bool of_sellers;
  ById<Open> open;
  std::priority_queue<End, std::vector<End>, std::greater<>> ends;
  FlatMap<std::uint32_t, Group, 2> groups;
  std::uint64_t checksum = 0;

  void take(const Event& event) {
    for (; !ends.empty() && ends.top().first < event.time.micros; ends.pop()) close();
    if (event.auction) {
      const Auction& auction = *event.auction;
      open[auction.id] = {of_sellers ? auction.seller : auction.category, auction.expires.micros};
      ends.emplace(auction.expires.micros, auction.id);
    }
    if (!event.bid) return;
    Open& auction = open[event.bid->auction];
    if (event.time.micros <= auction.expires)
      auction.price = std::max(auction.price, event.bid->price);
  }
  void close() {
    const Open& auction = open[ends.top().second];
    if (auction.price < 0) return;
    Group& group = groups[key_of(auction.group)];
    group.id = auction.group;
    group.closed = auction.expires;
    group.sum += auction.price;
    std::int64_t& place = group.last[static_cast<std::size_t>(group.sales++ % 10)];
    if (of_sellers) group.sum -= place;
    place = auction.price;
    ++checksum;
  }
  void end() {
    for (; !ends.empty(); ends.pop()) close();
    groups.for_each([this](std::uint32_t, const Group& group) {
      const std::int64_t count = of_sellers ? std::min<std::int64_t>(group.sales, 10) : group.sales;
      const double price = static_cast<double>(group.sum) / static_cast<double>(count);
      checksum += row_sum({group.id, {price, count, Timestamp{group.closed}}});
    });
  }
};

/// q5: counts of each auction in five panes of two seconds; a firing adds them up.
struct Hot {
  static constexpr std::int64_t kPaneUs = 2 * kSecondUs;
  using Counts = FlatMap<std::uint32_t, std::int64_t, 2>;
  std::array<Counts, 5> panes;
  std::int64_t pane = -1;
  std::uint64_t checksum = 0;

  void take(const Event& event) {
    if (!event.bid) return;
    const std::int64_t now = event.time.micros / kPaneUs;
    if (pane < 0) pane = now;
    while (pane < now) step();
    ++panes[static_cast<std::size_t>(pane % 5)][key_of(event.bid->auction)];
  }
  /// Fires the window that ends with the pane, and begins the next one.
  void step() {
    Counts all(16'384);
    for (const Counts& counts : panes) {
      counts.for_each([&all](std::uint32_t auction, std::int64_t count) { all[auction] += count; });
    }
    std::int64_t most = 1;
    all.for_each([&most](std::uint32_t, std::int64_t count) { most = std::max(most, count); });
    all.for_each([&](std::uint32_t auction, std::int64_t count) {
      if (count == most)
        checksum += row_sum(HotItem{Timestamp{(pane + 1) * kPaneUs}, auction, count});
    });
    panes[static_cast<std::size_t>(++pane % 5)].clear();
  }
  void end() {
    for (int more = 0; pane >= 0 && more < 5; ++more) step();
  }
};

/// q7: the bids of a window with the greatest price.
struct Highest {
  std::int64_t window = 0;
  std::int64_t price = -1;
  std::uint64_t sum = 0;
  std::uint64_t checksum = 0;

  void take(const Event& event) {
    if (!event.bid) return;
    const Bid& bid = *event.bid;
    const std::int64_t now = bid.time.micros / (10 * kSecondUs);
    if (now != window) end();
    window = now;
    if (bid.price < price) return;
    if (bid.price > price) sum = 0;
    price = bid.price;
    sum +=
        row_sum(HighestBid{bid.auction, bid.bidder, bid.price, bid.time, std::string(bid.extra)});
  }
  void end() {
    checksum += sum;
    sum = 0;
    price = -1;
  }
};

/// q8: people and sellers of a window.
struct New {
  struct Entry {
    std::int64_t id = 0;
    std::string_view name;
    bool sells = false;
  };
  FlatMap<std::uint32_t, Entry, 2> entries;
  std::int64_t window = 0;
  std::uint64_t checksum = 0;

  void take(const Event& event) {
    if (event.bid) return;
    const std::int64_t now = event.time.micros / (10 * kSecondUs);
    if (now != window) end();
    window = now;
    if (event.auction) {
      entries[key_of(event.auction->seller)].sells = true;
    } else {
      Entry& entry = entries[key_of(event.person->id)];
      entry.id = event.person->id;
      entry.name = event.person->name;
    }
  }
  void end() {
    entries.for_each([this](std::uint32_t, const Entry& entry) {
      if (entry.id != 0 && entry.sells)
        checksum += row_sum(NewUser{entry.id, entry.name, Timestamp{window * 10 * kSecondUs}});
    });
    entries.clear();
  }
};

template <class Loop>
Answer run(Loop loop, std::uint64_t events, const Rules& rules) {
  const Generator generator(rules);
  for (std::uint64_t index = 0; index < events; ++index) loop.take(generator(index));
  loop.end();
  Answer answer;
  answer.records = events;
  answer.checksum = loop.checksum;
  return answer;
}

}  // namespace

Answer answer_by_hand(int query, std::uint64_t events, const Rules& rules) {
  switch (query) {
    case 3:
      return run(Local{}, events, rules);
    case 4:
    case 6:
      return run(Averages(query == 6), events, rules);
    case 5:
      return run(Hot(), events, rules);
    case 7:
      return run(Highest{}, events, rules);
    case 8:
      return run(New(), events, rules);
    default:
      return run(EachBid{query}, events, rules);
  }
}

}  // namespace millrace::bench::nexmark
