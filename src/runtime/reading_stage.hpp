// ReadingStage: a stage with inputs, an operator or a sink: where batches, watermarks and ends come
// in.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/check.hpp"
#include "runtime/stage.hpp"
#include "state/state_image.hpp"

namespace millrace::detail {

class OperatorStage;

/// The channels over which marks come to a stage: one for each reader that its senders have of it.
class Inlets {
 public:
  /// Before anything runs. Its number.
  std::uint32_t add() {
    watermarks_.push_back(kTimeMin);
    return static_cast<std::uint32_t>(watermarks_.size() - 1);
  }
  /// True when the least watermark of all channels rose by it. O(channels).
  bool advance(std::uint32_t channel, Time watermark);
  Time least() const { return least_; }
  /// The greatest that any channel has told.
  Time greatest() const { return greatest_; }
  /// True when it was the last one that had not ended.
  bool end() {
    ++ended_;
    MR_CHECK(ended_ <= watermarks_.size(), "a channel ended twice");
    return ended_ == watermarks_.size();
  }

 private:
  std::vector<Time> watermarks_;  ///< by channel
  Time least_ = kTimeMin;
  Time greatest_ = kTimeMin;
  std::size_t ended_ = 0;
};

/// The kinds say what they do with a batch and a watermark; counting, timing and ends are here.
class ReadingStage : public Stage {
 public:
  using Stage::Stage;

  /// Before anything runs.
  std::uint32_t add_channel() { return inlets_.add(); }

  /// `edge_received` is the received counter of the edge the batch came over. When `exclusive`,
  /// nobody else reads the batch.
  void receive(BatchBase& batch, bool exclusive, const Incoming& from, Counter& edge_received);
  void advance_channel(std::uint32_t channel, Time watermark);
  void end_channel(std::uint32_t channel);
  bool save_on(std::size_t slots, StageImage& image) override;

  /// Itself, if it makes watermarks instead of forwarding those of its inputs.
  virtual OperatorStage* time_origin() { return nullptr; }

 protected:
  /// Takes all records of `batch`, and tallies them.
  virtual void take(BatchBase& batch, bool exclusive, const Incoming& from) = 0;
  /// The least watermark of all inputs is now `watermark`.
  virtual void advance(Time watermark) = 0;
  /// All inputs have ended. False: it waits for something from outside, and asks again.
  virtual bool may_end() const { return true; }
  /// Ends, once it may, behind the last of its inputs. True when it did.
  bool end_if_due();
  /// All inputs have ended; what it still holds is handed on now.
  virtual void drain() {}
  const Inlets& inlets() const { return inlets_; }

  std::optional<StateWriter> writer_;  ///< while the image of what it keeps is not whole

 private:
  Inlets inlets_;
  bool is_ending_ = false;  ///< all inputs have ended, and it has not
};

}  // namespace millrace::detail
