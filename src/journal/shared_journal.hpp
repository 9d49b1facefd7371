// SharedJournal: one open journal for all in a process that write to it.
#pragma once

#include <memory>
#include <string>

#include "journal/journal.hpp"

namespace millrace::detail {

/// The lock of a journal belongs to a process; so those in it that write to one folder share what
/// the first of them opened. Any thread, each handle by one at a time.
class SharedJournal {
 public:
  /// As Journal::open(), unless it is open. `folder` is told from others as text, but for "." and
  /// doubled "/". Errors: also 4002 when it is open with another mode.
  static Result<SharedJournal> open(Disk& disk, Clock& clock, const std::string& folder,
                                    const JournalOptions& options);

  SharedJournal() = default;
  SharedJournal(SharedJournal&& other) noexcept = default;
  SharedJournal& operator=(SharedJournal&& other) noexcept;
  ~SharedJournal();

  Journal* operator->() const { return journal_.get(); }
  explicit operator bool() const { return journal_ != nullptr; }
  /// Lets go of it; the last one closes it. Repeatable. Errors: as Journal::close().
  Status close();

 private:
  explicit SharedJournal(std::shared_ptr<Journal> journal) : journal_(std::move(journal)) {}

  std::shared_ptr<Journal> journal_;
};

}  // namespace millrace::detail
