// PaneDisk: what of a pane lies on disk, and the image of it that is read while more goes there.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <string_view>
#include <utility>

#include "base/counted_copies.hpp"
#include "env/disk_table.hpp"
#include "state/table_changes.hpp"

namespace millrace::detail {

/// Values by the hashes of keys. None goes before all do. One thread.
class PaneDisk {
 public:
  using Visit = DiskTable::Visit;

  /// `copies` counts what values leave for an image that waits for its disk, and outlives this;
  /// null: nobody does.
  PaneDisk(std::unique_ptr<DiskTable> table, MemoryMeter* copies) : table_(std::move(table)) {
    copies_.count_with(copies);
  }

  /// For those who look; none of them puts.
  DiskTable& table() { return *table_; }
  /// How many hashes there are.
  std::uint64_t keys() const { return keys_; }

  /// Before each of these hashes is put: calls visit(hash, value) for those that are there. What an
  /// image has still to read of them it has by then.
  template <class Older>
  void take(std::span<const std::uint64_t> hashes, Older&& older) {
    table_->find(hashes, [&](std::uint64_t hash, std::string_view value) {
      --keys_;
      if (image_visit_ && table_->is_awaited(hash)) {
        copies_.add(value.size());
        image_visit_(hash, value);
      }
      older(hash, value);
    });
  }
  void put(std::uint64_t hash, std::string_view value) {
    ++keys_;
    table_->put(hash, OverAt{}, value);
  }
  /// Whether all that was put is there. Errors: 4002.
  Status check() const { return table_->check(); }

  struct Image {
    std::uint64_t number = 0;   ///< of the images of this table
    bool only_changes = false;  ///< since the base of its chain; else all
  };
  /// An image of what is there now begins; the one before reads the rest. Calls visit(hash, value)
  /// for each value as read_image() comes to it, or before another takes its place.
  Image begin_image(const ImageChain& chain, Visit visit) {
    (void)read_image(image_, std::numeric_limits<std::size_t>::max());
    const bool only_changes = chain.base != 0 && chain.base == imaged_;
    const DiskImage whole = chain.epoch == 0 ? DiskImage::alone : DiskImage::base;
    table_->begin_image(only_changes ? DiskImage::changes : whole);
    if (chain.epoch != 0) imaged_ = chain.epoch;
    image_visit_ = std::move(visit);
    return {++image_, only_changes};
  }
  /// About so many values; how many of them are left. Where that is not 0, all has been read.
  std::size_t read_image(std::uint64_t image, std::size_t values) {
    if (image != image_ || !image_visit_) return values;
    const std::size_t left = table_->read_image(values, image_visit_);
    if (left > 0) image_visit_ = nullptr;
    return left;
  }
  /// Nobody wants the rest of it.
  void end_image(std::uint64_t image) {
    if (image != image_) return;
    copies_given();
    if (!image_visit_) return;
    table_->end_image();
    image_visit_ = nullptr;
  }
  /// What values left for their image has been handed on.
  void copies_given() { copies_.clear(); }

  std::uint64_t number = 0;  ///< by which images know what is here; 0: none has had it

 private:
  std::unique_ptr<DiskTable> table_;
  std::uint64_t keys_ = 0;
  Visit image_visit_;         ///< empty: all of it has been read
  std::uint64_t image_ = 0;   ///< number of the last one
  std::uint64_t imaged_ = 0;  ///< the epoch of the last one that had one
  CountedCopies copies_;
};

}  // namespace millrace::detail
