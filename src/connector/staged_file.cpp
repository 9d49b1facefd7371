// Parts beside a file, and how they become its end.
#include "connector/staged_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/byte_codec.hpp"

namespace millrace::detail {
namespace {

constexpr char kVersion = 1;
constexpr std::size_t kCopiedBytes = 1u << 20;  // at a time

}  // namespace

StagedFile::StagedFile(Disk& disk, std::string path) : disk_(disk), path_(std::move(path)) {
  const std::size_t slash = path_.rfind('/');
  folder_ = slash == std::string::npos ? "." : path_.substr(0, slash + 1);
  part_prefix_ = "." + path_.substr(slash + 1) + ".part-";  // npos + 1 is 0
  if (folder_.size() > 1 && folder_.back() == '/') folder_.pop_back();
}

std::string StagedFile::part_path(std::uint64_t number) const {
  const std::string name = part_prefix_ + std::to_string(number);
  return folder_ == "." ? name : folder_ + "/" + name;
}

// ---- going on ----

Status StagedFile::recover(std::string_view prepared, bool append) {
  if (Status status = open_target(); !status) return status;
  const Result<std::uint64_t> there = target_->bytes();
  if (!there) return there.error();
  if (prepared.empty()) {
    state_ = {.begin = append ? *there : 0};
  } else {
    Result<Prepared> named = read(prepared);
    if (!named) return named.error();
    if (*there < named->begin) {
      return {
          Code::sink_failed,
          fmt::format("\"{}\" has {} bytes, and {} were committed: it was shortened or replaced "
                      "by somebody else; put it back, or begin anew with another state folder",
                      path_, *there, named->begin)};
    }
    if (Status status = append_parts(*named); !status) return status;
    state_ = {.next = named->next, .begin = named->end()};
  }
  if (Status status = target_->truncate(state_.begin); !status) return status;
  if (Status status = target_->sync(); !status) return status;
  return remove_parts();
}

Status StagedFile::open_target() {
  const bool fresh = !disk_.exists(path_);
  auto target = disk_.open(path_, fresh ? DiskOpen::create : DiskOpen::write);
  if (!target) return target.error();
  target_ = *std::move(target);
  return fresh ? disk_.sync_folder(folder_) : Status();
}

Status StagedFile::remove_parts() {
  const auto names = disk_.list_folder(folder_);
  if (!names) return names.error();
  for (const std::string& name : *names) {
    if (!name.starts_with(part_prefix_)) continue;
    const std::string_view number = std::string_view(name).substr(part_prefix_.size());
    if (number.empty() || number.find_first_not_of("0123456789") != std::string_view::npos)
      continue;
    const std::string path = folder_ == "." ? name : folder_ + "/" + name;
    if (Status status = disk_.remove(path); !status) return status;
  }
  return {};
}

// ---- writing ----

Status StagedFile::write(std::string_view bytes) {
  if (!part_) {
    auto part = disk_.open(part_path(state_.next), DiskOpen::create);
    if (!part) return part.error();
    part_ = *std::move(part);
  }
  if (Status status = part_->write_at(part_bytes_, bytes); !status) return status;
  part_bytes_ += bytes.size();
  return {};
}

Status StagedFile::close() {
  target_.reset();
  if (!std::exchange(part_, nullptr)) return {};
  return disk_.remove(part_path(state_.next));
}

Result<std::string> StagedFile::prepare() {
  if (part_) {
    if (Status status = part_->sync(); !status) return status;
    if (Status status = disk_.sync_folder(folder_); !status) return status;
    state_.parts.push_back({state_.next++, std::exchange(part_bytes_, 0)});
    part_.reset();
  }
  std::string bytes(1, kVersion);
  put_varint(bytes, state_.next);
  put_varint(bytes, state_.begin);
  put_varint(bytes, state_.parts.size());
  for (const Part& part : state_.parts) {
    put_varint(bytes, part.number);
    put_varint(bytes, part.bytes);
  }
  return bytes;
}

Result<StagedFile::Prepared> StagedFile::read(std::string_view prepared) {
  BytesCursor cursor(prepared);
  const bool known = cursor.take(1) == std::string_view(&kVersion, 1);
  Prepared read;
  read.next = cursor.varint();
  read.begin = cursor.varint();
  const std::uint64_t parts = cursor.varint();
  for (std::uint64_t at = 0; at < parts && cursor.ok(); ++at) {
    const std::uint64_t number = cursor.varint();
    read.parts.push_back({number, cursor.varint()});
  }
  if (known && cursor.ok()) return read;
  return Status(Code::state_unreadable,
                "what a file was to commit cannot be read: the state folder is damaged, or of a "
                "later version of Millrace; use that one");
}

// ---- committing ----

Status StagedFile::commit(std::string_view prepared) {
  const Result<Prepared> named = read(prepared);
  if (!named) return named.error();
  if (Status status = append_parts(*named); !status) return status;
  const auto is_named = [&](const Part& part) {
    return std::any_of(named->parts.begin(), named->parts.end(),
                       [&](const Part& other) { return other.number == part.number; });
  };
  while (!state_.parts.empty() && is_named(state_.parts.front())) {
    state_.begin += state_.parts.front().bytes;
    state_.parts.erase(state_.parts.begin());
  }
  return {};
}

/// A part is removed when the file holds it on the device: where it is gone, it was committed.
Status StagedFile::append_parts(const Prepared& prepared) {
  std::uint64_t at = prepared.begin;
  std::vector<std::uint64_t> appended;
  for (const Part& part : prepared.parts) {
    if (disk_.exists(part_path(part.number))) {
      if (Status status = append_part(part, at); !status) return status;
      appended.push_back(part.number);
    }
    at += part.bytes;
  }
  const Result<std::uint64_t> there = target_->bytes();
  if (!there) return there.error();
  if (*there < at) {
    return {Code::sink_failed,
            fmt::format("\"{}\" has {} bytes, and {} were committed: it was shortened or replaced, "
                        "or a part beside it removed; put it back, or begin anew with another "
                        "state folder",
                        path_, *there, at)};
  }
  if (appended.empty()) return {};
  if (Status status = target_->sync(); !status) return status;
  for (const std::uint64_t number : appended) {
    if (Status status = disk_.remove(part_path(number)); !status) return status;
  }
  return {};
}

Status StagedFile::append_part(const Part& part, std::uint64_t at) {
  auto file = disk_.open(part_path(part.number), DiskOpen::read);
  if (!file) return file.error();
  std::string bytes(std::min<std::uint64_t>(part.bytes, kCopiedBytes), '\0');
  for (std::uint64_t done = 0; done < part.bytes;) {
    const auto count = (*file)->read_at(done, bytes.data(),
                                        std::min<std::uint64_t>(bytes.size(), part.bytes - done));
    if (!count) return count.error();
    if (*count == 0) {
      return {Code::sink_failed,
              fmt::format("\"{}\" has {} bytes, and {} were written: it was damaged, and \"{}\" "
                          "lacks what it held; begin anew with another state folder",
                          part_path(part.number), done, part.bytes, path_)};
    }
    if (Status status = target_->write_at(at + done, {bytes.data(), *count}); !status)
      return status;
    done += *count;
  }
  return {};
}

}  // namespace millrace::detail
