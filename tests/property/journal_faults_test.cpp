// The journal under loss of power, kills, calls that fail, flipped bits and cut files.
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "journal_model.hpp"

namespace millrace::detail {
namespace {

using Anomalies = std::vector<std::string>;

std::uint64_t seeds(std::uint64_t usual) {
  const char* wanted = std::getenv("MILLRACE_SEEDS");
  return wanted != nullptr ? std::strtoull(wanted, nullptr, 10) : usual;
}

SimDiskFaults random_fault(Random& random) {
  static constexpr DiskFault kKinds[] = {DiskFault::none, DiskFault::io_error, DiskFault::no_space,
                                         DiskFault::power_cut, DiskFault::power_cut};
  return {kKinds[random.below(5)], random.below(120), random.chance(0.5)};
}

/// Several lives of a journal, each ended by the seed's choice. `power`: whether power may go; in
/// async mode only the process may.
Anomalies live(JournalModel& model, bool power) {
  for (std::uint64_t life = 1 + model.random().below(5); life > 0; --life) {
    SimDiskFaults fault = random_fault(model.random());
    if (!power && fault.fault == DiskFault::power_cut) fault.fault = DiskFault::none;
    model.disk.set_faults(fault);
    if (model.open()) {
      for (std::uint64_t left = model.random().below(40); left > 0; --left) {
        const Status status = model.append(static_cast<std::uint32_t>(model.random().below(2)));
        if (!status && model.random().chance(0.3)) break;
        if (model.random().chance(0.05)) (void)model.journal().step();
      }
      if (model.random().chance(0.3)) (void)model.close();
    }
    model.end(power && model.random().chance(0.7));
    if (Anomalies found = model.check(); !found.empty()) return found;
    model.end(power);  // what the check saw, the device must hold
    if (Anomalies found = model.check(); !found.empty()) return found;
    model.end(false);
  }
  return {};
}

TEST(JournalPower, EverythingAcknowledgedSurvivesAndNothingIsInvented) {
  std::size_t acknowledged = 0;
  std::size_t cuts = 0;
  const std::uint64_t count = seeds(300);
  for (std::uint64_t seed = 1; seed <= count; ++seed) {
    JournalModel model(seed);
    const Anomalies found = live(model, true);
    ASSERT_TRUE(found.empty()) << "seed " << seed << ": " << found.front();
    acknowledged += model.acknowledged();
    cuts += model.log.lines().size();
  }
  EXPECT_GT(acknowledged, count * 10);
  EXPECT_GT(cuts, count / 10);  // torn tails do come
}

TEST(JournalPower, TheSameSeedGivesTheSameRun) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    JournalModel one(seed);
    JournalModel other(seed);
    EXPECT_EQ(live(one, true), live(other, true));
    EXPECT_EQ(one.fingerprint(), other.fingerprint()) << "seed " << seed;
  }
}

TEST(JournalPower, AsyncSurvivesKills) {
  for (std::uint64_t seed = 1; seed <= seeds(100); ++seed) {
    JournalModel model(seed, {.mode = JournalMode::async, .segment_bytes = 4096});
    const Anomalies found = live(model, false);
    ASSERT_TRUE(found.empty()) << "seed " << seed << ": " << found.front();
  }
}

TEST(JournalPower, WithoutSyncRecordsAreLost) {
  std::size_t lost = 0;
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    JournalModel model(seed, {.segment_bytes = 4096, .no_sync = true});
    lost += live(model, true).empty() ? 0 : 1;
  }
  EXPECT_GT(lost, 10u);
}

/// One life by a script, under a fault; whether the fault came.
bool script_runs_into(JournalModel& model, SimDiskFaults fault) {
  model.disk.set_faults(fault);
  if (model.open()) {
    for (std::uint32_t turn = 0; turn < 30; ++turn) {
      if (!model.append(turn % 2)) break;
    }
    (void)model.close();
  }
  return model.disk.calls() > fault.at_call;
}

TEST(JournalFaults, EveryCallMayFail) {
  for (const DiskFault kind : {DiskFault::io_error, DiskFault::no_space, DiskFault::power_cut}) {
    for (const bool sticky : {false, true}) {
      bool came = true;
      for (std::uint64_t call = 0; came; ++call) {
        const std::string where = fmt::format("fault {} at call {}{}", static_cast<int>(kind), call,
                                              sticky ? " and after" : "");
        JournalModel model(call + 1);
        came = script_runs_into(model, {kind, call, sticky});
        model.end(kind == DiskFault::power_cut);
        Anomalies found = model.check();
        ASSERT_TRUE(found.empty()) << where << ": " << found.front();
        model.end(true);
        found = model.check();
        ASSERT_TRUE(found.empty()) << where << ", then without power: " << found.front();
        ASSERT_LT(call, 2000u);
      }
    }
  }
}

TEST(JournalFaults, EveryCallOfRecoveryMayLoseThePower) {
  bool came = true;
  for (std::uint64_t call = 0; came; ++call) {
    JournalModel model(call + 1);
    script_runs_into(model, {DiskFault::power_cut, 60, false});
    model.end(true);
    model.disk.set_faults({DiskFault::power_cut, call, false});
    (void)model.open();
    came = model.disk.calls() > call;
    model.end(true);
    const Anomalies found = model.check();
    ASSERT_TRUE(found.empty()) << "call " << call << ": " << found.front();
  }
}

/// The texts of a partition, and the error at which reading ended.
std::vector<std::string> texts_of(PartitionView& view, Status& error) {
  std::vector<std::string> texts;
  LogReader reader(view, 0);
  for (JournalRecord record;;) {
    const auto more = reader.next(record);
    error = more.error();
    if (!more || !*more) return texts;
    texts.emplace_back(record.value.value_or("(none)"));
  }
}

/// A journal that was closed, and whose files are then damaged one at a time.
class JournalDamage : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(model_.open());
    for (std::uint32_t turn = 0; turn < 60; ++turn) ASSERT_TRUE(model_.append(turn % 2));
    ASSERT_TRUE(model_.close());
    paths_ = model_.disk.paths();
    ASSERT_GT(paths_.size(), 8u);
    ASSERT_TRUE(read(true, whole_));
  }

  /// What is served until an error, if there is one.
  Status read(bool checked, std::vector<std::string>& texts) {
    texts.clear();
    auto journal =
        Journal::open(model_.disk, clock_, "j", {.read_only = true, .no_checksum = !checked});
    if (!journal) return journal.error();
    const auto topic = (*journal)->topic("t");
    if (!topic) return topic.error();
    Status error;
    for (std::uint32_t partition = 0; partition < 2 && error; ++partition) {
      const auto more = texts_of((*topic)->view(partition), error);
      texts.insert(texts.end(), more.begin(), more.end());
    }
    return error;
  }

  /// Whether every text served is one that was stored.
  bool served_as_stored(const std::vector<std::string>& texts) const {
    return std::all_of(texts.begin(), texts.end(), [this](const std::string& text) {
      return std::find(whole_.begin(), whole_.end(), text) != whole_.end();
    });
  }

  void expect_detected(const std::string& path, const std::string& what) {
    std::vector<std::string> texts;
    const Status error = read(true, texts);
    EXPECT_TRUE(served_as_stored(texts)) << what;
    EXPECT_TRUE(!error || texts == whole_) << what;
    const auto verdict = verify_journal(model_.disk, clock_, "j");
    ASSERT_TRUE(verdict.has_value()) << what << verdict.error().to_string();
    ASSERT_FALSE(verdict->damage.empty()) << what << " was not seen";
    EXPECT_EQ(verdict->damage.front().code(), Code::input_corrupt);
    EXPECT_NE(verdict->damage.front().message().find(path), std::string::npos)
        << what << ": " << verdict->damage.front().message();
  }

  void flip(const std::string& path, Random& random) {
    std::string bytes = model_.disk.content(path);
    bytes[random.below(bytes.size())] ^= static_cast<char>(1 << random.below(8));
    model_.disk.put(path, bytes);
  }

  JournalModel model_{7};
  SimClock clock_;
  std::vector<std::string> paths_;
  std::vector<std::string> whole_;
};

TEST_F(JournalDamage, FlippedBitsAreSeen) {
  Random random(1);
  for (int turn = 0; turn < 2000; ++turn) {
    const std::string& path = paths_[random.below(paths_.size())];
    const std::string before = model_.disk.content(path);
    flip(path, random);
    expect_detected(path, fmt::format("turn {}: a bit of {}", turn, path));
    model_.disk.put(path, before);
    if (HasFailure()) return;
  }
}

TEST_F(JournalDamage, CutFilesAreSeen) {
  Random random(2);
  for (int turn = 0; turn < 200; ++turn) {
    const std::string& path = paths_[random.below(paths_.size())];
    const std::string before = model_.disk.content(path);
    model_.disk.put(path, before.substr(0, random.below(before.size())));
    expect_detected(path, fmt::format("turn {}: {} cut", turn, path));
    model_.disk.put(path, before);
    if (HasFailure()) return;
  }
}

TEST_F(JournalDamage, WithoutChecksumsItIsServed) {
  Random random(3);
  int wrong = 0;
  for (int turn = 0; turn < 500; ++turn) {
    const std::string& path = paths_[random.below(paths_.size())];
    const std::string before = model_.disk.content(path);
    flip(path, random);
    std::vector<std::string> texts;
    (void)read(false, texts);
    wrong += served_as_stored(texts) ? 0 : 1;
    model_.disk.put(path, before);
  }
  EXPECT_GT(wrong, 50);
}

}  // namespace
}  // namespace millrace::detail
