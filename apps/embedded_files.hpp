// EmbeddedFiles: files that the program carries, by made-up paths, in front of the machine's own.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "env/env.hpp"

namespace millrace::apps {

/// Opens carried files from memory and passes every other path on. Any thread.
class EmbeddedFiles final : public detail::Files {
 public:
  explicit EmbeddedFiles(detail::Files& others) : others_(others) {}
  /// `bytes` must live as long as this.
  void carry(std::string path, std::string_view bytes) { carried_[std::move(path)] = bytes; }

  Result<std::unique_ptr<detail::ByteReader>> open_read(const std::string& path) override;
  Result<std::unique_ptr<detail::ByteWriter>> open_write(const std::string& path,
                                                         bool append) override;
  Result<detail::DiskSpace> space(const std::string& path) override { return others_.space(path); }

  /// A carried file by its name; everything else as the others have it.
  Result<std::vector<std::string>> list(const std::string& pattern) override;
  Result<std::unique_ptr<detail::ByteReader>> follow(const std::string& path) override {
    return others_.follow(path);
  }

 private:
  detail::Files& others_;
  std::map<std::string, std::string_view> carried_;
};

}  // namespace millrace::apps
