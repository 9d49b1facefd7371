// Putting what the tasks of each stage stored together.
#include "runtime/stored_stages.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace millrace::detail {
namespace {

template <class T>
void move_behind(std::vector<T>& from, std::vector<T>& to) {
  to.insert(to.end(), std::move_iterator(from.begin()), std::move_iterator(from.end()));
  from.clear();
}

}  // namespace

StoredStages::StoredStages(EpochImage image) {
  for (StageImage& part : image.stages) {
    StoredStage& stage = stages_[part.stage];
    stage.tasks = part.tasks;
    stage.replayable |= part.replayable;
    move_behind(part.parts, stage.parts);
    move_behind(part.positions, stage.positions);
    move_behind(part.prepared, stage.prepared);
  }
}

}  // namespace millrace::detail
