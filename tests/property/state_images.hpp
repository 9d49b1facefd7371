// Random images of epochs, and their comparison.
#pragma once

#include <string>

#include "checkpoint/checkpoint.hpp"
#include "env/random.hpp"

namespace millrace::detail {

inline std::string random_bytes(Random& random, std::uint64_t bytes_max) {
  std::string bytes(random.below(bytes_max + 1), '\0');
  for (char& byte : bytes) byte = static_cast<char>(random.below(256));
  return bytes;
}

inline StatePart random_part(Random& random, std::uint64_t bytes_max) {
  const auto owner = static_cast<PartOwner>(random.below(3));
  return {random_bytes(random, 12), random_bytes(random, 30), owner,
          static_cast<std::uint32_t>(random.below(128)), random_bytes(random, bytes_max)};
}

inline StageImage random_stage(Random& random, std::uint64_t bytes_max) {
  StageImage stage;
  stage.stage = random_bytes(random, 12);
  stage.component = random_bytes(random, 12);
  stage.tasks = static_cast<std::uint32_t>(1 + random.below(128));
  stage.task = static_cast<std::uint32_t>(random.below(stage.tasks));
  stage.replayable = random.chance(0.5);
  for (auto left = random.below(3); left > 0; --left)
    stage.positions.push_back({random_bytes(random, 20), random_bytes(random, 40)});
  for (auto left = random.below(3); left > 0; --left)
    stage.prepared.push_back(random_bytes(random, 100));
  for (auto left = random.below(5); left > 0; --left)
    stage.parts.push_back(random_part(random, bytes_max));
  return stage;
}

inline EpochImage random_image(Random& random, std::uint64_t epoch, std::uint64_t bytes_max) {
  EpochImage image;
  image.epoch = epoch;
  image.topology = "t";
  image.taken_at = random.between(0, 1'000'000'000'000);
  image.finished = random.chance(0.2);
  for (auto left = random.below(6); left > 0; --left)
    image.stages.push_back(random_stage(random, bytes_max));
  return image;
}

inline bool alike(const StageImage& left, const StageImage& right) {
  const auto same_parts = [](const StatePart& a, const StatePart& b) {
    return a.name == b.name && a.shape == b.shape && a.owner == b.owner && a.number == b.number &&
           a.bytes == b.bytes;
  };
  const auto same_positions = [](const SourcePosition& a, const SourcePosition& b) {
    return a.partition == b.partition && a.bytes == b.bytes;
  };
  return left.stage == right.stage && left.component == right.component &&
         left.task == right.task && left.tasks == right.tasks &&
         left.replayable == right.replayable && left.prepared == right.prepared &&
         std::equal(left.positions.begin(), left.positions.end(), right.positions.begin(),
                    right.positions.end(), same_positions) &&
         std::equal(left.parts.begin(), left.parts.end(), right.parts.begin(), right.parts.end(),
                    same_parts);
}

inline bool alike(const EpochImage& left, const EpochImage& right) {
  return left.epoch == right.epoch && left.topology == right.topology &&
         left.taken_at == right.taken_at && left.finished == right.finished &&
         std::equal(left.stages.begin(), left.stages.end(), right.stages.begin(),
                    right.stages.end(),
                    [](const StageImage& a, const StageImage& b) { return alike(a, b); });
}

}  // namespace millrace::detail
