// SpilledParts: the image of keyed tables and of the rows of theirs that lie on disk, written while
// both go on.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include "env/disk_table.hpp"
#include "state/table_parts.hpp"

namespace millrace::detail {

/// Copy before change, as of tables: a row on disk is written as the image comes to it, or when it
/// comes back into memory, whichever is first. What is written goes as soon as a piece is whole, so
/// the memory that it takes does not depend on what lies on disk; but copies of rows that come back
/// while nobody advances it, which are counted: see SpillPlace.
///
/// `Spilled`: see SpilledRows. `Parts` are OpenParts of tables that also take a row that lies
/// elsewhere: put(group, key, row), and only_changes(). One thread.
template <class Spilled, class Parts>
class SpilledParts final : public OpenParts {
 public:
  /// `parts` are of the tables as they are now, under `chain`; `spilled` outlives it.
  SpilledParts(Spilled& spilled, std::unique_ptr<Parts> parts, const ImageChain& chain)
      : spilled_(&spilled), parts_(std::move(parts)) {
    const DiskImage whole = chain.epoch == 0 ? DiskImage::alone : DiskImage::base;
    number_ = spilled.begin_image(parts_->only_changes() ? DiskImage::changes : whole,
                                  [to = parts_.get()](std::uint32_t group, const auto& key,
                                                      auto& row) { to->put(group, key, row); });
  }
  SpilledParts(const SpilledParts&) = delete;
  SpilledParts& operator=(const SpilledParts&) = delete;
  ~SpilledParts() override {
    spilled_->end_image(number_);
    spilled_->copies_given();
  }

  std::size_t advance(std::size_t slots) override {
    slots = parts_->advance(slots);
    if (slots == 0 || read_) return slots;
    const std::size_t rows = slots / kSlotsARow + 1;
    const std::size_t left = spilled_->read_image(number_, rows);
    read_ = left > 0;
    return slots - std::min(slots, (rows - left) * kSlotsARow);
  }
  bool done() const override { return read_ && parts_->done(); }
  /// What stays is a few megabytes at most.
  void give_pieces(StateWriter& writer) override {
    parts_->give_pieces(writer);
    spilled_->copies_given();
  }
  void give(StateWriter& writer) override { parts_->give(writer); }

 private:
  static constexpr std::size_t kSlotsARow = 4;  ///< that take as long as a row on disk, about

  Spilled* spilled_;
  std::unique_ptr<Parts> parts_;
  std::uint64_t number_ = 0;
  bool read_ = false;  ///< all that is on disk
};

/// Has the image of tables by keys K written later, with those of their rows that `spilled` has on
/// disk, as they are now. make(chain) makes the parts of the tables; see SpilledParts.
template <class K, class Spilled, class Make>
void save_with_disk_later(StateWriter& writer, Spilled& spilled, Make&& make) {
  const ImageChain chain = chain_of_keys<K>(writer);
  auto parts = make(chain);
  using Parts = typename decltype(parts)::element_type;
  writer.later(std::make_unique<SpilledParts<Spilled, Parts>>(spilled, std::move(parts), chain));
}

}  // namespace millrace::detail
