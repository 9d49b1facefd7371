// CsvSource: the rows of a file, a pipe or standard input as records of a described type.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "connector/record_source.hpp"
#include "record/codec_csv.hpp"

namespace millrace::detail {

struct CsvFormatOptions {
  CsvDialect dialect;
  TimeUnit unit = TimeUnit::milliseconds;
  bool header = true;                ///< the first line of each input names its columns
  std::vector<std::string> columns;  ///< their names where there is no header; empty: the members'
};

/// A row a line; see CsvDecoder. Errors: 4006 when the columns lack a member.
template <class T>
class CsvFormat {
 public:
  explicit CsvFormat(CsvFormatOptions options = {}) : options_(std::move(options)) {}

  Decoded decode(std::string_view line, T& record, Arena& texts) {
    // A log that is made anew begins with its header again.
    if (!now_->header.empty() && line == now_->header) return Decoded::blank;
    return now_->decoder.decode(line, record, texts);
  }
  Decoded append(std::string_view line, std::vector<T>& values, Arena& texts) {
    return kept_or_withdrawn(decode(line, values.emplace_back(), texts), values);
  }
  const std::string& error() const { return now_->decoder.error(); }

  Result<bool> header(std::string_view line, std::uint64_t input, bool first,
                      const std::string& path) {
    const auto [entry, fresh] = inputs_.try_emplace(input, options_);
    now_ = &entry->second;
    Status bound;
    if (options_.header) {
      if (!first && !fresh) return false;
      now_->header = line;
      bound = now_->decoder.bind_header(line, path);
    } else if (fresh && !options_.columns.empty()) {
      bound = now_->decoder.bind_names(options_.columns, path);
    } else if (fresh) {
      now_->decoder.bind_in_order();
    }
    if (!bound) return bound;
    return options_.header;
  }
  void ended(std::uint64_t input) { inputs_.erase(input); }

  std::string note(std::uint64_t input) const {
    const auto found = inputs_.find(input);
    return found == inputs_.end() ? std::string() : found->second.header;
  }
  Status take_note(std::uint64_t input, const std::string& note, const std::string& path) {
    if (!options_.header) return {};
    now_ = &inputs_.try_emplace(input, options_).first->second;
    now_->header = note;
    const std::string padded = note + std::string(CsvRow::kPaddingBytes, '\0');
    return now_->decoder.bind_header(std::string_view(padded).substr(0, note.size()), path);
  }

 private:
  struct Input {
    explicit Input(const CsvFormatOptions& options) : decoder(options.dialect, options.unit) {}
    CsvDecoder<T> decoder;
    std::string header;
  };

  CsvFormatOptions options_;
  std::map<std::uint64_t, Input> inputs_;  // those that have not ended
  Input* now_ = nullptr;                   // of the last header()
};

template <class T>
using CsvSource = RecordSource<T, CsvFormat<T>>;

}  // namespace millrace::detail
