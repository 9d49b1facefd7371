// MachineLoad: other processes that take a part of every processor while a bench runs.
#pragma once

#include <sys/types.h>

#include <vector>

namespace millrace::bench {

/// One process for each processor this one may use, bound to it: computes for `share` of each ten
/// milliseconds and sleeps for the rest. They end with this object, or with this process.
class MachineLoad {
 public:
  /// `share` 0..1; 0: no load. To be called while there is one thread.
  explicit MachineLoad(double share);
  ~MachineLoad();
  MachineLoad(const MachineLoad&) = delete;
  MachineLoad& operator=(const MachineLoad&) = delete;

 private:
  std::vector<pid_t> processes_;
};

}  // namespace millrace::bench
