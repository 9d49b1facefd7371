// Images of the panes of a windowed aggregate.
#pragma once

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "operator/stored_accumulators.hpp"
#include "state/table_parts.hpp"
#include "window/pane_set.hpp"

namespace millrace::detail {

/// From which window on each pane is read, walked in order. Panes in time that begin before
/// `merged_to` hold those that follow them up to there too (see PaneStacks): of these a window
/// reads its first alone. In an image they stand beside the stacks, as panes of late records do,
/// each from the first window on that does not begin before it.
template <class K, class Acc>
class PaneReaders {
 public:
  PaneReaders(const PaneSet<K, Acc>& panes, Time merged_to)
      : windows_(panes.windows()), merged_to_(merged_to), end_(panes.closed_end()) {}

  PaneKey key_of(const PaneKey& pane) {
    if (pane.first_end != kTimeMin || pane.start >= merged_to_) return pane;
    end_ = first_ ? windows_.next_end_after(end_) : end_;
    while (!first_ && windows_.start_of(end_) <= before_) end_ = windows_.next_end_after(end_);
    first_ = false;
    before_ = pane.start;
    return {pane.start, end_};
  }

 private:
  const Windows& windows_;
  Time merged_to_;
  Time end_;
  bool first_ = true;
  Time before_ = 0;  ///< the pane in time before: where it begins
};

/// A part for each key group that has entries: the end of the last window that fired, and of each
/// pane its key and its entries.
template <class K, class Kernel>
class PaneParts final : public OpenParts {
 public:
  using Acc = typename Kernel::Acc;

  /// `kernel` outlives it.
  PaneParts(const PaneSet<K, Acc>& panes, Time merged_to, const Kernel& kernel)
      : shape_(entry_shape<K>(shape_of_kind(panes.windows().to_string(), shape_of(kernel)))),
        closed_end_(panes.closed_end()) {
    PaneReaders<K, Acc> readers(panes, merged_to);
    for (const auto& [pane, tables] : panes.panes()) {
      const PaneKey key = readers.key_of(pane);
      if (tables->size() > 0) panes_.push_back(std::make_unique<Pane>(key, *tables, kernel));
    }
  }

  std::size_t advance(std::size_t slots) override {
    for (; at_ < panes_.size() && slots > 0; at_ += panes_[at_]->image.done() ? 1 : 0)
      slots = panes_[at_]->image.advance(slots);
    return slots;
  }
  bool done() const override { return at_ == panes_.size(); }
  void give(StateWriter& writer) override {
    for (std::uint32_t group = 0; group < kKeyGroups; ++group) {
      std::string part;
      for (const auto& pane : panes_) pane->give(group, closed_end_, part);
      if (!part.empty()) writer.group_part("panes", group, shape_) = std::move(part);
    }
  }

 private:
  struct Entries {
    std::uint64_t count = 0;
    std::string bytes;
  };
  struct Put {
    std::vector<Entries>* entries;
    const Kernel* kernel;
    void operator()(std::uint32_t group, const K& key, const Acc& acc) const {
      Entries& of_group = (*entries)[group];
      ++of_group.count;
      store_value(of_group.bytes, KeyTraits<K>::own(key));
      store_accumulator(*kernel, of_group.bytes, acc);
    }
  };
  struct Pane {
    Pane(PaneKey read_as, KeyedTables<K, Acc>& tables, const Kernel& kernel)
        : key(read_as), entries(kKeyGroups), image(tables, Put{&entries, &kernel}) {}

    void give(std::uint32_t group, Time closed_end, std::string& part) {
      const Entries of_group = std::move(entries[group]);
      if (of_group.count == 0) return;
      if (part.empty()) put_number(part, closed_end);
      put_number(part, key.start);
      put_number(part, key.first_end);
      put_varint(part, of_group.count);
      part += of_group.bytes;
    }

    PaneKey key;
    std::vector<Entries> entries;  ///< by key group
    TablesImage<K, Acc, Put> image;
  };

  std::string shape_;
  Time closed_end_;
  std::vector<std::unique_ptr<Pane>> panes_;
  std::size_t at_ = 0;  ///< the first of panes_ that is not done
};

/// The panes of now, whatever becomes of them before the writer is done. `kernel` outlives it.
template <class K, class Kernel>
void save_panes(StateWriter& writer, const PaneSet<K, typename Kernel::Acc>& panes, Time merged_to,
                const Kernel& kernel) {
  if constexpr (!kStores<Kernel>) {
    writer.refuse(unstorable("panes"));
  } else {
    writer.later(std::make_unique<PaneParts<K, Kernel>>(panes, merged_to, kernel));
  }
}

/// Puts the entries of panes back.
template <class K, class Kernel>
class PaneRestore {
 public:
  using Acc = typename Kernel::Acc;
  using Panes = PaneSet<K, Acc>;

  PaneRestore(StateReader& reader, Panes& panes, const Kernel& kernel)
      : reader_(reader), panes_(panes), kernel_(kernel) {}

  void run() {
    std::optional<Time> closed;
    reader_.each("panes", [&](const StatePart& part) {
      BytesCursor in(part.bytes);
      const Time end = in.number<Time>();
      closed = closed ? std::min(*closed, end) : end;
    });
    if (!closed) return;
    closed_ = *closed;
    panes_.continue_behind(closed_);
    each_part_of_kind<K>(
        reader_, "panes", panes_.windows().to_string(), kernel_,
        [&](const StatePart& part, const auto& accumulators) { take(part, accumulators); });
  }

 private:
  void take(const StatePart& part, const AccumulatorReader<Kernel>& accumulators) {
    BytesCursor in(part.bytes);
    const Time closed = in.number<Time>();
    while (in.ok() && !in.rest().empty()) {
      const Time start = in.number<Time>();
      const Time first_end = in.number<Time>();
      const std::uint64_t count = in.varint();
      if (!in.ok()) break;
      auto& tables = panes_.tables(key_of({start, first_end}, closed));
      if (!take_entries(part, in, count, tables, accumulators)) return;
    }
    if (!in.ok()) reader_.refuse(part, "its bytes end within a pane");
  }

  bool take_entries(const StatePart& part, BytesCursor& in, std::uint64_t count,
                    typename Panes::Tables& tables, const AccumulatorReader<Kernel>& accumulators) {
    for (std::uint64_t at = 0; at < count; ++at) {
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
      put(tables, key, hash, std::move(acc));
    }
    return true;
  }
  /// What windows read of a pane may have come in several.
  void put(typename Panes::Tables& tables, const K& key, std::uint64_t hash, Acc acc) {
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
  Time closed_ = kTimeMin;
};

template <class K, class Kernel>
void restore_panes(StateReader& reader, PaneSet<K, typename Kernel::Acc>& panes,
                   const Kernel& kernel) {
  if constexpr (kStores<Kernel>) PaneRestore<K, Kernel>(reader, panes, kernel).run();
}

}  // namespace millrace::detail
