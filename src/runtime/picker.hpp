// Picker: which task gets each record of a batch, for the groupings that divide batches.
#pragma once

#include <memory>
#include <vector>

#include "operator/chooser.hpp"
#include "runtime/channel.hpp"
#include "topology/topology_graph.hpp"

namespace millrace::detail {

/// One for each sending end of an edge; its task's thread only.
class Picker {
 public:
  virtual ~Picker() = default;
  /// The context of the sending task, before the first batch.
  virtual void open(TaskContext&) {}
  /// Appends the index of each record to the lists of the tasks that get it, ascending. May set the
  /// hashes of `batch`, and clears those that are not of its own key.
  virtual void pick(BatchBase& batch, Picks& picks) = 0;
};

/// Null for groupings that send whole batches. `channels`: one for each receiving task.
std::unique_ptr<Picker> make_picker(const Grouping& grouping, std::vector<const Channel*> channels);

}  // namespace millrace::detail
