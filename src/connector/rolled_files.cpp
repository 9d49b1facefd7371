// Files that grow hidden, and are renamed when they are whole.
#include "connector/rolled_files.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/byte_codec.hpp"
#include "base/hash.hpp"

namespace millrace::detail {
namespace {

constexpr char kRolledVersion = 1;
constexpr std::size_t kNameBytesMax = 100;

}  // namespace

std::string safe_file_name(std::string_view text) {
  std::string name(text);
  for (char& c : name) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '.' || c == '_' || c == '-';
    if (!plain) c = '_';
  }
  if (name.size() <= kNameBytesMax) return name;
  const std::string whole = std::to_string(hash_bytes(text));
  return name.substr(0, kNameBytesMax - whole.size()) + whole;
}

RolledFiles::RolledFiles(Disk& disk, Clock& clock, RolledFolder to, RolledNames names, bool epochs)
    : disk_(disk), clock_(clock), to_(std::move(to)), names_(std::move(names)), epochs_(epochs) {}

// ---- names ----

std::string RolledFiles::name_of(std::uint64_t number) const {
  return fmt::format("{}-{:08}{}", names_.stem, number, names_.extension);
}

std::string RolledFiles::path_of(std::uint64_t number, bool hidden) const {
  return fmt::format("{}/{}{}", to_.folder, hidden ? "." : "", name_of(number));
}

std::optional<std::uint64_t> RolledFiles::number_in(std::string_view name) const {
  const std::size_t begin = names_.stem.size() + 1;
  if (name.size() <= begin + names_.extension.size() || !name.ends_with(names_.extension)) {
    return std::nullopt;
  }
  const std::string_view digits = name.substr(begin, name.size() - begin - names_.extension.size());
  std::uint64_t number = 0;
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (read.ec != std::errc() || name != name_of(number)) return std::nullopt;
  return number;
}

Result<RolledFiles::Listed> RolledFiles::list() const {
  const auto names = disk_.list_folder(to_.folder);
  if (!names) return names.error();
  Listed listed;
  for (const std::string& name : *names) {
    const bool hidden = name.starts_with('.');
    const auto number = number_in(std::string_view(name).substr(hidden ? 1 : 0));
    if (!number) continue;
    listed.last = std::max(listed.last, *number);
    if (hidden) listed.hidden.push_back(*number);
  }
  std::sort(listed.hidden.begin(), listed.hidden.end());
  return listed;
}

// ---- going on ----

Status RolledFiles::open() {
  if (Status status = disk_.make_folder(to_.folder); !status) return status;
  auto lock = disk_.lock(fmt::format("{}/.{}.lock", to_.folder, names_.stem));
  if (!lock) {
    if (lock.error().code() != Code::state_in_use) return lock.error();
    return {Code::state_in_use,
            fmt::format("\"{}\" gets files named \"{}\" already: another process runs this "
                        "topology, or another of its sinks has a name that is written the same; "
                        "end it, or choose another folder or name",
                        to_.folder, names_.stem)};
  }
  lock_ = *std::move(lock);
  if (epochs_) return {};
  const auto listed = list();
  if (!listed) return listed.error();
  for (const std::uint64_t number : listed->hidden) {
    if (Status status = show(number); !status) return status;
  }
  place_ = {.number = listed->last + 1};
  return {};
}

Status RolledFiles::recover(std::string_view prepared, bool) {
  Place from;
  if (!prepared.empty()) {
    const Result<Place> named = read(prepared);
    if (!named) return named.error();
    from = *named;
  }
  const auto listed = list();
  if (!listed) return listed.error();
  // Those of a run that begins anew stay, and its own are behind them.
  if (prepared.empty()) from.number = 0;
  if (Status status = recover_hidden(*listed, from); !status) return status;
  // Where the file is hidden no more, it became visible, and may have been taken away since.
  const std::uint64_t next = from.number + (from.bytes > 0 ? 1 : 0);
  place_ = {.number = std::max(next, listed->last + 1)};
  const bool grows = from.bytes > 0 &&
                     std::binary_search(listed->hidden.begin(), listed->hidden.end(), from.number);
  if (grows) {
    if (Status status = go_on_in(from); !status) return status;
  }
  committed_ = place_;
  // Also when nothing changed: a change of the run before may not be on the device.
  return disk_.sync_folder(to_.folder);
}

/// A hidden file before the one that grows is whole, and so committed with the epoch; one behind it
/// belongs to an epoch that was not complete.
Status RolledFiles::recover_hidden(const Listed& listed, const Place& from) {
  for (const std::uint64_t number : listed.hidden) {
    if (number == from.number && from.bytes > 0) continue;
    Status status = number < from.number ? show(number) : disk_.remove(path_of(number, true));
    if (!status) return status;
  }
  return {};
}

Status RolledFiles::go_on_in(const Place& from) {
  const std::string path = path_of(from.number, true);
  auto file = disk_.open(path, DiskOpen::write);
  if (!file) return file.error();
  const Result<std::uint64_t> there = (*file)->bytes();
  if (!there) return there.error();
  if (*there < from.bytes) {
    return {Code::sink_failed,
            fmt::format("\"{}\" has {} bytes, and {} were committed: it was shortened or replaced "
                        "by somebody else; put it back, or begin anew with another state folder",
                        path, *there, from.bytes)};
  }
  if (Status status = (*file)->truncate(from.bytes); !status) return status;
  if (Status status = (*file)->sync(); !status) return status;
  file_ = *std::move(file);
  place_ = from;
  return {};
}

Result<RolledFiles::Place> RolledFiles::read(std::string_view prepared) {
  BytesCursor cursor(prepared);
  const bool known = cursor.take(1) == std::string_view(&kRolledVersion, 1);
  Place read;
  read.number = cursor.varint();
  read.bytes = cursor.varint();
  read.begun_at_us = cursor.varint();
  if (known && cursor.ok()) return read;
  return Status(Code::state_unreadable,
                "what a folder of files was to commit cannot be read: the state folder is damaged, "
                "or of a later version of Millrace; use that one");
}

// ---- writing ----

Status RolledFiles::begin() {
  auto file = disk_.open(path_of(place_.number, true), DiskOpen::create);
  if (!file) return file.error();
  file_ = *std::move(file);
  name_is_new_ = true;
  place_.begun_at_us = static_cast<std::uint64_t>(std::max<Time>(clock_.wall_us(), 0));
  if (Status status = file_->write_at(0, names_.header); !status) return status;
  place_.bytes = names_.header.size();
  return {};
}

Status RolledFiles::write(std::string_view bytes) {
  if (!file_) {
    if (Status status = begin(); !status) return status;
  }
  if (Status status = file_->write_at(place_.bytes, bytes); !status) return status;
  place_.bytes += bytes.size();
  return place_.bytes >= to_.rolling.bytes ? finish() : Status();
}

/// A clock that was set back makes it old as well: it might not become so for years.
bool RolledFiles::is_old() const {
  const auto now = static_cast<std::uint64_t>(std::max<Time>(clock_.wall_us(), 0));
  const auto every = static_cast<std::uint64_t>(to_.rolling.every.count());
  return now < place_.begun_at_us || now - place_.begun_at_us >= every;
}

/// The file is whole.
Status RolledFiles::finish() {
  if (epochs_) {
    if (Status status = file_->sync(); !status) return status;
    whole_.push_back(place_.number);
  } else if (Status status = show(place_.number); !status) {
    return status;
  }
  file_.reset();
  place_ = {.number = place_.number + 1};
  return {};
}

Status RolledFiles::show(std::uint64_t number) {
  return disk_.rename(path_of(number, true), path_of(number, false));
}

Status RolledFiles::flush() { return file_ && !epochs_ && is_old() ? finish() : Status(); }

Status RolledFiles::close() {
  Status status;
  const bool all = !epochs_ || (whole_.empty() && committed_ == place_);
  if (file_ && all) {
    status = finish();
    for (const std::uint64_t number : std::exchange(whole_, {})) {
      if (status) status = show(number);
    }
    if (status && epochs_) status = disk_.sync_folder(to_.folder);
  }
  file_.reset();
  lock_.reset();
  return status;
}

// ---- epochs ----

Result<std::string> RolledFiles::prepare() {
  if (file_) {
    Status status = is_old() ? finish() : file_->sync();
    if (!status) return status;
  }
  if (name_is_new_) {
    if (Status status = disk_.sync_folder(to_.folder); !status) return status;
    name_is_new_ = false;
  }
  std::string bytes(1, kRolledVersion);
  put_varint(bytes, place_.number);
  put_varint(bytes, place_.bytes);
  put_varint(bytes, place_.begun_at_us);
  return bytes;
}

Status RolledFiles::commit(std::string_view prepared) {
  const Result<Place> named = read(prepared);
  if (!named) return named.error();
  const auto end = std::lower_bound(whole_.begin(), whole_.end(), named->number);
  for (auto number = whole_.begin(); number != end; ++number) {
    // One that was renamed before the folder could not be synced is not there any more.
    if (!disk_.exists(path_of(*number, true))) continue;
    if (Status status = show(*number); !status) return status;
  }
  if (end != whole_.begin()) {
    if (Status status = disk_.sync_folder(to_.folder); !status) return status;
    whole_.erase(whole_.begin(), end);
  }
  committed_ = std::max(committed_, *named);
  return {};
}

}  // namespace millrace::detail
