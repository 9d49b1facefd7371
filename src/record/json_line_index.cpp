// The only user of simdjson: its implementation for this processor, chosen when the program runs.
#include "record/json_line_index.hpp"

#include <simdjson.h>

#include <algorithm>
#include <bit>

#include "base/text.hpp"

namespace millrace::detail {

namespace {

constexpr std::size_t kFirstLineBytesMax = 1u << 14;
/// After a line beyond this the index shrinks again: it takes four bytes for each of the line.
constexpr std::size_t kKeptLineBytesMax = 1u << 20;

std::string reason_of(simdjson::error_code code, std::string_view line) {
  if (!valid_utf8(line)) return "the text is not valid UTF-8";
  if (code == simdjson::UNCLOSED_STRING) {
    return "not valid JSON: a text is not closed by a quote before the line ends";
  }
  if (code == simdjson::UNESCAPED_CHARS) {
    return "not valid JSON: a text holds a control character that is not escaped";
  }
  return std::string("the line cannot be indexed: ") + simdjson::error_message(code);
}

}  // namespace

struct JsonLineIndex::Stage {
  std::unique_ptr<simdjson::internal::dom_parser_implementation> parser;
};

JsonLineIndex::JsonLineIndex() : stage_(std::make_unique<Stage>()) {}
JsonLineIndex::~JsonLineIndex() = default;

bool JsonLineIndex::fit(std::size_t line_bytes, std::string& why) {
  const std::size_t wanted = std::max(kFirstLineBytesMax, std::bit_ceil(line_bytes));
  const auto code = stage_->parser
                        ? stage_->parser->set_capacity(wanted)
                        : simdjson::get_active_implementation()->create_dom_parser_implementation(
                              wanted, 1, stage_->parser);
  line_bytes_max_ = code == simdjson::SUCCESS ? wanted : 0;
  if (code != simdjson::SUCCESS) why = reason_of(code, {});
  return code == simdjson::SUCCESS;
}

bool JsonLineIndex::read(std::string_view line, std::string& why) {
  begin_ = end_ = nullptr;
  if (line.empty()) return false;
  const bool shrinks = line_bytes_max_ > kKeptLineBytesMax && line.size() < kFirstLineBytesMax;
  if ((line.size() > line_bytes_max_ || shrinks) && !fit(line.size(), why)) return false;
  const auto code = stage_->parser->stage1(reinterpret_cast<const std::uint8_t*>(line.data()),
                                           line.size(), simdjson::stage1_mode::regular);
  if (code == simdjson::EMPTY) return false;
  if (code != simdjson::SUCCESS) {
    why = reason_of(code, line);
    return false;
  }
  begin_ = stage_->parser->structural_indexes.get();
  end_ = begin_ + stage_->parser->n_structural_indexes;
  return true;
}

}  // namespace millrace::detail
