// Images of the sessions of keys.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "operator/stored_accumulators.hpp"
#include "window/open_sessions.hpp"

namespace millrace::detail {

/// Appends the sessions of a key; store(std::string&, const Cell&) appends what one holds.
template <class Cell, class Store>
void store_sessions(std::string& out, OpenSessions<Cell>& sessions, Store&& store) {
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

}  // namespace millrace::detail
