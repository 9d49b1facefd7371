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

SlotMemory::Pages::~Pages() { ::munmap(begin, bytes); }

void* SlotMemory::take_of_region(std::size_t bytes) {
  const std::size_t wanted = round_up(bytes, kLine);
  if (regions_.empty() || regions_.back().pages->bytes - regions_.back().used < wanted) {
    regions_.reserve(regions_.size() + 1);
    const std::size_t size = round_up(kSharedTables * wanted);
    regions_.push_back({std::make_shared<Pages>(static_cast<char*>(map_huge(size)), size), 0, 0});
  }
  Region& region = regions_.back();
  void* const at = region.pages->begin + region.used;
  region.used += wanted;
  ++region.tables;
  return at;
}

void SlotMemory::take_over(void* at, std::size_t bytes, SlotMemory& from) {
  if (meter_) meter_->grow(bytes);
  try {
    if (bytes >= kSharedMin && bytes < kHugePage) take_over_region(at, from);
  } catch (...) {
    if (meter_) meter_->shrink(bytes);
    throw;
  }
  bytes_ += bytes;
  from.bytes_ -= bytes;
  if (from.meter_) from.meter_->shrink(bytes);
}

/// In front of its own regions: what is free in that one is not taken by two.
void SlotMemory::take_over_region(const void* at, SlotMemory& from) {
  if (const auto own = region_of(at); own != regions_.end()) {
    ++own->tables;
  } else {
    const std::shared_ptr<Pages> pages = from.region_of(at)->pages;
    regions_.insert(regions_.begin(), {pages, pages->bytes, 1});
  }
  from.leave_region(at);
}

std::vector<SlotMemory::Region>::iterator SlotMemory::region_of(const void* at) {
  return std::find_if(regions_.begin(), regions_.end(),
                      [at](const Region& region) { return region.pages->hold(at); });
}

void SlotMemory::leave_region(const void* at) noexcept {
  const auto region = region_of(at);
  if (--region->tables == 0) regions_.erase(region);
}

}  // namespace millrace::detail
