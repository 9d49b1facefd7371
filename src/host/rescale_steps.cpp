// When a rescale begins, and what the run goes on from.
#include "host/rescale_steps.hpp"

#include <cstdio>

namespace millrace::detail {
namespace {

/// An epoch that is under way is waited for so long: the sources would rest while it is written.
constexpr std::int64_t kEpochPatienceNs = 1'000'000'000;
/// With less state the last epoch alone takes no longer than one before it would.
constexpr std::uint64_t kLargeBytes = 16u << 20;
/// Of epochs that are made before. All of them together are waited for so long: as one may take.
constexpr int kRoundsMax = 4;
constexpr std::int64_t kRoundsPatienceNs = 600'000'000'000;
/// What is written while another epoch as long is made is soon written.
constexpr std::int64_t kSoonNs = 200'000'000;

}  // namespace

void RescaleSteps::begin_when_due(Engine& engine) {
  const auto waiting_ns = rescaling_.waiting_ns();
  if (!waiting_ns) return;
  EpochCoordinator& epochs = *engine.graph().epochs();
  const bool large = engine.graph().memory().state.bytes() >= kLargeBytes;
  const std::int64_t patience_ns = large ? kRoundsPatienceNs : kEpochPatienceNs;
  rounds_.prepared = rounds_.prepared || !large || is_prepared(epochs);
  const bool ready = rounds_.prepared && epochs.begin_last();
  if (!ready && *waiting_ns < patience_ns) return;
  rescaling_.stop();
  engine.request_stop();
}

/// The state of a whole epoch is written while the stream goes on, and then what has changed
/// meanwhile, as long as that gets less.
bool RescaleSteps::is_prepared(EpochCoordinator& epochs) {
  if (rounds_.epoch != 0) look_at_round(epochs);
  if (rounds_.epoch != 0) return false;
  // Where a whole one is due it is made now, not while the sources rest.
  const bool whole_is_due = !epochs.changes_come_next() && !rounds_.was_whole;
  if ((rounds_.enough || rounds_.begun >= kRoundsMax) && !whole_is_due) return true;
  if (epochs.busy()) return false;
  ++rounds_.begun;
  rounds_.was_whole = !epochs.changes_come_next();
  rounds_.since_ns = clock_.steady_ns();
  rounds_.epoch = epochs.ask();
  return false;
}

void RescaleSteps::look_at_round(const EpochCoordinator& epochs) {
  const auto outcome = epochs.outcome(rounds_.epoch);
  if (!outcome) return;
  const std::int64_t took_ns = clock_.steady_ns() - rounds_.since_ns;
  const bool gets_less = rounds_.begun == 1 || took_ns < rounds_.last_ns / 2;
  const bool soon = took_ns < kSoonNs && epochs.changes_come_next();
  rounds_.enough = !outcome->ok() || soon || !gets_less;
  rounds_.last_ns = took_ns;
  rounds_.epoch = 0;
}

bool RescaleSteps::take_over(Engine& engine, Status& failure, bool stopped) {
  if (!rescaling_.stopping()) return false;
  const bool goes_on = failure.ok() && !stopped;
  if (goes_on && engine.graph().epochs()->hands_over()) {
    state_.go_on_from(engine.graph().hand_over());
  } else if (goes_on) {
    failure = state_.look_again(graph_);
  }
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

void RescaleSteps::started(const Engine& engine) {
  rounds_ = {};  // those before were of another run
  say(rescaling_.started(engine.graph().forgetful_sources()));
}

void RescaleSteps::say(const std::string& text) const {
  if (!text.empty()) std::fprintf(stderr, "%s: %s\n", graph_.name().c_str(), text.c_str());
}

}  // namespace millrace::detail
