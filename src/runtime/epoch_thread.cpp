// Looking at epochs when something is due.
#include "runtime/epoch_thread.hpp"

#include <utility>

namespace millrace::detail {

void EpochThread::start(EpochCoordinator& coordinator, Env& env,
                        std::function<void(const Status&)> ended) {
  coordinator_ = &coordinator;
  thread_ = std::thread([this, &env, ended = std::move(ended)] { work(env, ended); });
}

void EpochThread::stop() {
  if (!thread_.joinable()) return;
  coordinator_->stop();
  thread_.join();
}

void EpochThread::work(Env& env, const std::function<void(const Status&)>& ended) const {
  do {
    (void)coordinator_->look(env.clock->steady_ns());
    const Status failure = coordinator_->failure();
    if (coordinator_->over() || !failure.ok()) return ended(failure);
  } while (coordinator_->wait(env.clock->steady_ns()));
}

}  // namespace millrace::detail
