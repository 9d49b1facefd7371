// CommittedRows: the ranked rows of the demo as any reader of its journal sees them, from outside.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "env/disk.hpp"
#include "env/env.hpp"
#include "journal/journal.hpp"
#include "oracle.hpp"
#include "record/arena.hpp"
#include "record/codec_json.hpp"

namespace millrace::apps {

/// A value of the topic, as journal() writes it.
struct JournalledRow {
  Timestamp window_start;
  std::int64_t rank = 0;
  std::string_view channel;
  std::int64_t edits = 0;
  std::int64_t added = 0;
  std::int64_t deleted = 0;
};

/// Reads what is committed, from the first row on, while other processes write, die and write
/// again. One thread.
class CommittedRows {
 public:
  /// `oracle` outlives it. `folder`: the journal, which need not be there yet.
  CommittedRows(std::string folder, Oracle& oracle) : folder_(std::move(folder)), oracle_(oracle) {}

  /// Gives the oracle the rows that are new. Errors: 4001, 4004; 4003 for a value that is no row.
  /// It may be called again after an error, and goes on where it can.
  Status read();
  std::uint64_t rows() const { return rows_; }

 private:
  Status open();
  Status take(const detail::JournalRecord& record);

  const std::string folder_;
  Oracle& oracle_;
  std::unique_ptr<detail::Journal> journal_;
  std::unique_ptr<detail::LogReader> reader_;
  detail::JsonDecoder<JournalledRow> decoder_;
  std::uint64_t rows_ = 0;
};

}  // namespace millrace::apps
