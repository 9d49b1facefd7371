// The heap for small tables, whole huge pages for large ones.
#include "state/slot_memory.hpp"

#include <sys/mman.h>

#include <cstdint>
#include <cstdlib>
#include <new>

namespace millrace::detail {
namespace {

/// A random access to a table of many small pages misses the TLB each time.
constexpr std::size_t kHugePage = std::size_t{2} << 20;

constexpr std::size_t round_up(std::size_t bytes) {
  return (bytes + kHugePage - 1) & ~(kHugePage - 1);
}

/// Pages that begin at a multiple of kHugePage.
void* map_huge(std::size_t bytes) {
  const std::size_t wanted = round_up(bytes);
  const std::size_t mapped = wanted + kHugePage;
  void* const raw =
      ::mmap(nullptr, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (raw == MAP_FAILED) throw std::bad_alloc();
  const auto begin = reinterpret_cast<std::uintptr_t>(raw);
  const std::uintptr_t at = round_up(begin);
  if (at > begin) ::munmap(raw, at - begin);
  const std::uintptr_t end = at + wanted;
  if (begin + mapped > end) ::munmap(reinterpret_cast<void*>(end), begin + mapped - end);
  void* const memory = reinterpret_cast<void*>(at);
#if defined(MADV_HUGEPAGE)
  (void)::madvise(memory, wanted, MADV_HUGEPAGE);  // where the system has none, small ones do
#endif
  return memory;
}

}  // namespace

void* SlotMemory::take(std::size_t bytes) {
  if (meter_) meter_->grow(bytes);
  void* memory = nullptr;
  try {
    memory = bytes >= kHugePage ? map_huge(bytes) : std::calloc(1, bytes);
    if (memory == nullptr) throw std::bad_alloc();
  } catch (...) {
    if (meter_) meter_->shrink(bytes);
    throw;
  }
  bytes_ += bytes;
  return memory;
}

void SlotMemory::give_back(void* at, std::size_t bytes) noexcept {
  if (at == nullptr) return;
  if (bytes >= kHugePage) {
    ::munmap(at, round_up(bytes));
  } else {
    std::free(at);
  }
  bytes_ -= bytes;
  if (meter_) meter_->shrink(bytes);
}

}  // namespace millrace::detail
