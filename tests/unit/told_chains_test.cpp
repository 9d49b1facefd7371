// What a report says of epochs that hold changes: of which epoch, and how long their chain is.
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <utility>

#include "epoch_world.hpp"

namespace millrace::detail {
namespace {

/// The epoch behind the 3rd, 6th, ... is whole, others hold the changes of the one before.
class ChainStore final : public EpochStore {
 public:
  std::optional<std::uint64_t> base() const override { return last_ % 3 == 0 ? 0 : last_; }
  std::unique_ptr<EpochStream> begin(std::uint64_t epoch) override {
    if (!std::exchange(fails_, false)) last_ = epoch;
    return kept_.begin(epoch);
  }
  Result<std::optional<EpochImage>> newest() override { return kept_.newest(); }
  std::uint64_t bytes_written() const override { return kept_.bytes_written(); }
  void fail_next() {
    fails_ = true;
    kept_.fail_next(1);
  }

 private:
  bool fails_ = false;
  MemoryStore kept_;
  std::uint64_t last_ = 0;
};

/// A coordinator of one task, driven by hand.
class Told {
 public:
  Told() : epochs_(store, {}, "world", env_.env(), Log{}, 0) {
    epochs_.add_task(home_, true);
    look(Duration(0));
  }
  /// Makes the next epoch.
  CheckpointReport next() {
    look(std::chrono::seconds(10));
    const std::uint64_t epoch = epochs_.requested();
    epochs_.hand_in(0, {.epoch = epoch});
    look(Duration(1));
    epochs_.committed(0, epoch);
    Report report;
    epochs_.fill(report);
    return report.checkpoints->recent.front();
  }
  ChainStore store;

 private:
  void look(Duration by) {
    env_.clock.advance(std::chrono::nanoseconds(by));
    (void)epochs_.look(env_.clock.steady_ns());
  }
  SimEnv env_{1};
  Home home_;
  EpochCoordinator epochs_;
};

TEST(ToldChains, SayTheEpochBeforeAndHowManyAreReadOnTopOfAWholeOne) {
  Told told;
  const auto holds = [&](std::uint64_t base, std::uint32_t chain) {
    const CheckpointReport newest = told.next();
    EXPECT_EQ(newest.state, "complete") << newest.why;
    EXPECT_EQ(newest.base, base) << "epoch " << newest.id;
    EXPECT_EQ(newest.chain, chain) << "epoch " << newest.id;
  };
  holds(0, 0);
  holds(1, 1);
  told.store.fail_next();
  EXPECT_EQ(told.next().state, "failed");
  holds(2, 2);  // the one that failed is no part of it
  holds(4, 3);
  holds(5, 4);
  holds(0, 0);
}

}  // namespace
}  // namespace millrace::detail
