// Sinks of epochs: a reader sees each record of complete epochs once, whatever ends the process.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "connector/journal_sink.hpp"
#include "connector/text_sink.hpp"
#include "env/random.hpp"
#include "env/sim_env.hpp"
#include "journal/journal.hpp"

namespace millrace::detail {
namespace {

using Texts = std::vector<std::string>;

/// How many to run: MILLRACE_SEEDS, else `usual`.
std::uint64_t seeds(std::uint64_t usual) {
  const char* text = std::getenv("MILLRACE_SEEDS");
  const long long count = text != nullptr ? std::atoll(text) : 0;
  return count > 0 ? static_cast<std::uint64_t>(count) : usual;
}

void format_number(std::string& out, const BatchBase& batch, std::size_t index) {
  out += std::to_string(static_cast<const Batch<int>&>(batch).values[index]);
}

std::unique_ptr<Sink> text_sink(bool append = false) {
  return std::make_unique<TextSink>(
      TextSinkOptions{.path = "d/out", .append = append, .header = "n", .buffer_bytes = 100},
      format_number);
}
std::unique_ptr<Sink> journal_sink(std::string topic = "t", bool durable = false) {
  return make_journal_sink(
      {"d/j", std::move(topic), 1, durable},
      [](std::string& value, std::string&, const BatchBase& batch, std::size_t index) {
        format_number(value, batch, index);
        return false;
      });
}

Texts lines_of(SimEnv& env) {
  Texts lines(1);
  for (const char c : env.disk.exists("d/out") ? env.disk.content("d/out") : "") {
    c == '\n' ? (void)lines.emplace_back() : lines.back().push_back(c);
  }
  EXPECT_EQ(lines.back(), "") << "a line that has no end";
  lines.pop_back();
  if (lines.empty()) return {};
  EXPECT_EQ(lines.front(), "n");
  return {lines.begin() + 1, lines.end()};
}

std::unique_ptr<Sink> rolled_sink(std::uint64_t bytes) {
  return std::make_unique<TextSink>(TextSinkOptions{.path = "d/out",
                                                    .header = "n",
                                                    .rolling = Rolling{.bytes = bytes},
                                                    .extension = ".txt",
                                                    .buffer_bytes = 100},
                                    format_number);
}
/// What lies in whole files and, if wanted, in the one that grows. Whole ones do not change.
Texts rolled_lines_of(SimEnv& env, bool with_hidden) {
  static std::map<std::string, std::string> whole;
  std::map<std::string, std::string> files;
  bool any = false;
  for (const std::string& path : env.disk.paths()) {
    if (!path.starts_with("d/out/") || path.ends_with(".lock")) continue;
    const bool hidden = path.starts_with("d/out/.");
    const std::string content = env.disk.content(path);
    any = any || !hidden;
    if (hidden && (!with_hidden || content.empty())) continue;
    files[path.substr(hidden ? 7 : 6)] = content;
    if (!hidden) EXPECT_EQ(whole.try_emplace(path, content).first->second, content) << path;
  }
  if (!any) whole.clear();  // another disk
  Texts lines;
  for (const auto& [path, content] : files) {
    EXPECT_TRUE(content.starts_with("n\n") && content.ends_with("\n")) << path;
    for (std::size_t at = 2; at < content.size();) {
      const std::size_t end = std::min(content.find('\n', at), content.size());
      lines.push_back(content.substr(at, end - at));
      at = end + 1;
    }
  }
  return lines;
}

Texts values_of(SimEnv& env, const std::string& topic_name = "t") {
  Texts values;
  auto journal = Journal::open(env.disk, env.clock, "d/j", {.read_only = true});
  if (!journal) return values;
  auto topic = (*journal)->topic(topic_name);
  if (!topic) return values;
  LogReader reader((*topic)->view(0), 0);
  JournalRecord record;
  for (auto more = reader.next(record); more && *more; more = reader.next(record)) {
    values.emplace_back(record.value.value_or(""));
  }
  return values;
}

struct End {
  std::function<std::unique_ptr<Sink>()> make;
  std::function<Texts(SimEnv&)> seen;
};

/// A process that writes numbers, epoch by epoch, until something fails.
class Writer {
 public:
  Writer(SimEnv& env, Random& random, const End& end) : env_(env), random_(random), end_(end) {
    context_.env = &env.env();
    context_.epochs = true;
  }
  /// Runs until `target` numbers are in complete epochs, or an error. True: it came to the end.
  bool live(int target, bool safe) {
    arm(safe);
    const std::unique_ptr<Sink> sink = end_.make();
    int next = complete_;
    const std::span<const std::string> prepared =
        token_ ? std::span<const std::string>(&*token_, 1) : std::span<const std::string>();
    bool done = sink->open(context_) && sink->recover(prepared);
    if (done) {
      env_.disk.set_faults({});  // reading is not what is to fail
      recovered_ = end_.seen(env_);
      arm(safe);
    }
    done = done && write_epochs(*sink, next, target);
    if (done) {
      (void)sink->close();  // a fault may meet it
    } else {
      env_.disk.set_faults({DiskFault::power_cut, 0, true});
    }
    return done;
  }
  int complete() const { return complete_; }
  /// What a reader saw when the last life had begun; nullopt: it did not come so far.
  std::optional<Texts> recovered() { return std::exchange(recovered_, std::nullopt); }

 private:
  /// A call fails, once; or it is the last one.
  void arm(bool safe) {
    static constexpr DiskFault kFaults[] = {DiskFault::power_cut, DiskFault::io_error,
                                            DiskFault::no_space};
    const DiskFault fault = kFaults[random_.below(3)];
    env_.disk.set_faults(
        {safe ? DiskFault::none : fault, random_.below(60), fault == DiskFault::power_cut});
  }
  bool write_epochs(Sink& sink, int next, int target) {
    while (complete_ < target) {
      const int until = std::min(target, next + static_cast<int>(random_.below(60)));
      Batch<int> batch;
      for (; next < until; ++next) batch.values.push_back(next);
      if (!sink.write(batch) || !sink.flush()) return false;
      const auto prepared = sink.prepare(++epoch_);
      if (!prepared) return false;
      if (random_.chance(0.2)) continue;  // the epoch did not complete elsewhere
      complete_ = next;
      token_ = *prepared;
      if (random_.chance(0.2)) continue;  // nobody came to the commit
      for (int times = random_.chance(0.3) ? 2 : 1; times > 0; --times) {
        if (!sink.commit(epoch_, *token_)) return false;
      }
    }
    return sink.commit(epoch_, *token_).ok();
  }

  SimEnv& env_;
  Random& random_;
  const End& end_;
  EndContext context_;
  std::uint64_t epoch_ = 0;
  int complete_ = 0;
  std::optional<Texts> recovered_;
  std::optional<std::string> token_;  // of the newest complete epoch
};

void expect_numbers(const Texts& seen, int count, std::uint64_t seed) {
  EXPECT_EQ(seen.size(), static_cast<std::size_t>(count)) << "seed " << seed;
  for (std::size_t at = 0; at < seen.size(); ++at) {
    ASSERT_EQ(seen[at], std::to_string(at)) << "seed " << seed;
  }
}

void expect_once(const End& end, bool with_power) {
  constexpr int kNumbers = 600;
  for (std::uint64_t seed = 0; seed < seeds(150); ++seed) {
    SimEnv env(seed);
    ASSERT_TRUE(env.disk.make_folder("d"));
    Random random(seed);
    Writer writer(env, random, end);
    for (int life = 0;; ++life) {
      const bool safe = life > 20;
      const int complete = writer.complete();
      const bool done = writer.live(kNumbers, safe);
      if (const auto seen = writer.recovered()) expect_numbers(*seen, complete, seed);
      if (done) break;
      ASSERT_FALSE(safe) << "seed " << seed;
      with_power ? env.disk.lose_power() : env.disk.kill();
    }
    with_power ? env.disk.lose_power() : env.disk.kill();
    EXPECT_TRUE(writer.live(kNumbers, true)) << "seed " << seed;
    expect_numbers(end.seen(env), kNumbers, seed);
    for (const std::string& path : env.disk.paths()) {
      EXPECT_EQ(path.find(".part-"), std::string::npos) << path << ", seed " << seed;
      EXPECT_FALSE(path.find("/.") != std::string::npos && path.ends_with(".txt")) << path;
    }
  }
}

const End kText{[] { return text_sink(); }, lines_of};
const End kJournal{[] { return journal_sink(); }, [](SimEnv& env) { return values_of(env); }};
const End kNeighbour{[] { return journal_sink("u"); },
                     [](SimEnv& env) { return values_of(env, "u"); }};
const End kRolled{[] { return rolled_sink(300); },
                  [](SimEnv& env) { return rolled_lines_of(env, true); }};
/// Each epoch is a file.
const End kFiles{[] { return rolled_sink(1); },
                 [](SimEnv& env) { return rolled_lines_of(env, false); }};

TEST(EpochSinks, TextIsWrittenOnceThroughKills) { expect_once(kText, false); }
TEST(EpochSinks, TextIsWrittenOnceThroughLossOfPower) { expect_once(kText, true); }
TEST(EpochSinks, FilesAreRolledOnceThroughKills) { expect_once(kRolled, false); }
TEST(EpochSinks, FilesAreRolledOnceThroughLossOfPower) { expect_once(kRolled, true); }
TEST(EpochSinks, JournalsAreWrittenOnceThroughKills) { expect_once(kJournal, false); }
TEST(EpochSinks, JournalsAreWrittenOnceThroughLossOfPower) { expect_once(kJournal, true); }

/// A sink of one life in its own environment.
struct Life {
  explicit Life(const End& with, SimEnv& in, std::uint32_t task = 0) : end(with), env(in) {
    context.env = &env.env();
    context.epochs = true;
    context.task = task;
    sink = end.make();
    EXPECT_TRUE(sink->open(context));
  }
  void put(int number) {
    Batch<int> batch;
    batch.values.push_back(number);
    EXPECT_TRUE(sink->write(batch));
    EXPECT_TRUE(sink->flush());
  }
  std::string prepare(std::uint64_t epoch) {
    const auto prepared = sink->prepare(epoch);
    EXPECT_TRUE(prepared) << prepared.error().message();
    return prepared ? *prepared : "";
  }
  Texts seen() { return end.seen(env); }
  const End& end;
  SimEnv& env;
  EndContext context;
  std::unique_ptr<Sink> sink;
};

class EachSink : public testing::TestWithParam<const End*> {
 protected:
  void SetUp() override { ASSERT_TRUE(env_.disk.make_folder("d")); }
  SimEnv env_{1};
};
INSTANTIATE_TEST_SUITE_P(EpochSinks, EachSink, testing::Values(&kText, &kJournal, &kFiles));

TEST_P(EachSink, NothingIsSeenBeforeCommitAndCommitRepeats) {
  Life life(*GetParam(), env_);
  ASSERT_TRUE(life.sink->transactional());
  ASSERT_TRUE(life.sink->recover({}));
  life.put(1);
  EXPECT_EQ(life.seen(), Texts{});
  const std::string first = life.prepare(1);
  EXPECT_EQ(life.seen(), Texts{});
  life.put(2);
  const std::string second = life.prepare(2);
  life.put(3);
  for (int times = 0; times < 3; ++times) {
    ASSERT_TRUE(life.sink->commit(1, first));
    EXPECT_EQ(life.seen(), Texts{"1"});
  }
  ASSERT_TRUE(life.sink->commit(2, second));
  ASSERT_TRUE(life.sink->commit(1, first));
  EXPECT_EQ(life.seen(), (Texts{"1", "2"}));
  ASSERT_TRUE(life.sink->close());
  EXPECT_EQ(life.seen(), (Texts{"1", "2"}));
}

TEST_P(EachSink, RecoverCommitsWhatIsNamedAndTakesBackTheRest) {
  std::string named;
  {
    Life life(*GetParam(), env_);
    ASSERT_TRUE(life.sink->recover({}));
    life.put(1);
    named = life.prepare(1);
    life.put(2);
    life.prepare(2);
    life.put(3);
  }
  env_.disk.kill();
  Life again(*GetParam(), env_);
  ASSERT_TRUE(again.sink->recover(std::span(&named, 1)));
  EXPECT_EQ(again.seen(), Texts{"1"});
  again.put(4);
  ASSERT_TRUE(again.sink->commit(2, again.prepare(2)));
  EXPECT_EQ(again.seen(), (Texts{"1", "4"}));
}

TEST_P(EachSink, ARunThatBeginsTakesBackAllThatWasLeft) {
  {
    Life life(*GetParam(), env_);
    ASSERT_TRUE(life.sink->recover({}));
    life.put(1);
    life.prepare(1);
  }
  env_.disk.kill();
  Life again(*GetParam(), env_);
  ASSERT_TRUE(again.sink->recover({}));
  again.put(2);
  ASSERT_TRUE(again.sink->commit(1, again.prepare(1)));
  EXPECT_EQ(again.seen(), Texts{"2"});
}

TEST(EpochSinks, WhatOtherTasksOfTheComponentPreparedIsTakenBackToo) {
  SimEnv env(1);
  ASSERT_TRUE(env.disk.make_folder("d"));
  {
    Life life(kJournal, env, 3);
    ASSERT_TRUE(life.sink->recover({}));
    life.put(1);
    life.prepare(1);
  }
  env.disk.kill();
  Life again(kJournal, env, 0);
  ASSERT_TRUE(again.sink->recover({}));
  again.put(2);
  ASSERT_TRUE(again.sink->commit(1, again.prepare(1)));
  EXPECT_EQ(again.seen(), Texts{"2"});  // an undecided one before it would hide it
}

TEST(EpochSinks, SinksOfOneJournalCommitEachItsOwn) {
  SimEnv env(1);
  ASSERT_TRUE(env.disk.make_folder("d"));
  std::string first;
  std::string second;
  {
    Life life(kJournal, env);
    Life neighbour(kNeighbour, env);
    ASSERT_TRUE(life.sink->recover({}));
    life.put(1);
    neighbour.put(2);
    first = life.prepare(1);
    second = neighbour.prepare(1);
    ASSERT_TRUE(life.sink->commit(1, first));
    EXPECT_EQ(neighbour.seen(), Texts{});
    ASSERT_TRUE(life.sink->close());
    neighbour.put(3);  // behind the end of the other
    second = neighbour.prepare(2);
  }
  env.disk.kill();
  Life life(kJournal, env);
  Life neighbour(kNeighbour, env);
  ASSERT_TRUE(life.sink->recover(std::span(&first, 1)));  // what the other prepared stays
  ASSERT_TRUE(neighbour.sink->recover(std::span(&second, 1)));
  EXPECT_EQ(life.seen(), Texts{"1"});
  EXPECT_EQ(neighbour.seen(), (Texts{"2", "3"}));
}

TEST(EpochSinks, SinksOfOneJournalAgreeOnWhatIsDurable) {
  SimEnv env(1);
  ASSERT_TRUE(env.disk.make_folder("d"));
  Life life(kJournal, env);
  const std::unique_ptr<Sink> other = journal_sink("u", true);
  const Status refused = other->open(life.context);
  EXPECT_EQ(refused.code(), Code::sink_failed);
  EXPECT_NE(refused.message().find("one of both with \"durable\""), std::string::npos)
      << refused.message();
}

TEST(EpochSinks, AFileThatIsAppendedToKeepsWhatItHeld) {
  SimEnv env(1);
  ASSERT_TRUE(env.disk.make_folder("d"));
  env.disk.put("d/out", "n\n0\n");
  const End appending{[] { return text_sink(true); }, lines_of};
  Life life(appending, env);
  ASSERT_TRUE(life.sink->recover({}));
  life.put(1);
  ASSERT_TRUE(life.sink->commit(1, life.prepare(1)));
  EXPECT_EQ(life.seen(), (Texts{"0", "1"}));
}

TEST(EpochSinks, AnEpochWithoutRecordsKeepsThePlace) {
  SimEnv env(1);
  ASSERT_TRUE(env.disk.make_folder("d"));
  std::string token;
  {
    Life life(kText, env);
    ASSERT_TRUE(life.sink->recover({}));
    life.put(1);
    ASSERT_TRUE(life.sink->commit(1, life.prepare(1)));
    token = life.prepare(2);
    ASSERT_TRUE(life.sink->close());
  }
  Life again(kText, env);
  ASSERT_TRUE(again.sink->recover(std::span(&token, 1)));
  EXPECT_EQ(again.seen(), Texts{"1"});
}

TEST(EpochSinks, AFileThatLostWhatWasCommittedIsRefused) {
  SimEnv env(1);
  ASSERT_TRUE(env.disk.make_folder("d"));
  std::string token;
  {
    Life life(kText, env);
    ASSERT_TRUE(life.sink->recover({}));
    life.put(1);
    token = life.prepare(1);
    ASSERT_TRUE(life.sink->commit(1, token));
  }
  env.disk.put("d/out", "n\n");
  Life again(kText, env);
  const Status refused = again.sink->recover(std::span(&token, 1));
  EXPECT_EQ(refused.code(), Code::sink_failed);
  EXPECT_NE(refused.message().find("\"d/out\" has 2 bytes, and 4 were committed"),
            std::string::npos)
      << refused.message();
}

TEST(EpochSinks, StandardOutputIsWrittenAtOnce) {
  SimEnv env(1);
  const End standard{
      [] { return std::make_unique<TextSink>(TextSinkOptions{.path = "-"}, format_number); },
      lines_of};
  Life life(standard, env);
  EXPECT_FALSE(life.sink->transactional());
  life.put(1);
  EXPECT_EQ(env.files.content("-"), "1\n");
}

}  // namespace
}  // namespace millrace::detail
