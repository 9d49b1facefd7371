// Images of the sessions of keys.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "env/disk_table.hpp"
#include "operator/acc_heap.hpp"
#include "operator/stored_accumulators.hpp"
#include "window/open_sessions.hpp"

namespace millrace::detail {

/// Appends the sessions of a key; store(std::string&, const Cell&) appends what one holds.
template <class Cell, class Store>
void store_sessions(std::string& out, const OpenSessions<Cell>& sessions, Store&& store) {
  put_number(out, sessions.alarm);
  put_varint(out, sessions.size());
  sessions.from_newest([&](const OpenSession<Cell>& session) {
    put_number(out, session.first);
    put_number(out, session.last);
    store(out, session.acc);
    return true;
  });
}

/// Reads them; load(BytesCursor&) -> std::optional<Cell>. nullopt: the bytes do not fit. `meter`
/// counts them and outlives them; null: nobody does.
template <class Cell, class Load>
std::optional<OpenSessions<Cell>> load_sessions(BytesCursor& in, MemoryMeter* meter, Load&& load) {
  const Time alarm = in.number<Time>();
  const std::uint64_t count = in.varint();
  if (!in.ok() || count == 0 || count > in.rest().size()) return std::nullopt;
  std::vector<OpenSession<Cell>> newest_first;
  for (std::uint64_t at = 0; at < count; ++at) {
    const Time first = in.number<Time>();
    const Time last = in.number<Time>();
    std::optional<Cell> cell = load(in);
    const bool in_order = at == 0 || last < newest_first.back().first;
    if (!cell || first > last || !in_order) return std::nullopt;
    newest_first.push_back({first, last, std::move(*cell)});
  }
  OpenSessions<Cell> sessions(std::move(newest_first.back()), meter);
  for (std::size_t at = newest_first.size() - 1; at > 0; --at) {
    sessions.append(std::move(newest_first[at - 1]));
  }
  sessions.alarm = alarm;
  return sessions;
}

/// How the sessions of a key lie on disk, and in images: see DiskRows.
template <class Kernel>
class SessionsCodec {
 public:
  using Acc = typename Kernel::Acc;
  using Row = OpenSessions<Acc>;

  /// Both outlive it; `meter` may be null.
  SessionsCodec(const Kernel& kernel, MemoryMeter* meter) : kernel_(&kernel), meter_(meter) {}

  Row fresh() const { return Row({0, 0, kernel_->init()}, meter_); }
  void store(std::string& out, const Row& sessions) const {
    store_sessions(out, sessions, [this](std::string& to, const Acc& acc) {
      store_accumulator(*kernel_, to, acc);
    });
  }
  bool load(BytesCursor& in, Row& sessions) const {
    auto its = load_sessions<Acc>(
        in, meter_, [this](BytesCursor& from) { return next_accumulator(*kernel_, from); });
    if (!its) return false;
    sessions = std::move(*its);
    return true;
  }
  /// Its alarm ends it.
  static OverAt over_at(const Row&) { return {}; }
  static std::int64_t heap_of(const Row& sessions) {
    std::size_t bytes = 0;
    sessions.from_newest([&bytes](const OpenSession<Acc>& session) {
      bytes += acc_heap_bytes(session.acc);
      return true;
    });
    return static_cast<std::int64_t>(bytes);
  }

 private:
  const Kernel* kernel_;
  MemoryMeter* meter_;
};

}  // namespace millrace::detail
