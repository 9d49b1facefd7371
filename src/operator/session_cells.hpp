// SessionCells: the rows of sessions that emit more than once.
#pragma once

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "operator/refiring_key.hpp"
#include "operator/session_images.hpp"
#include "operator/timeline_call.hpp"
#include "operator/update_rows.hpp"
#include "operator/window_rows.hpp"
#include "window/open_sessions.hpp"
#include "window/refire_rules.hpp"

namespace millrace::detail {

/// A row that readers hold, with the bounds that its session had.
template <class V>
struct StandingRow {
  Time first;
  Time last;
  V value;
};

/// What a session holds besides its bounds.
template <class Acc, class V, bool kRemembers>
struct SessionCell {
  Acc acc;
  std::uint32_t fresh = 0;  ///< records since the last row
  std::uint32_t rows = 0;   ///< sent
  bool over = false;        ///< the watermark has passed it
  std::conditional_t<kRemembers, std::vector<StandingRow<V>>, std::false_type> standing = {};
};

/// How the sessions of a key that emit more than once lie on disk, and in images: see DiskRows.
template <class Kernel, bool kRemembers>
class RefiringCodec {
 public:
  using Acc = typename Kernel::Acc;
  using Cell = SessionCell<Acc, typename Kernel::Value, kRemembers>;
  using Row = RefiringKey<Cell>;

  /// Whether it can be.
  static constexpr bool storable() {
    if constexpr (!kStores<Kernel>) return false;
    if constexpr (kRemembers) return Storable<typename Kernel::Value>;
    return true;
  }

  /// Both outlive it; `meter` may be null.
  RefiringCodec(const Kernel& kernel, MemoryMeter* meter) : kernel_(&kernel), meter_(meter) {}

  Row fresh() const { return Row{OpenSessions<Cell>({0, 0, Cell{kernel_->init()}}, meter_)}; }
  void store(std::string& out, const Row& row) const {
    put_number(out, row.early);
    store_sessions(out, row.sessions, [this](std::string& to, const Cell& cell) {
      store_accumulator(*kernel_, to, cell.acc);
      put_number(to, cell.fresh);
      put_number(to, cell.rows);
      store_value(to, cell.over);
      if constexpr (kRemembers && storable()) store_value(to, cell.standing);
    });
  }
  bool load(BytesCursor& in, Row& row) const {
    return load(in, row, [this](BytesCursor& from) { return next_accumulator(*kernel_, from); });
  }
  /// `next` reads an accumulator: see AccumulatorReader::next.
  template <class Next>
  bool load(BytesCursor& in, Row& row, Next&& next) const {
    const Time early = in.number<Time>();
    auto sessions =
        load_sessions<Cell>(in, meter_, [&](BytesCursor& from) { return load_cell(from, next); });
    if (!sessions) return false;
    row = {std::move(*sessions), early};
    return true;
  }
  /// Its alarm ends it.
  static OverAt over_at(const Row&) { return {}; }
  static std::int64_t heap_of(const Row& row) {
    std::size_t bytes = 0;
    row.sessions.from_newest([&bytes](const OpenSession<Cell>& session) {
      bytes += acc_heap_bytes(session.acc.acc);
      return true;
    });
    return static_cast<std::int64_t>(bytes);
  }

 private:
  template <class Next>
  static std::optional<Cell> load_cell(BytesCursor& in, Next&& next) {
    auto acc = next(in);
    if (!acc) return std::nullopt;
    Cell cell{std::move(*acc)};
    cell.fresh = in.number<std::uint32_t>();
    cell.rows = in.number<std::uint32_t>();
    if (!load_value(in, cell.over)) return std::nullopt;
    if constexpr (kRemembers && storable()) {
      if (!load_value(in, cell.standing)) return std::nullopt;
    }
    return cell;
  }

  const Kernel* kernel_;
  MemoryMeter* meter_;
};

/// Makes rows of sessions. One thread.
template <class K, class Kernel, bool kRemembers>
class SessionCells {
 public:
  using Acc = typename Kernel::Acc;
  using V = typename Kernel::Value;
  using Cell = SessionCell<Acc, V, kRemembers>;
  using Session = OpenSession<Cell>;
  using Call = TimelineCall<Kernel>;

  explicit SessionCells(const RefireRules& rules)
      : discards_(rules.mode() == RefireMode::discarding) {}

  /// Two sessions become one, which replaces the rows of both.
  static void merge(Cell& cell, const Cell& older, const Kernel& kernel) {
    kernel.merge(cell.acc, older.acc);
    cell.fresh += older.fresh;
    cell.rows = std::max(cell.rows, older.rows);
    if constexpr (kRemembers)
      cell.standing.insert(cell.standing.begin(), older.standing.begin(), older.standing.end());
  }

  /// The row of a session, with the watermark at `reached`; rows of sessions that had ended before
  /// are behind that. What they replace is taken back.
  void fire(const K& key, Session& session, Firing firing, Time reached, const Call& call) {
    Cell& cell = session.acc;
    cell.fresh = 0;
    const FiringPlace place = place_of(session.first, session.last, firing, reached);
    auto value = result_or_refuse(key, cell.acc, place.start, place.end, call.kernel, call.context);
    if (value) {
      if constexpr (kRemembers) {
        for (const auto& [first, last, old] : cell.standing)
          add(key, cell, old, true, place_of(first, last, firing, reached), call);
        cell.standing.assign(1, {session.first, session.last, *value});
      }
      add(key, cell, *value, false, place, call);
    }
    if (discards_) cell.acc = call.kernel.init();
  }
  /// The rows of those that end up to `when`; none where rows hold what is new and nothing is.
  void fire_ended(const K& key, OpenSessions<Cell>& sessions, Time when, const Call& call) {
    each_open(sessions, [&](Session& session) {
      session.acc.over = session.last <= when;
      if (session.acc.over && (session.acc.fresh > 0 || !discards_))
        fire(key, session, Firing::on_time, when, call);
    });
  }
  /// The early rows of those that have changed.
  void fire_changed(const K& key, OpenSessions<Cell>& sessions, Time reached, const Call& call) {
    each_open(sessions, [&](Session& session) {
      if (session.acc.fresh > 0) fire(key, session, Firing::early, reached, call);
    });
  }
  /// Calls visit(Session&) for those that are not over: the newest ones.
  template <class Visit>
  static void each_open(OpenSessions<Cell>& sessions, Visit&& visit) {
    sessions.from_newest([&](Session& session) {
      const bool open = !session.acc.over;
      if (open) visit(session);
      return open;
    });
  }
  void flush(Outputs& outputs) { updates_.flush(outputs); }

 private:
  void add(const K& key, Cell& cell, const V& value, bool retracted, const FiringPlace& place,
           const Call& call) {
    updates_.add(key, value, retracted, cell.rows++, place, call.context, call.outputs);
  }
  static FiringPlace place_of(Time first, Time last, Firing firing, Time reached) {
    const Time end = std::min(last, kTimeMax - 1);
    return {first, end, end, firing, last < reached ? reached : kTimeMin};
  }

  bool discards_;
  UpdateRows<K, V> updates_;
};

}  // namespace millrace::detail
