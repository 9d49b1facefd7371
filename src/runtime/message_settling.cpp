// Settling messages: acks, failures, and queueing what is played again.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "operator/operator.hpp"
#include "runtime/message_ledger.hpp"

namespace millrace::detail {
namespace {

void subtract(Counter& counter, std::uint64_t count) { counter.set(counter.value() - count); }

bool contains(const MessageRange& range, std::uint32_t failed) {
  return range.failed &&
         std::find(range.failed->begin(), range.failed->end(), failed) != range.failed->end();
}

}  // namespace

/// First how the ranges stand, then failures: who brought counts to zero had told of them before.
MessageLedger::Settled MessageLedger::settle(Source& source, DeadLetters& letters,
                                             std::int64_t now_ns) {
  Settled settled;
  const Talk talk{source, letters, settled, now_ns};
  looks_.clear();
  for (MessageRange* range : mail_.take()) {
    range->look();
    const bool moves = range->moving() > 0;
    const bool in_hand = range->in_hand() > 0;
    looks_.push_back({range, moves, in_hand, range->done()});
  }
  std::vector<FailedMessage> failures;
  if (has_failures_.load(std::memory_order_acquire)) {
    const std::lock_guard lock(failures_mutex_);
    failures.swap(failures_);
    has_failures_.store(false, std::memory_order_relaxed);
  }
  for (const FailedMessage& failed : failures) fail(failed, talk);
  for (const Look& look : looks_) {
    if (!look.range->open) continue;  // a notice that comes late
    if (look.done) {
      complete(*look.range, talk);
    } else if (!look.moves) {
      stay(*look.range, look.in_hand ? Stay::in_hand : Stay::held);
    }
  }
  return settled;
}

bool MessageLedger::may_play_again(const FailedMessage& failed, const Talk& talk) const {
  if (failed.given_up || last_tries_.load(std::memory_order_relaxed)) return false;
  if (talk.source.names_messages()) return true;
  return replays_ && failed.range->copy && failed.index >= failed.range->copy_from;
}

void MessageLedger::fail(const FailedMessage& failed, const Talk& talk) {
  MessageRange& range = *failed.range;
  if (contains(range, failed.index)) return;
  if (!range.failed) range.failed = std::make_unique<std::vector<std::uint32_t>>();
  range.failed->push_back(failed.index);
  if (failed.timed_out) timed_out_.add(1);
  const bool fresh = failed.index >= range.fresh_from;
  --(fresh ? range.fresh : range.settled);
  subtract(counter_of(fresh ? Stay::moving : range.stay), 1);
  if (!may_play_again(failed, talk)) {
    ++talk.settled.given_up;
    given_up_.add(1);
    set_aside(failed, talk);
    return;
  }
  ++talk.settled.failed;
  failed_.add(1);
  if (!talk.source.names_messages()) return queue_again(range, failed.index, talk.now_ns);
  const std::uint64_t name = *range.details->names[failed.index];
  tries_of_[name] = static_cast<std::uint8_t>(range.tries(failed.index) + 1);
  talk.source.failed(name);
}

void MessageLedger::set_aside(const FailedMessage& failed, const Talk& talk) {
  const MessageRange& range = *failed.range;
  std::string record;
  if (range.copy && failed.index >= range.copy_from) {
    record = settings_.ports[range.port]->describe(*range.copy, failed.index - range.copy_from);
  } else if (talk.source.names_messages()) {
    record = fmt::format("message {}", *range.details->names[failed.index]);
  }
  talk.letters.add(fmt::format("{}: {}", failed.component, failed.reason),
                   range.place_of(failed.index), record);
  if (talk.source.names_messages()) talk.source.acked(*range.details->names[failed.index]);
}

/// Times are cut to 10 ms, so that messages that failed about the same time go as one batch.
std::int64_t MessageLedger::due_after(int tries, std::int64_t now_ns) const {
  constexpr std::int64_t kMost = 10'000'000'000;
  constexpr std::int64_t kStep = 10'000'000;
  const std::int64_t first = std::chrono::nanoseconds(settings_.acks.retry_after).count();
  if (first == 0) return now_ns;
  std::int64_t wait = first;
  for (int done = 0; done < tries && wait < kMost; ++done) wait *= 2;
  const std::int64_t due = now_ns + std::max(first, std::min(wait, kMost));
  return due + (kStep - due % kStep) % kStep;
}

void MessageLedger::queue_again(MessageRange& range, std::uint32_t index, std::int64_t now_ns) {
  constexpr std::size_t kMost = 1024;
  const BatchBase& copy = *range.copy;
  const int tries = range.tries(index);
  AgainKey key = {due_after(tries, now_ns), range.port, copy.partition, copy.lap, 0};
  auto at = again_.lower_bound(key);
  while (at != again_.end() && std::equal(key.begin(), key.begin() + 4, at->first.begin()) &&
         at->second.batch->size() >= kMost) {
    key[4] = (at++)->first[4] + 1;
  }
  if (at == again_.end() || !std::equal(key.begin(), key.begin() + 4, at->first.begin())) {
    at = again_
             .emplace(key, Again{take_spare(range.port), std::make_unique<MessageRange::Details>()})
             .first;
    carry_marks(copy, *at->second.batch);
    ++busy(copy.partition);
  }
  Again& again = at->second;
  const std::uint32_t pick = index - range.copy_from;
  settings_.ports[range.port]->append(*again.batch, copy, {&pick, 1});
  again.details->numbers.push_back(range.number_of(index));
  again.details->tries_before.push_back(static_cast<std::uint8_t>(tries + 1));
}

std::uint64_t MessageLedger::stop_replays(DeadLetters& letters) {
  replays_ = false;
  std::uint64_t dropped = 0;
  for (const auto& [key, again] : again_) {
    const auto port = static_cast<std::size_t>(key[1]);
    const BatchBase& batch = *again.batch;
    --busy(batch.partition);
    for (std::size_t at = 0; at < batch.size(); ++at, ++dropped) {
      letters.add("failed, and the run was stopped before it could be tried again",
                  fmt::format("{} partition {}, message {}", settings_.source,
                              batch.partition * settings_.tasks + settings_.task,
                              again.details->numbers[at]),
                  settings_.ports[port]->describe(batch, at));
    }
  }
  again_.clear();
  return dropped;
}

/// It may move again when a window fires, or who has it in hand emits; it is still counted where it
/// was then. What is in hand may be played again, what is held may not.
void MessageLedger::stay(MessageRange& range, Stay where) {
  if (!range.moves && range.stay == where) return;
  stop_moving(range);
  subtract(pending_, range.fresh);
  if (range.stay != Stay::moving) subtract(counter_of(range.stay), range.settled);
  range.settled += std::exchange(range.fresh, 0);
  range.fresh_from = range.messages;
  range.stay = where;
  counter_of(where).add(range.settled);
  if (where == Stay::held) drop_copy(range);
}

void MessageLedger::complete(MessageRange& range, const Talk& talk) {
  stop_moving(range);
  subtract(pending_, range.fresh);
  if (range.stay != Stay::moving) subtract(counter_of(range.stay), range.settled);
  const std::uint32_t live = range.fresh + range.settled;
  if (range.was_abandoned()) {
    abandoned_.add(live);
  } else {
    acked_.add(live);
    talk.settled.acked += live;
    const std::int64_t took = std::max<std::int64_t>(talk.now_ns - range.opened_ns, 0);
    latency_.add(static_cast<std::uint64_t>(took), live);
    talk.settled.longest_ns = std::max(talk.settled.longest_ns, took);
    tell_acked(range, talk);
  }
  close(range);
}

void MessageLedger::tell_acked(const MessageRange& range, const Talk& talk) {
  if (!talk.source.names_messages()) return;
  const auto& names = range.details->names;
  for (std::uint32_t at = 0; at < names.size(); ++at) {
    if (!names[at] || contains(range, at)) continue;
    if (!tries_of_.empty()) tries_of_.erase(*names[at]);
    talk.source.acked(*names[at]);
  }
}

void MessageLedger::close(MessageRange& range) {
  drop_copy(range);
  if (last_ == &range) last_ = nullptr;
  free_.push_back(&range);
  const std::lock_guard lock(open_mutex_);
  open_.back()->place = range.place;
  open_[range.place] = open_.back();
  open_.pop_back();
  range.reset();
}

}  // namespace millrace::detail
