// Transactions under kills, loss of power and calls that fail: all or nothing, in every partition.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <set>
#include <string>

#include "transaction_model.hpp"

namespace millrace::detail {
namespace {

std::uint64_t seeds(std::uint64_t usual) {
  const char* wanted = std::getenv("MILLRACE_SEEDS");
  return wanted != nullptr ? std::strtoull(wanted, nullptr, 10) : usual;
}

/// Opens and acts until something fails or `acts` are done.
void live(TransactionModel& model, std::uint64_t acts) {
  if (!model.open()) return;
  while (acts > 0 && model.act()) --acts;
}

/// What is wrong after a life has ended: at once, after the power went, and when all is decided.
std::string after(TransactionModel& model, bool with_power) {
  model.end(with_power);
  if (std::string wrong = model.check(); !wrong.empty()) return wrong;
  model.end(true);  // what the check saw, the device must hold
  if (std::string wrong = model.check(); !wrong.empty()) return "later " + wrong;
  return "";
}

/// Fates number by number, without ranges or bounds.
class NaiveStates {
 public:
  TransactionFate fate(TransactionNumber number) const {
    const auto found = decided_.find(number);
    return found == decided_.end() ? TransactionFate::undecided : found->second;
  }
  bool is_prepared(TransactionNumber number) const { return prepared_.contains(number); }
  bool has_abandoned() const {
    for (TransactionNumber number = 1; number < reserved_; ++number)
      if (is_abandoned(number)) return true;
    return false;
  }
  void numbers(TransactionNumber from, TransactionNumber below) {
    reserved_ = std::max(reserved_, below);
    for (TransactionNumber number = 1; number < from; ++number)
      if (is_abandoned(number)) decided_[number] = TransactionFate::aborted;
  }
  void prepare(TransactionNumber number) {
    if (fate(number) == TransactionFate::undecided) prepared_.insert(number);
  }
  void decide(TransactionNumber number, TransactionFate fate) {
    if (decided_.try_emplace(number, fate).second) prepared_.erase(number);
  }

 private:
  bool is_abandoned(TransactionNumber number) const {
    return !decided_.contains(number) && !prepared_.contains(number);
  }
  std::map<TransactionNumber, TransactionFate> decided_;
  std::set<TransactionNumber> prepared_;
  TransactionNumber reserved_ = 1;
};

/// One random record, for both; and what it was.
std::string apply_one(Random& random, TransactionStates& states, NaiveStates& naive) {
  const TransactionNumber number = 1 + random.below(40);
  std::string record;
  switch (random.below(6)) {
    case 0: {
      const TransactionNumber below = number + random.below(20);
      naive.numbers(number, below);
      record = TransactionStates::numbers(number, below);
      break;
    }
    case 1:
      naive.prepare(number);
      record = TransactionStates::prepared({number, "p", "label", 7});
      break;
    case 2:
      record = states.snapshot();
      states = {};
      break;
    case 3:
      naive.decide(number, TransactionFate::aborted);
      record = TransactionStates::aborted(number);
      break;
    default:
      naive.decide(number, TransactionFate::committed);
      record = TransactionStates::committed(number);
  }
  EXPECT_TRUE(states.apply(record));
  return record;
}

TEST(TransactionStates, AddUpAsNumberByNumber) {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    Random random(seed);
    TransactionStates states;
    NaiveStates naive;
    for (int turn = 0; turn < 60; ++turn) {
      const std::string record = apply_one(random, states, naive);
      for (TransactionNumber number = 1; number < 65; ++number) {
        ASSERT_EQ(states.fate(number), naive.fate(number)) << seed << ' ' << turn << ' ' << number;
        ASSERT_EQ(states.prepared().contains(number), naive.is_prepared(number)) << seed;
      }
      ASSERT_EQ(states.has_abandoned(), naive.has_abandoned()) << "seed " << seed << ' ' << turn;
      TransactionStates other;
      for (std::size_t bytes = 0; bytes < record.size(); ++bytes)
        ASSERT_FALSE(other.apply(std::string_view(record).substr(0, bytes)));
      ASSERT_FALSE(other.apply(record + '\0'));
    }
  }
}

TEST(TransactionPower, AllOrNothingInEveryLife) {
  std::size_t committed = 0;
  std::size_t prepared = 0;
  const std::uint64_t count = seeds(150);
  for (std::uint64_t seed = 1; seed <= count; ++seed) {
    TransactionModel model(seed);
    for (std::uint64_t left = 1 + model.random.below(4); left > 0; --left) {
      static constexpr DiskFault kKinds[] = {DiskFault::none, DiskFault::io_error,
                                             DiskFault::no_space, DiskFault::power_cut};
      model.disk().set_faults(
          {kKinds[model.random.below(4)], model.random.below(250), model.random.chance(0.5)});
      live(model, model.random.below(150));
      const std::string wrong = after(model, model.random.chance(0.6));
      ASSERT_EQ(wrong, "") << "seed " << seed;
      if (model.random.chance(0.3)) {
        const std::string settled = model.check_settled();
        ASSERT_EQ(settled, "") << "seed " << seed;
      }
      model.end(false);
    }
    ASSERT_EQ(model.check(), "") << "seed " << seed;
    ASSERT_EQ(model.check_settled(), "") << "seed " << seed;
    model.close();
    ASSERT_EQ(model.check(), "") << "seed " << seed;
    model.end(false);
    committed += model.truth.committed();
    prepared += model.prepared_seen();
  }
  EXPECT_GT(committed, count * 5);
  EXPECT_GT(prepared, count / 2);
}

TEST(TransactionFaults, EveryCallMayBeTheLast) {
  for (const DiskFault kind : {DiskFault::power_cut, DiskFault::io_error}) {
    bool came = true;
    for (std::uint64_t call = 0; came; ++call) {
      const std::string where = fmt::format("fault {} at call {}", static_cast<int>(kind), call);
      TransactionModel model(call % 7 + 1);
      model.disk().set_faults({kind, call, false});
      live(model, 60);
      came = model.disk().calls() > call;
      ASSERT_EQ(after(model, kind == DiskFault::power_cut), "") << where;
      ASSERT_EQ(model.check_settled(), "") << where;
      model.end(true);
      ASSERT_EQ(model.check(), "") << where;
      model.end(false);
      ASSERT_LT(call, 2000u);
    }
  }
}

TEST(TransactionFaults, EveryCallOfRecoveryMayLoseThePower) {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    bool came = true;
    for (std::uint64_t call = 0; came; ++call) {
      TransactionModel model(seed);
      live(model, 80);
      model.end(true);
      model.disk().set_faults({DiskFault::power_cut, call, false});
      (void)model.open();
      came = model.disk().calls() > call;
      ASSERT_EQ(after(model, true), "") << "seed " << seed << " call " << call;
      model.end(false);
    }
  }
}

TEST(TransactionFaults, AsyncPartitionsAreAllOrNothingToo) {
  for (std::uint64_t seed = 1; seed <= seeds(60); ++seed) {
    TransactionModel model(seed, {.mode = JournalMode::async, .segment_bytes = 2048});
    model.disk().set_faults({DiskFault::power_cut, model.random.below(300), false});
    live(model, 120);
    ASSERT_EQ(after(model, true), "") << "seed " << seed;
    ASSERT_EQ(model.check_settled(), "") << "seed " << seed;
    model.end(true);
  }
}

}  // namespace
}  // namespace millrace::detail
