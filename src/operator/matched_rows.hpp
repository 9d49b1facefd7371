// MatchedRows: the rows that are made of matches.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "operator/joined_records.hpp"
#include "operator/matched.hpp"
#include "operator/operator.hpp"
#include "operator/stateless.hpp"
#include "record/schema.hpp"

namespace millrace::detail {

/// One row of a match: f(const Match<T>&).
template <class F>
struct RowOfMatch {
  F f;
  template <class T, class Out>
  void operator()(Batch<Out>& out, const Match<T>& match) const {
    out.values.push_back(std::invoke(f, match));
  }
};

/// One row of each record of a match: f(const Match<T>&, const MatchedRecord<T>&).
template <class F>
struct RowOfEachRecord {
  F f;
  template <class T, class Out>
  void operator()(Batch<Out>& out, const Match<T>& match) const {
    for (std::size_t at = 0; at < match.size(); ++at)
      out.values.push_back(std::invoke(f, match, match.at(at)));
  }
};

/// Nobody asks for rows.
struct NoRows {
  template <class T, class Out>
  void operator()(Batch<Out>&, const Match<T>&) const {}
};

/// One thread. `Maker` is called as maker(Batch<Out>&, const Match<T>&) and adds rows.
template <class Out, class Maker>
class MatchedRows {
 public:
  MatchedRows(Maker maker, std::uint32_t port) : maker_(std::move(maker)), port_(port) {}

  /// Adds the rows of a match; where making them throws, there are none and it is a dead letter.
  /// place() is that of the match; describe() says which records it has.
  template <class T, class PlaceOf, class Describe>
  void add(const Match<T>& match, PlaceOf&& place, Describe&& describe,
           const OperatorContext& context, Outputs& outputs) {
    const std::size_t before = out_.values.size();
    try {
      maker_(out_, match);
    } catch (const MemoryRefused&) {
      throw;
    } catch (...) {
      truncate(out_.values, before);
      context.dead_letters->add(current_exception_text(), "", describe());
      ++context.tally->rows_refused;
      return;
    }
    out_.times.resize(out_.values.size(), match.time().micros);
    if (context.makes_arrivals) {
      const Arrival of_match = place();
      for (std::size_t at = before; at < out_.values.size(); ++at)
        out_.arrivals.push_back(of_match.child(at - before));
    }
    own_texts(before, context);
    const bool full = out_.values.size() >= context.batch_records_max ||
                      (texts_ && texts_->used_bytes() >= context.batch_bytes_max);
    if (full) flush(outputs);
  }
  void flush(Outputs& outputs) {
    if (!out_.values.empty()) outputs.push(port_, out_);
    out_.clear();
    texts_ = {};
  }

 private:
  /// The records may be forgotten before the rows are.
  void own_texts(std::size_t first, const OperatorContext& context) {
    if constexpr (kKnowsTexts<Out>) {
      if constexpr (Schema<Out>::kBorrows) {
        if (first == out_.values.size()) return;
        if (!texts_) {
          texts_ = pool_.take(context.arenas);
          out_.pin(texts_);
        }
        rehome_from(out_.values, first, *texts_);
      }
    }
  }

  Maker maker_;
  std::uint32_t port_;
  Batch<Out> out_;
  ArenaPool pool_{16u << 10};
  ArenaRef texts_;
};

}  // namespace millrace::detail
