// The events of NEXMark: people of an auction house, what they put up for sale, and their bids.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "millrace/topology.hpp"

namespace millrace::bench::nexmark {

/// Texts of all three are borrowed from tables that live as long as the program.
struct Person {
  std::int64_t id = 0;
  std::string_view name;
  std::string_view email;
  std::string_view card;
  std::string_view city;
  std::string_view state;
  Timestamp time;
  std::string_view extra;  ///< makes a person about 200 bytes long
};

struct Auction {
  std::int64_t id = 0;
  std::string_view item;
  std::string_view description;
  std::int64_t initial_bid = 0;  ///< cents, as all prices
  std::int64_t reserve = 0;
  Timestamp time;
  Timestamp expires;  ///< a bid at that time still counts
  std::int64_t seller = 0;
  std::int64_t category = 0;  ///< 10 to 14
  std::string_view extra;     ///< makes an auction about 500 bytes long
};

struct Bid {
  std::int64_t auction = 0;
  std::int64_t bidder = 0;
  std::int64_t price = 0;
  Timestamp time;
  std::string_view extra;  ///< makes a bid about 100 bytes long
};

/// One of the three, as they come in one stream; the others are absent.
struct Event {
  Timestamp time;
  std::optional<Person> person;
  std::optional<Auction> auction;
  std::optional<Bid> bid;
};

}  // namespace millrace::bench::nexmark
