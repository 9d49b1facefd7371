// JournalSink: records as JSON in a topic of a journal.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "operator/source.hpp"

namespace millrace::detail {

struct JournalOutput {
  std::string folder;
  std::string topic;
  std::uint32_t partitions = 1;  ///< of a topic that is made; one that exists keeps its own
  bool durable = true;           ///< flush() returns when the device has the records
};

/// Writes the value of a record, and its key; false: it has none.
using JournalFormatter = std::function<bool(std::string& value, std::string& key,
                                            const BatchBase& batch, std::size_t index)>;

/// Gathers records and appends them at flush(), or when there are 256 KiB of them. Records with a
/// key go to its partition, the others in turn. The journal's event time is the record's, or now.
/// Where the run makes epochs, what it appends between two barriers is one transaction, which its
/// commit() shows. One task only. Errors: 4001, 4002, 4004.
std::unique_ptr<Sink> make_journal_sink(JournalOutput output, JournalFormatter format);

}  // namespace millrace::detail
