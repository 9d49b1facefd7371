// The image of windows that emit more than once which is written while they go on.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "operator/open_window_list.hpp"
#include "operator/spilled_parts.hpp"
#include "operator/timeline_windows.hpp"
#include "state/numbered_tables.hpp"

namespace millrace::detail {

/// A part for each key group that has cells, and the list of windows. What has not changed since
/// the base of a chain is not there.
template <class K, class Kernel, Refires kRefires>
class TimelineParts final : public OpenParts {
 public:
  using Held = TimelineWindows<K, Kernel, kRefires>;
  using Cell = typename Held::Cell;
  using Codec = typename Held::Spilled::Codec;

  /// The cells have the shape `shape`; `held` and `kernel` outlive it.
  TimelineParts(Held& held, const Kernel& kernel, std::string shape, const ImageChain& chain)
      : entries_("windows", entry_shape<K>(shape)) {
    ImageExtent<kKeyGroups> holds;
    held.open().for_each([&](typename Held::Window& window) {
      std::shared_ptr<OnDisk> on_disk = held.spilled().of(window);
      if (window.cells->size() == 0 && !on_disk) return;
      const ImageChain of_one = on_disk ? chain : chain_of_one(*window.cells, chain);
      auto cells = std::make_unique<Cells>(*window.cells, entries_, Store{Codec(kernel)}, of_one);
      if (!cells->only_changes()) held.open().number_anew(window);
      cells->number = window.number;
      cells->add_to(holds);
      open_.push_back({window.number, window.end, window.next});
      if (on_disk) {
        parts_.add(std::make_unique<CellsOnDisk>(std::move(on_disk), std::move(cells), of_one));
      } else {
        parts_.add(std::move(cells));
      }
    });
    entries_.begin(chain, holds);
  }

  std::size_t advance(std::size_t slots) override { return parts_.advance(slots); }
  bool done() const override { return parts_.done(); }
  void give_pieces(StateWriter& writer) override {
    entries_.give_pieces(writer);
    parts_.give_pieces(writer);
  }
  void give(StateWriter& writer) override {
    entries_.give(writer);
    put_open_windows(writer.task_part(kOpenWindows), open_);
  }

 private:
  using OnDisk = typename Held::Spilled::OnDisk;
  struct Store {
    void operator()(std::string& out, const Cell& cell) const { codec.store_timeless(out, cell); }
    Codec codec;
  };
  using Cells = NumberedTable<K, Cell, Store>;

  /// Of a window that may close before all is read.
  class CellsOnDisk final : public OpenParts {
   public:
    CellsOnDisk(std::shared_ptr<OnDisk> on_disk, std::unique_ptr<Cells> cells,
                const ImageChain& chain)
        : on_disk_(std::move(on_disk)), parts_(on_disk_->rows, std::move(cells), chain) {}
    std::size_t advance(std::size_t slots) override { return parts_.advance(slots); }
    bool done() const override { return parts_.done(); }
    void give_pieces(StateWriter& writer) override { parts_.give_pieces(writer); }
    void give(StateWriter&) override {}

   private:
    std::shared_ptr<OnDisk> on_disk_;
    SpilledParts<decltype(OnDisk::rows), Cells> parts_;
  };

  std::vector<OpenWindowEntry> open_;
  NumberedEntries<K> entries_;
  PartsInTurn parts_;
};

}  // namespace millrace::detail
