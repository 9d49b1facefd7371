// WindowRows: the rows that windows emit, with keys in bytes of their own and what could not be
// made set aside.
#pragma once

#include <optional>
#include <string>

#include "operator/kernels.hpp"
#include "operator/keyed.hpp"
#include "operator/row_batcher.hpp"

namespace millrace::detail {

/// What a row of a window says of its place.
struct RowPlace {
  Time start;
  Time end;
  Time time;                         ///< its event time; kTimeMin: it has none
  const Arrival* arrival = nullptr;  ///< null: a place made of the key
};

/// A row without a result, in a handler of what it threw: a sum beyond its range, or a result() of
/// the user's.
template <class K>
[[gnu::noinline]] void refuse_row(const K& key, Time start, Time end,
                                  const OperatorContext& context) {
  std::string text;
  if constexpr (Described<K>) append_json(text, key);
  context.dead_letters->add(current_exception_text(), describe_window(start, end), text);
  ++context.tally->rows_refused;
}

/// The result of an accumulator; nullopt: it threw, and the row is a dead letter.
template <class K, class Kernel>
std::optional<typename Kernel::Value> result_or_refuse(const K& key,
                                                       const typename Kernel::Acc& acc, Time start,
                                                       Time end, const Kernel& kernel,
                                                       const OperatorContext& context) {
  try {
    return kernel.result(acc);
  } catch (const MemoryRefused&) {
    throw;
  } catch (...) {
    refuse_row(key, start, end, context);
    return std::nullopt;
  }
}

template <class K, class Kernel>
class WindowRows {
 public:
  using Acc = typename Kernel::Acc;
  using Row = millrace::Aggregate<K, typename Kernel::Value>;

  /// Adds the row of a key; one whose result() throws becomes a dead letter. Full batches are
  /// handed on.
  void add(const K& key, const Acc& acc, const RowPlace& place, const Kernel& kernel,
           const OperatorContext& context, Outputs& outputs) {
    const auto make = [&](Arena& arena) {
      return Row{KeyTraits<K>::intern(key, arena), kernel.result(acc), place.start, place.end};
    };
    const auto mark = [&](Batch<Row>& batch) {
      if (place.time != kTimeMin) batch.times.push_back(place.time);
      if (!context.makes_arrivals) return;
      batch.arrivals.push_back(place.arrival
                                   ? *place.arrival
                                   : Arrival::at(context.component, 0, KeyTraits<K>::hash(key)));
    };
    try {
      rows_.add(make, mark, context);
    } catch (const MemoryRefused&) {
      throw;
    } catch (...) {
      refuse_row(key, place.start, place.end, context);
      return;
    }
    rows_.flush_full(context, outputs);
  }
  void flush(Outputs& outputs) { rows_.flush(outputs); }

 private:
  RowBatcher<Row> rows_;
};

}  // namespace millrace::detail
