// Arena: the bytes that records of a batch point into, kept alive by counted references, one count
// a batch.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "base/memory_meter.hpp"

namespace millrace::detail {

/// A growing run of bytes. Written by its owner only; read by anyone who holds an ArenaRef.
class Arena {
 public:
  /// `meter` counts its blocks and outlives it; null: nobody counts them.
  explicit Arena(std::size_t block_bytes, MemoryMeter* meter = nullptr)
      : block_bytes_(block_bytes), meter_(meter) {}
  ~Arena() {
    if (meter_) meter_->shrink(capacity_);
  }
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  /// Unaligned bytes that live as long as the arena; O(1), a new block when the last one is full.
  char* allocate(std::size_t bytes) {
    if (bytes > left_) grow(bytes);
    char* at = cursor_;
    cursor_ += bytes;
    left_ -= bytes;
    used_ += bytes;
    return at;
  }
  /// The next `bytes` allocated neither throw nor ask for memory.
  void reserve(std::size_t bytes) {
    if (bytes > left_) grow(bytes);
  }
  /// Copies `text` in and returns the copy's view.
  std::string_view intern(std::string_view text) {
    char* at = allocate(text.size());
    if (!text.empty()) std::memcpy(at, text.data(), text.size());
    return {at, text.size()};
  }
  /// Whoever counts the bytes held from now on is the caller: so many. Nothing more is allocated.
  std::size_t stop_counting() {
    meter_ = nullptr;
    return capacity_;
  }
  /// Forgets the content and keeps the first block. Only while nobody else holds a reference.
  void reset();
  /// Bytes held from the system.
  std::size_t capacity_bytes() const { return capacity_; }
  std::size_t used_bytes() const { return used_; }

 private:
  friend class ArenaRef;
  void grow(std::size_t bytes);

  std::atomic<std::uint32_t> references_{0};
  std::size_t block_bytes_;
  MemoryMeter* meter_;
  std::size_t left_ = 0;
  std::size_t used_ = 0;
  std::size_t capacity_ = 0;
  char* cursor_ = nullptr;
  std::vector<std::pair<std::unique_ptr<char[]>, std::size_t>> blocks_;
};

/// A counted reference; copies may live in several threads.
class ArenaRef {
 public:
  ArenaRef() = default;
  static ArenaRef make(std::size_t block_bytes, MemoryMeter* meter = nullptr) {
    return ArenaRef(new Arena(block_bytes, meter));
  }
  ArenaRef(const ArenaRef& other) : arena_(other.arena_) { acquire(); }
  ArenaRef(ArenaRef&& other) noexcept : arena_(std::exchange(other.arena_, nullptr)) {}
  ArenaRef& operator=(ArenaRef other) noexcept {
    std::swap(arena_, other.arena_);
    return *this;
  }
  ~ArenaRef() { release(); }

  explicit operator bool() const { return arena_ != nullptr; }
  Arena* operator->() const { return arena_; }
  Arena& operator*() const { return *arena_; }
  friend bool operator==(const ArenaRef& a, const ArenaRef& b) { return a.arena_ == b.arena_; }
  /// True when this is the only reference: then the owner may reset the arena.
  bool unique() const {
    return arena_ != nullptr && arena_->references_.load(std::memory_order_acquire) == 1;
  }

 private:
  explicit ArenaRef(Arena* arena) : arena_(arena) { acquire(); }
  void acquire() {
    if (arena_) arena_->references_.fetch_add(1, std::memory_order_relaxed);
  }
  void release() {
    if (arena_ && arena_->references_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete arena_;
  }
  Arena* arena_ = nullptr;
};

/// Reuses arenas whose readers are all gone, so that buffers return to their producer instead of
/// being freed across threads. Under AddressSanitizer nothing is reused: a view that outlives its
/// arena is then a report.
class ArenaPool {
 public:
  explicit ArenaPool(std::size_t block_bytes, std::size_t keep_max = 16)
      : block_bytes_(block_bytes), keep_max_(keep_max) {}
  /// `meter` counts what is made anew, and outlives it; null: nobody does.
  ArenaRef take(MemoryMeter* meter = nullptr);

 private:
  std::size_t block_bytes_;
  std::size_t keep_max_;
  std::size_t next_ = 0;
  std::vector<ArenaRef> kept_;
};

}  // namespace millrace::detail
