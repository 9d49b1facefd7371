// Images of the panes of a windowed aggregate.
#pragma once

#include <algorithm>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "operator/lists_of_tasks.hpp"
#include "operator/pane_parts.hpp"

namespace millrace::detail {

/// The panes of now, whatever becomes of them before the writer is done. `kernel` outlives it.
template <class K, class Kernel>
void save_panes(StateWriter& writer, PaneSet<K, typename Kernel::Acc>& panes, Time merged_to,
                const Kernel& kernel) {
  if constexpr (!kStores<Kernel>) {
    writer.refuse(unstorable("panes"));
  } else {
    const ImageChain chain = chain_of_keys<K>(writer);
    writer.later(std::make_unique<PaneParts<K, Kernel>>(panes, merged_to, kernel, chain));
  }
}

using ListedPanes = ListsOfTasks<OpenPaneList>;

/// Puts the entries of panes back.
template <class K, class Kernel>
class PaneRestore {
 public:
  using Acc = typename Kernel::Acc;
  using Panes = PaneSet<K, Acc>;

  /// `make_room` is called between parts.
  PaneRestore(StateReader& reader, Panes& panes, const Kernel& kernel,
              std::function<void()> make_room)
      : reader_(reader), panes_(panes), kernel_(kernel), make_room_(std::move(make_room)) {}

  void run() {
    const ListedPanes listed(reader_, kOpenPanes, read_open_panes);
    if (listed.empty()) return run_earlier();
    continue_behind(listed);
    take_parts(kPanesOnDisk, listed);
    take_parts("panes", listed);
  }

 private:
  using Tables = typename Panes::Tables;
  using Accumulators = AccumulatorReader<Kernel>;

  void take_parts(std::string_view name, const ListedPanes& listed) {
    reader_.each_in_turn(name, [&](const StatePart& part) {
      const std::string kind = panes_kind(panes_.windows());
      const std::string_view shape = inner_shape(kind, value_shape_of<K>(part.shape));
      if (shape.empty()) {
        const std::string kept = entry_shape<K>(shape_of_kind(kind, shape_of(kernel_)));
        return reader_.refuse(part, other_shape(part.shape, kept).message());
      }
      const auto accumulators = AccumulatorReader<Kernel>::of(kernel_, shape);
      if (!accumulators) return reader_.refuse(part, accumulators.error().message());
      take(part, listed.of_group(part.number), *accumulators);
      make_room_();
    });
  }
  /// Where those stand that had the key groups of this task and have panes: before the first.
  void continue_behind(const ListedPanes& listed) {
    std::optional<Time> closed;
    for (std::uint32_t group = 0; group < kKeyGroups; ++group) {
      const OpenPaneList& list = listed.of_group(group);
      if ((group * reader_.tasks()) / kKeyGroups == reader_.task() && !list.panes.empty())
        closed = earlier(closed, list.closed);
    }
    closed_ = closed.value_or(kTimeMin);
    panes_.continue_behind(closed_);
  }
  void take(const StatePart& part, const OpenPaneList& list, const Accumulators& accumulators) {
    std::unordered_map<std::uint64_t, PaneKey> keys;
    for (const auto& pane : list.panes) keys.emplace(pane.number, key_of(pane.key, list.closed));
    BytesCursor in(part.bytes);
    std::optional<std::uint64_t> number;  // of `tables`
    Tables* tables = nullptr;             // null: the pane is over
    while (!in.rest().empty()) {
      if (const std::uint64_t its = in.varint(); its != number) {
        const auto key = keys.find(its);
        tables = key == keys.end() ? nullptr : &panes_.tables(key->second);
        number = its;
      }
      if (!take_entry(part, in, tables, accumulators)) return;
    }
  }

  /// Files of before panes had numbers: the entries of a pane stand behind its key.
  void run_earlier() {
    std::optional<Time> closed;
    reader_.each("panes", [&](const StatePart& part) {
      BytesCursor in(part.bytes);
      const Time end = in.number<Time>();
      closed = closed ? std::min(*closed, end) : end;
    });
    if (!closed) return;
    closed_ = *closed;
    panes_.continue_behind(closed_);
    each_part_of_kind<K>(reader_, "panes", panes_.windows().to_string(), kernel_,
                         [&](const StatePart& part, const auto& accumulators) {
                           take_runs(part, accumulators);
                           make_room_();
                         });
  }
  void take_runs(const StatePart& part, const Accumulators& accumulators) {
    BytesCursor in(part.bytes);
    const Time closed = in.number<Time>();
    while (in.ok() && !in.rest().empty()) {
      const Time start = in.number<Time>();
      const Time first_end = in.number<Time>();
      const std::uint64_t count = in.varint();
      if (!in.ok()) break;
      Tables& tables = panes_.tables(key_of({start, first_end}, closed));
      for (std::uint64_t at = 0; at < count; ++at) {
        if (!take_entry(part, in, &tables, accumulators)) return;
      }
    }
    if (!in.ok()) reader_.refuse(part, "its bytes end within a pane");
  }

  /// `tables` null: for nobody.
  bool take_entry(const StatePart& part, BytesCursor& in, Tables* tables,
                  const Accumulators& accumulators) {
    OwnedKey<K> owned{};
    Acc acc = kernel_.init();
    if (!load_value(in, owned) || !accumulators.read(in, acc)) {
      reader_.refuse(part, kValueMisfits);
      return false;
    }
    const K key(owned);
    const std::uint64_t hash = KeyTraits<K>::hash(key);
    if (key_group(hash) != part.number) {
      reader_.refuse(part, kKeyMisplaced);
      return false;
    }
    if (tables != nullptr) put(*tables, key, hash, std::move(acc));
    return true;
  }
  /// What windows read of a pane may have come in several parts, the oldest first.
  void put(Tables& tables, const K& key, std::uint64_t hash, Acc acc) {
    Acc* const there = tables.find(key, hash);
    if (there == nullptr) {
      tables.add(key, hash, std::move(acc));
    } else if constexpr (Kernel::kMerges) {
      kernel_.merge(*there, acc);
    }
  }
  /// Windows up to `closed` have fired where the entries come from, though not everywhere.
  PaneKey key_of(PaneKey pane, Time closed) const {
    const Windows& windows = panes_.windows();
    if (closed == closed_ || !panes_.shared() || windows.is_global()) return pane;
    if (windows.first_end(pane.start) > closed) return pane;
    return {pane.start, std::max(pane.first_end, windows.next_end_after(closed))};
  }

  StateReader& reader_;
  Panes& panes_;
  const Kernel& kernel_;
  std::function<void()> make_room_;
  Time closed_ = kTimeMin;
};

/// `make_room` is called now and then, when nothing points into the panes.
template <class K, class Kernel>
void restore_panes(
    StateReader& reader, PaneSet<K, typename Kernel::Acc>& panes, const Kernel& kernel,
    std::function<void()> make_room = [] {}) {
  if constexpr (kStores<Kernel>)
    PaneRestore<K, Kernel>(reader, panes, kernel, std::move(make_room)).run();
}

}  // namespace millrace::detail
