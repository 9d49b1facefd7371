// Opening ranges, settling them, and playing failed messages again.
#include "runtime/message_ledger.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/check.hpp"
#include "operator/operator.hpp"

namespace millrace::detail {
namespace {

constexpr std::size_t kSlowestMax = 10;
/// In place of a number of tries: such a message is not tried again.
constexpr std::uint8_t kNoMoreTries = 255;

void subtract(Counter& counter, std::uint64_t count) { counter.set(counter.value() - count); }

}  // namespace

MessageLedger::MessageLedger(Settings settings)
    : settings_(std::move(settings)), home_(settings_.home), spare_(settings_.ports.size()) {}

void MessageLedger::notice(MessageRange& range) {
  mail_.put(&range);
  if (const Home* home = home_.load(std::memory_order_acquire)) home->wake();
}

std::size_t& MessageLedger::busy(std::uint32_t partition) {
  if (busy_.size() <= partition) busy_.resize(partition + 1);
  return busy_[partition];
}

MessageRange& MessageLedger::take_range() {
  if (free_.empty()) return ranges_.emplace_back(*this);
  MessageRange& range = *free_.back();
  free_.pop_back();
  return range;
}

BatchPtr MessageLedger::take_spare(std::uint32_t port) {
  auto& spare = spare_[port];
  if (spare.empty()) return settings_.ports[port]->make();
  BatchPtr batch = std::move(spare.back());
  spare.pop_back();
  return batch;
}

BatchPtr MessageLedger::copy_of(const BatchBase& batch, std::uint32_t port) {
  BatchPtr copy = take_spare(port);
  carry_marks(batch, *copy);
  settings_.ports[port]->append_all(*copy, batch);
  return copy;
}

void MessageLedger::open(BatchBase& batch, std::uint32_t port, const Source& source,
                         std::int64_t now_ns) {
  MessageRange& range = take_range();
  const auto messages = static_cast<std::uint32_t>(batch.size());
  if (numbered_.size() <= batch.partition) numbered_.resize(batch.partition + 1);
  range.told.numbers.assign(
      1, std::exchange(numbered_[batch.partition], numbered_[batch.partition] + messages));
  range.told.tries_before.clear();
  range.entry.live = messages;
  range.entry.names.clear();
  if (source.names_messages()) {
    name(range, source.message_names().first(messages));
  } else {
    range.entry.copy = copy_of(batch, port);
  }
  begin(range, batch, port, now_ns);
}

void MessageLedger::name(MessageRange& range, std::span<const std::optional<std::uint64_t>> names) {
  range.entry.names.assign(names.begin(), names.end());
  auto& tries = range.told.tries_before;
  for (std::size_t at = 0; at < names.size(); ++at) {
    std::uint8_t before = kNoMoreTries;
    if (!names[at]) {
      --range.entry.live;
    } else if (tries_of_.empty()) {
      continue;
    } else {
      const auto found = tries_of_.find(*names[at]);
      if (found == tries_of_.end()) continue;
      before = found->second;
      replayed_.add(1);
    }
    tries.resize(names.size());
    tries[at] = before;
  }
}

void MessageLedger::begin(MessageRange& range, BatchBase& batch, std::uint32_t port,
                          std::int64_t now_ns) {
  const auto messages = static_cast<std::uint32_t>(batch.size());
  MR_CHECK(messages > 0 && messages <= MessageRef::kMessagesMax, "a range of too many messages");
  range.entry.open = true;
  range.entry.held = false;
  range.entry.port = port;
  range.entry.failed.clear();
  range.told.messages = messages;
  range.told.partition = over_tasks(batch.partition);
  range.told.opened_ns = now_ns;
  range.begin(messages);
  batch.messages.take_over(range, messages);
  ++busy(batch.partition);
  tried_.add(range.entry.live);
  pending_.add(range.entry.live);
  const std::lock_guard lock(open_mutex_);
  range.entry.place = open_.size();
  open_.push_back(&range);
}

MessageLedger::Settled MessageLedger::settle(Source& source, DeadLetters& letters,
                                             std::int64_t now_ns) {
  Settled settled;
  for (MessageRange* range : mail_.take()) {
    range->look();
    if (range->entry.open) look_at(*range, source, letters, settled, now_ns);
  }
  return settled;
}

/// The counts first: who brought them to zero had told of failures before.
void MessageLedger::look_at(MessageRange& range, Source& source, DeadLetters& letters,
                            Settled& settled, std::int64_t now_ns) {
  const bool moves = range.moving() > 0;
  const bool done = range.done();
  for (const MessageRange::Failed& failed : range.take_failures()) {
    auto& known = range.entry.failed;
    if (std::find(known.begin(), known.end(), failed.index) != known.end()) continue;
    known.push_back(failed.index);
    if (failed.timed_out) timed_out_.add(1);
    leave(range, 1);
    --range.entry.live;
    const bool named = source.names_messages();
    if (failed.given_up || (!named && (!replays_ || !range.entry.copy))) {
      ++settled.given_up;
      given_up_.add(1);
      set_aside(range, failed, letters);
      if (named) source.acked(*range.entry.names[failed.index]);
    } else {
      failed_.add(1);
      fail(range, failed, source);
    }
  }
  if (done) return complete(range, source, now_ns);
  if (!moves) hold(range);
}

void MessageLedger::fail(MessageRange& range, const MessageRange::Failed& failed, Source& source) {
  if (!source.names_messages()) return queue_again(range, failed.index);
  const std::uint64_t name = *range.entry.names[failed.index];
  tries_of_[name] = static_cast<std::uint8_t>(range.told.tries(failed.index) + 1);
  source.failed(name);
}

void MessageLedger::set_aside(MessageRange& range, const MessageRange::Failed& failed,
                              DeadLetters& letters) {
  std::string record;
  if (range.entry.copy) {
    record = settings_.ports[range.entry.port]->describe(*range.entry.copy, failed.index);
  } else if (!range.entry.names.empty()) {
    record = fmt::format("message {}", *range.entry.names[failed.index]);
  }
  letters.add(fmt::format("{}: {}", failed.component, failed.reason), range.place_of(failed.index),
              record);
}

void MessageLedger::queue_again(MessageRange& range, std::uint32_t index) {
  const BatchBase& copy = *range.entry.copy;
  const bool fits = !again_.empty() && again_.back().port == range.entry.port &&
                    again_.back().batch->partition == copy.partition &&
                    again_.back().batch->lap == copy.lap && again_.back().batch->size() < 1024;
  if (!fits) {
    again_.push_back({range.entry.port, take_spare(range.entry.port), {}});
    carry_marks(copy, *again_.back().batch);
    ++busy(copy.partition);
  }
  Again& again = again_.back();
  settings_.ports[again.port]->append(*again.batch, copy, {&index, 1});
  again.told.numbers.push_back(range.told.number_of(index));
  again.told.tries_before.push_back(static_cast<std::uint8_t>(range.told.tries(index) + 1));
}

std::uint64_t MessageLedger::stop_replays(DeadLetters& letters) {
  replays_ = false;
  std::uint64_t dropped = 0;
  for (const Again& again : again_) {
    const BatchBase& batch = *again.batch;
    --busy(batch.partition);
    for (std::size_t at = 0; at < batch.size(); ++at, ++dropped) {
      letters.add("failed, and the run was stopped before it could be tried again",
                  fmt::format("{} partition {}, message {}", settings_.source,
                              over_tasks(batch.partition), again.told.numbers[at]),
                  settings_.ports[again.port]->describe(batch, at));
    }
  }
  again_.clear();
  return dropped;
}

BatchPtr MessageLedger::take_again(std::uint32_t& port, std::int64_t now_ns) {
  if (again_.empty()) return nullptr;
  Again again = std::move(again_.front());
  again_.pop_front();
  MessageRange& range = take_range();
  range.told = std::move(again.told);
  range.entry.live = static_cast<std::uint32_t>(again.batch->size());
  range.entry.names.clear();
  range.entry.copy = copy_of(*again.batch, again.port);
  --busy(again.batch->partition);
  begin(range, *again.batch, again.port, now_ns);
  replayed_.add(range.entry.live);
  port = again.port;
  return std::move(again.batch);
}

void MessageLedger::give_back(BatchPtr batch, std::uint32_t port) {
  constexpr std::size_t kSpareMax = 64;
  batch->clear();
  if (spare_[port].size() < kSpareMax) spare_[port].push_back(std::move(batch));
}

void MessageLedger::drop_copy(MessageRange& range) {
  if (range.entry.copy) give_back(std::move(range.entry.copy), range.entry.port);
}

/// Takes messages off the number of those that are on their way, or held.
void MessageLedger::leave(const MessageRange& range, std::uint32_t messages) {
  subtract(range.entry.held ? held_ : pending_, messages);
}

/// It may move again when a window fires; it is still counted as held then.
void MessageLedger::hold(MessageRange& range) {
  if (range.entry.held) return;
  leave(range, range.entry.live);
  range.entry.held = true;
  held_.add(range.entry.live);
  --busy(range.told.partition / settings_.tasks);
  drop_copy(range);
}

void MessageLedger::complete(MessageRange& range, Source& source, std::int64_t now_ns) {
  leave(range, range.entry.live);
  if (!range.entry.held) --busy(range.told.partition / settings_.tasks);
  if (range.was_abandoned()) {
    abandoned_.add(range.entry.live);
  } else {
    acked_.add(range.entry.live);
    const std::int64_t took = std::max<std::int64_t>(now_ns - range.told.opened_ns, 0);
    latency_.add(static_cast<std::uint64_t>(took), range.entry.live);
    const auto& failed = range.entry.failed;
    for (std::uint32_t at = 0; at < range.entry.names.size(); ++at) {
      const auto& name = range.entry.names[at];
      if (!name || std::find(failed.begin(), failed.end(), at) != failed.end()) continue;
      if (!tries_of_.empty()) tries_of_.erase(*name);
      source.acked(*name);
    }
  }
  close(range);
}

void MessageLedger::close(MessageRange& range) {
  drop_copy(range);
  range.entry.open = false;
  free_.push_back(&range);
  const std::lock_guard lock(open_mutex_);
  open_.back()->entry.place = range.entry.place;
  open_[range.entry.place] = open_.back();
  open_.pop_back();
}

std::size_t MessageLedger::room(std::size_t most) const {
  const auto max = static_cast<std::size_t>(settings_.acks.pending_max);
  if (max == 0) return most;
  const std::size_t pending = pending_.value();
  return std::min(most, max - std::min(max, pending));
}

void MessageLedger::fill(AckReport& report, Histogram::Buckets& latency,
                         std::int64_t now_ns) const {
  report.tried += tried_.value();
  report.acked += acked_.value();
  report.failed += failed_.value();
  report.timed_out += timed_out_.value();
  report.replayed += replayed_.value();
  report.given_up += given_up_.value();
  report.pending += pending_.value();
  report.held += held_.value();
  report.abandoned += abandoned_.value();
  latency_.merge_into(latency);
  const std::lock_guard lock(open_mutex_);
  std::vector<const MessageRange*> oldest(std::min(open_.size(), kSlowestMax));
  std::partial_sort_copy(open_.begin(), open_.end(), oldest.begin(), oldest.end(),
                         [](const MessageRange* a, const MessageRange* b) {
                           return std::pair(a->told.opened_ns, a->told.numbers.front()) <
                                  std::pair(b->told.opened_ns, b->told.numbers.front());
                         });
  for (const MessageRange* range : oldest) {
    OpenTreeReport& tree = report.slowest.emplace_back();
    tree.first = range->place_of(0);
    tree.messages = range->told.messages;
    tree.age_ms = (now_ns - range->told.opened_ns) / 1'000'000;
    tree.moving = range->moving();
    tree.held = range->held();
    if (const auto seen = range->last_seen_at(); seen != 0)
      tree.component = (*settings_.stages)[seen - 1];
  }
}

}  // namespace millrace::detail
