// Files in memory with seeded faults.
#include "env/sim_env.hpp"

#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "env/posix_messages.hpp"
#include "env/rereadable_reader.hpp"

namespace millrace::detail {

namespace {

class SimReader final : public RereadableReader {
 public:
  SimReader(std::shared_ptr<const std::string> content, std::string path, const SimFaults& faults,
            Random random)
      : content_(std::move(content)), path_(std::move(path)), faults_(faults), random_(random) {}

  Result<std::size_t> read(char* buffer, std::size_t capacity) override {
    if (faults_.not_ready_chance > 0 && random_.chance(faults_.not_ready_chance)) return kNotReady;
    std::size_t count = std::min(capacity, content_->size() - at_);
    if (faults_.short_reads && count > 1) count = 1 + random_.below(count);
    if (faults_.read_fails_at && at_ + count > *faults_.read_fails_at) {
      count = *faults_.read_fails_at > at_ ? *faults_.read_fails_at - at_ : 0;
      if (count == 0) {
        return Status(
            Code::source_failed,
            fmt::format("\"{}\" cannot be read: simulated fault at byte {}; run without it", path_,
                        at_));
      }
    }
    std::memcpy(buffer, content_->data() + at_, count);
    at_ += count;
    return count;
  }
  Result<std::uint64_t> skip(std::uint64_t bytes) override {
    const std::uint64_t count = std::min<std::uint64_t>(bytes, content_->size() - at_);
    at_ += count;
    return count;
  }

 private:
  std::shared_ptr<const std::string> content_;
  std::string path_;
  SimFaults faults_;
  Random random_;
  std::size_t at_ = 0;
};

}  // namespace

class SimWriter final : public ByteWriter {
 public:
  SimWriter(SimFiles& files, std::string path) : files_(files), path_(std::move(path)) {}
  Status write(std::string_view bytes) override { return files_.append_to(path_, bytes); }
  Status flush() override { return {}; }

 private:
  SimFiles& files_;
  std::string path_;
};

void SimFiles::put(const std::string& path, std::string content) {
  const std::lock_guard lock(mutex_);
  inputs_[path] = std::make_shared<const std::string>(std::move(content));
  if (path != "-") outputs_.erase(path);
}

std::optional<std::string> SimFiles::content(const std::string& path) const {
  const std::lock_guard lock(mutex_);
  if (const auto found = outputs_.find(path); found != outputs_.end()) return found->second;
  const auto found = inputs_.find(path);
  if (path == "-" || found == inputs_.end()) return std::nullopt;
  return *found->second;
}

Result<std::unique_ptr<ByteReader>> SimFiles::open_read(const std::string& path) {
  const std::lock_guard lock(mutex_);
  std::shared_ptr<const std::string> content;
  if (const auto out = outputs_.find(path); path != "-" && out != outputs_.end()) {
    content = std::make_shared<const std::string>(out->second);
  } else if (const auto in = inputs_.find(path); in != inputs_.end()) {
    content = in->second;
  } else {
    return Status(
        Code::source_failed,
        fmt::format("\"{}\" cannot be opened: No such file or directory; check the path", path));
  }
  return std::unique_ptr<ByteReader>(
      std::make_unique<SimReader>(std::move(content), path, faults_, random_.fork()));
}

Result<std::unique_ptr<ByteWriter>> SimFiles::open_write(const std::string& path, bool append) {
  const std::lock_guard lock(mutex_);
  const auto put_before = inputs_.find(path);
  const bool keep = append || path == "-";
  const auto [entry, fresh] = outputs_.try_emplace(path);
  if (!keep) entry->second.clear();
  if (fresh && append && path != "-" && put_before != inputs_.end())
    entry->second = *put_before->second;
  return std::unique_ptr<ByteWriter>(std::make_unique<SimWriter>(*this, path));
}

Result<std::vector<std::string>> SimFiles::list(const std::string& pattern) {
  if (pattern.find_first_of("*?[") == std::string::npos) return std::vector{pattern};
  const std::lock_guard lock(mutex_);
  std::vector<std::string> found;
  for (const auto& [path, content] : inputs_) {
    if (::fnmatch(pattern.c_str(), path.c_str(), FNM_PATHNAME) == 0) found.push_back(path);
  }
  if (!found.empty()) return found;
  return Status(Code::source_failed, no_match_sentence(pattern));
}

Result<std::unique_ptr<ByteReader>> SimFiles::follow(const std::string& path) {
  return Status(Code::source_failed,
                fmt::format("\"{}\" cannot be followed: simulated files do not grow", path));
}

Status SimFiles::append_to(const std::string& path, std::string_view bytes) {
  const std::lock_guard lock(mutex_);
  std::size_t count = bytes.size();
  if (faults_.space_bytes)
    count = std::min<std::size_t>(count, *faults_.space_bytes - written_bytes_);
  outputs_[path].append(bytes.substr(0, count));
  written_bytes_ += count;
  if (count == bytes.size()) return {};
  return Status(Code::sink_failed,
                fmt::format("\"{}\" cannot be written: No space left on device; free some space "
                            "or choose another place",
                            path));
}

void SimFiles::put_space(const std::string& path, DiskSpace space) {
  const std::lock_guard lock(mutex_);
  spaces_[path] = space;
}

Result<DiskSpace> SimFiles::space(const std::string& path) {
  const std::lock_guard lock(mutex_);
  const auto found = spaces_.find(path);
  if (found == spaces_.end())
    return Status(Code::source_failed,
                  fmt::format("\"{}\" has no known space: put_space() says it", path));
  return found->second;
}

}  // namespace millrace::detail
