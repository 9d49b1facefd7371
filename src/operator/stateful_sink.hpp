// StatefulSink: an end of a stream that keeps rows by key, in several tasks, as operators do.
#pragma once

#include "base/memory_meter.hpp"
#include "base/time.hpp"
#include "operator/source.hpp"
#include "state/state_image.hpp"

namespace millrace::detail {

/// What it keeps is in the images of epochs, by key group, beside what it may prepare(). All calls
/// by the task's thread.
class StatefulSink : public Sink {
 public:
  /// Behind open(): `state` counts what it keeps and may refuse, until close(). `restores`:
  /// restore_state() follows before the first write().
  virtual void open_state(MemoryMeter& state, bool restores) = 0;
  /// Before each write(): the greatest mark of a sender before the batch or at its end. What a
  /// sender emits at once may come in several batches, of which the ones behind have later marks.
  virtual void marked_up_to(Time watermark) = 0;
  /// The least watermark over all inputs rose; kTimeMax at the end of input.
  virtual void advance(Time watermark) = 0;
  /// Adds what it keeps to the image of an epoch.
  virtual void save_state(StateWriter& writer) = 0;
  /// Takes what it owns of an image of its component; null: there is none.
  virtual void restore_state(StateReader* reader) = 0;
};

}  // namespace millrace::detail
