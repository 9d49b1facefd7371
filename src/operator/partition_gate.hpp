// PartitionGate: which partitions of a source may not be read now, for they are too far ahead.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace millrace::detail {

/// Set before each poll, and read by the source. The task's thread.
class PartitionGate {
 public:
  /// Of the source: from now on it reads no partition that is shut.
  void heed() { heeded_ = true; }
  bool heeded() const { return heeded_; }
  /// Whether any is shut.
  bool any() const { return count_ > 0; }
  bool is_shut(std::uint32_t partition) const { return any() && shut_[partition]; }

  /// All of `partitions` are open.
  void open(std::uint32_t partitions) {
    before_.swap(shut_);
    before_.resize(partitions, false);
    shut_.assign(partitions, false);
    count_ = 0;
  }
  void shut(std::uint32_t partition) {
    if (shut_[partition]) return;
    shut_[partition] = true;
    ++count_;
  }
  /// It is shut now, and was open before the last open().
  bool fell_shut(std::uint32_t partition) const {
    return is_shut(partition) && !before_[partition];
  }

 private:
  bool heeded_ = false;
  std::vector<bool> shut_;
  std::vector<bool> before_;
  std::size_t count_ = 0;
};

}  // namespace millrace::detail
