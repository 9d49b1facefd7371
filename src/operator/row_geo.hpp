// Places in rows: columns computed of two fields that are latitude and longitude, and fences.
#pragma once

#include <cmath>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "operator/geofence.hpp"
#include "operator/row_fields.hpp"
#include "operator/row_kernels.hpp"

namespace millrace::detail {

/// Two fields as a place; NaN for null.
struct PlaceFields {
  AnyNumber latitude;
  AnyNumber longitude;
  GeoPoint operator()(const RowRef& row) const noexcept { return {latitude(row), longitude(row)}; }
  bool is_null(const RowRef& row) const noexcept {
    return row.is_null(latitude.field) || row.is_null(longitude.field);
  }
};

/// Rows with columns behind the ones they have: put(row, out, column) appends a value to each of
/// those of `out` from `column` on. Cost: a copy of each column a batch, and the calls.
template <class Put>
class RowWith final : public Operator {
 public:
  RowWith(Put put, RowSchemaPtr schema) : put_(std::move(put)), schema_(std::move(schema)) {}

  Anchoring anchoring() const override { return Anchoring::by_record; }
  void process(BatchBase& base, bool, Outputs& outputs) override {
    const auto& in = static_cast<const RowBatch&>(base);
    out_.clear();
    carry_marks(in, out_);
    out_.values.begin(schema_);
    const std::size_t copied = in.values.schema() ? in.values.schema()->fields().size() : 0;
    for (std::size_t at = 0; at < copied; ++at) out_.values.column(at) = in.values.column(at);
    for (std::size_t at = 0; at < in.values.size(); ++at) {
      put_(in.values[at], out_.values, copied);
      out_.values.end_row();
    }
    out_.times = in.times;
    out_.behind = in.behind;
    out_.arrivals = in.arrivals;
    out_.messages.append_all(in.messages);
    out_.pin_all(in);
    tally().processed += in.values.size();
    outputs.push(0, out_);
  }

 private:
  Put put_;
  RowSchemaPtr schema_;
  RowBatch out_;
};

/// Where something is measured to: a place that stays, or that of the row.
struct Goal {
  GeoPoint fixed;
  std::optional<PlaceFields> fields;
  GeoPoint operator()(const RowRef& row) const { return fields ? (*fields)(row) : fixed; }
  bool is_null(const RowRef& row) const { return fields && fields->is_null(row); }
};

/// Puts measure(place, goal), a real number; null where a coordinate is.
struct PutMeasure {
  PlaceFields place;
  Goal goal;
  double (*measure)(GeoPoint from, GeoPoint to);
  void operator()(const RowRef& row, RowColumns& out, std::size_t column) const {
    if (place.is_null(row) || goal.is_null(row)) return out.column(column).put_null(row.at());
    out.column(column).put_real(row.at(), measure(place(row), goal(row)));
  }
};

/// Puts the two numbers of a cell; nulls where a coordinate is.
struct PutCell {
  PlaceFields place;
  double per_degree;
  void operator()(const RowRef& row, RowColumns& out, std::size_t column) const {
    if (place.is_null(row)) {
      out.column(column).put_null(row.at());
      return out.column(column + 1).put_null(row.at());
    }
    const auto [latitude, longitude] = grid_cell(place(row), per_degree);
    out.column(column).put_integer(row.at(), latitude);
    out.column(column + 1).put_integer(row.at(), longitude);
  }
};

/// Whether a row's place lies in an area.
struct RowInside {
  PlaceFields place;
  GeoArea area;
  bool operator()(const RowRef& row) const { return area.contains(place(row)); }
};

/// A FenceStep whose crossings are values of rows: event, time, place and distance.
template <class K>
struct RowFenceStep {
  FenceStep<RowRef, K, AnyNumber, AnyNumber> step;

  template <class Emit>
  void operator()(FenceSide& side, const K& key, const RowRef& row, Time time, Emit&& emit) {
    step(side, key, row, time, [&](const Crossing<K>& crossing) {
      emit(Aggregate<K, RowValues>{
          key,
          {crossing.time, std::string(crossing.entered ? "entered" : "left"), crossing.at.latitude,
           crossing.at.longitude, crossing.from_border_m}});
    });
  }
};

}  // namespace millrace::detail
