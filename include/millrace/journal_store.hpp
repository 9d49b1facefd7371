// Journals by themselves, without a topology: open one, append to it, read it.
#pragma once

#include <memory>
#include <string>

#include "env/disk.hpp"
#include "env/env.hpp"
#include "journal/journal.hpp"

namespace millrace {

using detail::Appended;
using detail::Isolation;
using detail::Journal;
using detail::JournalHeader;
using detail::JournalMode;
using detail::JournalOptions;
using detail::JournalRecord;
using detail::JournalRetention;
using detail::LogReader;
using detail::PartitionLog;
using detail::PartitionView;
using detail::PreparedTransaction;
using detail::ProducerStamp;
using detail::Topic;
using detail::TopicOptions;
using detail::Transaction;
using detail::TransactionalProducer;
using detail::TransactionFate;
using detail::TransactionNumber;
using detail::Transactions;

/// Opens a journal of this machine; see Journal::open(). Not part of millrace.hpp.
///
/// ```cpp
/// auto journal = open_journal("data").value();
/// Topic& orders = *journal->create_topic("orders", {.partitions = 4}).value();
/// JournalRecord record;
/// record.key = "k1";
/// record.value = "hello";
/// const auto at = orders.log(orders.partition_of("k1"))->append(std::span(&record, 1));
/// LogReader reader(orders.view(0), 0);
/// while (*reader.next(record)) { ... }
///
/// auto producer = journal->transactions()->producer("shop").value();
/// Transaction sale = producer->begin().value();
/// sale.append(*orders.log(0), std::span(&record, 1)).value();
/// sale.append(*payments.log(0), std::span(&record, 1)).value();
/// if (Status status = sale.commit(); !status) ...  // all is visible, or nothing
/// ```
inline Result<std::unique_ptr<Journal>> open_journal(std::string folder,
                                                     JournalOptions options = {}) {
  return detail::Journal::open(detail::real_disk(), *detail::real_env().clock, std::move(folder),
                               std::move(options));
}

}  // namespace millrace
