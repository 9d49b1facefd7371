// The image of the panes of a windowed aggregate that is written while they go on.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "operator/open_pane_list.hpp"
#include "operator/pane_spill.hpp"
#include "operator/stored_accumulators.hpp"
#include "state/numbered_tables.hpp"
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

/// What a pane has on disk: a part of its own, for of a key it is older than what memory has.
template <class K, class Kernel>
class PaneOnDisk final : public OpenParts {
 public:
  /// `to` and `kernel` outlive it.
  PaneOnDisk(std::shared_ptr<PaneDisk> disk, NumberedEntries<K>& to, const Kernel& kernel,
             const ImageChain& chain)
      : disk_(std::move(disk)), to_(&to), kernel_(&kernel) {
    image_ = disk_->begin_image(
        chain, [this](std::uint64_t hash, std::string_view value) { put(hash, value); });
  }
  PaneOnDisk(const PaneOnDisk&) = delete;
  PaneOnDisk& operator=(const PaneOnDisk&) = delete;
  ~PaneOnDisk() override { disk_->end_image(image_.number); }

  /// As NumberedTable has it.
  bool only_changes() const { return image_.only_changes; }
  std::size_t advance(std::size_t slots) override {
    if (slots == 0 || read_) return slots;
    const std::size_t values = slots / kSlotsAValue + 1;
    const std::size_t left = disk_->read_image(image_.number, values);
    read_ = left > 0;
    return slots - std::min(slots, (values - left) * kSlotsAValue);
  }
  bool done() const override { return read_; }
  /// What stays is a few megabytes at most.
  void give_pieces(StateWriter&) override { disk_->copies_given(); }
  void give(StateWriter&) override {}

 private:
  static constexpr std::size_t kSlotsAValue = 4;  ///< that take as long as a value on disk, about

  void put(std::uint64_t hash, std::string_view value) {
    read_pane_entries<K>(value, *kernel_, [&](const K& key, const typename Kernel::Acc& acc) {
      to_->put(disk_->number, key_group(hash), key,
               [&](std::string& out) { store_accumulator(*kernel_, out, acc); });
    });
  }

  std::shared_ptr<PaneDisk> disk_;  ///< its pane may be over
  NumberedEntries<K>* to_;
  const Kernel* kernel_;
  PaneDisk::Image image_;
  bool read_ = false;  ///< all that is there
};

/// Parts for each key group that has entries, and the list of panes. What has not changed since the
/// base of a chain is not there. Copy before change, in memory and on disk: see TablesImage and
/// PaneDisk.
template <class K, class Kernel>
class PaneParts final : public OpenParts {
 public:
  using Acc = typename Kernel::Acc;

  /// `kernel` outlives it.
  PaneParts(PaneSet<K, Acc>& panes, Time merged_to, const Kernel& kernel, const ImageChain& chain)
      : in_memory_("panes", shape_of_panes(panes, kernel)),
        on_disk_(kPanesOnDisk, shape_of_panes(panes, kernel)) {
    PaneReaders<K, Acc> readers(panes, merged_to);
    ImageExtent<kKeyGroups> holds;
    ImageExtent<kKeyGroups> disk_holds;
    open_.closed = panes.closed_end();
    for (auto& [key, pane] : panes.panes()) {
      const PaneKey read_as = readers.key_of(key);
      if (!pane.holds_any()) continue;
      const auto of_one = chain_of_one(*pane.tables, chain);
      auto tables = std::make_unique<Tables>(*pane.tables, in_memory_, Store{&kernel}, of_one);
      add(std::move(tables), pane.number, read_as, panes)->add_to(holds);
      if constexpr (kSpillsPanes<Kernel>) {
        if (!pane.disk) continue;
        auto disk = std::make_unique<PaneOnDisk<K, Kernel>>(pane.disk, on_disk_, kernel, chain);
        disk_holds.only_changes |= disk->only_changes();
        add(std::move(disk), pane.disk->number, read_as, panes);
        any_on_disk_ = true;
      }
    }
    in_memory_.begin(chain, holds);
    on_disk_.begin(chain, disk_holds);
  }

  std::size_t advance(std::size_t slots) override { return parts_.advance(slots); }
  bool done() const override { return parts_.done(); }
  void give_pieces(StateWriter& writer) override {
    in_memory_.give_pieces(writer);
    on_disk_.give_pieces(writer);
    parts_.give_pieces(writer);
  }
  void give(StateWriter& writer) override {
    in_memory_.give(writer);
    if (any_on_disk_) on_disk_.give(writer);
    put_open_panes(writer.task_part(kOpenPanes), open_);
  }

 private:
  using Store = AccumulatorSaver<Kernel>;
  using Tables = NumberedTable<K, Acc, Store>;

  static std::string shape_of_panes(const PaneSet<K, Acc>& panes, const Kernel& kernel) {
    return entry_shape<K>(shape_of_kind(panes_kind(panes.windows()), shape_of(kernel)));
  }
  template <class Parts>
  Parts* add(std::unique_ptr<Parts> parts, std::uint64_t& number, const PaneKey& read_as,
             PaneSet<K, Acc>& panes) {
    Parts* const added = parts.get();
    parts_.add(std::move(parts));
    if (!added->only_changes()) panes.number_anew(number);
    if constexpr (requires { added->number; }) added->number = number;
    open_.panes.push_back({number, read_as});
    return added;
  }

  OpenPaneList open_;
  NumberedEntries<K> in_memory_;
  NumberedEntries<K> on_disk_;
  bool any_on_disk_ = false;
  PartsInTurn parts_;
};

}  // namespace millrace::detail
