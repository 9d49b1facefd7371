// JoinedRows: the rows that a join makes of records of both sides, or of one where the other has
// none.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "operator/joined_records.hpp"
#include "operator/operator.hpp"
#include "operator/stateless.hpp"
#include "record/row_batch.hpp"
#include "record/schema.hpp"

namespace millrace::detail {

/// Which rows a join emits.
enum class JoinKind : std::uint8_t {
  inner,  ///< pairs
  left,   ///< and left records without a partner
  right,  ///< and right ones
  full,   ///< and both
  semi,   ///< left records with a partner, once
  anti,   ///< left records without one
};

constexpr bool keeps_left(JoinKind kind) {
  return kind == JoinKind::left || kind == JoinKind::full || kind == JoinKind::anti;
}
constexpr bool keeps_right(JoinKind kind) {
  return kind == JoinKind::right || kind == JoinKind::full;
}
constexpr bool makes_pairs(JoinKind kind) {
  return kind != JoinKind::semi && kind != JoinKind::anti;
}

/// Makes a row of user code: the side that may be missing is a pointer, null then.
template <JoinKind kKind, class F>
struct PairMaker {
  static constexpr JoinKind kJoin = kKind;
  F f;
  template <class L, class R>
  auto row(const L* left, const R* right) const {
    if constexpr (kKind == JoinKind::inner) {
      return std::invoke(f, *left, *right);
    } else if constexpr (kKind == JoinKind::left) {
      return std::invoke(f, *left, right);
    } else if constexpr (kKind == JoinKind::right) {
      return std::invoke(f, left, *right);
    } else {
      return std::invoke(f, left, right);
    }
  }
  template <class L, class R, class Out>
  void operator()(Batch<Out>& out, const L* left, const R* right) const {
    out.values.push_back(row(left, right));
  }
};

/// The left record as it is: semi and anti.
struct LeftMaker {
  template <class L, class R>
  void operator()(Batch<L>& out, const L* left, const R*) const {
    out.values.push_back(*left);
  }
};

/// One thread. `Maker` is called as maker(Batch<Out>&, const L*, const R*), of which at most one is
/// null. One that has awaits_another() gets the row it made last and the next one into one batch
/// where that holds.
template <class Out, class Maker>
class JoinedRows {
 public:
  explicit JoinedRows(Maker maker) : maker_(std::move(maker)) {}

  const Maker& maker() const { return maker_; }
  Maker& maker() { return maker_; }

  /// Adds the row of a pair; one whose maker throws is a dead letter. describe() says of which
  /// records.
  template <class L, class R, class Describe>
  void add(const L* left, const R* right, Time time, const Arrival& place, Describe&& describe,
           const OperatorContext& context, Outputs& outputs) {
    const auto make = [&](Batch<Out>& out) { maker_(out, left, right); };
    if (made(make, describe, context) == 0) return;
    own_texts(context, 1);
    out_.times.push_back(time);
    if (context.makes_arrivals) out_.arrivals.push_back(place);
    flush_full(context, outputs);
  }
  /// Adds any number of rows, which make(batch) puts behind those that are there; their places are
  /// children of `place`. If it throws, none of them.
  template <class Make, class Describe>
  void add_all(Make&& make, Time time, const Arrival& place, Describe&& describe,
               const OperatorContext& context, Outputs& outputs) {
    const std::size_t rows = made(make, describe, context);
    if (rows == 0) return;
    own_texts(context, rows);
    out_.times.resize(out_.values.size(), time);
    if (context.makes_arrivals) {
      for (std::size_t at = 0; at < rows; ++at) out_.arrivals.push_back(place.child(at));
    }
    flush_full(context, outputs);
  }
  void set_due(std::int64_t due_ns) { out_.due_ns = due_ns; }
  void flush(Outputs& outputs) {
    if (!out_.values.empty()) {
      const std::int64_t due_ns = out_.due_ns;
      outputs.push(0, out_);
      out_.clear();
      out_.due_ns = due_ns;
    }
    if constexpr (requires { maker_.flushed(); }) maker_.flushed();
    texts_ = {};
  }

 private:
  bool awaits_another() const {
    if constexpr (requires { maker_.awaits_another(); }) {
      return maker_.awaits_another();
    } else {
      return false;
    }
  }
  /// Calls make(batch); the number of rows that it made.
  template <class Make, class Describe>
  std::size_t made(Make&& make, Describe&& describe, const OperatorContext& context) {
    const std::size_t before = out_.values.size();
    try {
      make(out_);
    } catch (const MemoryRefused&) {
      throw;
    } catch (...) {
      truncate(out_.values, before);
      context.dead_letters->add(current_exception_text(), "", describe());
      ++context.tally->rows_refused;
    }
    return out_.values.size() - before;
  }
  void flush_full(const OperatorContext& context, Outputs& outputs) {
    const bool full = out_.values.size() >= context.batch_records_max ||
                      (texts_ && texts_->used_bytes() >= context.batch_bytes_max);
    if (full && !awaits_another()) flush(outputs);
  }
  /// Of the last `rows`: both sides may be forgotten before they are.
  void own_texts(const OperatorContext& context, std::size_t rows) {
    if constexpr (kKnowsTexts<Out>) {
      if constexpr (Schema<Out>::kBorrows) {
        if (!texts_) {
          texts_ = pool_.take(context.arenas);
          out_.pin(texts_);
        }
        rehome_from(out_.values, out_.values.size() - rows, *texts_);
      }
    }
  }

  Maker maker_;
  Batch<Out> out_;
  ArenaPool pool_{16u << 10};
  ArenaRef texts_;
};

}  // namespace millrace::detail
