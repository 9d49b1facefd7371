// Threads, and who runs which executor.
#include "runtime/crew.hpp"

#include <algorithm>

namespace millrace::detail {

Executor& Crew::add(bool own) {
  const std::lock_guard lock(mutex_);
  return add_locked(own);
}

Executor& Crew::add_locked(bool own) {
  for (auto& post : posts_) {
    if (!post->left || post->executor->own() != own) continue;
    post->heir = nullptr;
    post->left = false;
    return *post->executor;
  }
  auto& post = posts_.emplace_back(std::make_unique<Post>());
  const auto number = static_cast<std::uint32_t>(posts_.size());
  post->executor = std::make_unique<Executor>(number, own, state_, ends_, env_);
  return *post->executor;
}

void Crew::man(Executor& executor) {
  const std::lock_guard lock(mutex_);
  man_locked(executor);
}

void Crew::man_locked(Executor& executor) {
  for (auto& member : members_) {
    if (!member->waits || member->runs) continue;
    member->runs = &executor;
    to_do_.notify_all();
    return;
  }
  auto& member = members_.emplace_back(std::make_unique<Member>());
  member->runs = &executor;
  member->thread = std::thread([this, &self = *member] { work(self); });
}

void Crew::remove(Executor& executor, Executor& heir) {
  const std::lock_guard lock(mutex_);
  post_of(executor).heir = &heir;
  executor.ask_to_end(heir);
}

bool Crew::relieve(Executor& executor, std::uint64_t turn) {
  const std::lock_guard lock(mutex_);
  if (post_of(executor).heir) return false;
  const Task* task = executor.take_away(turn);
  if (!task) return false;
  for (auto& member : members_) {
    if (member->runs != &executor) continue;
    member->runs = nullptr;
    member->cut_off = &executor;
    member->away = task;
  }
  man_locked(executor);
  return true;
}

void Crew::keep_apart(const Task& task) {
  const std::lock_guard lock(mutex_);
  apart_.push_back(&task);
}

void Crew::wake_all() {
  const std::lock_guard lock(mutex_);
  for (auto& post : posts_) post->executor->wake();
  to_do_.notify_all();
}

void Crew::join() {
  std::vector<std::thread> threads;
  {
    const std::lock_guard lock(mutex_);
    to_do_.notify_all();
    for (auto& member : members_) threads.push_back(std::move(member->thread));
  }
  for (std::thread& thread : threads) {
    if (thread.joinable()) thread.join();
  }
}

void Crew::work(Member& self) {
  {
    const std::lock_guard lock(mutex_);
    self.number = env_.cpus ? env_.cpus->this_thread() : 0;
  }
  for (;;) {
    Executor* executor = nullptr;
    {
      std::unique_lock lock(mutex_);
      self.waits = true;
      to_do_.wait(lock, [&] { return self.runs || state_.over.load(); });
      self.waits = false;
      executor = self.runs;
      if (!executor) return;
    }
    const Executor::Outcome outcome = executor->run();
    if (outcome.left == Executor::Left::over) return;
    if (outcome.left == Executor::Left::cut_off) {
      if (outcome.done)
        ends_.task_done(*outcome.task);
      else
        give_back(self, *outcome.task);
    }
    const std::lock_guard lock(mutex_);
    self.cut_off = nullptr;
    self.away = nullptr;
    if (outcome.left == Executor::Left::removed) {
      post_of(*executor).left = true;
      self.runs = nullptr;
    }
  }
}

/// To the executor it came from, or whoever took that one's tasks over, or one of its own.
void Crew::give_back(Member& member, Task& task) {
  const std::lock_guard lock(mutex_);
  if (state_.over.load()) return;  // the engine closes it
  if (std::find(apart_.begin(), apart_.end(), &task) != apart_.end()) {
    Executor& own = add_locked(true);
    own.give(task);
    man_locked(own);
    return;
  }
  Executor* home = member.cut_off;
  while (Executor* heir = post_of(*home).heir) home = heir;
  home->give(task);
}

Crew::Post& Crew::post_of(const Executor& executor) { return *posts_[executor.number() - 1]; }
const Crew::Post& Crew::post_of(const Executor& executor) const {
  return *posts_[executor.number() - 1];
}

std::vector<Executor*> Crew::executors() const {
  const std::lock_guard lock(mutex_);
  std::vector<Executor*> found;
  for (const auto& post : posts_) {
    if (!post->heir) found.push_back(post->executor.get());
  }
  return found;
}

std::int64_t Crew::thread_of(const Executor& executor) const {
  const std::lock_guard lock(mutex_);
  for (const auto& member : members_) {
    if (member->runs == &executor) return member->number;
  }
  return 0;
}

bool Crew::is_away(const Task& task) const {
  const std::lock_guard lock(mutex_);
  return std::any_of(members_.begin(), members_.end(),
                     [&](const auto& member) { return member->away == &task; });
}

}  // namespace millrace::detail
