// The generator of NEXMark's events: event n is a function of the rules and n alone.
//
// The queries are those of Tucker, Tufte, Papadimos, Maier: NEXMark, a benchmark for queries over
// data streams (2002); the proportions, hot keys and sizes are the defaults of the generator of
// Apache Beam's Nexmark suite, which the one for Flink took over.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "nexmark_events.hpp"

namespace millrace::bench::nexmark {

// Of 50 events one is a person, the next three are auctions, and all others bids.
inline constexpr std::int64_t kEventsInRound = 50;
inline constexpr std::int64_t kAuctionsInRound = 3;
inline constexpr std::int64_t kFirstId = 1000;  ///< of people and of auctions
inline constexpr std::int64_t kFirstCategory = 10;
inline constexpr std::uint64_t kCategories = 5;
inline constexpr std::int64_t kActivePeople = 1000;
inline constexpr std::int64_t kAuctionsInFlight = 100;
/// So many ids ahead of the newest one are sold by or bid for: those come later.
inline constexpr std::int64_t kIdLead = 10;
/// Of so many people or auctions one is hot.
inline constexpr std::int64_t kHotEvery = 100;
/// All but one of so many bids, bidders and sellers are of the hot one.
inline constexpr std::uint64_t kHotAuctionRatio = 2;
inline constexpr std::uint64_t kHotBidderRatio = 4;
inline constexpr std::uint64_t kHotSellerRatio = 4;
/// The time of event 0: 2015-07-15, a full day.
inline constexpr std::int64_t kBeginUs = 1'436'918'400'000'000;

struct Rules {
  std::uint64_t seed = 1;
  Duration spacing{100};  ///< from event to event, of event time; above 0
};

/// No auction is longer.
inline Duration longest_auction(const Rules& rules) {
  constexpr std::int64_t kEventsAhead = kAuctionsInFlight * kEventsInRound / kAuctionsInRound;
  return std::chrono::milliseconds(2 * kEventsAhead * rules.spacing.count() / 1000 + 2);
}

/// Draws of one event: SplitMix64 (Steele, Lea, Flood 2014).
class Draws {
 public:
  Draws(std::uint64_t seed, std::uint64_t index) : state_((seed << 48) ^ (index << 4)) {
    state_ = word();
  }
  std::uint64_t below(std::uint64_t bound) { return ((word() >> 32) * bound) >> 32; }
  /// True but for one of `ratio`.
  bool is_hot(std::uint64_t ratio) { return below(ratio) > 0; }
  std::uint64_t word() {
    std::uint64_t mixed = state_ += 0x9e3779b97f4a7c15ull;
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9ull;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebull;
    return mixed ^ (mixed >> 31);
  }

 private:
  std::uint64_t state_;
};

/// What events borrow and look up, made once.
class Tables {
 public:
  static const Tables& get() {
    static const Tables tables;
    return tables;
  }
  /// Even in its logarithm from a dollar to a million, between the entries on a straight line.
  std::int64_t price(Draws& draws) const {
    const std::uint64_t word = draws.word();
    const double* const at = prices_.data() + (word >> 54);
    const double part = static_cast<double>((word >> 22) & 0xffffffffu) * 0x1p-32;
    return static_cast<std::int64_t>(at[0] + (at[1] - at[0]) * part + 0.5);
  }
  std::string_view letters(Draws& draws, std::size_t length) const {
    return std::string_view(letters_).substr(draws.below(kLetters), length);
  }
  /// 3 up to `most` letters.
  std::string_view text(Draws& draws, std::size_t most) const {
    return letters(draws, 3 + draws.below(most - 3));
  }
  /// Letters that make a record about `wanted` bytes long, a fifth of them more or less.
  std::string_view extra(Draws& draws, std::size_t size, std::size_t wanted) const {
    if (size > wanted) return {};
    const std::size_t fifth = (wanted - size) / 5;
    return letters(draws, wanted - size - fifth + draws.below(2 * fifth + 1));
  }
  std::string_view name(Draws& draws) const { return names_[draws.below(names_.size())]; }
  std::string_view email(Draws& draws) const { return emails_[draws.below(emails_.size())]; }
  std::string_view card(Draws& draws) const { return cards_[draws.below(cards_.size())]; }

 private:
  static constexpr std::size_t kLetters = 1 << 14;
  static constexpr std::size_t kPrices = 1 << 10;

  Tables() {
    Draws draws(0, 0);
    for (std::size_t at = 0; at <= kPrices; ++at)
      prices_[at] = 100 * std::pow(10.0, 6.0 * static_cast<double>(at) / kPrices);
    for (std::size_t at = 0; at < kLetters + 1000; ++at)
      letters_.push_back(draws.below(13) == 0 ? ' ' : static_cast<char>('a' + draws.below(26)));
    for (const char* first : {"Peter", "Paul", "Luke", "John", "Saul", "Vicky", "Kate", "Julie",
                              "Sarah", "Deiter", "Walter"}) {
      for (const char* last :
           {"Shultz", "Abrams", "Spencer", "White", "Bartels", "Walton", "Smith", "Jones", "Noris"})
        names_.push_back(std::string(first) + " " + last);
    }
    for (int at = 0; at < 1000; ++at) {
      emails_.push_back(std::string(text(draws, 7)) + "@" + std::string(text(draws, 5)) + ".com");
      std::string& card = cards_.emplace_back();
      for (int digit = 0; digit < 16; ++digit) {
        if (digit > 0 && digit % 4 == 0) card += ' ';
        card += static_cast<char>('0' + draws.below(10));
      }
    }
  }

  std::array<double, kPrices + 1> prices_{};
  std::string letters_;
  std::vector<std::string> names_, emails_, cards_;
};

/// Makes event n in O(1). Times never fall: event n is n spacings behind the first, in
/// whole milliseconds, so that many have the same one. No two auctions end at the same microsecond,
/// so that the last ten to end are always the same ones.
class Generator {
 public:
  explicit Generator(Rules rules) : rules_(rules) {}

  Event operator()(std::uint64_t index) const {
    Event event;
    make(index, event);
    return event;
  }
  /// The same, made where it is to lie.
  template <class Events>
  void append(std::uint64_t index, Events& events) const {
    make(index, events.emplace_back());
  }

 private:
  void make(std::uint64_t index, Event& event) const {
    Draws draws(rules_.seed, index);
    const auto number = static_cast<std::int64_t>(index);
    const std::int64_t place = number % kEventsInRound;
    event.time = time_of(number);
    if (place == 0) {
      fill(event.person.emplace(), number, event.time, draws);
    } else if (place <= kAuctionsInRound) {
      fill(event.auction.emplace(), number, event.time, draws);
    } else {
      fill(event.bid.emplace(), number, event.time, draws);
    }
  }
  Timestamp time_of(std::int64_t number) const {
    return Timestamp{kBeginUs + number * rules_.spacing.count() / 1000 * 1000};
  }
  /// The newest person when event `number` is made, from 0 on; so the newest auction.
  static std::int64_t newest_person(std::int64_t number) { return number / kEventsInRound; }
  static std::int64_t newest_auction(std::int64_t number) {
    const std::int64_t in_round = std::min(number % kEventsInRound, kAuctionsInRound);
    return number / kEventsInRound * kAuctionsInRound + in_round - 1;
  }
  static std::int64_t hot(std::int64_t newest) { return newest / kHotEvery * kHotEvery; }
  static std::int64_t some_person(std::int64_t number, Draws& draws) {
    const std::int64_t people = newest_person(number) + 1;
    const std::int64_t active = std::min(people, kActivePeople);
    return people - active +
           static_cast<std::int64_t>(draws.below(static_cast<std::uint64_t>(active + kIdLead)));
  }
  static std::int64_t some_auction(std::int64_t number, Draws& draws) {
    const std::int64_t newest = newest_auction(number);
    const std::int64_t oldest = std::max(newest - kAuctionsInFlight, std::int64_t{0});
    const std::int64_t many = newest - oldest + 1 + kIdLead;
    return oldest + static_cast<std::int64_t>(draws.below(static_cast<std::uint64_t>(many)));
  }

  static void fill(Person& person, std::int64_t number, Timestamp time, Draws& draws) {
    constexpr std::array<std::string_view, 6> kStates = {"AZ", "CA", "ID", "OR", "WA", "WY"};
    constexpr std::array<std::string_view, 10> kCities = {
        "Phoenix", "Los Angeles", "San Francisco", "Boise", "Portland",
        "Bend",    "Redmond",     "Seattle",       "Kent",  "Cheyenne"};
    const Tables& tables = Tables::get();
    person.id = kFirstId + newest_person(number);
    person.name = tables.name(draws);
    person.email = tables.email(draws);
    person.card = tables.card(draws);
    person.city = kCities[draws.below(kCities.size())];
    person.state = kStates[draws.below(kStates.size())];
    person.time = time;
    person.extra = tables.extra(
        draws, 8 + person.name.size() + person.email.size() + 19 + person.city.size() + 2, 200);
  }
  void fill(Auction& auction, std::int64_t number, Timestamp time, Draws& draws) const {
    const Tables& tables = Tables::get();
    auction.id = kFirstId + newest_auction(number);
    auction.seller = kFirstId + (draws.is_hot(kHotSellerRatio) ? hot(newest_person(number))
                                                               : some_person(number, draws));
    auction.category = kFirstCategory + static_cast<std::int64_t>(draws.below(kCategories));
    auction.initial_bid = tables.price(draws);
    auction.reserve = auction.initial_bid + tables.price(draws);
    auction.time = time;
    // The last digits tell auctions apart; those with equal ones begin too far from each other.
    const std::int64_t most = longest_auction(rules_).count() / 1000 - 2;
    const auto length =
        1 + draws.below(static_cast<std::uint64_t>(std::max<std::int64_t>(most, 1)));
    auction.expires =
        Timestamp{time.micros + static_cast<std::int64_t>(length) * 1000 + auction.id % 1000};
    auction.item = tables.text(draws, 20);
    auction.description = tables.text(draws, 100);
    auction.extra = tables.extra(draws, 48 + auction.item.size() + auction.description.size(), 500);
  }
  static void fill(Bid& bid, std::int64_t number, Timestamp time, Draws& draws) {
    const Tables& tables = Tables::get();
    bid.auction = kFirstId + (draws.is_hot(kHotAuctionRatio) ? hot(newest_auction(number))
                                                             : some_auction(number, draws));
    bid.bidder = kFirstId + (draws.is_hot(kHotBidderRatio) ? hot(newest_person(number)) + 1
                                                           : some_person(number, draws));
    bid.price = tables.price(draws);
    bid.time = time;
    bid.extra = tables.extra(draws, 32, 100);
  }

  Rules rules_;
};

}  // namespace millrace::bench::nexmark
