// Tracking: the ledgers of a run in which messages are acked.
#pragma once

#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "runtime/message_ledger.hpp"

namespace millrace::detail {

/// Outlives the tasks and channels of the run.
class Tracking {
 public:
  /// `stages`: their names by id.
  Tracking(const AckOptions& acks, std::vector<std::string> stages)
      : acks_(acks), stages_(std::move(stages)) {}

  const AckOptions& acks() const { return acks_; }
  /// Before anything runs: for a task of a source.
  MessageLedger& add(MessageLedger::Settings settings) {
    settings.acks = acks_;
    settings.stages = &stages_;
    return ledgers_.emplace_back(std::move(settings));
  }
  /// Nobody is woken any more.
  void detach() {
    for (MessageLedger& ledger : ledgers_) ledger.detach();
  }

 private:
  AckOptions acks_;
  std::vector<std::string> stages_;
  std::deque<MessageLedger> ledgers_;
};

}  // namespace millrace::detail
