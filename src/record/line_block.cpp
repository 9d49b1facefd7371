// What the runtime may do with blocks of lines.
#include "record/line_block.hpp"

#include "base/check.hpp"
#include "record/batch_type.hpp"

namespace millrace::detail {
namespace {

LineBlock& block(BatchBase& batch) { return static_cast<LineBlock&>(batch); }
const LineBlock& block(const BatchBase& batch) { return static_cast<const LineBlock&>(batch); }

class LineBlockType final : public BatchType {
 public:
  BatchPtr make() const override { return std::make_unique<LineBlock>(); }
  void append(BatchBase&, const BatchBase&, std::span<const std::uint32_t>) const override {
    MR_CHECK(false, "lines of a block were picked before they were cut apart");
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
  std::string describe(const BatchBase&, std::size_t) const override {
    return "a line that was not cut off its block yet";
  }
};

}  // namespace

const BatchType& line_block_type() {
  static const LineBlockType type;
  return type;
}

}  // namespace millrace::detail
