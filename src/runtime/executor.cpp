// Rounds over tasks, sleeping, mail, and what a thread does that was cut off.
#include "runtime/executor.hpp"

#include <algorithm>

namespace millrace::detail {
namespace {

/// Batches a task may take before its neighbours get their turn.
constexpr std::size_t kStepBudget = 16;

}  // namespace

void Executor::give(Task& task) {
  task.home().move_to(waker_);
  task.set_executor(static_cast<int>(number_));
  mailbox_.put({&task, nullptr});
  waker_.wake();
}

void Executor::ask_for(Task& task, Executor& to) {
  mailbox_.put({&task, &to});
  waker_.wake();
}

void Executor::ask_to_end(Executor& to) {
  mailbox_.put({nullptr, &to});
  waker_.wake();
}

void Executor::ask_for_memory() {
  mailbox_.put({nullptr, nullptr});
  waker_.wake();
}

/// Tasks that arrive are stepped in the round that follows: what was sent to them before they came
/// woke somebody else.
void Executor::read_mail() {
  for (const Letter& letter : mailbox_.take()) {
    if (!letter.to && !letter.task) {
      for (Task* task : tasks_) task->give_memory_back();
    } else if (!letter.to) {
      tasks_.push_back(letter.task);
    } else if (letter.task) {
      if (std::erase(tasks_, letter.task) > 0) letter.to->give(*letter.task);
    } else {
      for (Task* task : tasks_) letter.to->give(*task);
      tasks_.clear();
      removed_ = true;
    }
  }
}

Executor::Outcome Executor::run() {
  removed_ = false;
  std::int64_t idle_since = 0;  // 0: the last round found work
  while (!state_.over.load(std::memory_order_relaxed)) {
    if (mailbox_.has_mail()) read_mail();
    if (removed_) return {Left::removed};
    Round outcome = round();
    if (outcome.kind == Round::idle) {
      const std::int64_t now = env_.clock->steady_ns();
      if (idle_since == 0) idle_since = now;
      // Once it has spun in vain it parks again after each look, until there is work: idle is
      // cheap.
      if (now - idle_since < gap_.spin_ns(outcome.polls)) continue;
      outcome = sleep();
      if (outcome.kind == Round::idle) continue;
    }
    if (outcome.kind == Round::cut_off) return {Left::cut_off, outcome.task, outcome.done};
    if (idle_since != 0) learn_gap();
    idle_since = 0;
  }
  if (mailbox_.has_mail()) read_mail();
  for (Task* task : tasks_) task->close();  // another one failed
  return {Left::over};
}

Executor::Round Executor::round() {
  Round seen;
  bool any_done = false;
  std::int64_t before = busy_ticks_now();
  for (std::size_t at = 0; at < tasks_.size(); ++at) {
    Task& task = *tasks_[at];
    began_ticks_.store(before, std::memory_order_relaxed);
    bool mine = true;
    const Step step = this->step(task, mine);
    const std::int64_t now = busy_ticks_now();
    if (step == Step::done || step == Step::ready) {
      task.busy_ticks().add(static_cast<std::uint64_t>(now - before));
      seen.kind = Round::worked;
    }
    if (!mine) return {Round::cut_off, &task, step == Step::done, {}, false};
    before = now;
    if (step == Step::done) {
      ends_.task_done(task);
      tasks_[at] = nullptr;
      any_done = true;
      continue;
    }
    const auto due = task.next_due_ns();
    if (due) seen.next_due_ns = seen.next_due_ns ? std::min(*seen.next_due_ns, *due) : *due;
    seen.polls |= task.polls();
  }
  if (any_done) std::erase(tasks_, nullptr);
  return seen;
}

Step Executor::step(Task& task, bool& mine) {
  std::uint64_t turn = turn_.load(std::memory_order_relaxed) + 1;
  stepped_.store(&task, std::memory_order_relaxed);
  turn_.store(turn, std::memory_order_release);
  const Step step = task.step(kStepBudget, state_.stop.load(std::memory_order_relaxed));
  mine = turn_.compare_exchange_strong(turn, turn + 1, std::memory_order_acq_rel);
  return step;
}

Task* Executor::take_away(std::uint64_t turn) {
  if (!turn_.compare_exchange_strong(turn, turn + 1, std::memory_order_acq_rel)) return nullptr;
  Task* task = stepped_.load(std::memory_order_relaxed);
  // The round that was cut off no longer drops the ones that were done in it.
  std::erase_if(tasks_, [task](Task* one) { return !one || one == task; });
  return task;
}

Executor::Round Executor::sleep() {
  Round seen;
  waker_.sleep([this, &seen]() -> std::optional<std::int64_t> {
    const bool over = state_.over.load(std::memory_order_seq_cst);
    if (!over && !mailbox_.has_mail()) seen = round();
    if (seen.kind == Round::cut_off) return Waker::kLeave;  // whoever runs it now has its waker too
    const bool ends_sources = seen.polls && state_.stop.load(std::memory_order_seq_cst);
    if (over || mailbox_.has_mail() || ends_sources) seen.kind = Round::worked;
    if (seen.kind == Round::worked) return std::nullopt;
    return sleep_ns(seen);
  });
  return seen;
}

std::int64_t Executor::sleep_ns(const Round& seen) const {
  if (!seen.next_due_ns) return seen.polls ? gap_.poll_ns() : Waker::kForEver;
  const std::int64_t until = *seen.next_due_ns - env_.clock->steady_ns();
  return std::max<std::int64_t>(seen.polls ? std::min(gap_.poll_ns(), until) : until, 0);
}

void Executor::learn_gap() {
  std::uint64_t polled = 0;
  for (const Task* task : tasks_) polled += task->records_polled();
  gap_.learn(env_.clock->steady_ns(), polled);
}

}  // namespace millrace::detail
