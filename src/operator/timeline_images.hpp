// Images of windows that emit more than once.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "operator/late_images.hpp"
#include "operator/pane_images.hpp"
#include "operator/timeline_parts.hpp"
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
      const ImageChain chain = chain_of_keys<K>(writer);
      writer.later(std::make_unique<TimelineParts<K, Kernel, kRefires>>(
          timeline_.held_, kernel_, shape_of_kind(kind(), shape_of(kernel_)), chain));
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
      const ListsOfTasks<std::vector<OpenWindowEntry>> listed(reader, kOpenWindows,
                                                              read_open_windows);
      each_part_of_kind<K>(reader, "windows", kind(), kernel_,
                           [&](const auto& part, const auto& accs) {
                             if (listed.empty()) return take_runs(reader, part, accs);
                             take(reader, part, listed.of_group(part.number), accs);
                           });
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

  template <class Accumulators>
  void take(StateReader& reader, const StatePart& part, const std::vector<OpenWindowEntry>& open,
            const Accumulators& accumulators) {
    std::unordered_map<std::uint64_t, Window*> windows;
    for (const OpenWindowEntry& one : open)
      windows.emplace(one.number, &timeline_.held_.open().restored(one.end, one.next));
    BytesCursor in(part.bytes);
    while (!in.rest().empty()) {
      const auto its = windows.find(in.varint());
      Window* const window = its == windows.end() ? nullptr : its->second;
      if (!take_cell(in, window, part.number, accumulators))
        return reader.refuse(part, kValueMisfits);
    }
  }
  /// Files of before windows had numbers: the cells of a window stand behind it.
  template <class Accumulators>
  void take_runs(StateReader& reader, const StatePart& part, const Accumulators& accumulators) {
    BytesCursor in(part.bytes);
    while (!in.rest().empty()) {
      const Time end = in.number<Time>();
      const Time next = in.number<Time>();
      std::uint64_t left = in.varint();
      if (!in.ok()) return reader.refuse(part, kValueMisfits);
      Window& window = timeline_.held_.open().restored(end, next);
      for (; left > 0; --left) {
        if (!take_cell(in, &window, part.number, accumulators))
          return reader.refuse(part, kValueMisfits);
      }
    }
  }
  /// `window` null: it has closed.
  template <class Accumulators>
  bool take_cell(BytesCursor& in, Window* window, std::uint32_t group,
                 const Accumulators& accumulators) {
    OwnedKey<K> owned{};
    if (!load_value(in, owned)) return false;
    auto acc = accumulators.next(in);
    if (!acc) return false;
    Cell cell{std::move(*acc)};
    if (!Codec::load_timeless(in, cell)) return false;
    if (window == nullptr) return true;
    const K key(owned);
    const std::uint64_t hash = KeyTraits<K>::hash(key);
    timeline_.held_.spilled().bring(*window, hash);  // another key may have its hash
    if (key_group(hash) != group || window->cells->find(key, hash)) return false;
    timeline_.held_.cells().note_restored(*window, hash, cell);
    auto& spilled = timeline_.held_.spilled();
    const std::int64_t heap = spilled.heap_of(cell);
    window->cells->add(key, hash, std::move(cell));
    spilled.note_restored(heap);  // last: room is made by what is in the tables
    return true;
  }

  Timeline& timeline_;
  const Kernel& kernel_;
};

}  // namespace millrace::detail
