// ZstdReader: the bytes inside a zstd input.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "env/env.hpp"

namespace millrace::detail {

/// Unpacks zstd (RFC 8878), also several frames one after another. One thread.
///
/// An input that ends inside a frame or is damaged gives 4004 with the path and the offset in the
/// compressed input; everything before the damage is returned first. A frame whose window is over
/// 128 MiB (`zstd --long=28` and more) is refused so that memory stays bounded. kNotReady and
/// errors of the input pass through. After an error, each read gives it again.
class ZstdReader final : public ByteReader {
 public:
  /// `first_bytes` were already read from `input` and come before the rest; `path` is for messages.
  ZstdReader(std::unique_ptr<ByteReader> input, std::string path, std::string_view first_bytes);
  ~ZstdReader() override;

  Result<std::size_t> read(char* buffer, std::size_t capacity) override;

 private:
  struct Unpacker;

  Status corrupt(std::string_view what) const;

  std::unique_ptr<ByteReader> input_;
  std::string path_;
  std::unique_ptr<Unpacker> unpacker_;
  Status failed_;
};

}  // namespace millrace::detail
