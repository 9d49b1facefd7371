// Bytes: a run of bytes as a record's member, handed on by reference however long it is.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <string_view>
#include <utility>

namespace millrace {

namespace detail {
/// From this size on bytes get a block of their own instead of a place in their batch's arena: a
/// batch that keeps one of them then keeps no others alive.
inline constexpr std::size_t kOwnBlockBytes = 4096;
}  // namespace detail

/// A picture, a point cloud, a message: bytes that are written once and then only read.
///
/// It either owns a share of a block of its own (copy_of, make; Output::bytes for long ones), which
/// lives as long as any copy, in whatever thread; or it is a view into what its batch keeps alive
/// (view_of; Output::bytes for short ones), like a std::string_view. To keep bytes beyond the call
/// that got them, keep owned(). Copying costs one atomic addition for a block and nothing for a
/// view, whatever the size.
class Bytes {
 public:
  Bytes() = default;
  /// A block of its own with a copy of `content`.
  static Bytes copy_of(std::string_view content) {
    return make(content.size(), [content](char* to) {
      if (!content.empty()) std::memcpy(to, content.data(), content.size());
    });
  }
  /// A block of `size` bytes, which fill(char*) writes. When fill throws, there is none.
  template <class Fill>
  static Bytes make(std::size_t size, Fill&& fill) {
    Bytes made;
    made.block_ = Block::create(size);
    made.data_ = made.block_->bytes();
    made.size_ = size;
    fill(made.block_->bytes());
    return made;
  }
  /// A view: whoever makes it keeps `content` alive as long as the batch that carries it.
  static Bytes view_of(std::string_view content) {
    Bytes made;
    made.data_ = content.data();
    made.size_ = content.size();
    return made;
  }

  Bytes(const Bytes& other) : data_(other.data_), size_(other.size_), block_(other.block_) {
    if (block_) block_->references.fetch_add(1, std::memory_order_relaxed);
  }
  Bytes(Bytes&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)),
        size_(std::exchange(other.size_, 0)),
        block_(std::exchange(other.block_, nullptr)) {}
  Bytes& operator=(Bytes other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    std::swap(block_, other.block_);
    return *this;
  }
  ~Bytes() {
    if (block_ && block_->references.fetch_sub(1, std::memory_order_acq_rel) == 1) {
      Block::destroy(block_);
    }
  }

  const char* data() const { return data_; }
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  std::string_view text() const { return {data_, size_}; }

  /// Forgets what is behind the first `size` bytes; their memory stays.
  void cut(std::size_t size) { size_ = std::min(size_, size); }

  /// True when it has a share of a block of its own.
  bool is_owned() const { return block_ != nullptr; }
  /// The same bytes in a block of their own: a copy only of a view.
  Bytes owned() const { return is_owned() || empty() ? *this : copy_of(text()); }
  /// Copies that share the block; 0 for a view. A moment's number.
  std::uint32_t shares() const {
    return block_ ? block_->references.load(std::memory_order_relaxed) : 0;
  }

  friend bool operator==(const Bytes& a, const Bytes& b) { return a.text() == b.text(); }

 private:
  struct Block {
    std::atomic<std::uint32_t> references{1};

    char* bytes() { return reinterpret_cast<char*>(this + 1); }
    static Block* create(std::size_t size) {
      return new (::operator new(sizeof(Block) + size)) Block;
    }
    static void destroy(Block* block) {
      block->~Block();
      ::operator delete(block);
    }
  };

  const char* data_ = nullptr;
  std::size_t size_ = 0;
  Block* block_ = nullptr;
};

}  // namespace millrace
