// The latency loop across two threads by hand: the least that a hop between threads costs.
#pragma once

#include <cstdint>

#include "harness.hpp"

namespace millrace::bench {

enum class HandOff {
  futex,     ///< the receiver sleeps while the queue is empty
  spinning,  ///< the receiver takes a whole processor
};

/// One thread makes the events when they are due, another counts them; a bounded queue between.
Answer run_by_hand_off(std::uint64_t rate, std::uint64_t records, HandOff kind);

}  // namespace millrace::bench
