// CallOrder: in which order what waits for answers, and watermarks between, may leave.
#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "base/time.hpp"

namespace millrace::detail {

/// Places are numbers of the caller's, each in use until it has left. Between two watermarks is a
/// stretch; nothing leaves before the stretches in front are empty. One thread. Cost: O(1)
/// amortised.
class CallOrder {
 public:
  explicit CallOrder(bool ordered) : ordered_(ordered), stretches_(1) {}

  /// Behind all that is here.
  void add(std::uint32_t place);
  void watermark(Time watermark);
  /// It has its answer.
  void done(std::uint32_t place);
  /// Nothing is here, not even a watermark.
  bool empty() const { return stretches_.size() == 1 && stretches_.front().left == 0; }

  /// Calls leave(place) and pass(watermark) for all that may go.
  template <class Leave, class Pass>
  void release(Leave&& leave, Pass&& pass) {
    for (;;) {
      Stretch& first = stretches_.front();
      while (!first.line.empty() && places_[first.line.front()].done) {
        const std::uint32_t place = first.line.front();
        first.line.pop_front();
        --first.left;
        leave(place);
      }
      if (first.left > 0 || stretches_.size() == 1) return;
      const Time watermark = first.end;
      stretches_.pop_front();
      ++first_stretch_;
      pass(watermark);
    }
  }

 private:
  struct Place {
    std::uint64_t stretch = 0;
    bool done = false;
  };
  struct Stretch {
    std::deque<std::uint32_t> line;  ///< ordered: all of it; else what has its answer
    std::size_t left = 0;            ///< of it, that has not left
    Time end = kTimeMin;             ///< the watermark behind it; the last stretch has none yet
  };

  bool ordered_;
  std::deque<Stretch> stretches_;
  std::uint64_t first_stretch_ = 0;
  std::vector<Place> places_;
};

}  // namespace millrace::detail
