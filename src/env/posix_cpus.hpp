// The machine's own processors: who may use how many, and who does.
#pragma once

#include "env/env.hpp"

namespace millrace::detail {

/// Affinity, quota of the control group and /proc/stat. Where the system does not say, nobody else
/// uses the processors.
class PosixCpus final : public Cpus {
 public:
  CpuUse use() override;
  std::int64_t this_thread() override;
  std::int64_t kept_waiting_ns(std::int64_t thread) override;
};

}  // namespace millrace::detail
