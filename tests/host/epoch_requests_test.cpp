// Tests of EpochRequests: numbers, sharing, failures, engines that end and begin.
#include "host/epoch_requests.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "env/sim_env.hpp"
#include "host/restore_progress.hpp"

namespace millrace::detail {
namespace {

using testing::HasSubstr;
using namespace std::chrono_literals;

/// Keeps nothing; may fail.
class ForgetfulStore final : public EpochStore {
 public:
  std::unique_ptr<EpochStream> begin(std::uint64_t) override {
    return std::make_unique<Stream>(*this);
  }
  Result<std::optional<EpochImage>> newest() override { return std::optional<EpochImage>(); }
  std::uint64_t bytes_written() const override { return 1; }
  Status outcome = {};

 private:
  class Stream final : public EpochStream {
   public:
    explicit Stream(const ForgetfulStore& store) : store_(store) {}
    Status add(const ImagePiece&) override { return {}; }
    Status end(const EpochImage&) override { return store_.outcome; }

   private:
    const ForgetfulStore& store_;
  };
};

class EpochRequestsTest : public testing::Test {
 protected:
  EpochRequestsTest() {
    epochs_.add_task(home_, false);
    requests_.begin("/state", env_.clock);
    look();
  }
  void look() { (void)epochs_.look(env_.clock.steady_ns()); }
  void complete() {
    requests_.look(epochs_);
    look();
    epochs_.hand_in(0, {.epoch = epochs_.requested()});
    look();
    requests_.look(epochs_);
  }
  SimEnv env_{1};
  ForgetfulStore store_;
  Home home_;
  EpochCoordinator epochs_{store_, {}, "world", env_.env(), Log{}, 0};
  EpochRequests requests_;
};

TEST_F(EpochRequestsTest, OneIsMadeAtOnceAndThoseThatComeBeforeShareIt) {
  EXPECT_EQ(requests_.ask().text, "{\"number\":1}\n");
  EXPECT_EQ(requests_.ask().text, "{\"number\":1}\n");
  requests_.look(epochs_);
  look();
  EXPECT_EQ(epochs_.requested(), 1u);
  EXPECT_EQ(requests_.ask().text, "{\"number\":2}\n") << "what was read since is not in it";
  EXPECT_THAT(requests_.to_json(), HasSubstr("\"over\":0,\"done\":0,\"failed\":0,\"epoch\":null"));
  epochs_.hand_in(0, {.epoch = 1});
  look();
  requests_.look(epochs_);
  EXPECT_THAT(requests_.to_json(), HasSubstr("\"over\":1,\"done\":1,\"failed\":0,\"epoch\":1"));
  EXPECT_THAT(requests_.to_json(), HasSubstr("\"folder\":\"/state\""));
  complete();
  EXPECT_THAT(requests_.to_json(), HasSubstr("\"over\":2,\"done\":2,\"failed\":0,\"epoch\":2"));
}

TEST_F(EpochRequestsTest, OneThatIsUnderWayBeganTooEarly) {
  env_.clock.advance(10s);
  look();
  EXPECT_EQ(epochs_.requested(), 1u);
  (void)requests_.ask();
  requests_.look(epochs_);
  epochs_.hand_in(0, {.epoch = 1});
  look();
  requests_.look(epochs_);
  EXPECT_THAT(requests_.to_json(), HasSubstr("\"over\":0"));
  complete();
  EXPECT_THAT(requests_.to_json(), HasSubstr("\"over\":1,\"done\":1,\"failed\":0,\"epoch\":2"));
}

TEST_F(EpochRequestsTest, AFailureIsToldWithItsReason) {
  store_.outcome = Status(Code::sink_failed, "the disk is full");
  (void)requests_.ask();
  complete();
  EXPECT_THAT(requests_.to_json(), HasSubstr("\"over\":1,\"done\":0,\"failed\":1,\"epoch\":null"));
  EXPECT_THAT(requests_.to_json(),
              HasSubstr("\"last_failed\":1,\"last_failure\":\"the disk is full\""));
}

TEST_F(EpochRequestsTest, TheNextEngineMakesWhatOneLeft) {
  (void)requests_.ask();
  requests_.look(epochs_);
  requests_.engine_ended(epochs_);
  EpochCoordinator next(store_, {}, "world", env_.env(), Log{}, 7);
  next.add_task(home_, false);
  requests_.look(next);
  (void)next.look(env_.clock.steady_ns());
  next.hand_in(0, {.epoch = 8});
  (void)next.look(env_.clock.steady_ns());
  requests_.look(next);
  EXPECT_THAT(requests_.to_json(), HasSubstr("\"over\":1,\"done\":1,\"failed\":0,\"epoch\":8"));
}

TEST_F(EpochRequestsTest, NothingIsAskedOfARunThatHasEndedOrKeepsNoState) {
  (void)requests_.ask();
  requests_.look(epochs_);
  requests_.end("the run has ended");
  EXPECT_THAT(requests_.to_json(), HasSubstr("\"over\":1,\"done\":0,\"failed\":1"));
  EXPECT_EQ(requests_.ask().status, 409u);
  EpochRequests none;
  none.begin("", env_.clock);
  EXPECT_EQ(none.ask().status, 409u);
  EXPECT_THAT(none.ask().text, HasSubstr("--state-dir DIR"));
}

TEST(RestoreProgress, TellsBytesAndTheTimeThatIsLeft) {
  SimEnv env(1);
  env.clock.advance(1s);
  std::vector<std::shared_ptr<const Report>> told;
  RestoreProgress progress("t", env.clock, [&](auto report) { told.push_back(report); });
  const auto read = progress.reader();
  read(10, 4000);
  env.clock.advance(200ms);
  read(900, 4000);
  EXPECT_TRUE(told.empty()) << "nobody has waited";
  env.clock.advance(800ms);
  read(1000, 4000);
  read(1001, 4000);
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0]->state, "restoring");
  EXPECT_EQ(told[0]->topology, "t");
  ASSERT_TRUE(told[0]->restore);
  EXPECT_EQ(told[0]->restore->bytes, 1000u);
  EXPECT_EQ(told[0]->restore->left_ms, 3000);
  env.clock.advance(1h);
  read(10, 4000);
  EXPECT_EQ(told.size(), 1u) << "that of another start has just begun";
  EXPECT_EQ(to_text({1'200'000'000, 3'000'000'000, 4500}),
            "restoring: 1200 of 3000 MB, 4.5 s left");
}

}  // namespace
}  // namespace millrace::detail
