// MemoryMeter: counts the bytes that one use of memory holds, into a total that may be limited.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>

namespace millrace::detail {

/// Thrown where memory is asked for that the run's budget does not have; what asked is as before.
class MemoryRefused : public std::exception {
 public:
  explicit MemoryRefused(std::uint64_t wanted_bytes) : wanted_bytes_(wanted_bytes) {}
  const char* what() const noexcept override { return "the memory budget is used up"; }
  std::uint64_t wanted_bytes() const { return wanted_bytes_; }

 private:
  std::uint64_t wanted_bytes_;
};

/// Any thread. Called where memory is taken or given back, once a block or batch, never a record:
/// one atomic addition, and one more for each total above it.
class MemoryMeter {
 public:
  /// `total`: a meter that counts the same bytes with those of others; it outlives this one.
  /// `limit_bytes`: the most that grow() lets it count; 0: no limit.
  explicit MemoryMeter(MemoryMeter* total = nullptr, std::uint64_t limit_bytes = 0)
      : total_(total), limit_bytes_(limit_bytes) {}
  MemoryMeter(const MemoryMeter&) = delete;
  MemoryMeter& operator=(const MemoryMeter&) = delete;

  /// Counts `bytes` more. Throws MemoryRefused, with nothing counted, where this or a total would
  /// pass its limit.
  void grow(std::size_t bytes) {
    const std::uint64_t now = bytes_.fetch_add(bytes, std::memory_order_relaxed) + bytes;
    if (limit_bytes_ != 0 && now > limit_bytes_) {
      bytes_.fetch_sub(bytes, std::memory_order_relaxed);
      throw MemoryRefused(bytes);
    }
    if (total_) grow_total(bytes);
    note_peak(now);
  }
  void shrink(std::size_t bytes) noexcept {
    bytes_.fetch_sub(bytes, std::memory_order_relaxed);
    if (total_) total_->shrink(bytes);
  }
  std::uint64_t bytes() const { return bytes_.load(std::memory_order_relaxed); }
  /// The most that bytes() ever was.
  std::uint64_t peak_bytes() const { return peak_.load(std::memory_order_relaxed); }
  std::uint64_t limit_bytes() const { return limit_bytes_; }

 private:
  void grow_total(std::size_t bytes) {
    try {
      total_->grow(bytes);
    } catch (...) {
      bytes_.fetch_sub(bytes, std::memory_order_relaxed);
      throw;
    }
  }
  void note_peak(std::uint64_t now) {
    std::uint64_t peak = peak_.load(std::memory_order_relaxed);
    while (now > peak && !peak_.compare_exchange_weak(peak, now, std::memory_order_relaxed)) {
    }
  }

  std::atomic<std::uint64_t> bytes_{0};
  std::atomic<std::uint64_t> peak_{0};
  MemoryMeter* total_;
  std::uint64_t limit_bytes_;
};

}  // namespace millrace::detail
