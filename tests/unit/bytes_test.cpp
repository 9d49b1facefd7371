// Tests of Bytes: one block however many copies, views into arenas, JSON, cells, and whole runs.
#include "record/bytes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <vector>

#include "base/base64.hpp"
#include "millrace/topology.hpp"
#include "record/codec_json.hpp"
#include "record/field_value.hpp"
#include "record/heap_bytes.hpp"
#include "runtime/runtime.hpp"

namespace millrace::detail {
namespace {

using testing::HasSubstr;

struct Frame {
  std::uint64_t number = 0;
  Bytes pixels;
};

TEST(Bytes, CopiesShareTheBlockAndTheLastOneFreesIt) {
  Bytes first = Bytes::copy_of("picture");
  EXPECT_EQ(first.shares(), 1u);
  {
    const Bytes second = first;
    Bytes third = second;
    EXPECT_EQ(first.shares(), 3u);
    EXPECT_EQ(third.data(), first.data());
    const Bytes moved = std::move(third);
    EXPECT_EQ(first.shares(), 3u);
  }
  EXPECT_EQ(first.shares(), 1u);
  EXPECT_EQ(first.text(), "picture");
  first = Bytes();
  EXPECT_TRUE(first.empty());
}

TEST(Bytes, AViewOwnsNothingUntilItIsAskedTo) {
  const std::string content = "short";
  const Bytes view = Bytes::view_of(content);
  EXPECT_FALSE(view.is_owned());
  EXPECT_EQ(view.data(), content.data());
  const Bytes kept = view.owned();
  EXPECT_NE(kept.data(), content.data());
  EXPECT_EQ(kept, view);
  EXPECT_EQ(kept.owned().data(), kept.data());
}

TEST(Bytes, AFillThatThrowsLeavesNoBlock) {
  EXPECT_THROW(Bytes::make(100, [](char*) { throw std::runtime_error("no camera"); }),
               std::runtime_error);
}

TEST(Bytes, OutputPutsShortOnesIntoTheBatchAndLongOnesIntoBlocks) {
  Batch<Frame> batch;
  Output<Frame> out;
  out.bind(batch);
  const Bytes small = out.bytes("abc");
  const Bytes large = out.bytes(std::string(kOwnBlockBytes, 'x'));
  EXPECT_FALSE(small.is_owned());
  EXPECT_TRUE(large.is_owned());
  EXPECT_EQ(batch.arenas.size(), 1u);
}

TEST(Bytes, RehomingCopiesViewsAndLeavesBlocks) {
  static_assert(Schema<Frame>::kBorrows);
  const std::string content = "in an arena";
  Frame view{1, Bytes::view_of(content)};
  Frame block{2, Bytes::copy_of(std::string(1u << 20, 'x'))};
  EXPECT_EQ(Schema<Frame>::borrowed_bytes(view), content.size());
  EXPECT_EQ(Schema<Frame>::borrowed_bytes(block), 0u);
  const char* const at = block.pixels.data();
  Arena arena(1024);
  Schema<Frame>::rehome(view, arena);
  Schema<Frame>::rehome(block, arena);
  EXPECT_NE(view.pixels.data(), content.data());
  EXPECT_EQ(view.pixels.text(), content);
  EXPECT_EQ(block.pixels.data(), at);
  EXPECT_EQ(arena.used_bytes(), content.size());
}

TEST(Bytes, AreCountedWhereTheyOwnTheirBlock) {
  EXPECT_EQ(heap_bytes_of(Frame{1, Bytes::view_of("abc")}), 0u);
  EXPECT_EQ(heap_bytes_of(Frame{1, Bytes::copy_of("abc")}), 3u);
}

TEST(Bytes, ACellShowsTheSizeAndJsonIsBase64) {
  const Frame frame{7, Bytes::copy_of(std::string("\0\xff\x10", 3))};
  EXPECT_EQ(std::get<std::string>(value_of(frame.pixels)), "(3 bytes)");
  std::string json;
  append_json(json, frame);
  EXPECT_EQ(json, R"({"number":7,"pixels":"AP8Q"})");
}

TEST(Base64, RoundTripsEveryLengthAndByte) {
  std::string bytes;
  for (int length = 0; length < 300; ++length) {
    std::string text;
    append_base64(text, bytes);
    EXPECT_EQ(text.size(), (bytes.size() + 2) / 3 * 4);
    std::string back(base64_bytes_max(text.size()), '\0');
    const auto size = decode_base64(text, back.data());
    ASSERT_TRUE(size) << length;
    back.resize(*size);
    EXPECT_EQ(back, bytes);
    bytes += static_cast<char>(length * 37);
  }
}

TEST(Base64, OtherTextIsRefused) {
  char out[64];
  for (const char* text : {"A", "AAAAA", "AA*A", "AA=A", "A===", "AA AA", "\xff\xff\xff\xff"}) {
    EXPECT_EQ(decode_base64(text, out), std::nullopt) << text;
  }
  EXPECT_EQ(decode_base64("AA", out), 1u);  // padding may be missing
}

TEST(BytesFromJson, ShortOnesLieInTheArenaLongOnesInBlocks) {
  JsonDecoder<Frame> decoder;
  Arena arena(1u << 16);
  Frame frame;
  ASSERT_EQ(decoder.decode(R"({"number":7,"pixels":"AP8Q"})", frame, arena, LineHome::arena),
            Decoded::record)
      << decoder.error();
  EXPECT_EQ(frame.pixels.text(), std::string_view("\0\xff\x10", 3));
  EXPECT_FALSE(frame.pixels.is_owned());
  const std::string content(100'001, 'q');
  std::string line = R"({"number":8,"pixels":")";
  append_base64(line, content);
  line += "\"}";
  ASSERT_EQ(decoder.decode(line, frame, arena, LineHome::arena), Decoded::record);
  EXPECT_TRUE(frame.pixels.is_owned());
  EXPECT_EQ(frame.pixels.text(), content);
  EXPECT_EQ(decoder.decode(R"({"number":8,"pixels":"?"})", frame, arena, LineHome::arena),
            Decoded::failed);
  EXPECT_THAT(decoder.error(), HasSubstr("pixels"));
  EXPECT_THAT(decoder.error(), HasSubstr("base64"));
}

/// A filter that keeps one of many keeps that one's block alive, and no other.
TEST(BytesRun, ABigRecordKeepsItsOwnBlockOnly) {
  std::vector<Bytes> all;
  for (int at = 0; at < 64; ++at) all.push_back(Bytes::copy_of(std::string(1u << 16, 'x')));
  std::vector<Frame> kept;
  Topology topology("filter");
  auto frames = topology.from(generate(
      64, [&all](std::uint64_t at) { return Frame{at, all[static_cast<std::size_t>(at)]}; }));
  frames.filter([](const Frame& frame) { return frame.number == 17; })
      .to(each([&kept](const Frame& frame) { kept.push_back(frame); }));
  {
    RunOptions options;
    Engine engine(make_plan(topology.declaration().graph, {}), options, real_env());
    ASSERT_TRUE(engine.start().ok());
    ASSERT_TRUE(engine.finish().ok());
  }
  ASSERT_EQ(kept.size(), 1u);
  EXPECT_EQ(kept.front().pixels.data(), all[17].data());  // never copied
  for (std::size_t at = 0; at < all.size(); ++at) {
    EXPECT_EQ(all[at].shares(), at == 17 ? 2u : 1u) << at;
  }
}

struct Pass : Bolt<Frame, Frame> {
  void process(const Frame& frame, Output<Frame>& out) override { out.emit(frame); }
};

/// Blocks made in one thread, read in others, freed in whichever is last.
TEST(BytesRun, BlocksGoThroughThreads) {
  constexpr std::uint64_t kFrames = 2000;
  std::uint64_t sum = 0;
  Topology topology("threads");
  auto frames = topology.from(generate(kFrames, [](std::uint64_t at) {
    return Frame{at, Bytes::copy_of(std::string(5000, static_cast<char>('a' + at % 26)))};
  }));
  topology.bolt("pass", Pass{}, all(frames), {.tasks = 3}).to(each([&sum](const Frame& frame) {
    if (frame.pixels.size() == 5000 &&
        frame.pixels.data()[4999] == static_cast<char>('a' + frame.number % 26)) {
      sum += frame.number;
    }
  }));
  RunOptions options;
  options.executors = 3;
  options.batch_records_max = 64;
  Engine engine(make_plan(topology.declaration().graph, {}), options, real_env());
  ASSERT_TRUE(engine.start().ok());
  ASSERT_TRUE(engine.finish().ok());
  EXPECT_EQ(sum, 3 * (kFrames * (kFrames - 1) / 2));
}

}  // namespace
}  // namespace millrace::detail
