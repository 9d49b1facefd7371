// When a rescale begins, and what the run goes on from.
#include "host/rescale_steps.hpp"

#include <cstdio>

namespace millrace::detail {
namespace {

/// An epoch that is under way is waited for so long: the sources would rest while it is written.
constexpr std::int64_t kEpochPatienceNs = 1'000'000'000;

}  // namespace

void RescaleSteps::begin_when_due(Engine& engine) {
  const auto waiting_ns = rescaling_.waiting_ns();
  if (!waiting_ns) return;
  if (engine.graph().epochs()->busy() && *waiting_ns < kEpochPatienceNs) return;
  rescaling_.stop();
  engine.request_stop();
}

bool RescaleSteps::take_over(Status& failure, bool stopped) {
  if (!rescaling_.stopping()) return false;
  if (failure.ok() && !stopped) failure = state_.look_again(graph_);
  if (failure.ok() && !stopped && !state_.finished()) {
    rescaling_.take_over();
    return true;
  }
  (void)rescaling_.failed(failure.ok() ? "the run came to its end" : failure.to_string());
  return false;
}

bool RescaleSteps::go_back(const Status& failure) {
  if (!rescaling_.failed(failure.to_string())) return false;
  say("not rescaled, it goes on as before: error " + failure.to_string());
  return state_.look_again(graph_).ok();
}

void RescaleSteps::say(const std::string& text) const {
  if (!text.empty()) std::fprintf(stderr, "%s: %s\n", graph_.name().c_str(), text.c_str());
}

}  // namespace millrace::detail
