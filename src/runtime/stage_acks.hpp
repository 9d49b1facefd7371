// StageAcks: the messages of what an operator holds or makes rows of, where it does not anchor each
// record by itself.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "operator/joint.hpp"
#include "operator/operator.hpp"

namespace millrace::detail {

/// One task's thread. Around each call of the operator: begin(), or begin(batch); anchor() for what
/// it emits; end().
///
/// Cost: a few atomics a batch and range; where rows are made of what was held, a heap object a
/// call, and an atomic for each range that begins before the newest row and stays held.
class StageAcks {
 public:
  /// Messages are tracked, and the operator leaves them to its stage.
  void turn_on() { on_ = true; }
  bool on() const { return on_; }

  /// The call is given `batch`, whose messages are kept from being done during the call.
  void begin(const BatchBase& batch, const Operator& to);
  /// What the operator emits belongs to all that the call was given or lets go, unless the
  /// operator has said so of each record.
  void anchor(BatchBase& out);
  /// `holds_from` as of Standing after the call.
  void end(std::optional<Time> holds_from);
  /// The stage ends: what it still holds is never finished.
  void abandon();

 private:
  /// What is held of a batch.
  struct Held {
    Origin* origin;
    Time oldest;  ///< of the batch
  };

  void hand_over(Origin& origin);
  void let_go(std::optional<Time> holds_from);
  void anchor_to_held();

  bool on_ = false;
  Joint* rows_ = nullptr;       ///< of the call
  std::vector<Origin*> given_;  ///< a moving share in each
  Time newest_ = kTimeMin;      ///< of what was given
  Time oldest_ = kTimeMin;
  Time newest_row_ = kTimeMin;  ///< of what the call emits
  /// A held share in each, by the newest event time of the batch it came with.
  std::map<Time, std::vector<Held>> held_;
};

}  // namespace millrace::detail
