// RowPlaces: what the places of the rows of a component are made of.
#pragma once

#include <cstdint>

namespace millrace::detail {

/// Rows have places (Arrival) where a reader breaks ties by them or gives idempotency keys. Place
/// and event time of a row are its own, and the same in every run, where they are made of:
enum class RowPlaces : std::uint8_t {
  none,            ///< nothing that another run has too
  of_record,       ///< the place of a record, behind which they lie; in the order of event time
  of_side,         ///< the same of a record of either input, apart from the rows of the other one
  of_left,         ///< the same of a record of input 0 alone
  of_key,          ///< the key or a rank: they begin here, one for each key and time
  of_key_in_turn,  ///< the same, and which of several they are, as the order of the records says
  of_match,        ///< the places of all records that a row has: they begin here
};

/// True: rows begin here, with places of the component's own.
constexpr bool begin_here(RowPlaces places) { return places >= RowPlaces::of_key; }

}  // namespace millrace::detail
