// UpdateRows: hands on the rows of windows that emit more than once.
#pragma once

#include <cstdint>

#include "operator/keyed.hpp"
#include "operator/row_batcher.hpp"

namespace millrace::detail {

/// What is the same for all rows of one firing.
struct FiringPlace {
  Time start;
  Time end;
  Time time;  ///< event time of the rows, where the records have one
  Firing firing;
  Time behind = kTimeMin;  ///< the watermark that its record was behind; of late ones
};

/// Hands the updates of windows on, with keys in bytes of their own.
template <class K, class V>
class UpdateRows {
 public:
  using Row = WindowUpdate<K, V>;

  /// `number`: how many rows its key and window have had before.
  void add(const K& key, const V& value, bool retracted, std::uint32_t number,
           const FiringPlace& place, const OperatorContext& context, Outputs& outputs) {
    const auto make = [&](Arena& arena) {
      return Row{
          KeyTraits<K>::intern(key, arena), value, place.start, place.end, place.firing, retracted};
    };
    const auto mark = [&](Batch<Row>& batch) {
      if (context.timed) batch.times.push_back(place.time);
      if (place.behind != kTimeMin) {
        const auto index = static_cast<std::uint32_t>(batch.values.size() - 1);
        batch.behind.push_back({index, place.behind});
      }
      if (!context.makes_arrivals) return;
      const std::uint64_t hash = KeyTraits<K>::hash(key);
      batch.arrivals.push_back(Arrival::at(context.component, 0, hash).child(number));
    };
    rows_.add(make, mark, context);
    rows_.flush_full(context, outputs);
  }
  void flush(Outputs& outputs) { rows_.flush(outputs); }

 private:
  RowBatcher<Row> rows_;
};

}  // namespace millrace::detail
