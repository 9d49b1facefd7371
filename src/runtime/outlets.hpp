// Outlets: who reads what a stage emits: fused stages of the same task and sending ends of rings.
#pragma once

#include <cstdint>
#include <vector>

#include "metrics/counter.hpp"
#include "operator/dead_letter.hpp"
#include "operator/task_context.hpp"
#include "runtime/router.hpp"

namespace millrace::detail {

class ReadingStage;

/// Which of its inputs a batch of a stage came over.
struct Incoming {
  std::uint32_t input = 0;          ///< as declared
  const InputInfo* info = nullptr;  ///< null between the two phases of one component
};

/// One reader of an output: a router, or else a fused stage.
struct Reader {
  Router* router = nullptr;
  ReadingStage* stage = nullptr;
  std::uint32_t channel = 0;  ///< the stage's number for this reader
  Incoming incoming;
  Counter* fused_sent = nullptr;
  Counter* fused_received = nullptr;
};

/// The readers of a stage by port. One task's thread. What is to pass from a stage to all that
/// follow it (watermarks, ends) takes one way, for_each().
class Outlets {
 public:
  /// Before anything runs. kErrorsPort: it reads the component's dead letters.
  void add(std::uint32_t port, Reader reader);
  /// Tells the routers who sends.
  void open(TaskContext& sender);

  bool any(std::uint32_t port) const { return port < ports_.size() && !ports_[port].empty(); }
  bool any_for_errors() const { return !errors_.empty(); }
  /// Hands `batch` to every reader of `port`; they may take its contents.
  void push(std::uint32_t port, BatchBase& batch) const {
    if (port < ports_.size()) hand_to(ports_[port], batch);
  }
  void push_errors(Batch<DeadLetter>& letters) const { hand_to(errors_, letters); }
  /// Tells everybody the watermark behind what was pushed; `due_ns` as of batches.
  void advance(Time watermark, std::int64_t due_ns) const;
  /// Tells everybody that nothing more comes.
  void end() const;

  template <class Visit>
  void for_each(Visit&& visit) const {
    for (const auto& readers : ports_) {
      for (const Reader& reader : readers) visit(reader);
    }
    for (const Reader& reader : errors_) visit(reader);
  }

 private:
  static void hand_to(const std::vector<Reader>& readers, BatchBase& batch);

  std::vector<std::vector<Reader>> ports_;
  std::vector<Reader> errors_;
};

}  // namespace millrace::detail
