// GzipReader on zlib's inflate.
#include "connector/gzip_reader.hpp"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <utility>
#include <vector>

#include "base/check.hpp"

namespace millrace::detail {

namespace {
constexpr std::size_t kInputBytes = 128u << 10;
constexpr int kGzipOnly = 16 + MAX_WBITS;  // see inflateInit2 in zlib.h
}  // namespace

struct GzipReader::Inflater {
  Inflater() : input(kInputBytes) {
    MR_CHECK(inflateInit2(&stream, kGzipOnly) == Z_OK,
             "zlib cannot start: out of memory or of another version");
  }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
  ~Inflater() { inflateEnd(&stream); }
  /// Offset in the compressed input of the byte that comes next.
  std::uint64_t offset() const { return fetched - stream.avail_in; }

  z_stream stream{};
  std::vector<char> input;
  std::uint64_t fetched = 0;
};

GzipReader::GzipReader(std::unique_ptr<ByteReader> input, std::string path,
                       std::string_view first_bytes)
    : input_(std::move(input)), path_(std::move(path)), inflater_(std::make_unique<Inflater>()) {
  MR_CHECK(first_bytes.size() <= kInputBytes, "more bytes were read ahead than the buffer takes");
  std::copy(first_bytes.begin(), first_bytes.end(), inflater_->input.begin());
  inflater_->stream.next_in = reinterpret_cast<Bytef*>(inflater_->input.data());
  inflater_->stream.avail_in = static_cast<uInt>(first_bytes.size());
  inflater_->fetched = first_bytes.size();
}

GzipReader::~GzipReader() = default;

Result<std::size_t> GzipReader::read(char* buffer, std::size_t capacity) {
  if (!failed_) return failed_;
  z_stream& stream = inflater_->stream;
  capacity = std::min<std::size_t>(capacity, std::numeric_limits<uInt>::max());
  stream.next_out = reinterpret_cast<Bytef*>(buffer);
  stream.avail_out = static_cast<uInt>(capacity);
  while (stream.avail_out > 0) {
    const Result<Step> step = advance();
    const std::size_t written = capacity - stream.avail_out;
    if (!step) {
      failed_ = step.error();
      if (written > 0) return written;
      return failed_;
    }
    if (*step == Step::ended) return written;
    if (*step == Step::not_ready) return written > 0 ? written : kNotReady;
  }
  return capacity;
}

Result<GzipReader::Step> GzipReader::advance() {
  if (inflater_->stream.avail_in == 0) {
    const Result<Step> filled = refill();
    if (!filled || *filled == Step::not_ready) return filled;
    if (*filled == Step::ended) {
      if (place_ != Place::member) return Step::ended;
      return corrupt("ends in the middle");
    }
  }
  if (place_ != Place::member) return after_member();
  if (Status status = inflate_some(); !status) return status;
  return Step::more;
}

Result<GzipReader::Step> GzipReader::refill() {
  Result<std::size_t> count = input_->read(inflater_->input.data(), inflater_->input.size());
  if (!count) return count.error();
  if (*count == kNotReady) return Step::not_ready;
  if (*count == 0) return Step::ended;
  inflater_->stream.next_in = reinterpret_cast<Bytef*>(inflater_->input.data());
  inflater_->stream.avail_in = static_cast<uInt>(*count);
  inflater_->fetched += *count;
  return Step::more;
}

Result<GzipReader::Step> GzipReader::after_member() {
  z_stream& stream = inflater_->stream;
  if (*stream.next_in == 0) {
    place_ = Place::padding;
    ++stream.next_in;
    --stream.avail_in;
    return Step::more;
  }
  if (place_ == Place::padding || *stream.next_in != 0x1f) {
    return corrupt("has bytes that are not gzip after its end");
  }
  MR_CHECK(inflateReset(&stream) == Z_OK, "zlib lost its state");
  place_ = Place::member;
  return Step::more;
}

Status GzipReader::inflate_some() {
  z_stream& stream = inflater_->stream;
  switch (inflate(&stream, Z_NO_FLUSH)) {
    case Z_OK:
    case Z_BUF_ERROR:
      return {};  // it wants more input or more room; the caller gives either
    case Z_STREAM_END:
      place_ = Place::between;
      return {};
    case Z_MEM_ERROR:
      return Status(Code::source_failed,
                    fmt::format("\"{}\" cannot be unpacked: out of memory", path_));
    default:
      return corrupt(
          fmt::format("is damaged ({})", stream.msg != nullptr ? stream.msg : "not a gzip stream"));
  }
}

Status GzipReader::corrupt(std::string_view what) const {
  return Status(Code::input_corrupt, fmt::format("\"{}\": the gzip input {} at compressed offset "
                                                 "{}; check it with gzip -t, and get it again "
                                                 "from where it came from",
                                                 path_, what, inflater_->offset()));
}

}  // namespace millrace::detail
