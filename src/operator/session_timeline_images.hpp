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
  using Entry = typename Timeline::Entry;
  using Codec = typename Timeline::Codec;

  SessionTimelineImage(Timeline& timeline, const Kernel& kernel)
      : timeline_(timeline), kernel_(kernel) {}

  void save(StateWriter& writer) {
    if constexpr (!Codec::storable()) {
      writer.refuse(unstorable("sessions"));
    } else {
      save_time(writer, "reached", timeline_.reached_);
      const std::string shape = shape_of_kind(kind(), shape_of(kernel_));
      timeline_.keys_->save(writer, "sessions", shape,
                            [codec = Codec(kernel_, nullptr)](
                                std::string& out, const Entry& entry) { codec.store(out, entry); });
      save_late(writer, timeline_.waiting_, shape,
                [this](std::string& out, const Reaching<Acc>& record) {
                  put_number(out, record.last);
                  store_accumulator(kernel_, out, record.acc);
                });
    }
  }
  void restore(StateReader& reader) {
    if constexpr (Codec::storable()) {
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
      timeline_.keys_->end_batch();
    }
  }

 private:
  /// What the parts are made of besides accumulators.
  std::string kind() const {
    std::string text = "sessions" + timeline_.rules().to_string();
    if constexpr (kRemembers) text += " of " + stored_shape<typename Kernel::Value>() + " ";
    return text;
  }

  template <class Accumulators>
  void take(StateReader& reader, const StatePart& part, const Accumulators& accumulators) {
    const Codec codec(kernel_, timeline_.meter_);
    BytesCursor in(part.bytes);
    read_entries<K>(reader, part, in, [&](const K& key, std::uint64_t hash) {
      Entry entry = codec.fresh();
      const auto next = [&accumulators](BytesCursor& from) { return accumulators.next(from); };
      if (!codec.load(in, entry, next)) return false;
      put(std::move(entry), key, hash);
      return true;
    });
  }
  void put(Entry entry, const K& key, std::uint64_t hash) {
    if (entry.sessions.alarm != kTimeMax) timeline_.keys_->alarms().add(entry.sessions.alarm, hash);
    bool changed = false;
    entry.sessions.from_newest([&changed](const auto& session) {
      changed |= session.acc.fresh > 0;
      return !changed;
    });
    const bool by_clock = timeline_.rules_.early().least(EarlyTrigger::Kind::clock) > 0;
    if (changed && by_clock) timeline_.changed_.push_back(hash);
    timeline_.keys_->restore(key, hash, std::move(entry));
  }

  Timeline& timeline_;
  const Kernel& kernel_;
};

}  // namespace millrace::detail
