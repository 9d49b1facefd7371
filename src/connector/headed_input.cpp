// First bytes kept, compared, and passed over.
#include "connector/headed_input.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/crc32c.hpp"

namespace millrace::detail {

HeadedInput::HeadedInput(std::unique_ptr<ByteReader> input)
    : input_(std::move(input)), again_(dynamic_cast<RereadableReader*>(input_.get())) {
  heads_.push_back({0, {}});
}

Result<std::size_t> HeadedInput::read(char* buffer, std::size_t capacity) {
  Result<std::size_t> count = input_->read(buffer, capacity);
  if (count && *count != kNotReady) note({buffer, *count});
  return count;
}

void HeadedInput::note(std::string_view bytes) {
  const std::uint64_t at = given_;
  given_ += bytes.size();
  const std::uint64_t begin = again_ != nullptr ? again_->file_begin() : 0;
  if (begin != heads_.back().begin) heads_.push_back({begin, {}});
  Head& head = heads_.back();
  if (head.bytes.size() >= kHeadBytes || at != begin + head.bytes.size()) return;
  head.bytes.append(bytes.substr(0, kHeadBytes - head.bytes.size()));
}

InputPlace HeadedInput::place_of(std::uint64_t offset) {
  while (heads_.size() > 1 && heads_[1].begin <= offset) heads_.pop_front();
  const Head& head = heads_.front();
  InputPlace place;
  place.offset = offset - std::min(offset, head.begin);
  place.head_bytes = std::min<std::uint64_t>(place.offset, head.bytes.size());
  place.head_crc = crc32c(std::string_view(head.bytes).substr(0, place.head_bytes));
  return place;
}

Status HeadedInput::go_to(const InputPlace& place, const std::string& path) {
  const auto gone = [&](const std::string& why) {
    return Status(Code::source_failed,
                  fmt::format("\"{}\" {}, and reading was to go on at byte {} of it: it was "
                              "shortened or replaced; put the file back, or begin anew with "
                              "another state folder",
                              path, why, place.offset));
  };
  std::string head(std::min<std::uint64_t>(place.head_bytes, kHeadBytes), '\0');
  std::size_t there = 0;
  while (there < head.size()) {
    const Result<std::size_t> count = read(head.data() + there, head.size() - there);
    if (!count) return count.error();
    if (*count == 0 || *count == kNotReady) break;
    there += *count;
  }
  if (there < head.size()) return gone(fmt::format("has only {} bytes", there));
  if (crc32c(head) != place.head_crc) return gone("begins otherwise than before");
  if (again_ == nullptr) return gone("cannot be read from its middle");
  const Result<std::uint64_t> passed = again_->skip(place.offset - there);
  if (!passed) return passed.error();
  given_ += *passed;
  if (given_ < place.offset) return gone(fmt::format("has only {} bytes", given_));
  return {};
}

}  // namespace millrace::detail
