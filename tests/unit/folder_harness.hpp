// A folder of real files that goes away with its test.
#pragma once

#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace millrace::detail {

class FolderHarness {
 public:
  FolderHarness() {
    std::string name = (std::filesystem::temp_directory_path() / "millrace-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
  }
  FolderHarness(const FolderHarness&) = delete;
  FolderHarness& operator=(const FolderHarness&) = delete;
  ~FolderHarness() { std::filesystem::remove_all(folder_); }

  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  std::string put(const std::string& name, const std::string& content) const {
    std::ofstream(path(name), std::ios::binary) << content;
    return path(name);
  }

 private:
  std::filesystem::path folder_;
};

}  // namespace millrace::detail
