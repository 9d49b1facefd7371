// Images of windows that emit more than once.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "operator/late_images.hpp"
#include "operator/pane_images.hpp"
#include "operator/window_timeline.hpp"

namespace millrace::detail {

/// Of the windows of one task: panes, windows that have begun with their cells, records that wait.
template <class K, class Kernel, Refires kRefires>
class TimelineImage {
 public:
  using Timeline = WindowTimeline<K, Kernel, kRefires>;
  using Acc = typename Timeline::Acc;
  using Cell = typename Timeline::Cell;
  using Window = typename Timeline::Window;
  using Codec = typename Timeline::Held::Spilled::Codec;
  static constexpr bool kRemembers = Timeline::Cells::kRemembers;

  TimelineImage(Timeline& timeline, const Kernel& kernel) : timeline_(timeline), kernel_(kernel) {}

  void save(StateWriter& writer) {
    if constexpr (!Codec::storable()) {
      writer.refuse(unstorable("windows"));
    } else {
      save_time(writer, "reached", timeline_.reached_);
      save_panes<K>(writer, timeline_.held_.panes(), kTimeMin, kernel_);
      save_late(writer, timeline_.late_, shape_of_kind(kind(), shape_of(kernel_)),
                [this](std::string& out, const Acc& acc) { store_accumulator(kernel_, out, acc); });
      for (std::uint32_t group = 0; group < kKeyGroups; ++group) save_group(writer, group);
    }
  }
  /// With the clock where it stands now.
  void restore(StateReader& reader) {
    if constexpr (Codec::storable()) {
      timeline_.reached_ = restore_least_time(reader, "reached", kTimeMin);
      const auto make_room = [this] { timeline_.held_.make_room(kernel_); };
      restore_panes<K>(reader, timeline_.held_.panes(), kernel_, make_room);
      each_part_of_kind<K>(reader, "late", kind(), kernel_,
                           [&](const auto& part, const auto& accs) {
                             restore_late<K>(reader, part, timeline_.late_,
                                             [&accs](BytesCursor& in) { return accs.next(in); });
                           });
      each_part_of_kind<K>(reader, "windows", kind(), kernel_,
                           [&](const auto& part, const auto& accs) { take(reader, part, accs); });
      make_room();
    }
  }

 private:
  /// What the parts are made of besides accumulators.
  std::string kind() const {
    std::string text = timeline_.spec().to_string();
    if constexpr (kRemembers) text += " of " + stored_shape<typename Kernel::Value>() + " ";
    return text;
  }

  void save_group(StateWriter& writer, std::uint32_t group) {
    std::string* part = nullptr;
    std::string entries;
    timeline_.held_.open().for_each([&](Window& window) {
      std::uint64_t count = 0;
      entries.clear();
      const auto store_one = [&](const K& key, const Cell& cell) {
        ++count;
        store_value(entries, KeyTraits<K>::own(key));
        Codec(kernel_).store_timeless(entries, cell);
      };
      window.cells->for_each(store_one, group, group + 1);
      timeline_.held_.spilled().each_on_disk(window, group, store_one);
      if (count == 0) return;
      if (part == nullptr) {
        const std::string shape = shape_of_kind(kind(), shape_of(kernel_));
        part = &writer.group_part("windows", group, entry_shape<K>(shape));
      }
      put_number(*part, window.end);
      put_number(*part, window.next);
      put_varint(*part, count);
      part->append(entries);
    });
  }

  template <class Accumulators>
  void take(StateReader& reader, const StatePart& part, const Accumulators& accumulators) {
    BytesCursor in(part.bytes);
    while (!in.rest().empty()) {
      const Time end = in.number<Time>();
      const Time next = in.number<Time>();
      std::uint64_t left = in.varint();
      if (!in.ok()) return reader.refuse(part, kValueMisfits);
      Window& window = timeline_.held_.open().restored(end, next);
      for (; left > 0; --left) {
        if (!take_cell(in, window, part.number, accumulators)) {
          return reader.refuse(part, kValueMisfits);
        }
      }
    }
  }
  template <class Accumulators>
  bool take_cell(BytesCursor& in, Window& window, std::uint32_t group,
                 const Accumulators& accumulators) {
    OwnedKey<K> owned{};
    if (!load_value(in, owned)) return false;
    auto acc = accumulators.next(in);
    if (!acc) return false;
    Cell cell{std::move(*acc)};
    if (!Codec::load_timeless(in, cell)) return false;
    const K key(owned);
    const std::uint64_t hash = KeyTraits<K>::hash(key);
    timeline_.held_.spilled().bring(window, hash);  // another key may have its hash
    if (key_group(hash) != group || window.cells->find(key, hash)) return false;
    timeline_.held_.cells().note_restored(window, hash, cell);
    auto& spilled = timeline_.held_.spilled();
    const std::int64_t heap = spilled.heap_of(cell);
    window.cells->add(key, hash, std::move(cell));
    spilled.note_restored(heap);  // last: room is made by what is in the tables
    return true;
  }

  Timeline& timeline_;
  const Kernel& kernel_;
};

}  // namespace millrace::detail
