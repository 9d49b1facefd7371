// What the runtime may do with blocks of lines.
#include "record/line_block.hpp"

#include <algorithm>

#include "record/batch_type.hpp"

namespace millrace::detail {
namespace {

LineBlock& block(BatchBase& batch) { return static_cast<LineBlock&>(batch); }
const LineBlock& block(const BatchBase& batch) { return static_cast<const LineBlock&>(batch); }

class LineBlockType final : public BatchType {
 public:
  BatchPtr make() const override { return std::make_unique<LineBlock>(); }
  void append(BatchBase& to, const BatchBase& from,
              std::span<const std::uint32_t> picks) const override {
    append_marks(to, from, picks);
    block(to).add_picked(block(from), picks);
  }
  void append_all(BatchBase& to, const BatchBase& from) const override {
    append_all_marks(to, from);
    block(to).add_all(block(from));
  }
  void swap(BatchBase& a, BatchBase& b) const override {
    block(a).swap_records(block(b));
    swap_marks(a, b);
  }
  /// All bytes of its arenas are its own.
  void rehome(BatchBase&) const override {}
  /// The text is counted where its arena is.
  std::size_t record_bytes() const override { return 0; }
  std::size_t heap_bytes(const BatchBase&, std::size_t) const override { return 0; }
  std::string describe(const BatchBase& batch, std::size_t index) const override {
    const auto pick = static_cast<std::uint32_t>(index);
    LineBlock one;
    one.add_picked(block(batch), {&pick, 1});
    return one.runs().empty() ? std::string() : std::string(one.runs().front().text);
  }
};

}  // namespace

void LineBlock::add_picked(const LineBlock& other, std::span<const std::uint32_t> picks) {
  std::uint32_t line = 0;
  auto pick = picks.begin();
  for (const LineRun& run : other.runs_) {
    const std::string_view text = run.text;
    std::uint64_t number = run.first_line;
    for (std::size_t at = 0; at < text.size() && pick != picks.end(); ++line, ++number) {
      const std::size_t stop = std::min(text.find('\n', at), text.size() - 1) + 1;
      if (line == *pick) {
        LineRun one = run;
        one.text = text.substr(at, stop - at);
        one.lines = 1;
        one.first_line = number;
        one.offset = run.offset + at;
        add(std::move(one));
        ++pick;
      }
      at = stop;
    }
  }
}

const BatchType& line_block_type() {
  static const LineBlockType type;
  return type;
}

}  // namespace millrace::detail
