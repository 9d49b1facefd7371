// StoredStages: an epoch's image by stage, as the tasks of a new run read it.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "checkpoint/checkpoint.hpp"

namespace millrace::detail {

/// What all tasks of a stage have stored.
struct StoredStage {
  std::uint32_t tasks = 1;
  bool replayable = false;
  std::vector<StatePart> parts = {};
  std::vector<SourcePosition> positions = {};
  std::vector<std::string> prepared = {};
};

class StoredStages {
 public:
  StoredStages() = default;
  /// Takes `image` apart.
  explicit StoredStages(EpochImage image);
  /// By its name in images; null: nothing is stored for it.
  const StoredStage* find(const std::string& stored_as) const {
    const auto found = stages_.find(stored_as);
    return found == stages_.end() ? nullptr : &found->second;
  }

 private:
  std::map<std::string, StoredStage> stages_;
};

}  // namespace millrace::detail
