// Which journals a process has open for writing.
#include "journal/shared_journal.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <map>
#include <mutex>
#include <utility>

namespace millrace::detail {
namespace {

struct OpenJournal {
  std::weak_ptr<Journal> journal;
  JournalMode mode = JournalMode::sync;
};

/// As the locks that it stands for, it is of the process. A journal is opened, and its last handle
/// goes, under the mutex: else who opens it could meet the lock of one that is about to go.
struct OpenJournals {
  std::mutex mutex;
  std::map<std::pair<const Disk*, std::string>, OpenJournal> all;  // guarded by mutex
};

OpenJournals& open_journals() {
  static OpenJournals journals;
  return journals;
}

std::string plain(const std::string& folder) {
  std::string path = std::filesystem::path(folder).lexically_normal().string();
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return path;
}

}  // namespace

Result<SharedJournal> SharedJournal::open(Disk& disk, Clock& clock, const std::string& folder,
                                          const JournalOptions& options) {
  OpenJournals& journals = open_journals();
  const std::lock_guard lock(journals.mutex);
  OpenJournal& known = journals.all[{&disk, plain(folder)}];
  if (auto journal = known.journal.lock()) {
    if (known.mode == options.mode) return SharedJournal(std::move(journal));
    return Status(Code::sink_failed,
                  fmt::format("\"{}\" is written by another sink of this topology, one of both "
                              "with \"durable\": give both the same, or another folder",
                              folder));
  }
  auto opened = Journal::open(disk, clock, folder, options);
  if (!opened) return opened.error();
  std::shared_ptr<Journal> journal = std::move(*opened);
  known = {journal, options.mode};
  return SharedJournal(std::move(journal));
}

SharedJournal& SharedJournal::operator=(SharedJournal&& other) noexcept {
  std::swap(journal_, other.journal_);
  return *this;
}

SharedJournal::~SharedJournal() {
  if (!journal_) return;
  const std::lock_guard lock(open_journals().mutex);
  journal_.reset();
}

Status SharedJournal::close() {
  if (!journal_) return {};
  OpenJournals& journals = open_journals();
  const std::lock_guard lock(journals.mutex);
  const Status status = journal_.use_count() == 1 ? journal_->close() : Status();
  journal_.reset();
  std::erase_if(journals.all, [](const auto& entry) { return entry.second.journal.expired(); });
  return status;
}

}  // namespace millrace::detail
