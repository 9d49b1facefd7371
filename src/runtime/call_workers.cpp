// Threads that wait for jobs, and jobs that wait for their time.
#include "runtime/call_workers.hpp"

#include <utility>

namespace millrace::detail {

CallThreads::~CallThreads() {
  {
    const std::lock_guard lock(mutex_);
    over_ = true;
    jobs_.clear();
  }
  to_do_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void CallThreads::run(Job job) {
  {
    const std::lock_guard lock(mutex_);
    jobs_.push_back(std::move(job));
    if (idle_ < jobs_.size() && threads_.size() < most_)
      threads_.emplace_back([this, number = threads_.size()] { work(number); });
  }
  to_do_.notify_one();
}

void CallThreads::work(std::size_t number) {
  std::unique_lock lock(mutex_);
  for (;;) {
    ++idle_;
    to_do_.wait(lock, [this] { return over_ || !jobs_.empty(); });
    --idle_;
    if (over_) return;
    Job job = std::move(jobs_.front());
    jobs_.pop_front();
    lock.unlock();
    job(number);
    job = {};  // what it holds goes here, not under the lock
    lock.lock();
  }
}

void CallSteps::run(Job job) {
  // Some calls answer at once, and most of the others soon.
  const std::int64_t most = random_.chance(0.1) ? delay_max_ns_ : delay_max_ns_ / 8;
  if (most <= 0 || random_.chance(0.3)) return job(0);
  const std::int64_t delay = static_cast<std::int64_t>(random_.below(std::uint64_t(most)));
  late_.push({clock_.steady_ns() + delay, ++numbered_, std::move(job)});
}

void CallSteps::run_due(std::int64_t now_ns) {
  while (!late_.empty() && late_.top().at_ns <= now_ns) {
    const Job job = late_.top().job;
    late_.pop();
    job(0);
  }
}

}  // namespace millrace::detail
