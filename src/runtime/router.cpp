// Scattering, sealing and sending of batches.
#include "runtime/router.hpp"

#include <algorithm>
#include <utility>

#include "base/check.hpp"

namespace millrace::detail {

Router::Router(const BatchType& type, const Grouping& grouping, std::vector<Channel*> channels,
               std::size_t batch_records_max, std::size_t batch_bytes_max, Counter& sent)
    : type_(type),
      kind_(grouping.kind),
      hash_(grouping.hash),
      picker_(make_picker(grouping, {channels.begin(), channels.end()})),
      batch_records_max_(batch_records_max),
      batch_bytes_max_(batch_bytes_max),
      sent_(sent) {
  receivers_.reserve(channels.size());
  for (Channel* channel : channels) {
    receivers_.push_back({channel, nullptr, {}, {}});
    picks_.push_back(&receivers_.back().picks);
  }
}

void Router::push(BatchBase& batch, bool exclusive) {
  if (batch.size() == 0) return;
  if (picker_) {
    picker_->pick(batch, picks_);
    if (hash_ && batch.hashed_by == hash_.get()) sample_key(batch);
    scatter(batch);
  } else if (kind_ == GroupingKind::blocks) {
    append_whole(shortest_queue(), batch, exclusive);
  } else if (kind_ == GroupingKind::all) {
    for (Receiver& receiver : receivers_) append_whole(receiver, batch, false);
  } else {
    append_whole(receivers_.front(), batch, exclusive);  // global: the others get marks alone
  }
}

/// Equal ones have their turn.
Router::Receiver& Router::shortest_queue() {
  const std::size_t count = receivers_.size();
  std::size_t shortest = next_;
  for (std::size_t turn = 1; turn < count; ++turn) {
    const std::size_t at = (next_ + turn) % count;
    const Channel& least = *receivers_[shortest].channel;
    if (receivers_[at].channel->queued() < least.queued()) shortest = at;
  }
  next_ = (shortest + 1) % count;
  return receivers_[shortest];
}

/// One record a batch, from another place in each: cheap, and fair whatever the order within
/// batches.
void Router::sample_key(const BatchBase& batch) {
  constexpr std::size_t kStride = 619;  // a prime, so that all places have their turn
  sampled_at_ = (sampled_at_ + kStride) % batch.size();
  sampled_keys_.add(batch.hashes[sampled_at_], [&] { return hash_->text(batch, sampled_at_); });
}

void Router::scatter(BatchBase& batch) {
  for (Receiver& receiver : receivers_) {
    if (receiver.picks.empty()) continue;
    append(receiver, batch);
    receiver.picks.clear();
  }
}

BatchBase& Router::open_of(Receiver& receiver) {
  if (!receiver.open) receiver.open = receiver.channel->take_empty();
  return *receiver.open;
}

/// Whether the arenas of both are more than a batch may pin.
bool Router::would_pin_too_many(const BatchBase& open, const BatchBase& batch) {
  std::size_t together = open.arenas.size() + batch.arenas.size();
  if (together <= kArenasMax) return false;
  for (const ArenaRef& arena : batch.arenas) {
    together -= static_cast<std::size_t>(std::ranges::count(open.arenas, arena));
  }
  return together > kArenasMax;
}

/// The open batch, sealed before if its records have event times and those of `batch` have not, or
/// the other way round (a merge brings both), or so with hashes (a key has thrown), or if it would
/// pin too many arenas with those of `batch`.
BatchBase& Router::open_for(Receiver& receiver, const BatchBase& batch) {
  if (!receiver.open || receiver.open->size() == 0) return open_of(receiver);
  const bool mixes_times = receiver.open->has_times() != batch.has_times();
  const bool mixes_hashes = receiver.open->hashes.empty() != batch.hashes.empty();
  if (mixes_times || mixes_hashes || would_pin_too_many(*receiver.open, batch)) seal(receiver);
  return open_of(receiver);
}

/// Only hashes of the router's own key may be in its batches: a merge brings batches with those of
/// different keys, or none.
void Router::drop_hashes(BatchBase& batch) {
  batch.hashes.clear();
  batch.hashed_by = nullptr;
}

void Router::append(Receiver& receiver, const BatchBase& batch) {
  std::size_t done = 0;
  while (done < receiver.picks.size()) {
    BatchBase& open = open_for(receiver, batch);
    const std::size_t room = batch_records_max_ - open.size();
    const std::size_t take = std::min(room, receiver.picks.size() - done);
    type_.append(open, batch, std::span(receiver.picks).subspan(done, take));
    open.hashed_by = batch.hashed_by;
    account(receiver, batch, take);
    done += take;
    if (must_seal(open)) seal(receiver);
  }
}

void Router::append_whole(Receiver& receiver, BatchBase& batch, bool exclusive) {
  drop_hashes(batch);
  const std::size_t records = batch.size();
  BatchBase& open = open_for(receiver, batch);
  if (exclusive && open.size() == 0) {
    const Time watermark = std::exchange(open.watermark, kTimeMin);
    type_.swap(open, batch);
    open.watermark = watermark;
    open.end = false;
  } else {
    type_.append_all(open, batch);
  }
  account(receiver, open, records);
  if (must_seal(open)) seal(receiver);
}

void Router::account(Receiver& receiver, const BatchBase& batch, std::size_t records) {
  BatchBase& open = *receiver.open;
  if (!open.messages.empty()) open.messages.own();
  if (batch.due_ns != 0)
    open.due_ns = open.due_ns == 0 ? batch.due_ns : std::min(open.due_ns, batch.due_ns);
  const std::size_t of_each = type_.record_bytes() + (open.has_times() ? sizeof(Time) : 0) +
                              (open.hashes.empty() ? 0 : sizeof(std::uint64_t));
  receiver.channel->add_queued(open, records,
                               records * of_each + type_.heap_bytes(open, open.size() - records));
  sent_.add(records);
}

bool Router::must_seal(const BatchBase& batch) const {
  if (batch.size() >= batch_records_max_ || batch.arenas.size() >= kArenasMax) return true;
  if (batch.queued_bytes >= batch_bytes_max_) return true;
  std::size_t pinned = 0;
  for (const ArenaRef& arena : batch.arenas) pinned += arena->capacity_bytes();
  return pinned > kPinnedBytesMax;
}

void Router::seal(Receiver& receiver) {
  BatchBase& open = *receiver.open;
  std::size_t pinned = 0;
  for (const ArenaRef& arena : open.arenas) pinned += arena->capacity_bytes();
  // A filter that keeps one record in thousands must not keep the buffers of all of them alive.
  // A record's text is guessed at kTextBytes: the exact sum would cost a walk over each batch.
  constexpr std::size_t kSparse = 16;
  constexpr std::size_t kTextBytes = 64;
  const std::size_t used = open.size() * (type_.record_bytes() + kTextBytes);
  if (pinned > (64u << 10) && pinned > kSparse * used) type_.rehome(open);
  if (receiver.waiting.empty() && receiver.channel->push(receiver.open)) return;
  receiver.waiting.push_back(std::move(receiver.open));
  ++waiting_;
}

void Router::advance(Time watermark, std::int64_t due_ns) {
  for (Receiver& receiver : receivers_) {
    BatchBase& open = open_of(receiver);
    open.watermark = std::max(open.watermark, watermark);
    if (open.due_ns == 0) open.due_ns = due_ns;
  }
}

void Router::barrier(std::uint64_t epoch) {
  if (ended_) return;
  for (Receiver& receiver : receivers_) {
    open_of(receiver).barrier = epoch;
    seal(receiver);
  }
}

void Router::end() {
  ended_ = true;
  for (Receiver& receiver : receivers_) {
    open_of(receiver).end = true;
    seal(receiver);
  }
}

void Router::flush_open() {
  for (Receiver& receiver : receivers_) {
    if (receiver.open && (receiver.open->size() > 0 || receiver.open->watermark != kTimeMin))
      seal(receiver);
  }
}

void Router::give_memory_back() {
  for (Receiver& receiver : receivers_) {
    receiver.channel->drop_empties();
    receiver.picks.shrink_to_fit();
    receiver.waiting.shrink_to_fit();
  }
}

bool Router::flush_waiting() {
  if (waiting_ == 0) return true;
  for (Receiver& receiver : receivers_) {
    while (!receiver.waiting.empty() && receiver.channel->push(receiver.waiting.front())) {
      receiver.waiting.pop_front();
      --waiting_;
    }
  }
  return waiting_ == 0;
}

}  // namespace millrace::detail
