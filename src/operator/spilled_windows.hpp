// SpilledWindows: the keys of windows that emit more than once which memory has no room for.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "operator/acc_heap.hpp"
#include "operator/spilled_rows.hpp"
#include "operator/stored_accumulators.hpp"
#include "operator/window_cells.hpp"

namespace millrace::detail {

/// How a key in a window lies on disk, and in images: see DiskRows.
template <class Kernel, bool kRemembers>
class CellCodec {
 public:
  using Acc = typename Kernel::Acc;
  using Row = WindowCell<Acc, typename Kernel::Value, kRemembers>;

  /// Whether it can be.
  static constexpr bool storable() {
    if constexpr (!kStores<Kernel>) return false;
    if constexpr (kRemembers) return Storable<typename Kernel::Value>;
    return true;
  }

  /// `kernel` outlives it.
  explicit CellCodec(const Kernel& kernel) : kernel_(&kernel) {}

  Row fresh() const { return Row{kernel_->init()}; }
  /// As images have it: without what the clock says.
  void store_timeless(std::string& out, const Row& cell) const {
    store_accumulator(*kernel_, out, cell.acc);
    put_number(out, cell.fresh);
    put_number(out, cell.rows);
    put_number(out, cell.row_at);
    if constexpr (kRemembers && storable()) store_value(out, cell.last);
  }
  /// Reads that into one with its accumulator.
  static bool load_timeless(BytesCursor& in, Row& cell) {
    cell.fresh = in.number<std::uint32_t>();
    cell.rows = in.number<std::uint32_t>();
    cell.row_at = in.number<Time>();
    if constexpr (kRemembers && storable()) {
      if (!load_value(in, cell.last)) return false;
    }
    return in.ok();
  }
  void store(std::string& out, const Row& cell) const {
    store_timeless(out, cell);
    put_number(out, cell.changed_ns);
  }
  bool load(BytesCursor& in, Row& cell) const {
    if (!load_accumulator(*kernel_, in, cell.acc) || !load_timeless(in, cell)) return false;
    cell.changed_ns = in.number<std::int64_t>();
    return in.ok();
  }
  /// It goes with its window.
  static OverAt over_at(const Row&) { return {}; }
  static std::int64_t heap_of(const Row& cell) {
    return static_cast<std::int64_t>(acc_heap_bytes(cell.acc));
  }

 private:
  const Kernel* kernel_;
};

/// The rows of a window go to a table of its own, which goes with it: those of the widest windows
/// first, in each those that were not used of late (see SpilledRows). Windows of less than 256 KB
/// stay, for a file takes more. One thread. Throws DiskFailed, and MemoryRefused.
template <class K, class Kernel, Refires kRefires>
class SpilledWindows {
 public:
  using Cells = WindowCells<K, Kernel, kRefires>;
  using Cell = typename Cells::Cell;
  using Window = typename Cells::Window;
  using Windows = OpenWindows<K, Cell>;
  using Codec = CellCodec<Kernel, Cells::kRemembers>;

  /// What of a window is on disk.
  struct OnDisk {
    OnDisk(const Kernel& kernel, KeyedTables<K, Cell>& cells, std::int64_t& moved_heap,
           SpillPlace place)
        : rows(Codec(kernel), cells, moved_heap) {
      place.figures = &figures;
      rows.spill_to(place);
    }
    std::unique_ptr<KeyedTables<K, Cell>> cells;  ///< of a window that an image outlives
    SpillFigures figures;
    SpilledRows<K, Codec> rows;
  };

  /// Once, before anything else; both outlive it, as do `windows`.
  void spill_to(const Kernel& kernel, Windows& windows, const SpillPlace& place) {
    kernel_ = &kernel;
    windows_ = &windows;
    place_ = place;
  }
  /// Keys of the window are on disk.
  bool holds(const Window& window) const { return on_disk_.contains(window.end); }
  /// Null: nothing is.
  std::shared_ptr<OnDisk> of(const Window& window) const {
    const auto at = on_disk_.find(window.end);
    return at == on_disk_.end() ? nullptr : at->second;
  }

  /// When nothing points into cells: a key of a window is in memory until the next call.
  void bring(const Window& window, std::uint64_t hash) {
    if (place_.tables == nullptr) return;
    make_room_behind(1);
    if (on_disk_.empty()) return;
    if (OnDisk* const its = find(window)) its->rows.bring({&hash, 1});
  }
  /// The same for all keys of a key group.
  void bring_group(const Window& window, std::uint32_t group) {
    OnDisk* const its = find(window);
    if (its == nullptr) return;
    make_room();  // before: what goes to disk now is to be brought as well
    hashes_.clear();
    its->rows.for_each_of_group(
        group, [this](const K& key, const Cell&) { hashes_.push_back(KeyTraits<K>::hash(key)); });
    its->rows.bring(hashes_);
  }
  /// Calls visit(K key, Cell& copy) for the keys of a key group that are on disk alone.
  template <class Visit>
  void each_on_disk(const Window& window, std::uint32_t group, Visit&& visit) {
    if (OnDisk* const its = find(window)) its->rows.for_each_of_group(group, visit);
  }
  /// A window is about to close: what of it is on disk is the caller's, and goes before its cells.
  std::shared_ptr<OnDisk> take_out(const Window& window) {
    std::shared_ptr<OnDisk> its = of(window);
    if (its == nullptr) return its;
    its->rows.tell();
    gone_hits_ += its->figures.hits;
    gone_misses_ += its->figures.misses;
    on_disk_.erase(window.end);
    return its;
  }
  static std::int64_t heap_of(const Cell& cell) { return Codec::heap_of(cell); }
  /// A cell of an image has been put in, which holds so many bytes on the heap.
  void note_restored(std::int64_t heap_bytes) {
    moved_heap_ += heap_bytes;
    make_room_behind(1);
  }

  /// When nothing points into cells: keys for which memory has no room go to disk.
  void make_room() {
    if (place_.tables == nullptr) return;
    const std::uint64_t most = place_.state_max_bytes - place_.state_max_bytes / 8;
    if (held_bytes() > most) windows_->drop_spare();
    while (held_bytes() > most) {
      Window* const widest = widest_one();
      if (widest == nullptr) return;
      const std::size_t before = widest->cells->bytes();
      shed(*widest);
      if (widest->cells->bytes() >= before) return;
    }
  }
  /// Tells how much is on disk, beside what `others` say, and of all look-ups so far.
  void tell(const SpillFigures& others) {
    if (place_.figures == nullptr) return;
    std::uint64_t keys = others.keys;
    std::uint64_t bytes = others.bytes;
    std::uint64_t hits = gone_hits_;
    std::uint64_t misses = gone_misses_;
    for (auto& [end, its] : on_disk_) {
      its->rows.tell();
      keys += its->figures.keys;
      bytes += its->figures.bytes;
      hits += its->figures.hits;
      misses += its->figures.misses;
    }
    place_.figures->keys.store(keys, std::memory_order_relaxed);
    place_.figures->bytes.store(bytes, std::memory_order_relaxed);
    place_.figures->hits.store(hits, std::memory_order_relaxed);
    place_.figures->misses.store(misses, std::memory_order_relaxed);
  }
  /// See HoldsAggregates.
  std::int64_t take_moved_heap() { return std::exchange(moved_heap_, 0); }

 private:
  static constexpr std::size_t kLeastBytes = 256u << 10;
  static constexpr std::size_t kAtOnce = 256;  ///< keys between two makings of room

  OnDisk* find(const Window& window) const { return of(window).get(); }
  std::uint64_t held_bytes() const {
    const auto counted = static_cast<std::int64_t>(place_.state->bytes());
    return static_cast<std::uint64_t>(std::max<std::int64_t>(0, counted + moved_heap_));
  }
  Window* widest_one() {
    Window* widest = nullptr;
    windows_->for_each([&](Window& window) {
      const std::size_t bytes = window.cells->size() > 0 ? window.cells->bytes() : 0;
      if (bytes >= (widest ? widest->cells->bytes() + 1 : kLeastBytes)) widest = &window;
    });
    return widest;
  }
  void shed(Window& window) {
    std::shared_ptr<OnDisk>& its = on_disk_[window.end];
    if (!its) its = std::make_shared<OnDisk>(*kernel_, *window.cells, moved_heap_, place_);
    its->rows.shed(moved_heap_);
  }
  void make_room_behind(std::size_t keys) {
    came_ += keys;
    if (came_ < kAtOnce) return;
    came_ = 0;
    make_room();
  }

  const Kernel* kernel_ = nullptr;
  Windows* windows_ = nullptr;
  SpillPlace place_;
  std::map<Time, std::shared_ptr<OnDisk>> on_disk_;  ///< by the ends of their windows
  std::vector<std::uint64_t> hashes_;
  std::int64_t moved_heap_ = 0;
  std::size_t came_ = 0;         ///< keys since room was made
  std::uint64_t gone_hits_ = 0;  ///< look-ups in windows that have closed
  std::uint64_t gone_misses_ = 0;
};

}  // namespace millrace::detail
