// The manifest of a partition: its segments in order, and how far each producer had come.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/status.hpp"
#include "base/time.hpp"
#include "env/disk.hpp"
#include "journal/transaction_states.hpp"

namespace millrace::detail {

/// A file of a partition; the last one is the active one, the others are sealed.
struct Segment {
  std::uint64_t base_offset = 0;
  std::uint64_t bytes = 0;       ///< sealed: all; active: known to be durable
  std::uint64_t end_offset = 0;  ///< sealed: one past its last record
  Time max_time = kNoTime;       ///< sealed: the latest event time
  Time sealed_at = 0;            ///< wall clock

  static constexpr Time kNoTime = INT64_MIN;
};

/// The last batch of an idempotent producer.
struct ProducerState {
  std::uint64_t sequence = 0;  ///< of its first record
  std::uint64_t offset = 0;
  std::uint32_t records = 0;
};

/// By the producer's id, never 0.
using Producers = std::map<std::uint64_t, ProducerState>;

/// Producers kept in a partition; beyond, those whose last batch is the oldest are forgotten.
inline constexpr std::size_t kProducersMax = 10'000;

struct Manifest {
  std::vector<Segment> segments;  ///< never empty
  Producers producers;            ///< as the active segment began
  FirstOffsets undecided = {};    ///< transactions, as the active segment began
};

/// Errors: 4001, 4004.
Result<Manifest> read_manifest(Disk& disk, const std::string& folder);
/// Errors: 4002; either the old or the new manifest is there then.
Status write_manifest(Disk& disk, const std::string& folder, const Manifest& manifest);

/// Notes a producer's batch.
void note_producer(Producers& producers, std::uint64_t id, const ProducerState& state);

}  // namespace millrace::detail
