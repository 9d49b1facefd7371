// Opening, preparing, deciding and timing out transactions.
#include "journal/transactions.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "journal/transaction_follower.hpp"

namespace millrace::detail {
namespace {

constexpr TransactionNumber kReservedAtOnce = 1000;
constexpr std::uint64_t kLogSegmentBytes = 64u << 10;
constexpr std::size_t kProducerNameMax = 200;

Status over(const OpenTransaction& state, std::string_view why) {
  return {Code::sink_failed, fmt::format("transaction {} of \"{}\" takes nothing more: {}",
                                         state.number, state.producer, why)};
}

Status fenced(const std::string& name) {
  return {Code::sink_failed,
          fmt::format("producer \"{}\" is fenced: a newer one of that name has come, and what this "
                      "one had open was aborted; end it, or give them different names",
                      name)};
}

}  // namespace

Transaction::~Transaction() {
  if (state_ == nullptr || !owner_->check_open(*state_)) return;
  // Who wants to know calls roll_back().
  [[maybe_unused]] const Status status = roll_back();
}

Result<Appended> Transaction::append(PartitionLog& log, std::span<const JournalRecord> records) {
  if (log.book() != owner_) {
    return Status(Code::parameter_invalid,
                  fmt::format("\"{}\" is no partition of the journal of transaction {}",
                              log.folder(), state_->number));
  }
  if (Status status = owner_->check_open(*state_); !status) return status;
  touched_.insert(&log);
  auto appended = log.append_hidden(records, state_->number);
  if (!appended && broken_) broken_ = appended.error();
  return appended;
}

/// Makes what it appended durable.
Status Transaction::sync_all() {
  Status status = broken_;
  for (auto log = touched_.begin(); log != touched_.end() && status; ++log) status = (*log)->sync();
  return status;
}

Status Transaction::prepare(std::string label) {
  const auto before = owner_->enter(state_);
  if (!before) return before.error();
  if (*before == OpenTransaction::Phase::prepared)
    return owner_->leave(*state_, OpenTransaction::Phase::prepared, {});
  Status status = sync_all();
  if (!status) return owner_->give_up(*state_, status);
  status = owner_->write({TransactionStates::prepared(
      {state_->number, state_->producer, std::move(label), owner_->clock_.wall_us()})});
  return owner_->leave(
      *state_, status ? OpenTransaction::Phase::prepared : OpenTransaction::Phase::over, status);
}

Status Transaction::commit() {
  const auto before = owner_->enter(state_);
  if (!before) return before.error();
  if (*before == OpenTransaction::Phase::prepared)
    return owner_->settle_prepared(*state_, TransactionFate::committed);
  Status status = sync_all();
  if (!status) return owner_->give_up(*state_, status);
  status = owner_->write({TransactionStates::committed(state_->number)});
  return owner_->leave(*state_, OpenTransaction::Phase::over, status);
}

Status Transaction::roll_back() {
  const auto before = owner_->enter(state_);
  if (!before) return before.error();
  if (*before == OpenTransaction::Phase::prepared)
    return owner_->settle_prepared(*state_, TransactionFate::aborted);
  const Status status = owner_->write({TransactionStates::aborted(state_->number)});
  return owner_->leave(*state_, OpenTransaction::Phase::over, status);
}

Result<Transaction> TransactionalProducer::begin() {
  auto state = owner_.begin(name_, epoch_);
  if (!state) return state.error();
  return Transaction(owner_, std::move(*state));
}

Result<std::unique_ptr<Transactions>> Transactions::open(Disk& disk, Clock& clock,
                                                         std::string journal_folder,
                                                         const JournalOptions& options) {
  std::unique_ptr<Transactions> made(
      new Transactions(disk, clock, std::move(journal_folder), options));
  if (!has_transactions(disk, made->journal_folder_)) return made;
  if (Status status = made->open_log(); !status) return status;
  if (!made->states_.has_abandoned()) return made;
  const TransactionNumber reserved = made->states_.reserved();
  if (Status status = made->write({TransactionStates::numbers(reserved, reserved)}); !status)
    return status;
  return made;
}

Status Transactions::open_log() {
  JournalOptions options = options_;
  options.mode = JournalMode::sync;
  options.segment_bytes = std::min(options.segment_bytes, kLogSegmentBytes);
  const std::string folder = transactions_folder(journal_folder_);
  if (Status status = disk_.sync_folder(folder); !status) return status;  // as Journal::keep_names
  auto log = PartitionLog::open(disk_, clock_, folder, options);
  if (!log) return log.error();
  const auto shape = (*log)->shape();
  if (!shape) return shape.error();
  LogReader reader(**log, shape->begin_offset());
  if (Status status = read_transactions(reader, (*log)->folder(), states_); !status) return status;
  log_ = std::move(*log);
  return {};
}

Status Transactions::make_log() {
  const std::string folder = transactions_folder(journal_folder_);
  if (Status status = disk_.make_folder(folder); !status) return status;
  if (Status status = PartitionLog::create(disk_, folder); !status) return status;
  if (Status status = disk_.sync_folder(journal_folder_); !status) return status;
  return open_log();
}

/// Makes sure that next_ is a number that no crash can make anybody use again. The lock is closed.
Status Transactions::reserve() {
  if (!log_) {
    if (Status status = make_log(); !status) return status;
  }
  if (first_ == 0) first_ = next_ = states_.reserved();
  if (next_ < states_.reserved()) return {};
  const std::string entry = TransactionStates::numbers(first_, next_ + kReservedAtOnce);
  if (Status status = append({entry}); !status) return status;
  states_.apply(entry);
  return {};
}

Result<Transactions::StatePtr> Transactions::begin(const std::string& name, std::uint64_t epoch) {
  const std::lock_guard lock(mutex_);
  if (epochs_[name] != epoch) return fenced(name);
  if (Status status = reserve(); !status) return status;
  auto state = std::make_shared<OpenTransaction>();
  state->number = next_++;
  state->producer = name;
  state->epoch = epoch;
  state->begun_ns = clock_.steady_ns();
  open_[state->number] = state;
  return state;
}

Status Transactions::check_open(const OpenTransaction& state) {
  const std::lock_guard lock(mutex_);
  if (state.phase == Phase::open) return {};
  return state.ended ? over(state, "it is prepared or decided; begin another one") : state.ended;
}

/// Before a decision about an open or prepared transaction; the phase that it was in.
Result<Transactions::Phase> Transactions::enter(const StatePtr& state) {
  const std::lock_guard lock(mutex_);
  if (state->phase == Phase::over)
    return state->ended ? over(*state, "it is decided; begin another one") : state->ended;
  if (epochs_[state->producer] != state->epoch) return fenced(state->producer);
  open_[state->number] = state;
  return std::exchange(state->phase, Phase::deciding);
}

/// After a decision, or the attempt; gives `outcome` back, with what is known then.
Status Transactions::leave(OpenTransaction& state, Phase phase, Status outcome) {
  const std::lock_guard lock(mutex_);
  state.phase = phase;
  const bool unknown = !outcome && states_.fate(state.number) == TransactionFate::undecided;
  if (unknown && phase == Phase::over) {
    outcome = Status(outcome.code(),
                     fmt::format("transaction {} of \"{}\" is not known to be decided: {}; opening "
                                 "the journal again decides by what the device has",
                                 state.number, state.producer, outcome.message()));
  }
  if (phase == Phase::over) state.ended = outcome;
  open_.erase(state.number);
  decided_.notify_all();
  return outcome;
}

/// Its records could not be made durable: it is aborted, and says why.
Status Transactions::give_up(OpenTransaction& state, const Status& why) {
  [[maybe_unused]] const Status status = write({TransactionStates::aborted(state.number)});
  return leave(state, Phase::over, why);
}

Status Transactions::settle_prepared(OpenTransaction& state, TransactionFate wanted) {
  const TransactionNumber numbers[] = {state.number};
  const Status status = settle(numbers, wanted);
  return leave(state, status ? Phase::over : Phase::prepared, status);
}

Result<std::unique_ptr<TransactionalProducer>> Transactions::producer(std::string name) {
  if (name.empty() || name.size() > kProducerNameMax) {
    return Status(Code::parameter_invalid,
                  fmt::format("a producer of transactions has a name of 1 to {} bytes, and \"{}\" "
                              "has {}",
                              kProducerNameMax, name.substr(0, kProducerNameMax), name.size()));
  }
  std::unique_lock lock(mutex_);
  const std::uint64_t epoch = epochs_[name] = ++producers_made_;
  const auto own = [&](Phase phase) {
    std::vector<StatePtr> found;
    for (const auto& [number, state] : open_)
      if (state->producer == name && state->phase == phase) found.push_back(state);
    return found;
  };
  decided_.wait(lock, [&] { return own(Phase::deciding).empty(); });
  if (Status status = end_all(lock, own(Phase::open), "a newer producer of that name has come");
      !status)
    return status;
  return std::unique_ptr<TransactionalProducer>(
      new TransactionalProducer(*this, std::move(name), epoch));
}

/// Aborts open ones; the lock is opened.
Status Transactions::end_all(std::unique_lock<std::mutex>& lock, const std::vector<StatePtr>& ended,
                             std::string_view why) {
  Entries entries;
  for (const StatePtr& state : ended) {
    state->phase = Phase::over;
    state->ended = over(*state, fmt::format("{}, so it was aborted", why));
    open_.erase(state->number);
    entries.push_back(TransactionStates::aborted(state->number));
  }
  lock.unlock();
  return entries.empty() ? Status() : write(entries);
}

Status Transactions::commit(std::span<const TransactionNumber> numbers) {
  return settle(numbers, TransactionFate::committed);
}
Status Transactions::roll_back(std::span<const TransactionNumber> numbers) {
  return settle(numbers, TransactionFate::aborted);
}

Status Transactions::settle(std::span<const TransactionNumber> numbers, TransactionFate wanted) {
  const std::lock_guard one_at_a_time(settling_);
  const bool commits = wanted == TransactionFate::committed;
  Entries entries;
  {
    const std::lock_guard lock(mutex_);
    for (const TransactionNumber number : numbers) {
      const TransactionFate fate = states_.fate(number);
      if (fate == wanted) continue;
      if (fate != TransactionFate::undecided) {
        return {
            Code::sink_failed,
            fmt::format("transaction {} of \"{}\" cannot be {}: it was {}", number, journal_folder_,
                        commits ? "committed" : "aborted", commits ? "aborted" : "committed")};
      }
      if (!states_.prepared().contains(number)) {
        return {Code::parameter_invalid,
                fmt::format("transaction {} of \"{}\" is not prepared; `millrace journal describe` "
                            "lists those that are",
                            number, journal_folder_)};
      }
      entries.push_back(commits ? TransactionStates::committed(number)
                                : TransactionStates::aborted(number));
    }
  }
  return entries.empty() ? Status() : write(entries);
}

/// Appends to the log, together, and takes over.
Status Transactions::write(const Entries& entries) {
  {
    const std::lock_guard lock(mutex_);
    ++writing_;
  }
  const Status status = append(entries);
  const std::lock_guard lock(mutex_);
  --writing_;
  if (status) {
    for (const std::string& entry : entries) states_.apply(entry);
  }
  return status;
}

Status Transactions::append(const Entries& entries) {
  std::vector<JournalRecord> records(entries.size());
  for (std::size_t at = 0; at < entries.size(); ++at) {
    records[at].time = clock_.wall_us();
    records[at].value = entries[at];
  }
  return log_->append(records).error();
}

Result<TransactionFate> Transactions::fate(TransactionNumber number) {
  const std::lock_guard lock(mutex_);
  return states_.fate(number);
}

Result<std::vector<PreparedTransaction>> Transactions::prepared() {
  const std::lock_guard lock(mutex_);
  std::vector<PreparedTransaction> found;
  for (const auto& [number, transaction] : states_.prepared()) found.push_back(transaction);
  return found;
}

Status Transactions::step() {
  std::unique_lock lock(mutex_);
  if (!log_) return {};
  const Duration longest = options_.transaction_time_max;
  const std::int64_t oldest_ns = clock_.steady_ns() - std::chrono::nanoseconds(longest).count();
  std::vector<StatePtr> late;
  for (const auto& [number, state] : open_)
    if (state->phase == Phase::open && state->begun_ns < oldest_ns) late.push_back(state);
  if (Status status = end_all(lock, late, "it was open for longer than transaction_time_max");
      !status)
    return status;
  return shorten();
}

/// Writes a snapshot, and removes what is before it, when the log has grown.
Status Transactions::shorten() {
  const std::lock_guard lock(mutex_);
  const auto shape = log_->shape();
  if (!shape) return shape.error();
  const std::uint64_t segment = std::min(options_.segment_bytes, kLogSegmentBytes);
  // A record on its way may come to stand before the snapshot and not be in it.
  if (writing_ > 0 || shape->bytes() < 2 * short_bytes_ + 4 * segment) return {};
  const std::string entry = states_.snapshot();
  JournalRecord record;
  record.time = clock_.wall_us();
  record.value = entry;
  const auto appended = log_->append(std::span(&record, 1));
  if (!appended) return appended.error();
  if (Status status = log_->remove_before(appended->offset); !status) return status;
  const auto after = log_->shape();
  if (after) short_bytes_ = after->bytes();
  return after.error();
}

Status Transactions::close() { return log_ ? log_->close() : Status(); }

}  // namespace millrace::detail
