// RowBatcher: hands the rows that an operator makes of its state on in batches, with texts of their
// own.
#pragma once

#include "operator/operator.hpp"

namespace millrace::detail {

/// One open batch of rows and the arena of what they borrow. One thread.
template <class Row>
class RowBatcher {
 public:
  /// Adds make(Arena&) and calls mark(Batch<Row>&), which adds what goes with it. When make throws,
  /// the batch is as before.
  template <class Make, class Mark>
  void add(Make&& make, Mark&& mark, const OperatorContext& context) {
    if (out_.values.empty()) begin(context);
    out_.values.push_back(make(*arena_));
    mark(out_);
  }
  /// Hands the batch on when it is full by records or bytes.
  void flush_full(const OperatorContext& context, Outputs& outputs) {
    const bool full = out_.values.size() >= context.batch_records_max ||
                      arena_->used_bytes() >= context.batch_bytes_max;
    if (full) flush(outputs);
  }
  /// Hands on what is there.
  void flush(Outputs& outputs) {
    if (out_.values.empty()) return;
    outputs.push(0, out_);
    out_.clear();
  }

 private:
  void begin(const OperatorContext& context) {
    out_.clear();
    arena_ = pool_.take(context.arenas);
    out_.pin(arena_);
  }

  Batch<Row> out_;
  ArenaPool pool_{16u << 10};
  ArenaRef arena_;
};

}  // namespace millrace::detail
