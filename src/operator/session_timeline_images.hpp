// Images of sessions that emit more than once.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "operator/late_images.hpp"
#include "operator/session_images.hpp"
#include "operator/session_timeline.hpp"

namespace millrace::detail {

/// Of the sessions of one task and the records that wait.
template <class K, class Kernel, bool kRemembers>
class SessionTimelineImage {
 public:
  using Timeline = SessionTimeline<K, Kernel, kRemembers>;
  using Acc = typename Timeline::Acc;
  using Cell = typename Timeline::Cell;
  using Entry = typename Timeline::Entry;

  static constexpr bool storable() {
    if constexpr (!kStores<Kernel>) return false;
    if constexpr (kRemembers) return Storable<typename Kernel::Value>;
    return true;
  }

  SessionTimelineImage(Timeline& timeline, const Kernel& kernel)
      : timeline_(timeline), kernel_(kernel) {}

  void save(StateWriter& writer) {
    if constexpr (!storable()) {
      writer.refuse(unstorable("sessions"));
    } else {
      save_time(writer, "reached", timeline_.reached_);
      const std::string shape = shape_of_kind(kind(), shape_of(kernel_));
      save_tables(writer, "sessions", *timeline_.keys_, shape,
                  [this](std::string& out, Entry& entry) {
                    put_number(out, entry.early);
                    store_sessions(out, entry.sessions,
                                   [this](std::string& to, const Cell& cell) { store(to, cell); });
                  });
      save_late(writer, timeline_.waiting_, shape,
                [this](std::string& out, const Reaching<Acc>& record) {
                  put_number(out, record.last);
                  store_accumulator(kernel_, out, record.acc);
                });
    }
  }
  void restore(StateReader& reader) {
    if constexpr (storable()) {
      timeline_.reached_ = restore_least_time(reader, "reached", kTimeMin);
      each_part_of_kind<K>(reader, "sessions", kind(), kernel_,
                           [&](const auto& part, const auto& accs) { take(reader, part, accs); });
      each_part_of_kind<K>(
          reader, "late", kind(), kernel_, [&](const auto& part, const auto& accs) {
            const auto load = [&accs](BytesCursor& in) -> std::optional<Reaching<Acc>> {
              const Time last = in.number<Time>();
              auto acc = accs.next(in);
              if (!acc) return std::nullopt;
              return Reaching<Acc>{std::move(*acc), last};
            };
            restore_late<K>(reader, part, timeline_.waiting_, load);
          });
    }
  }

 private:
  /// What the parts are made of besides accumulators.
  std::string kind() const {
    std::string text = "sessions" + timeline_.rules().to_string();
    if constexpr (kRemembers) text += " of " + stored_shape<typename Kernel::Value>() + " ";
    return text;
  }

  void store(std::string& out, const Cell& cell) const {
    store_accumulator(kernel_, out, cell.acc);
    put_number(out, cell.fresh);
    put_number(out, cell.rows);
    store_value(out, cell.over);
    if constexpr (kRemembers) store_value(out, cell.standing);
  }
  template <class Accumulators>
  static std::optional<Cell> load(BytesCursor& in, const Accumulators& accumulators) {
    auto acc = accumulators.next(in);
    if (!acc) return std::nullopt;
    Cell cell{std::move(*acc)};
    cell.fresh = in.number<std::uint32_t>();
    cell.rows = in.number<std::uint32_t>();
    if (!load_value(in, cell.over)) return std::nullopt;
    if constexpr (kRemembers) {
      if (!load_value(in, cell.standing)) return std::nullopt;
    }
    return cell;
  }

  template <class Accumulators>
  void take(StateReader& reader, const StatePart& part, const Accumulators& accumulators) {
    BytesCursor in(part.bytes);
    read_entries<K>(reader, part, in, [&](const K& key, std::uint64_t hash) {
      const Time early = in.number<Time>();
      auto sessions = load_sessions<Cell>(
          in, timeline_.meter_, [&](BytesCursor& from) { return load(from, accumulators); });
      if (!sessions) return false;
      put({std::move(*sessions), early}, key, hash);
      return true;
    });
  }
  void put(Entry entry, const K& key, std::uint64_t hash) {
    if (entry.sessions.alarm != kTimeMax) timeline_.alarms_.add(entry.sessions.alarm, hash);
    bool changed = false;
    entry.sessions.from_newest([&changed](const auto& session) {
      changed |= session.acc.fresh > 0;
      return !changed;
    });
    const bool by_clock = timeline_.rules_.early().least(EarlyTrigger::Kind::clock) > 0;
    if (changed && by_clock) timeline_.changed_.push_back(hash);
    timeline_.keys_->add(key, hash, std::move(entry));
  }

  Timeline& timeline_;
  const Kernel& kernel_;
};

}  // namespace millrace::detail
