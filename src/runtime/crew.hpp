// Crew: the threads that run executors: started when needed, kept for the next executor afterwards.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "runtime/executor.hpp"

namespace millrace::detail {

/// All calls by any thread.
class Crew {
 public:
  Crew(RunState& state, TaskEnds& ends, Env& env) : state_(state), ends_(ends), env_(env) {}
  ~Crew() { join(); }

  /// A new executor, or a removed one again; it lives as long as the crew. Nobody runs it yet.
  Executor& add(bool own);
  /// Lets a thread run `executor`.
  void man(Executor& executor);
  /// Asks an executor to end; its tasks, also those that are away, go to `heir`.
  void remove(Executor& executor, Executor& heir);
  /// Cuts the thread of `executor` off if it still is in the step `turn`, and lets another one go
  /// on. The task of that step comes back when the step returns. False: it has returned already.
  bool relieve(Executor& executor, std::uint64_t turn);
  /// From now on a task that comes back goes to an executor of its own.
  void keep_apart(const Task& task);

  void wake_all();
  /// After RunState::over: waits until every thread has left.
  void join();

  /// Those in use, in the order of their numbers.
  std::vector<Executor*> executors() const;
  /// The thread that runs `executor`, as Cpus::this_thread() says; 0: none yet.
  std::int64_t thread_of(const Executor& executor) const;
  /// True while a step that was cut off has not returned.
  bool is_away(const Task& task) const;

 private:
  struct Member {
    std::thread thread;
    Executor* runs = nullptr;     ///< null: free, or in a step it was cut off in
    Executor* cut_off = nullptr;  ///< from whom it has a task
    const Task* away = nullptr;   ///< that task
    std::int64_t number = 0;
    bool waits = false;  ///< for something to run
  };
  struct Post {
    std::unique_ptr<Executor> executor;
    Executor* heir = nullptr;  ///< set: it was removed
    bool left = false;         ///< and its thread has gone
  };

  void work(Member& member);
  void man_locked(Executor& executor);
  Executor& add_locked(bool own);
  void give_back(Member& member, Task& task);
  Post& post_of(const Executor& executor);
  const Post& post_of(const Executor& executor) const;

  RunState& state_;
  TaskEnds& ends_;
  Env& env_;
  mutable std::mutex mutex_;
  std::condition_variable to_do_;
  std::vector<std::unique_ptr<Post>> posts_;
  std::vector<std::unique_ptr<Member>> members_;
  std::vector<const Task*> apart_;
};

}  // namespace millrace::detail
