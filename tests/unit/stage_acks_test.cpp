// Messages of what an operator holds: acked when every row that was made of them is handled.
#include "runtime/stage_acks.hpp"

#include <gtest/gtest.h>

namespace millrace::detail {
namespace {

/// Counts what is left of one message.
class Counted final : public Origin {
 public:
  void count(std::int64_t moving, std::int64_t held) override {
    moving_ += moving;
    held_ += held;
  }
  bool fail(std::uint32_t, const MessageFailure&) override { return false; }
  void give_up(std::uint32_t, const MessageFailure&) override {}
  void abandon() override {}
  void hold_in_hand(std::int64_t) override {}
  std::string place_of(std::uint32_t) const override { return "here"; }

  std::int64_t moving() const { return moving_; }
  std::int64_t held() const { return held_; }

 private:
  std::int64_t moving_ = 0;
  std::int64_t held_ = 0;
};

struct AnyOperator final : Operator {
  void process(BatchBase&, bool, Outputs&) override {}
};

Batch<int> batch_at(std::vector<Time> times) {
  Batch<int> batch;
  batch.values.resize(times.size());
  batch.times = std::move(times);
  return batch;
}

class StageAcksTest : public testing::Test {
 protected:
  void give(Counted& message, std::vector<Time> times, Time holds_from) {
    Batch<int> batch = batch_at(std::move(times));
    batch.messages.resize(batch.size(), MessageRef(message, 0));
    acks_.begin(batch, operator_);
    acks_.end(holds_from);
  }
  /// A row of `time`, on its way to whoever handles it.
  Batch<int> fire(Time time, std::optional<Time> holds_from) {
    Batch<int> row = batch_at({time});
    acks_.anchor(row);
    row.messages.own();
    acks_.end(holds_from);
    return row;
  }

  AnyOperator operator_;
  StageAcks acks_;
};

TEST_F(StageAcksTest, ARowOfPartOfABatchIsWaitedForToo) {
  Counted both;   // in the windows [100, 150) and [150, 200)
  Counted later;  // in the second alone
  give(both, {148, 151}, 100);
  give(later, {160, 170}, 100);
  EXPECT_EQ(both.held(), 1);
  Batch<int> first = fire(149, 150);
  EXPECT_EQ(both.held(), 1);
  EXPECT_EQ(both.moving(), 1) << "the row holds 148";
  EXPECT_EQ(later.moving(), 0) << "nothing of it is in the row";
  Batch<int> second = fire(199, std::nullopt);
  EXPECT_EQ(both.held() + later.held(), 0);
  second.messages.release();
  EXPECT_EQ(later.moving(), 0);
  EXPECT_EQ(both.moving(), 1) << "the first row is not handled yet";
  first.messages.release();
  EXPECT_EQ(both.moving(), 0);
}

TEST_F(StageAcksTest, WithoutARowWhatIsLetGoIsDone) {
  Counted message;
  give(message, {10, 20}, 0);
  acks_.end(15);
  EXPECT_EQ(message.held(), 1);
  acks_.end(25);
  EXPECT_EQ(message.held() + message.moving(), 0);
}

}  // namespace
}  // namespace millrace::detail
