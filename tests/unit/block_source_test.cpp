// Tests of sources that are read in blocks and decoded by several tasks: when, and that nothing but
// the order changes.
#include "connector/block_source.hpp"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "connector/line_source.hpp"
#include "env/random.hpp"
#include "millrace/topology.hpp"
#include "runtime/simulation.hpp"
#include "source_harness.hpp"
#include "topology/plan.hpp"

namespace millrace::detail {
namespace {

// ---- the lines are the same ----

/// Keeps the lines that a decoder emits.
class LinesKept final : public Outputs {
 public:
  void push(std::uint32_t, BatchBase& batch) override {
    for (const std::string_view line : static_cast<Batch<std::string_view>&>(batch).values)
      lines.emplace_back(line);
  }
  void advance_watermark(Time) override {}
  std::vector<std::string> lines;
};

struct Met {
  std::vector<std::string> lines;
  std::set<std::pair<std::string, std::string>> letters;  ///< where, reason
  std::uint64_t read = 0;
  friend bool operator==(const Met&, const Met&) = default;
};

Met finish(const SourceHarness& harness, std::vector<std::string> lines, std::uint64_t read) {
  Met met{std::move(lines), {}, read};
  for (const auto& letter : harness.dead_letters.letters)
    met.letters.emplace(letter.where, letter.reason);
  return met;
}

template <class S, class Take>
std::uint64_t read_all(S& source, BatchBase& batch, const EndContext& context, Take&& take) {
  EXPECT_TRUE(source.open(context));
  for (int polls = 0; polls < 1'000'000; ++polls) {
    batch.clear();
    const Result<Poll> poll = source.poll(batch);
    EXPECT_TRUE(poll);
    take();
    if (!poll || *poll == Poll::ended) break;
  }
  return source.records_read();
}

Met met_by_one(const std::string& text, std::size_t block_bytes, const SimFaults& faults,
               std::size_t line_bytes_max) {
  SourceHarness harness(faults);
  harness.env.files.put("f", text);
  harness.context.line_bytes_max = line_bytes_max;
  LineSource source({.path = "f", .block_bytes = block_bytes});
  Batch<std::string_view> batch;
  std::vector<std::string> lines;
  const std::uint64_t read = read_all(source, batch, harness.context, [&] {
    for (const std::string_view line : batch.values) lines.emplace_back(line);
  });
  return finish(harness, std::move(lines), read);
}

Met met_in_blocks(const std::string& text, std::size_t block_bytes, const SimFaults& faults,
                  std::size_t line_bytes_max) {
  SourceHarness harness(faults);
  harness.env.files.put("f", text);
  harness.context.line_bytes_max = line_bytes_max;
  BlockSource source({.path = "f", .block_bytes = block_bytes});
  BlockDecoder<std::string_view, WholeLines> decoder;
  Tally tally;
  OperatorContext context;
  context.tally = &tally;
  context.dead_letters = &harness.dead_letters;
  context.batch_records_max = 3;
  decoder.open(context);
  LinesKept kept;
  LineBlock block;
  std::uint64_t counted = 0;
  const std::uint64_t read = read_all(source, block, harness.context, [&] {
    counted += block.size();
    decoder.process(block, true, kept);
  });
  // The reader counts without cutting, the decoder by cutting.
  EXPECT_EQ(counted, tally.processed + tally.dead_lettered);
  EXPECT_EQ(kept.lines.size(), tally.processed);
  return finish(harness, std::move(kept.lines), read);
}

std::string random_text(Random& random) {
  std::string text;
  if (random.chance(0.2)) text += "\xef\xbb\xbf";
  const std::uint64_t lines = random.below(60);
  for (std::uint64_t line = 0; line < lines; ++line) {
    text.append(random.below(random.chance(0.1) ? 300 : 12), static_cast<char>('a' + line % 26));
    if (random.chance(0.2)) text += '\r';
    if (line + 1 < lines || random.chance(0.5)) text += '\n';
  }
  return text;
}

TEST(BlockSource, HoldsTheLinesThatOneTaskWouldCut) {
  for (std::uint64_t seed = 1; seed <= 2000; ++seed) {
    Random random(seed);
    const std::string text = random_text(random);
    const std::size_t block_bytes = 16 + random.below(200);
    const std::size_t line_bytes_max = random.chance(0.5) ? 20 + random.below(150) : 100'000;
    const SimFaults faults{.seed = seed,
                           .short_reads = random.chance(0.5),
                           .not_ready_chance = random.chance(0.5) ? 0.3 : 0.0};
    const Met one = met_by_one(text, block_bytes, faults, line_bytes_max);
    const Met blocks = met_in_blocks(text, block_bytes, faults, line_bytes_max);
    ASSERT_EQ(blocks.lines, one.lines) << "seed " << seed;
    ASSERT_EQ(blocks.letters, one.letters) << "seed " << seed;
    ASSERT_EQ(blocks.read, one.read) << "seed " << seed;
  }
}

// ---- results are the same ----

struct Sale {
  std::string shop;
  std::int64_t cents = 0;
};

std::string sales() {
  std::string text;
  for (int at = 0; at < 20'000; ++at) {
    if (at % 1000 == 7) text += "no sale\n";
    if (at % 1500 == 9) text += "  \n";
    text += R"({"shop":"shop)" + std::to_string(at * 7919 % 97) + R"(","cents":)" +
            std::to_string(at) + "}\n";
  }
  return text;
}

struct Outcome {
  std::map<std::string, std::int64_t> sums;
  std::set<std::string> letters;
  std::vector<std::uint64_t> counts;
  std::uint32_t tasks = 0;
};

Outcome sum_up(std::uint32_t parallelism, std::uint64_t seed) {
  Outcome outcome;
  Topology topology("sales");
  topology.from(json_lines<Sale>("sales.jsonl"))
      .named("sales")
      .filter([](const Sale& sale) { return sale.cents % 3 != 0; })
      .key_by(&Sale::shop)
      .window(global())
      .sum(&Sale::cents)
      .to(each([&](const auto& row) { outcome.sums[std::string(row.key)] = row.value; }));
  const Graph& graph = topology.declaration().graph;
  SimEnv env(seed);
  env.files.put("sales.jsonl", sales());
  Simulation simulation(graph, make_plan(graph, {.parallelism = parallelism}), {}, env,
                        {.seed = seed});
  const auto fingerprint = simulation.run();
  EXPECT_TRUE(fingerprint) << fingerprint.error().to_string();
  const Report report = simulation.report();
  for (const DeadLetterReport& letter : report.recent_dead_letters)
    outcome.letters.insert(letter.where);
  const ComponentReport& source = report.components.front();
  outcome.counts = {source.received, source.processed, source.dead_lettered, source.emitted,
                    report.records_in};
  outcome.tasks = source.tasks;
  return outcome;
}

TEST(BlockSource, CountsAndDeadLettersDoNotDependOnTheParallelism) {
  const Outcome one = sum_up(1, 1);
  EXPECT_EQ(one.tasks, 1u);
  EXPECT_EQ(one.sums.size(), 97u);
  EXPECT_EQ(one.letters.size(), 20u);
  EXPECT_TRUE(one.letters.contains("sales.jsonl:8"));
  for (std::uint32_t parallelism = 2; parallelism <= 5; ++parallelism) {
    const Outcome several = sum_up(parallelism, parallelism);
    EXPECT_EQ(several.tasks, parallelism);
    EXPECT_EQ(several.sums, one.sums);
    EXPECT_EQ(several.letters, one.letters);
    EXPECT_EQ(several.counts, one.counts);
  }
}

// ---- when ----

std::vector<std::string> chains_of(const Topology& topology, const PlanOptions& options) {
  const Graph& graph = topology.declaration().graph;
  EXPECT_TRUE(graph.validate().empty());
  const Plan plan = make_plan(graph, options);
  std::vector<std::string> chains;
  for (const PlanChain& chain : plan.chains) {
    std::string& text = chains.emplace_back(std::to_string(chain.tasks) + ":");
    for (const StageId id : chain.stages) text += " " + plan.stages[id].name;
  }
  std::ranges::sort(chains);
  return chains;
}

auto nothing() {
  return each([](const auto&) {});
}

TEST(BlockSource, DecodesWhereTheRecordsAreCombined) {
  Topology topology("x");
  topology.from(lines("f"))
      .named("in")
      .map([](std::string_view line) { return line; })
      .named("map")
      .key_by(self)
      .window(global())
      .count()
      .named("count")
      .to(nothing());
  using Chains = std::vector<std::string>;
  const Chains together = chains_of(topology, {.parallelism = 3});
  EXPECT_TRUE(std::ranges::find(together, "1: in") != together.end());
  EXPECT_TRUE(std::ranges::find(together, "3: in map count") != together.end());
}

bool reads_blocks(const Topology& topology, bool blocks = true) {
  const Graph& graph = topology.declaration().graph;
  EXPECT_TRUE(graph.validate().empty());
  const Plan plan = make_plan(graph, {.parallelism = 4, .blocks = blocks});
  return std::ranges::any_of(
      plan.edges, [](const PlanEdge& edge) { return edge.grouping.kind == GroupingKind::blocks; });
}

struct Pass : Bolt<std::string_view, std::string_view> {
  void process(const std::string_view& line, Output<std::string_view>& out) override {
    out.emit(line);
  }
};

TEST(BlockSource, IsReadInOneTaskWhereItsOrderIsNeeded) {
  Topology shuffled("shuffled");
  auto text = shuffled.from(lines("f"));
  shuffled.bolt("pass", Pass{}, shuffle(text)).to(nothing());
  EXPECT_TRUE(reads_blocks(shuffled));
  EXPECT_FALSE(reads_blocks(shuffled, false));  // --limit

  Topology written("written");
  auto also_written = written.from(lines("f"));
  written.bolt("pass", Pass{}, shuffle(also_written)).to(nothing());
  also_written.to(nothing());
  EXPECT_FALSE(reads_blocks(written));

  Topology keyed("keyed");  // the records of a key reach its task in their order
  auto by_key = keyed.from(lines("f"));
  keyed.bolt("pass", Pass{}, fields(by_key, self)).to(nothing());
  EXPECT_FALSE(reads_blocks(keyed));

  Topology timed("timed");
  timed.from(json_lines<Sale>("f"))
      .event_time(&Sale::cents)
      .key_by(&Sale::shop)
      .window(tumbling(1s))
      .count()
      .to(nothing());
  EXPECT_FALSE(reads_blocks(timed));

  Topology ties("ties");
  ties.from(json_lines<Sale>("f"))
      .key_by(&Sale::shop)
      .window(global())
      .last(&Sale::cents)
      .to(nothing());
  EXPECT_FALSE(reads_blocks(ties));
}

}  // namespace
}  // namespace millrace::detail
