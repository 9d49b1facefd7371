// Opening ranges, and what reports say of them.
#include "runtime/message_ledger.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

#include "base/check.hpp"
#include "operator/operator.hpp"

namespace millrace::detail {
namespace {

constexpr std::size_t kSlowestMax = 10;
constexpr std::size_t kSpareMax = 64;
/// In place of a number of tries: such a message is not tried again.
constexpr std::uint8_t kNoMoreTries = 255;
/// A range that windows hold takes further messages for so long, so that what small batches leave
/// in windows does not take a range each.
constexpr std::int64_t kExtendNs = 100'000'000;
constexpr std::uint32_t kExtendedMax = 1024;

}  // namespace

MessageLedger::MessageLedger(Settings settings)
    : settings_(std::move(settings)), home_(settings_.home), spare_(settings_.ports.size()) {}

void MessageLedger::notice(MessageRange& range) {
  mail_.put(&range);
  if (const Home* home = home_.load(std::memory_order_acquire)) home->wake();
}

void MessageLedger::add_failure(FailedMessage failed) {
  const std::lock_guard lock(failures_mutex_);
  failures_.push_back(std::move(failed));
  has_failures_.store(true, std::memory_order_release);
}

std::size_t& MessageLedger::busy(std::uint32_t partition) {
  if (busy_.size() <= partition) busy_.resize(partition + 1);
  return busy_[partition];
}

MessageRange& MessageLedger::take_range(const BatchBase& batch, std::uint32_t port) {
  if (free_.empty()) free_.push_back(&ranges_.emplace_back(*this));
  MessageRange& range = *free_.back();
  free_.pop_back();
  range.port = port;
  range.partition = batch.partition * settings_.tasks + settings_.task;
  return range;
}

/// The range opened last, while all of it is held and no more than that is known of it.
MessageRange* MessageLedger::range_to_extend(const BatchBase& batch, std::uint32_t port,
                                             std::int64_t now_ns) {
  MessageRange* const range = last_;
  if (!range || range->moves || range->stay != Stay::held || range->port != port) return nullptr;
  if (local(*range) != batch.partition || now_ns - range->opened_ns > kExtendNs) return nullptr;
  return range->messages + batch.size() <= kExtendedMax ? range : nullptr;
}

void MessageLedger::open(BatchBase& batch, std::uint32_t port, const Source& source,
                         std::int64_t now_ns) {
  const auto messages = static_cast<std::uint32_t>(batch.size());
  const std::uint64_t first = take_numbers(batch.partition, messages);
  const bool named = source.names_messages();
  MessageRange* range = named ? nullptr : range_to_extend(batch, port, now_ns);
  if (!range) {
    range = &take_range(batch, port);
    range->first_number = first;
  }
  range->fresh = messages;
  if (named) {
    name(*range, source.message_names().first(messages));
  } else {
    add_copy(*range, batch);
  }
  begin(*range, batch, now_ns);
  last_ = named ? nullptr : range;
}

std::uint64_t MessageLedger::take_numbers(std::uint32_t partition, std::uint32_t messages) {
  if (numbered_.size() <= partition) numbered_.resize(partition + 1);
  return std::exchange(numbered_[partition], numbered_[partition] + messages);
}

void MessageLedger::name(MessageRange& range, std::span<const std::optional<std::uint64_t>> names) {
  range.details = std::make_unique<MessageRange::Details>();
  range.details->names.assign(names.begin(), names.end());
  auto& tries = range.details->tries_before;
  for (std::size_t at = 0; at < names.size(); ++at) {
    std::uint8_t before = kNoMoreTries;
    if (!names[at]) {
      --range.fresh;
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

/// What was in the copy before is held, and cannot fail any more.
void MessageLedger::add_copy(MessageRange& range, const BatchBase& batch) {
  range.copy = take_spare(range.port);
  range.copy_from = range.messages;
  carry_marks(batch, *range.copy);
  settings_.ports[range.port]->append_all(*range.copy, batch);
}

/// `fresh`, and of a new range all that is fixed, is set; what the range had before is held.
void MessageLedger::begin(MessageRange& range, BatchBase& batch, std::int64_t now_ns) {
  const auto messages = static_cast<std::uint32_t>(batch.size());
  MR_CHECK(messages > 0 && range.messages + messages <= MessageRef::kMessagesMax,
           "a range of too many messages");
  range.begin(messages);
  batch.messages.take_over(range, range.messages, messages);
  tried_.add(range.fresh);
  pending_.add(range.fresh);
  const std::lock_guard lock(open_mutex_);
  range.fresh_from = range.messages;
  range.messages += messages;
  start_moving(range);
  if (range.open) {
    range.opened_ns += (now_ns - range.opened_ns) * messages / range.messages;
    return;
  }
  range.open = true;
  range.opened_ns = now_ns;
  range.place = static_cast<std::uint32_t>(open_.size());
  open_.push_back(&range);
}

void MessageLedger::start_moving(MessageRange& range) {
  range.moves = true;
  ++moving_ranges_;
  ++busy(local(range));
}

void MessageLedger::stop_moving(MessageRange& range) {
  if (!std::exchange(range.moves, false)) return;
  --moving_ranges_;
  --busy(local(range));
}

BatchPtr MessageLedger::take_again(std::uint32_t& port, std::int64_t now_ns) {
  if (again_due_ns() > now_ns) return nullptr;
  port = static_cast<std::uint32_t>(again_.begin()->first[1]);
  Again again = std::move(again_.begin()->second);
  again_.erase(again_.begin());
  MessageRange& range = take_range(*again.batch, port);
  range.first_number = again.details->numbers.front();
  range.details = std::move(again.details);
  range.fresh = static_cast<std::uint32_t>(again.batch->size());
  add_copy(range, *again.batch);
  --busy(again.batch->partition);
  begin(range, *again.batch, now_ns);
  replayed_.add(range.fresh);
  return std::move(again.batch);
}

BatchPtr MessageLedger::take_spare(std::uint32_t port) {
  auto& spare = spare_[port];
  if (spare.empty()) return settings_.ports[port]->make();
  BatchPtr batch = std::move(spare.back());
  spare.pop_back();
  return batch;
}

void MessageLedger::give_back(BatchPtr batch, std::uint32_t port) {
  batch->clear();
  if (spare_[port].size() < kSpareMax) spare_[port].push_back(std::move(batch));
}

void MessageLedger::drop_copy(MessageRange& range) {
  if (range.copy) give_back(std::move(range.copy), range.port);
}

std::size_t MessageLedger::room(std::size_t most) const {
  const std::size_t max = settings_.pending_max;
  if (max == 0) return most;
  const auto hands = static_cast<std::size_t>(hands_.load(std::memory_order_relaxed));
  return std::min(most, max - std::min<std::size_t>(max, pending_.value() + hands));
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
  report.in_hand += in_hand_.value();
  report.held += held_.value();
  report.abandoned += abandoned_.value();
  latency_.merge_into(latency);
  const std::lock_guard lock(open_mutex_);
  // What only windows hold is not slow: it comes last.
  std::vector<std::tuple<bool, std::int64_t, std::uint64_t, const MessageRange*>> oldest;
  oldest.reserve(open_.size());
  for (const MessageRange* range : open_)
    oldest.emplace_back(range->moving() == 0, range->opened_ns, range->first_number, range);
  const std::size_t shown = std::min(oldest.size(), kSlowestMax);
  const auto end = oldest.begin() + static_cast<std::ptrdiff_t>(shown);
  std::partial_sort(oldest.begin(), end, oldest.end());
  oldest.resize(shown);
  for (const auto& [rests, opened, number, range] : oldest) {
    OpenTreeReport& tree = report.slowest.emplace_back();
    tree.first = range->place_of(0);
    tree.messages = range->messages;
    tree.age_ms = (now_ns - range->opened_ns) / 1'000'000;
    tree.moving = range->moving();
    tree.held = range->held();
    if (const auto seen = range->last_seen_at(); seen != 0)
      tree.component = (*settings_.stages)[seen - 1];
  }
}

}  // namespace millrace::detail
