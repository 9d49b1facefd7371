// JsonSource: JSON lines of a path as records; what does not fit becomes a dead letter with file and line.
#pragma once

#include <string_view>
#include <utility>
#include <vector>

#include "connector/line_input.hpp"
#include "record/batch.hpp"
#include "record/codec_json.hpp"

namespace millrace::detail {

/// Fills Batch<T>, one partition. Blank lines are skipped. One thread. Errors: as LineInput.
template <class T>
class JsonSource final : public Source {
 public:
  explicit JsonSource(LineInputOptions options) : input_(std::move(options)) {}

  Status open(const EndContext& context) override {
    context_ = &context;
    return input_.open(context);
  }
  std::uint32_t partitions() const override { return input_.partitions(); }

  Result<Poll> poll(BatchBase& base) override {
    auto& batch = static_cast<Batch<T>&>(base);
    lines_.clear();
    Result<Poll> outcome = input_.read(lines_, context_->batch_records_max, batch);
    if (lines_.empty()) return outcome;
    Arena& arena = *batch.arenas.back();
    for (std::size_t at = 0; at < lines_.size(); ++at) {
      T& record = batch.values.emplace_back();
      const Decoded decoded = decoder_.decode(lines_[at], record, arena, LineHome::arena);
      if (decoded == Decoded::record) continue;
      batch.values.pop_back();
      if (decoded == Decoded::blank) {
        ++blank_;
      } else {
        refuse(at);
      }
    }
    return outcome;
  }
  std::uint64_t records_read() const override { return input_.lines_read() - blank_; }
  void close() override { input_.close(); }

 private:
  void refuse(std::size_t at) {
    const std::string where = input_.path() + ":" + std::to_string(input_.first_line() + at);
    context_->dead_letters->add(decoder_.error(), where, lines_[at].substr(0, kShownBytes));
  }

  static constexpr std::size_t kShownBytes = 1000;

  LineInput input_;
  JsonDecoder<T> decoder_;
  const EndContext* context_ = nullptr;
  std::vector<std::string_view> lines_;
  std::uint64_t blank_ = 0;
};

}  // namespace millrace::detail
