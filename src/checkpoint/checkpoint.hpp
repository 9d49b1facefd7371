// The face of `checkpoint`: what a complete epoch holds, and where epochs are kept.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/status.hpp"
#include "base/time.hpp"
#include "operator/source.hpp"
#include "state/state_image.hpp"

namespace millrace::detail {

/// What one stage of one task was at the barrier of an epoch.
struct StageImage {
  std::string stage;      ///< the name of the plan's stage
  std::string component;  ///< the name of its component
  std::uint32_t task = 0;
  std::uint32_t tasks = 1;
  std::vector<StatePart> parts = {};           ///< of an operator
  bool replayable = false;                     ///< of a source: `positions` says all
  std::vector<SourcePosition> positions = {};  ///< of a source
  std::vector<std::string> prepared = {};      ///< of a sink: all not committed, oldest first
};

/// An epoch: the state of the whole topology behind the same records everywhere.
struct EpochImage {
  std::uint64_t epoch = 0;  ///< 1, 2, ...; never used twice in a state folder
  std::string topology;
  Time taken_at = 0;      ///< wall clock
  bool finished = false;  ///< the inputs have ended and windows have fired: nothing is left to do
  std::vector<StageImage> stages = {};
};

/// Where complete epochs are kept. All calls by one thread at a time.
class EpochStore {
 public:
  virtual ~EpochStore() = default;
  /// Keeps it: when it returns ok, newest() gives it also after a loss of power; when not, it or
  /// the one before. Errors: 4002.
  virtual Status write(const EpochImage& image) = 0;
  /// The newest complete one; nullopt: there is none. Errors: 3003, 4001.
  virtual Result<std::optional<EpochImage>> newest() = 0;
  /// Bytes that the last write() took.
  virtual std::uint64_t bytes_written() const = 0;
};

}  // namespace millrace::detail
