// Tests of GzipReader and of open_input's recognition of gzip.
#include <gtest/gtest.h>
#include <zlib.h>

#include <string>

#include "connector/gzip_reader.hpp"
#include "connector/open_input.hpp"
#include "env/sim_env.hpp"

namespace millrace::detail {
namespace {

std::string gzip(const std::string& text) {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string packed(deflateBound(&stream, text.size()) + 32, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

std::string sample_text() {
  std::string text;
  Random random(5);
  for (int line = 0; line < 200; ++line)
    text += "line " + std::to_string(random.below(1'000'000)) + "\n";
  return text;
}

struct Unpacked {
  std::string text;
  Status status;
};

Unpacked read_all(ByteReader& reader, std::size_t capacity) {
  Unpacked unpacked;
  std::string buffer(capacity, '\0');
  for (;;) {
    Result<std::size_t> count = reader.read(buffer.data(), capacity);
    if (!count) {
      unpacked.status = count.error();
      EXPECT_EQ(reader.read(buffer.data(), capacity).error().code(), count.error().code());
      return unpacked;
    }
    if (*count == ByteReader::kNotReady) continue;
    if (*count == 0) return unpacked;
    unpacked.text.append(buffer, 0, *count);
  }
}

Unpacked unpack(const std::string& content, SimFaults faults = {}, std::size_t capacity = 4096) {
  SimFiles files(faults);
  files.put("f.gz", content);
  Result<std::unique_ptr<ByteReader>> reader = open_input(files, "f.gz");
  EXPECT_TRUE(reader.has_value());
  return read_all(**reader, capacity);
}

TEST(Gzip, ReadsPlainInputsAsTheyAre) {
  for (const std::string text : {"", "a", "\x1f", "\n", "ab", "\x1f\x8c", "plain text\n"}) {
    for (const std::size_t capacity : {1, 2, 3, 100}) {
      const Unpacked unpacked = unpack(text, {.seed = 3, .short_reads = true}, capacity);
      EXPECT_TRUE(unpacked.status) << unpacked.status.to_string();
      EXPECT_EQ(unpacked.text, text);
    }
  }
}

TEST(Gzip, UnpacksOneAndSeveralMembersWithPadding) {
  const std::string text = sample_text();
  const std::string one = gzip(text);
  for (const std::size_t capacity : {1, 7, 4096, 1 << 20}) {
    EXPECT_EQ(unpack(one, {}, capacity).text, text);
    EXPECT_EQ(unpack(one + gzip("") + gzip("x") + one, {}, capacity).text, text + "x" + text);
  }
  const Unpacked padded = unpack(one + std::string(1000, '\0'));
  EXPECT_TRUE(padded.status) << padded.status.to_string();
  EXPECT_EQ(padded.text, text);
  EXPECT_EQ(unpack(gzip("")).text, "");
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const SimFaults faults{.seed = seed, .short_reads = true, .not_ready_chance = 0.3};
    EXPECT_EQ(unpack(one + one, faults).text, text + text);
  }
}

TEST(Gzip, EveryCutIsFoundAndNamesPathAndOffset) {
  const std::string text = sample_text();
  const std::string first = gzip(text);
  const std::string packed = first + gzip("second member\n");
  for (std::size_t cut = 2; cut < packed.size(); ++cut) {
    const Unpacked unpacked = unpack(packed.substr(0, cut));
    if (cut == first.size()) {
      EXPECT_TRUE(unpacked.status);
      continue;
    }
    ASSERT_EQ(unpacked.status.code(), Code::input_corrupt) << "cut at " << cut;
    EXPECT_NE(unpacked.status.message().find("f.gz"), std::string::npos);
    EXPECT_NE(unpacked.status.message().find("offset " + std::to_string(cut) + ";"),
              std::string::npos)
        << unpacked.status.message();
    EXPECT_TRUE((text + "second member\n").starts_with(unpacked.text));
    if (cut > first.size()) {
      EXPECT_GE(unpacked.text.size(), text.size());
    }
  }
}

TEST(Gzip, EveryFlippedBitIsFoundOrChangesNothing) {
  const std::string text = sample_text();
  const std::string packed = gzip(text);
  std::size_t unnoticed = 0;
  for (std::size_t bit = 16; bit < packed.size() * 8;
       ++bit) {  // the first two bytes decide that it is gzip
    std::string damaged = packed;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    const Unpacked unpacked = unpack(damaged);
    if (unpacked.status) {
      ASSERT_EQ(unpacked.text, text) << "bit " << bit;
      ++unnoticed;
    } else {
      ASSERT_EQ(unpacked.status.code(), Code::input_corrupt) << "bit " << bit;
    }
  }
  EXPECT_LE(unnoticed, 8u * 8u);  // time, flags and system in the header are covered by no checksum
}

TEST(Gzip, RefusesOtherBytesAfterTheEnd) {
  const std::string packed = gzip("text");
  for (const std::string& garbage : {std::string("garbage"), std::string("\0\0x", 3)}) {
    const Unpacked unpacked = unpack(packed + garbage);
    EXPECT_EQ(unpacked.text, "text");
    EXPECT_EQ(unpacked.status.code(), Code::input_corrupt);
    const std::size_t at = packed.size() + (garbage[0] == '\0' ? 2 : 0);
    EXPECT_NE(unpacked.status.message().find("offset " + std::to_string(at)), std::string::npos)
        << unpacked.status.message();
  }
}

TEST(Gzip, PassesErrorsOfTheInputOn) {
  const Unpacked unpacked = unpack(gzip(sample_text()), {.read_fails_at = 100});
  EXPECT_EQ(unpacked.status.code(), Code::source_failed);
}

}  // namespace
}  // namespace millrace::detail
