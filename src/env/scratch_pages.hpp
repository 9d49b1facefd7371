// ScratchPages: memory whose pages lie in a file without a name, so that the system may take them.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "base/status.hpp"

namespace millrace::detail {

/// What their files begin with, for who has nothing but the name that the system keeps.
inline constexpr std::string_view kScratchName = "/millrace-rows-";

/// Zeros at first. The disk has room for all of it from the start, so that a full disk is an error
/// of make() and never of a write. Nobody else can open, cut or remove the file, and it ends with
/// the process, however that ends; a kill within make() leaves an empty one. A disk that breaks
/// under it is a SIGBUS, which host/broken_pages.hpp turns into a sentence. One thread.
class ScratchPages {
 public:
  /// None.
  ScratchPages() = default;
  /// In `folder`, which is made, with those above it. Errors: 4002.
  static Result<ScratchPages> make(const std::string& folder, std::size_t bytes);

  ScratchPages(ScratchPages&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}
  ScratchPages& operator=(ScratchPages&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~ScratchPages();

  /// A hint: about that much of what stands at `from` and behind it is read next.
  void read_ahead(std::size_t from, std::size_t bytes) const;

  char* data() const { return data_; }
  std::size_t bytes() const { return bytes_; }

 private:
  ScratchPages(char* data, std::size_t bytes) : data_(data), bytes_(bytes) {}

  char* data_ = nullptr;
  std::size_t bytes_ = 0;
};

}  // namespace millrace::detail
