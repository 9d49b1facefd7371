// What source and sink tests share: an EndContext over simulated files, and dead letters that are
// kept.
#pragma once

#include <string>
#include <vector>

#include "env/sim_env.hpp"
#include "operator/source.hpp"

namespace millrace::detail {

class DeadLettersKept final : public DeadLetters {
 public:
  struct Letter {
    std::string reason;
    std::string where;
    std::string record;
  };
  void add(std::string_view reason, std::string_view where, std::string_view record) override {
    letters.push_back({std::string(reason), std::string(where), std::string(record)});
  }
  std::vector<Letter> letters;
};

/// Outlives the sources and sinks that are opened with it.
struct SourceHarness {
  explicit SourceHarness(SimFaults faults = {}) : env(1, faults) {
    context.env = &env.env();
    context.dead_letters = &dead_letters;
  }
  SimEnv env;
  DeadLettersKept dead_letters;
  EndContext context;
};

}  // namespace millrace::detail
