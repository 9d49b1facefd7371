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
  static constexpr bool kRemembers = Timeline::Cells::kRemembers;

  static constexpr bool storable() {
    if constexpr (!kStores<Kernel>) return false;
    if constexpr (kRemembers) return Storable<typename Kernel::Value>;
    return true;
  }

  TimelineImage(Timeline& timeline, const Kernel& kernel) : timeline_(timeline), kernel_(kernel) {}

  void save(StateWriter& writer) {
    if constexpr (!storable()) {
      writer.refuse(unstorable("windows"));
    } else {
      save_time(writer, "reached", timeline_.reached_);
      save_panes<K>(writer, timeline_.panes_, kTimeMin, kernel_);
      save_late(writer, timeline_.late_, shape_of_kind(kind(), shape_of(kernel_)),
                [this](std::string& out, const Acc& acc) { store_accumulator(kernel_, out, acc); });
      for (std::uint32_t group = 0; group < kKeyGroups; ++group) save_group(writer, group);
    }
  }
  /// With the clock where it stands now.
  void restore(StateReader& reader) {
    if constexpr (storable()) {
      timeline_.reached_ = restore_least_time(reader, "reached", kTimeMin);
      restore_panes<K>(reader, timeline_.panes_, kernel_);
      each_part_of_kind<K>(reader, "late", kind(), kernel_,
                           [&](const auto& part, const auto& accs) {
                             restore_late<K>(reader, part, timeline_.late_,
                                             [&accs](BytesCursor& in) { return accs.next(in); });
                           });
      each_part_of_kind<K>(reader, "windows", kind(), kernel_,
                           [&](const auto& part, const auto& accs) { take(reader, part, accs); });
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
    timeline_.windows_.for_each([&](Window& window) {
      std::uint64_t count = 0;
      entries.clear();
      const auto store_one = [&](const K& key, const Cell& cell) {
        ++count;
        store_value(entries, KeyTraits<K>::own(key));
        store(entries, cell);
      };
      window.cells->for_each(store_one, group, group + 1);
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
  void store(std::string& out, const Cell& cell) const {
    store_accumulator(kernel_, out, cell.acc);
    put_number(out, cell.fresh);
    put_number(out, cell.rows);
    put_number(out, cell.row_at);
    if constexpr (kRemembers) store_value(out, cell.last);
  }

  template <class Accumulators>
  void take(StateReader& reader, const StatePart& part, const Accumulators& accumulators) {
    BytesCursor in(part.bytes);
    while (!in.rest().empty()) {
      const Time end = in.number<Time>();
      const Time next = in.number<Time>();
      std::uint64_t left = in.varint();
      if (!in.ok()) return reader.refuse(part, kValueMisfits);
      Window& window = timeline_.windows_.restored(end, next);
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
    cell.fresh = in.number<std::uint32_t>();
    cell.rows = in.number<std::uint32_t>();
    cell.row_at = in.number<Time>();
    if constexpr (kRemembers) {
      if (!load_value(in, cell.last)) return false;
    }
    const K key(owned);
    const std::uint64_t hash = KeyTraits<K>::hash(key);
    if (!in.ok() || key_group(hash) != group || window.cells->find(key, hash)) return false;
    window.cells->add(key, hash, std::move(cell));
    timeline_.cells_.note_restored(window, hash, *window.cells->find(key, hash));
    return true;
  }

  Timeline& timeline_;
  const Kernel& kernel_;
};

}  // namespace millrace::detail
