// A disk that breaks under state on disk: a sentence with its file, and not a mere signal.
#include "host/broken_pages.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>

#include "env/posix_descriptor.hpp"
#include "env/scratch_pages.hpp"
#include "tests/unit/folder_harness.hpp"

namespace millrace::detail {
namespace {

constexpr std::size_t kBytes = 1 << 16;

/// Writes to a page of a file whose disk has it no more: it was cut behind our back.
void write_where_nothing_is(const std::string& path) {
  const Descriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600), true);
  ASSERT_EQ(::ftruncate(file.number(), kBytes), 0);
  void* const mapped =
      ::mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_SHARED, file.number(), 0);
  ASSERT_NE(mapped, MAP_FAILED);
  (void)::unlink(path.c_str());
  ASSERT_EQ(::ftruncate(file.number(), 0), 0);
  exit_when_pages_break();
  static_cast<volatile char*>(mapped)[kBytes / 2] = 1;
}

class BrokenPagesTest : public testing::Test {
 protected:
  FolderHarness folder_;
};

TEST_F(BrokenPagesTest, StateOnDiskIsNamedWithItsFile) {
  const std::string path = folder_.path(std::string(kScratchName.substr(1)) + "a1");
  EXPECT_EXIT(write_where_nothing_is(path), testing::ExitedWithCode(74),
              "error 4002 \"" + path + "\": state on disk cannot be read");
}

TEST_F(BrokenPagesTest, WhatElseIsMappedEndsAsBefore) {
  const auto other = [](int status) { return !(WIFEXITED(status) && WEXITSTATUS(status) == 74); };
  EXPECT_EXIT(write_where_nothing_is(folder_.path("of-somebody-else")), other, "");
}

}  // namespace
}  // namespace millrace::detail
