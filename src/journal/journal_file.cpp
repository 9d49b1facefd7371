// Small checked files: written aside, synced, renamed.
#include "journal/journal_file.hpp"

#include <fmt/format.h>

#include "base/crc32c.hpp"
#include "base/byte_codec.hpp"

namespace millrace::detail {

Status journal_damage(const std::string& path, std::uint64_t offset, std::string_view what) {
  return {Code::input_corrupt,
          fmt::format("\"{}\" is damaged at byte {}: {}; `millrace journal verify` lists all "
                      "damage: restore the file from a copy",
                      path, offset, what)};
}

Result<std::string> read_whole(Disk& disk, const std::string& path) {
  auto file = disk.open(path, DiskOpen::read);
  if (!file) return file.error();
  const auto size = (*file)->bytes();
  if (!size) return size.error();
  std::string bytes(*size, '\0');
  const auto count = (*file)->read_at(0, bytes.data(), bytes.size());
  if (!count) return count.error();
  bytes.resize(*count);
  return bytes;
}

std::string sealed(std::string_view kind, std::string_view payload) {
  std::string bytes(kind);
  put_number(bytes, kJournalVersion);
  put_number(bytes, static_cast<std::uint32_t>(payload.size()));
  bytes.append(payload);
  put_number(bytes, crc32c(bytes));
  return bytes;
}

Result<std::string> unsealed(const std::string& path, std::string_view kind,
                             std::string_view bytes) {
  BytesCursor from(bytes);
  const std::string_view found = from.take(kind.size());
  const auto version = from.number<std::uint32_t>();
  const auto size = from.number<std::uint32_t>();
  const std::string_view payload = from.take(size);
  const auto crc = from.number<std::uint32_t>();
  if (!from.ok()) return journal_damage(path, bytes.size(), "it ends too early");
  if (found != kind) return journal_damage(path, 0, "it does not begin as such a file does");
  if (!from.rest().empty() || crc32c(bytes.substr(0, bytes.size() - sizeof crc)) != crc)
    return journal_damage(path, 0, "its checksum does not fit its content");
  if (version != kJournalVersion) {
    return Status(Code::input_corrupt,
                  fmt::format("\"{}\" has format version {}, this program knows version {}: use "
                              "the program that wrote it, or a later one",
                              path, version, kJournalVersion));
  }
  return std::string(payload);
}

Status replace_file(Disk& disk, const std::string& folder, const std::string& name,
                    std::string_view kind, std::string_view payload) {
  const std::string path = folder + "/" + name;
  const std::string aside = path + ".new";
  {
    auto file = disk.open(aside, DiskOpen::create);
    if (!file) return file.error();
    if (Status status = (*file)->write_at(0, sealed(kind, payload)); !status) return status;
    if (Status status = (*file)->sync(); !status) return status;
  }
  if (Status status = disk.rename(aside, path); !status) return status;
  return disk.sync_folder(folder);
}

}  // namespace millrace::detail
