// Reading carried files.
#include "embedded_files.hpp"

#include <algorithm>
#include <cstring>

#include "env/rereadable_reader.hpp"

namespace millrace::apps {
namespace {

class MemoryReader final : public detail::RereadableReader {
 public:
  explicit MemoryReader(std::string_view bytes) : left_(bytes) {}
  Result<std::size_t> read(char* buffer, std::size_t capacity) override {
    const std::size_t count = std::min(capacity, left_.size());
    std::memcpy(buffer, left_.data(), count);
    left_.remove_prefix(count);
    return count;
  }
  Result<std::uint64_t> skip(std::uint64_t bytes) override {
    const std::size_t count = std::min<std::uint64_t>(bytes, left_.size());
    left_.remove_prefix(count);
    return count;
  }

 private:
  std::string_view left_;
};

}  // namespace

Result<std::unique_ptr<detail::ByteReader>> EmbeddedFiles::open_read(const std::string& path) {
  const auto at = carried_.find(path);
  if (at == carried_.end()) return others_.open_read(path);
  return std::unique_ptr<detail::ByteReader>(std::make_unique<MemoryReader>(at->second));
}

Result<std::unique_ptr<detail::ByteWriter>> EmbeddedFiles::open_write(const std::string& path,
                                                                      bool append) {
  return others_.open_write(path, append);
}

Result<std::vector<std::string>> EmbeddedFiles::list(const std::string& pattern) {
  if (carried_.count(pattern) != 0) return std::vector{pattern};
  return others_.list(pattern);
}

}  // namespace millrace::apps
