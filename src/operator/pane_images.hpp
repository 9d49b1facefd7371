// Images of the panes of a windowed aggregate.
#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "operator/open_pane_list.hpp"
#include "operator/pane_spill.hpp"
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

/// What parts of entries with the numbers of their panes are made of besides accumulators.
inline std::string panes_kind(const Windows& windows) {
  return "panes(" + windows.to_string() + ")";
}

/// A part for each key group that has entries: of each the number of its pane, its key and its
/// accumulator. What has not changed since the base of a chain is not there.
template <class K, class Kernel>
class PaneParts final : public OpenParts {
 public:
  using Acc = typename Kernel::Acc;
  using Tables = KeyedTables<K, Acc>;

  /// `kernel` outlives it.
  PaneParts(PaneSet<K, Acc>& panes, Time merged_to, const Kernel& kernel, const ImageChain& chain)
      : shape_(entry_shape<K>(shape_of_kind(panes_kind(panes.windows()), shape_of(kernel)))) {
    PaneReaders<K, Acc> readers(panes, merged_to);
    ImageExtent<kKeyGroups> holds;
    open_.closed = panes.closed_end();
    for (auto& [key, pane] : panes.panes()) {
      const PaneKey read_as = readers.key_of(key);
      if (!pane.holds_any()) continue;
      // Of what lies on disk nobody notes what changes: all of the pane is written.
      const ImageChain its_chain = pane.disk ? ImageChain{} : chain;
      images_.push_back(std::make_unique<Image>(*pane.tables, bytes_, kernel, its_chain));
      if (images_.back()->tables.holds().only_changes) {
        holds.only_changes = true;
      } else {
        panes.number_anew(pane);
      }
      images_.back()->number = pane.number;
      open_.panes.push_back({pane.number, read_as});
    }
    bytes_.begin(chain, holds);
    if constexpr (kSpillsPanes<Kernel>) add_spilled(panes, kernel);
  }

  std::size_t advance(std::size_t slots) override {
    for (; at_ < images_.size() && slots > 0; at_ += images_[at_]->tables.done() ? 1 : 0)
      slots = images_[at_]->tables.advance(slots);
    return slots;
  }
  bool done() const override { return at_ == images_.size(); }
  void give_pieces(StateWriter& writer) override { bytes_.give_pieces(writer, "panes", shape_); }
  void give(StateWriter& writer) override {
    bytes_.give(writer, "panes", shape_);
    put_open_panes(writer.task_part(kOpenPanes), open_);
  }

 private:
  struct Image;
  struct Put {
    Image* image;
    void operator()(std::uint32_t group, const K& key, const Acc& acc) const {
      const auto put_key = [&](std::string& to) {
        put_varint(to, image->number);
        store_key(to, key);
      };
      image->bytes->add_entry(group, put_key,
                              [&](std::string& to) { store_accumulator(*image->kernel, to, acc); });
    }
  };
  /// At once, for it may change before its turn: a key may so be there twice.
  void add_spilled(const PaneSet<K, Acc>& panes, const Kernel& kernel) {
    auto image = images_.begin();
    for (const auto& [key, pane] : panes.panes()) {
      if (!pane.holds_any()) continue;
      const Put put{(image++)->get()};
      for (std::uint32_t group = 0; pane.disk && group < kKeyGroups; ++group) {
        each_on_disk<K>(*pane.disk, group, kernel,
                        [&](const K& name, const Acc& acc) { put(group, name, acc); });
      }
    }
  }
  /// Small tables are written whole: to note what changes in them takes as much as they do.
  static ImageChain chain_of(const Tables& tables, const ImageChain& chain) {
    constexpr std::size_t kNotedMin = 64u << 10;
    return tables.bytes() >= kNotedMin ? chain : ImageChain{};
  }
  struct Image {
    Image(Tables& of, BytesByGroup& to, const Kernel& its_kernel, const ImageChain& chain)
        : bytes(&to),
          kernel(&its_kernel),
          tables(of, Put{this}, chain_of(of, chain), store_key<K>) {}

    BytesByGroup* bytes;
    const Kernel* kernel;
    std::uint64_t number = 0;  ///< of the pane
    TablesImage<K, Acc, Put> tables;
  };

  std::string shape_;
  OpenPaneList open_;
  BytesByGroup bytes_;
  std::vector<std::unique_ptr<Image>> images_;
  std::size_t at_ = 0;  ///< the first of images_ that is not done
};

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

/// The panes that the tasks of an image had open.
class ListedPanes {
 public:
  explicit ListedPanes(StateReader& reader) {
    reader.each(kOpenPanes, [&](const StatePart& part) {
      auto list = read_open_panes(BytesCursor(part.bytes));
      if (!list || part.number >= kKeyGroups) return reader.refuse(part, kBytesDoNotFit);
      if (tasks_.size() <= part.number) tasks_.resize(part.number + 1);
      tasks_[part.number] = std::move(*list);
    });
  }

  /// An earlier version wrote the image, or nothing was kept.
  bool empty() const { return tasks_.empty(); }
  /// Those of the task that had the key group.
  const OpenPaneList& of_group(std::uint32_t group) const {
    return tasks_[(group * tasks_.size()) / kKeyGroups];
  }

 private:
  std::vector<OpenPaneList> tasks_;
};

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
    const ListedPanes listed(reader_);
    if (listed.empty()) return run_earlier();
    continue_behind(listed);
    reader_.each_in_turn("panes", [&](const StatePart& part) {
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

 private:
  using Tables = typename Panes::Tables;
  using Accumulators = AccumulatorReader<Kernel>;

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
  /// What windows read of a pane may have come in several.
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
