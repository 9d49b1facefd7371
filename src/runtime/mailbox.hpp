// Mailbox: what others hand to an executor, behind one flag that it looks at once a round.
#pragma once

#include <mutex>
#include <utility>
#include <vector>

#include "runtime/waker.hpp"

namespace millrace::detail {

/// Letters in the order they were put. put() by any thread, which then wakes the owner.
template <class Letter, class Sleep = RealSleep>
class BasicMailbox {
 public:
  void put(Letter letter) {
    const std::lock_guard lock(mutex_);
    letters_.push_back(std::move(letter));
    mail_.store(true, std::memory_order_seq_cst);
  }
  /// Owner.
  bool has_mail() const { return mail_.load(std::memory_order_seq_cst); }
  std::vector<Letter> take() {
    const std::lock_guard lock(mutex_);
    mail_.store(false, std::memory_order_seq_cst);
    return std::exchange(letters_, {});
  }

 private:
  typename Sleep::template Atomic<bool> mail_{false};
  typename Sleep::Mutex mutex_;
  std::vector<Letter> letters_;
};

}  // namespace millrace::detail
