// ZstdReader on libzstd's streaming decoder.
#include "connector/zstd_reader.hpp"

#include <fmt/format.h>
#include <zstd.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "base/check.hpp"

namespace millrace::detail {

struct ZstdReader::Unpacker {
  explicit Unpacker(std::string_view first) : context(ZSTD_createDCtx()), input(128u << 10) {
    MR_CHECK(context != nullptr, "zstd cannot start: out of memory");
    MR_CHECK(first.size() <= input.size(), "more bytes were read ahead than the buffer takes");
    ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax, 27);
    std::copy(first.begin(), first.end(), input.begin());
    in = {input.data(), first.size(), 0};
    fetched = first.size();
  }
  Unpacker(const Unpacker&) = delete;
  Unpacker& operator=(const Unpacker&) = delete;
  ~Unpacker() { ZSTD_freeDCtx(context); }

  ZSTD_DCtx* context;
  std::vector<char> input;
  ZSTD_inBuffer in{};
  std::uint64_t fetched = 0;
  bool inside_frame = false;
  bool may_hold_output = false;  // the last call filled its buffer
};

ZstdReader::ZstdReader(std::unique_ptr<ByteReader> input, std::string path,
                       std::string_view first_bytes)
    : input_(std::move(input)),
      path_(std::move(path)),
      unpacker_(std::make_unique<Unpacker>(first_bytes)) {}

ZstdReader::~ZstdReader() = default;

Result<std::size_t> ZstdReader::read(char* buffer, std::size_t capacity) {
  if (!failed_) return failed_;
  Unpacker& unpacker = *unpacker_;
  ZSTD_outBuffer out{buffer, capacity, 0};
  while (out.pos < out.size) {
    if (unpacker.in.pos == unpacker.in.size && !unpacker.may_hold_output) {
      Result<std::size_t> count = input_->read(unpacker.input.data(), unpacker.input.size());
      if (!count) {
        failed_ = count.error();
      } else if (*count == kNotReady) {
        return out.pos > 0 ? out.pos : kNotReady;
      } else if (*count == 0 && unpacker.inside_frame) {
        failed_ = corrupt("ends in the middle");
      }
      if (!failed_ && out.pos == 0) return failed_;
      if (!failed_ || *count == 0) return out.pos;
      unpacker.in = {unpacker.input.data(), *count, 0};
      unpacker.fetched += *count;
    }
    const std::size_t wanted = ZSTD_decompressStream(unpacker.context, &out, &unpacker.in);
    if (ZSTD_isError(wanted)) {
      failed_ = corrupt(fmt::format("is damaged ({})", ZSTD_getErrorName(wanted)));
      if (out.pos > 0) return out.pos;
      return failed_;
    }
    unpacker.inside_frame = wanted != 0;
    unpacker.may_hold_output = out.pos == out.size && wanted != 0;
  }
  return out.pos;
}

Status ZstdReader::corrupt(std::string_view what) const {
  return Status(
      Code::input_corrupt,
      fmt::format("\"{}\": the zstd input {} at compressed offset {}; check it with zstd "
                  "-t, and get it again from where it came from",
                  path_, what, unpacker_->fetched - (unpacker_->in.size - unpacker_->in.pos)));
}

}  // namespace millrace::detail
