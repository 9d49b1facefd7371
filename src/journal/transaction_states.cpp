// Records of the transactions' log to bytes and back, and what they add up to.
#include "journal/transaction_states.hpp"

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

#include "base/byte_codec.hpp"

namespace millrace::detail {
namespace {

enum class Kind : std::uint8_t { snapshot = 1, numbers, prepared, committed, aborted };

std::string begun(Kind kind) { return std::string(1, static_cast<char>(kind)); }

std::string decision(Kind kind, TransactionNumber number) {
  std::string out = begun(kind);
  put_varint(out, number);
  return out;
}

void put_prepared(std::string& out, const PreparedTransaction& transaction) {
  put_varint(out, transaction.number);
  put_text(out, transaction.producer);
  put_text(out, transaction.label);
  put_number(out, transaction.prepared_at);
}

PreparedTransaction take_prepared(BytesCursor& from) {
  PreparedTransaction transaction;
  transaction.number = from.varint();
  transaction.producer = from.take(from.varint());
  transaction.label = from.take(from.varint());
  transaction.prepared_at = from.number<Time>();
  return transaction;
}

bool all_taken(const BytesCursor& from) { return from.ok() && from.rest().empty(); }

}  // namespace

TransactionFate TransactionStates::fate(TransactionNumber number) const {
  if (is_aborted(number)) return TransactionFate::aborted;
  const bool committed = number != 0 && (number < low_ || committed_.contains(number));
  return committed ? TransactionFate::committed : TransactionFate::undecided;
}

bool TransactionStates::has_abandoned() const {
  TransactionStates after = *this;
  after.abort_abandoned(reserved_);
  return after.aborted_ != aborted_;
}

bool TransactionStates::is_aborted(TransactionNumber number) const {
  const auto after = aborted_.upper_bound(number);
  return after != aborted_.begin() && number < std::prev(after)->second;
}

/// Makes one run of those that touch.
void TransactionStates::abort_range(TransactionNumber first, TransactionNumber end) {
  if (first >= end) return;
  auto at = aborted_.upper_bound(first);
  if (at != aborted_.begin() && std::prev(at)->second >= first) {
    --at;
    first = at->first;
  }
  while (at != aborted_.end() && at->first <= end) {
    end = std::max(end, at->second);
    at = aborted_.erase(at);
  }
  aborted_.emplace_hint(at, first, end);
}

void TransactionStates::abort_abandoned(TransactionNumber below) {
  TransactionNumber from = low_;
  std::set<TransactionNumber> kept = committed_;
  for (const auto& [number, transaction] : prepared_) kept.insert(number);
  for (const TransactionNumber number : kept) {
    if (number >= below) break;
    abort_range(from, number);
    from = number + 1;
  }
  abort_range(from, below);
}

void TransactionStates::move_low() {
  for (;;) {
    if (!committed_.empty() && *committed_.begin() == low_) {
      committed_.erase(committed_.begin());
      ++low_;
    } else if (is_aborted(low_)) {
      low_ = std::prev(aborted_.upper_bound(low_))->second;
    } else {
      return;
    }
  }
}

bool TransactionStates::apply(std::string_view record) {
  if (record.empty()) return false;
  const auto kind = static_cast<Kind>(record.front());
  record.remove_prefix(1);
  if (kind == Kind::snapshot) return apply_snapshot(record);
  BytesCursor from(record);
  if (kind == Kind::numbers) {
    const TransactionNumber first = from.varint();
    const TransactionNumber below = from.varint();
    if (!all_taken(from) || first > below) return false;
    reserved_ = std::max(reserved_, below);
    if (first > low_) abort_abandoned(first);
    move_low();
    return true;
  }
  if (kind == Kind::prepared) {
    PreparedTransaction transaction = take_prepared(from);
    if (!all_taken(from) || transaction.number == 0) return false;
    if (fate(transaction.number) == TransactionFate::undecided)
      prepared_[transaction.number] = std::move(transaction);
    return true;
  }
  const TransactionNumber number = from.varint();
  const bool commits = kind == Kind::committed;
  if (!all_taken(from) || number == 0 || number == UINT64_MAX) return false;
  if (!commits && kind != Kind::aborted) return false;
  if (fate(number) != TransactionFate::undecided) return true;
  prepared_.erase(number);
  if (commits) committed_.insert(number);
  if (!commits) abort_range(number, number + 1);
  move_low();
  return true;
}

std::string TransactionStates::numbers(TransactionNumber from, TransactionNumber below) {
  std::string out = begun(Kind::numbers);
  put_varint(out, from);
  put_varint(out, below);
  return out;
}
std::string TransactionStates::prepared(const PreparedTransaction& transaction) {
  std::string out = begun(Kind::prepared);
  put_prepared(out, transaction);
  return out;
}
std::string TransactionStates::committed(TransactionNumber number) {
  return decision(Kind::committed, number);
}
std::string TransactionStates::aborted(TransactionNumber number) {
  return decision(Kind::aborted, number);
}

std::string TransactionStates::snapshot() const {
  std::string out = begun(Kind::snapshot);
  put_varint(out, reserved_);
  put_varint(out, low_);
  put_varint(out, committed_.size());
  for (const TransactionNumber number : committed_) put_varint(out, number);
  put_varint(out, aborted_.size());
  for (const auto& [first, end] : aborted_) {
    put_varint(out, first);
    put_varint(out, end);
  }
  put_varint(out, prepared_.size());
  for (const auto& [number, transaction] : prepared_) put_prepared(out, transaction);
  return out;
}

bool TransactionStates::apply_snapshot(std::string_view bytes) {
  BytesCursor from(bytes);
  TransactionStates read;
  read.reserved_ = from.varint();
  read.low_ = from.varint();
  for (std::uint64_t left = from.varint(); left > 0 && from.ok(); --left)
    read.committed_.insert(from.varint());
  for (std::uint64_t left = from.varint(); left > 0 && from.ok(); --left) {
    const TransactionNumber first = from.varint();
    read.abort_range(first, from.varint());
  }
  for (std::uint64_t left = from.varint(); left > 0 && from.ok(); --left) {
    PreparedTransaction transaction = take_prepared(from);
    read.prepared_[transaction.number] = std::move(transaction);
  }
  if (!all_taken(from)) return false;
  *this = std::move(read);
  return true;
}

Status drop_decided(FirstOffsets& offsets, TransactionBook* book) {
  if (book == nullptr) return {};
  for (auto at = offsets.begin(); at != offsets.end();) {
    const auto fate = book->fate(at->first);
    if (!fate) return fate.error();
    at = *fate == TransactionFate::undecided ? std::next(at) : offsets.erase(at);
  }
  return {};
}

}  // namespace millrace::detail
