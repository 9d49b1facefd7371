// Reply: how a call to the outside is answered, from any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace millrace {
namespace detail {

/// What became of one try.
template <class R>
struct CallAnswer {
  std::uint32_t unit = 0;    ///< what was called for
  std::uint64_t number = 0;  ///< of the try, over all of the task
  std::optional<R> result;
  std::string failure;  ///< without result
};

/// Where answers are put until their task takes them.
template <class R>
class CallInbox {
 public:
  /// `wake` is called by whoever puts an answer, and not behind close().
  explicit CallInbox(std::function<void()> wake) : wake_(std::move(wake)) {}

  /// Any thread.
  void put(CallAnswer<R> answer) {
    const std::lock_guard lock(mutex_);
    if (closed_) return;
    answers_.push_back(std::move(answer));
    any_.store(true, std::memory_order_seq_cst);
    if (wake_) wake_();
  }
  bool any() const { return any_.load(std::memory_order_seq_cst); }
  std::vector<CallAnswer<R>> take() {
    const std::lock_guard lock(mutex_);
    any_.store(false, std::memory_order_seq_cst);
    return std::exchange(answers_, {});
  }
  /// What comes from now on is dropped.
  void close() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    answers_.clear();
  }

 private:
  std::mutex mutex_;
  std::function<void()> wake_;
  std::vector<CallAnswer<R>> answers_;
  std::atomic<bool> any_{false};
  bool closed_ = false;
};

/// One try, of which the first answer counts.
template <class R>
class CallTry {
 public:
  CallTry(std::shared_ptr<CallInbox<R>> inbox, std::uint32_t unit, std::uint64_t number)
      : inbox_(std::move(inbox)), unit_(unit), number_(number) {}
  CallTry(const CallTry&) = delete;
  CallTry& operator=(const CallTry&) = delete;
  ~CallTry() {
    if (wanted()) answer(std::nullopt, "its reply was dropped without an answer");
  }

  // Any thread.
  void answer(std::optional<R> result, std::string failure) {
    if (answered_.exchange(true)) return;
    inbox_->put({unit_, number_, std::move(result), std::move(failure)});
  }
  bool wanted() const { return wanted_.load(std::memory_order_relaxed); }
  void forget() { wanted_.store(false, std::memory_order_relaxed); }

 private:
  std::shared_ptr<CallInbox<R>> inbox_;
  std::uint32_t unit_;
  std::uint64_t number_;
  std::atomic<bool> answered_{false};
  std::atomic<bool> wanted_{true};
};

}  // namespace detail

/// Answers one call: cheap to copy, and all calls by any thread, also when the run is over. The
/// first answer counts, later ones are dropped; so is one that comes after the time-out. When the
/// last copy goes without an answer, the call has failed.
template <class R>
class Reply {
 public:
  using Result = R;

  /// The result. What it borrows must be texts of the record that the call was for.
  void operator()(R result) const { try_->answer(std::move(result), {}); }
  /// There is none, for that reason: the record is tried again or given up.
  void fail(std::string reason) const { try_->answer(std::nullopt, std::move(reason)); }
  /// False: nobody waits for it any more.
  bool wanted() const { return try_->wanted(); }

  // Internal.
  explicit Reply(std::shared_ptr<detail::CallTry<R>> of) : try_(std::move(of)) {}

 private:
  std::shared_ptr<detail::CallTry<R>> try_;
};

}  // namespace millrace
