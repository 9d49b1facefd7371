// Files that lose their names as soon as they are open, mapped.
#include "env/scratch_pages.hpp"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

#include "env/posix_descriptor.hpp"
#include "env/posix_messages.hpp"

namespace millrace::detail {
namespace {

Status cannot(const std::string& path, std::string_view what, int error) {
  return failure(Code::sink_failed, path, false, what, error);
}

/// In place of one allocated with the same error: a system without room says so, and one that
/// cannot tell is written to.
int allocate(int file, std::size_t bytes) {
  for (;;) {
    const int error = ::posix_fallocate(file, 0, static_cast<off_t>(bytes));
    if (error != EINTR) return error;
  }
}

}  // namespace

Result<ScratchPages> ScratchPages::make(const std::string& folder, std::size_t bytes) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) return cannot(folder, "cannot be made", error.value());
  std::string path = folder + std::string(kScratchName) + "XXXXXX";
  const Descriptor file(::mkostemp(path.data(), O_CLOEXEC), true);
  if (file.number() < 0) return cannot(folder, "takes no file", errno);
  // It is still there until it is no longer mapped. With a name it would stay for ever.
  if (::unlink(path.c_str()) != 0) return cannot(path, "cannot be removed", errno);
  if (const int why = allocate(file.number(), bytes)) return cannot(folder, "has no room", why);
  void* const data = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file.number(), 0);
  if (data == MAP_FAILED) return cannot(folder, "cannot be mapped", errno);
  (void)::madvise(data, bytes, MADV_RANDOM);  // a hint: what lies beside is seldom wanted
  return ScratchPages(static_cast<char*>(data), bytes);
}

void ScratchPages::read_ahead(std::size_t from, std::size_t bytes) const {
  constexpr std::size_t kPage = 4096;
  from -= from % kPage;
  if (from < bytes_) (void)::madvise(data_ + from, std::min(bytes, bytes_ - from), MADV_WILLNEED);
}

ScratchPages::~ScratchPages() {
  if (data_ != nullptr) (void)::munmap(data_, bytes_);
}

}  // namespace millrace::detail
