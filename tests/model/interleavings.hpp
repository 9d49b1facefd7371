// A small model checker: runs two or three threads under every order of their shared operations.
#pragma once

#include <ucontext.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace millrace::detail::model {

/// What a thread is about to do: the objects it touches, and whether it has to wait.
struct Pending {
  const void* first = nullptr;
  const void* second = nullptr;
  bool writes = false;
  const bool* until = nullptr;    ///< waits until this is true
  const bool* as_long = nullptr;  ///< waits as long as this is true

  bool enabled() const { return (!until || *until) && (!as_long || !*as_long); }
  bool depends_on(const Pending& other) const {
    if (!writes && !other.writes) return false;
    const auto touches = [&other](const void* object) {
      return object && (object == other.first || object == other.second);
    };
    return touches(first) || touches(second);
  }
};

/// What exploring came to. `failure` is empty when no order of operations broke anything.
struct Explored {
  std::uint64_t schedules = 0;  ///< orders that differ in more than independent neighbours
  std::string failure;          ///< with the order of threads that led to it
};

/// Threads as fibers of the one that runs them.
class Fibers {
 public:
  using Body = std::function<void()>;

  /// Runs `body` as number `at` to its first shared operation.
  void start(std::size_t at, const Body& body) {
    Fiber& fiber = fibers_[at];
    fiber.finished = false;
    fiber.pending = {};
    fiber.body = &body;
    getcontext(&fiber.context);
    fiber.context.uc_stack.ss_sp = fiber.stack.get();
    fiber.context.uc_stack.ss_size = kStackBytes;
    fiber.context.uc_link = &scheduler_;
    makecontext(&fiber.context, &Fibers::enter, 0);
    resume(at);
  }
  /// Lets it do the operation it is about to do, and go on to the next one.
  void resume(std::size_t at) {
    running_ = &fibers_[at];
    swapcontext(&scheduler_, &running_->context);
    running_ = nullptr;
  }
  /// Called before each shared operation. Nothing outside of bodies.
  static void point(const Pending& pending) {
    if (!running_) return;
    running_->pending = pending;
    swapcontext(&running_->context, running_->context.uc_link);
  }
  const Pending& pending(std::size_t at) const { return fibers_[at].pending; }
  bool finished(std::size_t at) const { return fibers_[at].finished; }

 private:
  static constexpr std::size_t kThreadsMax = 3;
  static constexpr std::size_t kStackBytes = 64 << 10;

  struct Fiber {
    ucontext_t context{};
    std::unique_ptr<char[]> stack = std::make_unique<char[]>(kStackBytes);
    const Body* body = nullptr;
    Pending pending;
    bool finished = false;
  };

  static void enter() {
    Fiber& me = *running_;
    (*me.body)();
    me.finished = true;
  }

  static inline thread_local Fiber* running_ = nullptr;
  std::array<Fiber, kThreadsMax> fibers_;
  ucontext_t scheduler_{};
};

/// Runs bodies in every order of their shared operations.
///
/// Depth-first over all choices of who goes on, with sleep sets (Godefroid 1996): orders that
/// differ only by swapping neighbours that touch different objects are run once. Operations are
/// sequentially consistent, as those of the code under test are. Each schedule runs anew from the
/// start, so bodies must do the same for the same order. Bodies own nothing on their stacks: a
/// schedule that is known already is dropped in the middle.
class Explorer {
 public:
  /// What makes the threads of one run and what is to hold at its end ("": all well).
  struct Run {
    std::vector<Fibers::Body> bodies;
    std::function<std::string()> check;
  };

  static Explored explore(const std::function<Run()>& make, std::uint64_t schedules_max) {
    Explorer explorer;
    Explored found;
    do {
      if (found.schedules == schedules_max) {
        found.failure = "there are more schedules than " + std::to_string(schedules_max);
        return found;
      }
      const Run run = make();
      const std::string wrong = explorer.run_once(run);
      if (explorer.pruned_) continue;
      ++found.schedules;
      if (!wrong.empty()) {
        found.failure = wrong + "; order of threads:" + explorer.order();
        return found;
      }
    } while (explorer.next());
    return found;
  }

 private:
  static constexpr std::size_t kStepsMax = 2000;

  struct Choice {
    std::uint32_t enabled = 0;
    std::uint32_t asleep = 0;  ///< need not run from here: that was done before
    std::size_t chosen = 0;
  };

  std::string run_once(const Run& run) {
    pruned_ = false;
    threads_ = run.bodies.size();
    for (std::size_t at = 0; at < threads_; ++at) fibers_.start(at, run.bodies[at]);
    std::uint32_t asleep = 0;
    for (std::size_t depth = 0;; ++depth) {
      const std::uint32_t enabled = enabled_threads();
      if (enabled == 0) break;
      if (depth == kStepsMax) return "it does not end";
      if (depth == path_.size()) {
        if ((enabled & ~asleep) == 0) {
          pruned_ = true;
          return "";
        }
        path_.push_back({enabled, asleep, lowest(enabled & ~asleep)});
      }
      asleep = still_asleep(path_[depth]);
      fibers_.resume(path_[depth].chosen);
    }
    for (std::size_t at = 0; at < threads_; ++at) {
      if (!fibers_.finished(at)) return "thread " + std::to_string(at) + " is never woken";
    }
    return run.check();
  }

  /// Moves to the next choice that was not explored; false: there is none.
  bool next() {
    while (!path_.empty()) {
      Choice& last = path_.back();
      last.asleep |= 1u << last.chosen;
      const std::uint32_t left = last.enabled & ~last.asleep;
      if (left != 0) {
        last.chosen = lowest(left);
        return true;
      }
      path_.pop_back();
    }
    return false;
  }

  /// Threads that slept stay asleep while what runs does not touch what they are about to do.
  std::uint32_t still_asleep(const Choice& choice) const {
    std::uint32_t asleep = 0;
    for (std::size_t at = 0; at < threads_; ++at) {
      if ((choice.asleep >> at & 1) == 0) continue;
      if (!fibers_.pending(at).depends_on(fibers_.pending(choice.chosen))) asleep |= 1u << at;
    }
    return asleep;
  }

  std::uint32_t enabled_threads() const {
    std::uint32_t enabled = 0;
    for (std::size_t at = 0; at < threads_; ++at) {
      if (!fibers_.finished(at) && fibers_.pending(at).enabled()) enabled |= 1u << at;
    }
    return enabled;
  }

  static std::size_t lowest(std::uint32_t set) {
    std::size_t at = 0;
    while ((set >> at & 1) == 0) ++at;
    return at;
  }

  std::string order() const {
    std::string text;
    for (const Choice& choice : path_) text += " " + std::to_string(choice.chosen);
    return text;
  }

  Fibers fibers_;
  std::size_t threads_ = 0;
  std::vector<Choice> path_;
  bool pruned_ = false;
};

/// An atomic whose every use is a choice of the explorer. Relaxed loads are none: the code under
/// test loads so only what its own thread alone writes.
template <class T>
class Atomic {
 public:
  Atomic(T value = {}) : value_(value) {}  // as std::atomic's
  T load(std::memory_order order) const {
    if (order != std::memory_order_relaxed) Fibers::point({this, nullptr, false});
    return value_;
  }
  void store(T value, std::memory_order) {
    Fibers::point({this, nullptr, true});
    value_ = value;
  }
  T exchange(T value, std::memory_order) {
    Fibers::point({this, nullptr, true});
    return std::exchange(value_, value);
  }
  bool compare_exchange_strong(T& expected, T value, std::memory_order) {
    Fibers::point({this, nullptr, true});
    if (value_ == expected) {
      value_ = value;
      return true;
    }
    expected = value_;
    return false;
  }

 private:
  T value_;
};

class Mutex {
 public:
  void lock() {
    Fibers::point({this, nullptr, true, nullptr, &held_});
    held_ = true;
  }
  void unlock() {
    Fibers::point({this, nullptr, true});
    held_ = false;
  }

 private:
  friend class Condition;
  bool held_ = false;
};

/// Never wakes by itself and never times out: who relies on either is found out.
class Condition {
 public:
  template <class Predicate>
  void wait(std::unique_lock<Mutex>& lock, Predicate predicate) {
    while (!predicate()) {
      Mutex& mutex = *lock.mutex();
      Fibers::point({this, &mutex, true});
      mutex.held_ = false;
      const std::size_t ticket = notified_.size();
      notified_.push_back(std::make_unique<bool>(false));
      Fibers::point({this, &mutex, true, notified_[ticket].get(), nullptr});
      mutex.lock();
    }
  }
  template <class Duration, class Predicate>
  void wait_for(std::unique_lock<Mutex>& lock, Duration, Predicate predicate) {
    wait(lock, predicate);
  }
  void notify_one() {
    Fibers::point({this, nullptr, true});
    for (auto& waiter : notified_) {
      if (*waiter) continue;
      *waiter = true;
      return;
    }
  }

 private:
  std::vector<std::unique_ptr<bool>> notified_;
};

/// In place of RealSleep and RealAtomics.
struct Shapes {
  template <class T>
  using Atomic = model::Atomic<T>;
  using Mutex = model::Mutex;
  using Condition = model::Condition;
};

}  // namespace millrace::detail::model
