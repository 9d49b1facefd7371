// GzipReader: the bytes inside a gzip input.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "env/env.hpp"

namespace millrace::detail {

/// Unpacks gzip (RFC 1952), also several members one after another, as `cat a.gz b.gz` makes them.
/// One thread.
///
/// Zero bytes after the last member are padding and ignored. An input that ends inside a member, is
/// damaged, or has other bytes after a member gives 4004 with the path and the offset in the
/// compressed input; everything before the damage is returned first. kNotReady and errors of the
/// input pass through. After an error, each read gives it again.
class GzipReader final : public ByteReader {
 public:
  /// `first_bytes` were already read from `input` and come before the rest; `path` is for messages.
  GzipReader(std::unique_ptr<ByteReader> input, std::string path,
             std::string_view first_bytes = {});
  ~GzipReader() override;

  Result<std::size_t> read(char* buffer, std::size_t capacity) override;

 private:
  struct Inflater;
  enum class Place { member, between, padding };
  enum class Step { more, ended, not_ready };

  Result<Step> advance();
  Result<Step> refill();
  Result<Step> after_member();
  Status inflate_some();
  Status corrupt(std::string_view what) const;

  std::unique_ptr<ByteReader> input_;
  std::string path_;
  std::unique_ptr<Inflater> inflater_;
  Place place_ = Place::member;
  Status failed_;
};

}  // namespace millrace::detail
