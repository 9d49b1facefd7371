// The heap for small tables, shared huge pages for larger ones, whole ones for large ones.
#include "state/slot_memory.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>

namespace millrace::detail {
namespace {

constexpr std::size_t kSharedMin = std::size_t{128} << 10;
constexpr std::size_t kSharedTables = 4;  ///< at least so many fit a region
constexpr std::size_t kLine = 64;
constexpr std::size_t kHugePage = std::size_t{2} << 20;

/// As operator new: a handler may end the process.
[[noreturn]] void refuse() {
  if (const auto handler = std::get_new_handler()) handler();
  throw std::bad_alloc();
}

constexpr std::size_t round_up(std::size_t bytes, std::size_t unit = kHugePage) {
  return (bytes + unit - 1) & ~(unit - 1);
}

/// Pages that begin at a multiple of kHugePage.
void* map_huge(std::size_t bytes) {
  const std::size_t wanted = round_up(bytes);
  const std::size_t mapped = wanted + kHugePage;
  void* const raw =
      ::mmap(nullptr, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (raw == MAP_FAILED) refuse();
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

/// At a multiple of a cache line, so that a slot which fills one lies in one.
void* take_of_heap(std::size_t bytes) {
  void* const memory = std::aligned_alloc(kLine, round_up(bytes, kLine));
  if (memory != nullptr) std::memset(memory, 0, bytes);
  return memory;
}

}  // namespace

void* SlotMemory::take(std::size_t bytes) {
  if (meter_) meter_->grow(bytes);
  void* memory = nullptr;
  try {
    memory = bytes >= kHugePage    ? map_huge(bytes)
             : bytes >= kSharedMin ? take_of_region(bytes)
                                   : take_of_heap(bytes);
    if (memory == nullptr) refuse();
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
  } else if (bytes >= kSharedMin) {
    leave_region(at);
  } else {
    std::free(at);
  }
  bytes_ -= bytes;
  if (meter_) meter_->shrink(bytes);
}

void* SlotMemory::take_of_region(std::size_t bytes) {
  const std::size_t wanted = round_up(bytes, kLine);
  if (regions_.empty() || regions_.back().bytes - regions_.back().used < wanted) {
    regions_.reserve(regions_.size() + 1);
    const std::size_t size = round_up(kSharedTables * wanted);
    regions_.push_back({static_cast<char*>(map_huge(size)), size, 0, 0});
  }
  Region& region = regions_.back();
  void* const at = region.begin + region.used;
  region.used += wanted;
  ++region.tables;
  return at;
}

void SlotMemory::leave_region(const void* at) noexcept {
  const auto holds = [at](const Region& region) {
    return at >= region.begin && at < region.begin + region.bytes;
  };
  const auto region = std::find_if(regions_.begin(), regions_.end(), holds);
  if (--region->tables > 0) return;
  ::munmap(region->begin, region->bytes);
  regions_.erase(region);
}

}  // namespace millrace::detail
