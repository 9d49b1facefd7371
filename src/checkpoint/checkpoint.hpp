// The face of `checkpoint`: what a complete epoch holds, and where epochs are kept.
#pragma once

#include <cstdint>
#include <memory>
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
  ImageChain chain = {};                       ///< while it is taken: what parts may be changes of
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

/// Bytes of a part of one stage in one task. Of a part of a key group there may be several, in
/// their order; others come whole, and may have names in common.
struct ImagePiece {
  std::string stage;  ///< the name of the plan's stage
  std::uint32_t task = 0;
  StatePart part = {};
};

/// An epoch that is being written. Where it goes before end() returned ok nothing of it stays. All
/// calls by one thread at a time.
class EpochStream {
 public:
  virtual ~EpochStream() = default;
  /// Appends. Errors: 4002; then end() says so too.
  virtual Status add(const ImagePiece& piece) = 0;
  /// `image` has all stages, each with the parts, or the ends of parts, that were not added. When
  /// it returns ok, newest() gives the epoch also after a loss of power; when not, it or the one
  /// before. Errors: 3003 and 4001 of parts that are stored elsewhere; 4002.
  virtual Status end(const EpochImage& image) = 0;
};

/// Where complete epochs are kept. All calls by one thread at a time.
class EpochStore {
 public:
  virtual ~EpochStore() = default;
  /// The complete epoch that the next one may hold the changes of; 0: the next one is whole;
  /// nullopt: all are. Valid until an epoch has ended. What is read is whole in any case.
  virtual std::optional<std::uint64_t> base() const { return std::nullopt; }
  /// One at a time, which the store outlives.
  virtual std::unique_ptr<EpochStream> begin(std::uint64_t epoch) = 0;
  /// The newest complete one; nullopt: there is none. Errors: 3003, 4001.
  virtual Result<std::optional<EpochImage>> newest() = 0;
  /// Bytes that the last epoch took.
  virtual std::uint64_t bytes_written() const = 0;
};

}  // namespace millrace::detail
