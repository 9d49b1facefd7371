// Metrics of the user's own: counters, gauges, histograms and timers that components register.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "metrics/counter.hpp"
#include "metrics/histogram.hpp"
#include "metrics/report.hpp"

namespace millrace {

/// An exact count: add(n) by its task, O(1), no lock. Shown as the sum over the tasks.
using detail::Counter;

/// A value that goes up and down. set() by its task; shown as the sum over the tasks.
class Gauge {
 public:
  void set(double value) { value_.store(value, std::memory_order_relaxed); }
  double value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<double> value_{0};
};

/// How values are spread, within 1/16 of each value, up to 2^40; negative ones count as 0. add() by
/// its task, O(1), no lock, no allocation. Shown as count, sum, p50, p99 and the greatest.
class Histogram {
 public:
  void add(std::int64_t value) {
    const std::uint64_t counted = value < 0 ? 0 : static_cast<std::uint64_t>(value);
    spread_.add(counted);
    count_.add(1);
    sum_.add(counted);
    if (counted > greatest_.value()) greatest_.set(counted);
  }
  // Reading: any thread.
  const detail::Histogram& spread() const { return spread_; }
  std::uint64_t count() const { return count_.value(); }
  std::uint64_t sum() const { return sum_.value(); }
  std::uint64_t greatest() const { return greatest_.value(); }

 private:
  detail::Histogram spread_;
  Counter count_;
  Counter sum_;
  Counter greatest_;
};

/// A histogram of durations, kept in nanoseconds and shown in microseconds.
class Timer {
 public:
  /// Counts the time from its making to its end: `const auto timed = timer.measure();`
  class Running {
   public:
    explicit Running(Timer& timer) : timer_(timer), since_ns_(timer.now_ns_()) {}
    Running(const Running&) = delete;
    Running& operator=(const Running&) = delete;
    ~Running() { timer_.add(std::chrono::nanoseconds(timer_.now_ns_() - since_ns_)); }

   private:
    Timer& timer_;
    std::int64_t since_ns_;
  };

  explicit Timer(std::function<std::int64_t()> now_ns) : now_ns_(std::move(now_ns)) {}
  void add(std::chrono::nanoseconds took) { spread_.add(took.count()); }
  /// Two clock reads.
  [[nodiscard]] Running measure() { return Running(*this); }
  const Histogram& spread() const { return spread_; }

 private:
  std::function<std::int64_t()> now_ns_;
  Histogram spread_;
};

namespace detail {

/// Sums the metrics of one name over the tasks of a component.
class MetricSum {
 public:
  void add(const Counter& counter);
  void add(const Gauge& gauge);
  void add(const millrace::Histogram& histogram);
  void add(const Timer& timer);
  MetricReport report(std::string name) const;

 private:
  void add_spread(const millrace::Histogram& histogram);
  MetricReport sum_;
  std::array<std::uint64_t, Histogram::kBuckets> spread_{};
};
using MetricSums = std::map<std::string, MetricSum>;

/// What one task of a component has registered, by name. Registering: its task's thread; reading:
/// any. Handles stay where they are as long as the task.
class UserMetrics {
 public:
  explicit UserMetrics(std::function<std::int64_t()> now_ns) : now_ns_(std::move(now_ns)) {}

  // The metric of that name, made when there is none. Throw std::invalid_argument with a sentence
  // when the name is malformed or belongs to a metric of another kind.
  Counter& counter(std::string_view name) { return get<Counter>(name); }
  Gauge& gauge(std::string_view name) { return get<Gauge>(name); }
  millrace::Histogram& histogram(std::string_view name) { return get<millrace::Histogram>(name); }
  Timer& timer(std::string_view name) { return get<Timer>(name, now_ns_); }

  void add_to(MetricSums& sums) const;

 private:
  using Metric = std::variant<std::unique_ptr<Counter>, std::unique_ptr<Gauge>,
                              std::unique_ptr<millrace::Histogram>, std::unique_ptr<Timer>>;

  template <class M, class... Args>
  M& get(std::string_view name, const Args&... args) {
    const std::lock_guard lock(mutex_);
    auto found = metrics_.find(name);
    if (found == metrics_.end()) {
      check_name(name);
      found = metrics_.emplace(name, std::make_unique<M>(args...)).first;
    }
    if (auto* metric = std::get_if<std::unique_ptr<M>>(&found->second)) return **metric;
    refuse_kind(name);
  }
  static void check_name(std::string_view name);
  [[noreturn]] static void refuse_kind(std::string_view name);

  std::function<std::int64_t()> now_ns_;
  mutable std::mutex mutex_;
  std::map<std::string, Metric, std::less<>> metrics_;
};

}  // namespace detail
}  // namespace millrace
