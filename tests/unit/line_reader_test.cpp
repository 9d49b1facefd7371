// Tests of LineReader against a naive splitter, over block sizes, read sizes and random inputs.
#include "connector/line_reader.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "env/random.hpp"
#include "env/sim_env.hpp"

namespace millrace::detail {
namespace {

struct Line {
  std::string text;
  std::uint64_t number;
  friend bool operator==(const Line&, const Line&) = default;
  friend void PrintTo(const Line& line, std::ostream* out) {
    *out << line.number << ":" << testing::PrintToString(line.text);
  }
};
struct TooLong {
  std::string where;
  std::string reason;
  friend bool operator==(const TooLong&, const TooLong&) = default;
  friend void PrintTo(const TooLong& line, std::ostream* out) {
    *out << line.where << " " << line.reason;
  }
};
struct Outcome {
  std::vector<Line> lines;
  std::vector<TooLong> too_long;
  std::uint64_t lines_read = 0;
  friend bool operator==(const Outcome&, const Outcome&) = default;
};

struct KeptDeadLetters final : DeadLetters {
  void add(std::string_view reason, std::string_view where, std::string_view record) override {
    kept.push_back({std::string(where), std::string(reason)});
    EXPECT_FALSE(record.empty());
    EXPECT_LE(record.size(), 256u);
  }
  std::vector<TooLong> kept;
};

Outcome split_naively(const std::string& text, std::size_t line_bytes_max) {
  Outcome outcome;
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t end = text.find('\n', at);
    std::string line = text.substr(at, end == std::string::npos ? end : end - at);
    if (end != std::string::npos && !line.empty() && line.back() == '\r') line.pop_back();
    ++outcome.lines_read;
    if (line.size() > line_bytes_max) {
      outcome.too_long.push_back({"f: byte " + std::to_string(at),
                                  "the line has " + std::to_string(line.size()) +
                                      " bytes, more than the " + std::to_string(line_bytes_max) +
                                      " allowed; raise --line-bytes-max to read it"});
    } else {
      outcome.lines.push_back({line, outcome.lines_read});
    }
    if (end == std::string::npos) break;
    at = end + 1;
  }
  return outcome;
}

struct Shape {
  std::size_t block_bytes = 256u << 10;
  std::size_t line_bytes_max = 1u << 20;
  std::size_t lines_max = 1024;
  SimFaults faults = {};
};

Outcome split(const std::string& text, const Shape& shape) {
  SimFiles files(shape.faults);
  files.put("f", text);
  KeptDeadLetters dead;
  LineReader reader(*files.open_read("f"), {"f", shape.block_bytes, shape.line_bytes_max}, &dead);
  Outcome outcome;
  std::vector<ArenaRef> held;  // every view must stay what it was until the end
  std::vector<std::string_view> views;
  std::vector<std::uint64_t> numbers;
  for (;;) {
    const std::size_t before = views.size();
    const Result<Poll> poll = reader.read(views, shape.lines_max);
    EXPECT_TRUE(poll.has_value()) << poll.error().to_string();
    if (!poll) break;
    EXPECT_LE(views.size() - before, shape.lines_max);
    if (views.size() > before) {
      held.push_back(reader.arena());
      EXPECT_EQ(text.substr(reader.first_offset(), views[before].size()), views[before]);
    }
    for (std::size_t i = before; i < views.size(); ++i)
      numbers.push_back(reader.first_line() + i - before);
    if (*poll == Poll::ended) break;
  }
  for (std::size_t i = 0; i < views.size(); ++i)
    outcome.lines.push_back({std::string(views[i]), numbers[i]});
  outcome.too_long = dead.kept;
  outcome.lines_read = reader.lines_read();
  EXPECT_EQ(reader.lines_refused(), dead.kept.size());
  return outcome;
}

TEST(LineReader, SplitsAtEveryBlockBoundary) {
  const std::string text = "alpha\nbe\r\n\n\r\n\r\r\ngamma and a longer line\r\nlast without end";
  const Outcome expected = split_naively(text, 1u << 20);
  ASSERT_EQ(expected.lines.size(), 7u);
  for (std::size_t block = 1; block <= text.size() + 2; ++block) {
    for (const std::size_t lines_max : {1, 2, 100}) {
      EXPECT_EQ(split(text, {.block_bytes = block, .lines_max = lines_max}), expected)
          << "block " << block << " lines_max " << lines_max;
    }
  }
}

TEST(LineReader, ReadsEmptyInputsAndNuls) {
  EXPECT_EQ(split("", {}), split_naively("", 100));
  EXPECT_TRUE(split("", {}).lines.empty());
  EXPECT_EQ(split("\n", {}).lines, (std::vector<Line>{{"", 1}}));
  EXPECT_EQ(split("a", {}).lines, (std::vector<Line>{{"a", 1}}));
  EXPECT_EQ(split("a\r", {}).lines, (std::vector<Line>{{"a\r", 1}}));
  const std::string nuls("a\0b\n\0\n\0", 7);
  EXPECT_EQ(split(nuls, {}).lines, (std::vector<Line>{{std::string("a\0b", 3), 1},
                                                      {std::string(1, '\0'), 2},
                                                      {std::string(1, '\0'), 3}}));
}

TEST(LineReader, TooLongLinesBecomeDeadLettersWhereverTheyAre) {
  const std::string big(50, 'x');
  const std::vector<std::string> texts = {big + "\nshort\n",
                                          "short\n" + big + "\nshort\n",
                                          "short\n" + big + "\n",
                                          "short\n" + big,
                                          big,
                                          big + "\r\nshort",
                                          "a\nb\n" + big + "\n" + big,
                                          std::string(10, 'y') + "\r\nz",
                                          std::string(11, 'y') + "\r\nz",
                                          std::string(10, 'y') + "\r",
                                          "\n" + std::string(10, 'y') + "\rz\nq\n"};
  for (const std::string& text : texts) {
    const Outcome expected = split_naively(text, 10);
    for (std::size_t block = 1; block <= text.size() + 2; ++block) {
      for (const std::size_t lines_max : {1, 100}) {
        EXPECT_EQ(split(text, {.block_bytes = block, .line_bytes_max = 10, .lines_max = lines_max}),
                  expected)
            << testing::PrintToString(text) << " block " << block << " lines_max " << lines_max;
      }
    }
  }
  const Outcome outcome = split("ok\n" + big + "\nok\n", {.line_bytes_max = 10});
  ASSERT_EQ(outcome.too_long.size(), 1u);
  EXPECT_EQ(outcome.too_long[0].where, "f: byte 3");
  EXPECT_NE(outcome.too_long[0].reason.find("50 bytes"), std::string::npos);
  EXPECT_EQ(outcome.lines, (std::vector<Line>{{"ok", 1}, {"ok", 3}}));
}

TEST(LineReader, ManyGigabytesOfOneLineStayInOneBlock) {
  struct Endless final : ByteReader {
    Result<std::size_t> read(char* buffer, std::size_t capacity) override {
      largest = std::max(largest, capacity);
      if (left == 0) return std::size_t{0};
      const std::size_t count = std::min<std::uint64_t>(capacity, left);
      left -= count;
      buffer[0] = 'x';
      buffer[count - 1] = left == 0 ? '\n' : 'x';
      if (!filled) std::fill(buffer, buffer + count - 1, 'x');
      return count;
    }
    std::uint64_t left = 64u << 20;
    std::size_t largest = 0;
    bool filled = false;
  };
  auto input = std::make_unique<Endless>();
  Endless* const endless = input.get();
  LineReader reader(std::move(input), {"f", 4096, 10000}, nullptr);
  std::vector<std::string_view> lines;
  for (;;) {
    const Result<Poll> poll = reader.read(lines, 10);
    ASSERT_TRUE(poll.has_value());
    EXPECT_LE(reader.arena()->capacity_bytes(), 20000u);
    if (*poll == Poll::ended) break;
  }
  EXPECT_LE(endless->largest, 10002u);
  EXPECT_EQ(reader.lines_refused(), 1u);
  EXPECT_TRUE(lines.empty());
}

TEST(LineReader, AgreesWithTheNaiveSplitterOnRandomInputs) {
  for (std::uint64_t seed = 0; seed < 3000; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    std::string text;
    const std::uint64_t bytes = random.below(600);
    const double ends = random.unit() * 0.3;
    while (text.size() < bytes) {
      const double draw = random.unit();
      if (draw < ends)
        text += random.chance(0.3) ? "\r\n" : "\n";
      else if (draw < ends + 0.05)
        text += "\r";
      else
        text += static_cast<char>(random.below(256));
    }
    Shape shape;
    shape.block_bytes = 1 + random.below(random.chance(0.5) ? 16 : 300);
    shape.line_bytes_max = 1 + random.below(random.chance(0.5) ? 20 : 400);
    shape.lines_max = 1 + random.below(10);
    shape.faults.seed = seed;
    shape.faults.short_reads = random.chance(0.5);
    shape.faults.not_ready_chance = random.chance(0.3) ? 0.3 : 0;
    ASSERT_EQ(split(text, shape), split_naively(text, shape.line_bytes_max));
  }
}

TEST(LineReader, SaysIdleWhenNothingIsThereAndKeepsTheBeginning) {
  struct Slow final : ByteReader {
    Result<std::size_t> read(char* buffer, std::size_t) override {
      static constexpr std::string_view kText = "one\n\1tw\1o\nth";
      if (at == kText.size()) return std::size_t{0};
      const char next = kText[at++];
      if (next == '\1') return kNotReady;
      buffer[0] = next;
      return std::size_t{1};
    }
    std::size_t at = 0;
  };
  LineReader reader(std::make_unique<Slow>(), {"f"}, nullptr);
  std::vector<std::string_view> lines;
  EXPECT_EQ(*reader.read(lines, 10), Poll::ready);
  EXPECT_EQ(*reader.read(lines, 10), Poll::idle);
  EXPECT_EQ(*reader.read(lines, 10), Poll::idle);
  EXPECT_EQ(lines.size(), 1u);
  EXPECT_EQ(*reader.read(lines, 10), Poll::ready);
  EXPECT_EQ(*reader.read(lines, 10), Poll::ended);
  EXPECT_EQ(lines, (std::vector<std::string_view>{"one", "two", "th"}));
  EXPECT_EQ(*reader.read(lines, 10), Poll::ended);
}

TEST(LineReader, GivesTheLinesBeforeAnErrorAndThenTheError) {
  SimFiles files({.read_fails_at = 9});
  files.put("f", "one\ntwo\nthree\n");
  LineReader reader(*files.open_read("f"), {"f"}, nullptr);
  std::vector<std::string_view> lines;
  EXPECT_EQ(*reader.read(lines, 10), Poll::ready);
  EXPECT_EQ(lines.size(), 2u);
  const Result<Poll> failed = reader.read(lines, 10);
  ASSERT_FALSE(failed.has_value());
  EXPECT_EQ(failed.error().code(), Code::source_failed);
}

TEST(LineReader, EachLineHasReadablePaddingBehindIt) {
  // Only AddressSanitizer can fail this one: the bytes are read, their values mean nothing.
  SimFiles files;
  files.put("f", std::string(64, 'a') + "\n" + std::string(62, 'b') + "\n");
  LineReader reader(*files.open_read("f"), {"f", 128}, nullptr);
  std::vector<std::string_view> lines;
  ASSERT_EQ(*reader.read(lines, 10), Poll::ready);
  volatile char sum = 0;
  for (const std::string_view line : lines) {
    for (std::size_t i = 0; i < LineReader::kPaddingBytes; ++i)
      sum = sum + line.data()[line.size() + i];
  }
  EXPECT_EQ(lines.size(), 2u);
}

}  // namespace
}  // namespace millrace::detail
