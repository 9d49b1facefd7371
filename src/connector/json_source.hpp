// JsonSource: the JSON lines of a file, a pipe or standard input as records of a described type.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "connector/record_source.hpp"
#include "record/codec_json.hpp"

namespace millrace::detail {

/// A JSON object a line; no header.
template <class T>
class JsonFormat {
 public:
  explicit JsonFormat(TimeUnit unit = TimeUnit::milliseconds) : decoder_(unit) {}

  Decoded decode(std::string_view line, T& record, Arena& texts) {
    return decoder_.decode(line, record, texts, LineHome::arena);
  }
  Decoded append(std::string_view line, std::vector<T>& values, Arena& texts) {
    return kept_or_withdrawn(decode(line, values.emplace_back(), texts), values);
  }
  const std::string& error() const { return decoder_.error(); }
  Result<bool> header(std::string_view, std::uint64_t, bool, const std::string&) { return false; }
  void ended(std::uint64_t) {}

 private:
  JsonDecoder<T> decoder_;
};

template <class T>
using JsonSource = RecordSource<T, JsonFormat<T>>;

}  // namespace millrace::detail
