// ImageSpool: the large parts of an image that has to stay until all of its epochs are written, on
// the disk where its rows lie.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "env/scratch_pages.hpp"
#include "state/state_image.hpp"

namespace millrace::detail {

/// Bytes one piece behind the other, in pages that many share. Any thread, once nothing is added.
class SpooledBytes final : public StoredBytes {
 public:
  /// They stand at `at` of `pages`.
  void add(std::shared_ptr<const ScratchPages> pages, std::size_t at, std::size_t bytes);
  /// In memory.
  void add(std::string bytes);
  std::uint64_t size() const override { return size_; }
  Result<std::string> read() const override;

 private:
  struct Piece {
    std::shared_ptr<const ScratchPages> pages;  ///< null: `here`
    std::size_t at = 0;
    std::size_t bytes = 0;
    std::string here = {};
  };

  std::vector<Piece> pieces_;
  std::uint64_t size_ = 0;
};

/// A task that is done has its state in each epoch until the last task is. In memory that would be
/// all that it has on disk. One thread.
class ImageSpool {
 public:
  /// Makes files without names there, with the first large piece.
  explicit ImageSpool(std::string folder) : folder_(std::move(folder)) {}

  /// Of `parts` those that were not there at the last call are pieces: what belongs to one part of
  /// a key group becomes one, and large ones go to disk. What that has no room for stays in memory.
  void take(std::vector<StatePart>& parts);

 private:
  static constexpr std::size_t kPagesBytes = 16u << 20;
  static constexpr std::size_t kLargeBytes = 4096;

  /// Of a part: where it is among the parts.
  struct Taken {
    std::size_t at;
    std::shared_ptr<SpooledBytes> bytes;  ///< null: it is in memory
  };

  void append(StatePart& whole, Taken& taken, std::string bytes);
  bool put(SpooledBytes& to, std::string_view bytes);

  std::string folder_;
  std::shared_ptr<ScratchPages> pages_;  ///< that are being filled
  std::size_t used_ = 0;
  bool is_full_ = false;  ///< the disk took no more
  std::map<std::pair<std::string, std::uint32_t>, Taken> taken_;
  std::size_t known_ = 0;  ///< of the parts at the last call
};

}  // namespace millrace::detail
