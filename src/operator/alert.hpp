// Alerts with hysteresis: raised after several values above a high limit, cleared below a low one.
#pragma once

#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "operator/keyed_step.hpp"
#include "operator/row_shape.hpp"

namespace millrace {

/// When an alert is raised and when it is cleared. Two limits, so that a value that swings around
/// one of them raises one alert and not many.
struct AlertLimits {
  double high = 0;            ///< raised when values lie above it ...
  double low = 0;             ///< cleared by the first value below it; at most `high`
  std::uint32_t samples = 1;  ///< ... that many in a row, at least 1
};

/// That an alert of a key was raised or cleared.
template <class K>
struct Alert {
  K key{};
  bool raised = false;
  double value = 0;  ///< the one that raised or cleared it
  double limit = 0;  ///< the one that was passed: high or low
  Timestamp time{kTimeMin};
};

/// Whether a series of values is in alarm: a Schmitt trigger that waits for `samples` values.
///
/// NaN is no value: it changes nothing. No limit is passed by a value equal to it.
class Hysteresis {
 public:
  enum class Change { none, raised, cleared };

  Change update(double value, const AlertLimits& limits) {
    if (std::isnan(value)) return Change::none;
    if (raised_) {
      if (!(value < limits.low)) return Change::none;
      raised_ = false;
      above_ = 0;
      return Change::cleared;
    }
    above_ = value > limits.high ? above_ + 1 : 0;
    if (above_ == 0 || above_ < limits.samples) return Change::none;
    raised_ = true;
    return Change::raised;
  }
  bool raised() const { return raised_; }

  // Internal: how an image holds it.
  static std::string_view stored_shape() { return "hysteresis"; }
  void store(std::string& out) const {
    detail::put_number(out, above_);
    detail::put_number(out, raised_);
  }
  bool load(detail::BytesCursor& in) {
    above_ = in.number<std::uint32_t>();
    raised_ = in.number<std::uint8_t>() != 0;
    return in.ok();
  }

 private:
  std::uint32_t above_ = 0;  // in a row, while not raised
  bool raised_ = false;
};

namespace detail {

/// 2010 unless low <= high, both are numbers, and samples > 0.
inline Status validate(const AlertLimits& limits) {
  if (limits.low <= limits.high && limits.samples > 0) return {};
  if (limits.samples == 0)
    return {Code::parameter_invalid, "an alert after 0 samples: give at least 1"};
  return {Code::parameter_invalid,
          "an alert's low limit lies above its high one: it would be cleared as soon as it was "
          "raised; give low <= high"};
}

/// `Limits`: const T& -> AlertLimits. `Number`: const T& -> a number.
template <class T, class K, class Number, class Limits>
struct AlertStep {
  Number number;
  Limits limits;

  template <class Emit>
  void operator()(Hysteresis& state, const K& key, const T& record, Time time, Emit&& emit) {
    const AlertLimits limit = limits(record);
    const auto value = static_cast<double>(std::invoke(number, record));
    const Hysteresis::Change change = state.update(value, limit);
    if (change == Hysteresis::Change::none) return;
    const bool raised = change == Hysteresis::Change::raised;
    emit(Alert<K>{key, raised, value, raised ? limit.high : limit.low, Timestamp{time}});
  }
};

template <class K>
struct RowShape<Alert<K>> {
  static std::vector<ColumnInfo> columns(const RowNames& names) {
    std::vector<ColumnInfo> columns = {{"time", ColumnType::timestamp}};
    append_part_columns<K>(columns, names.keys);
    columns.push_back({"state", ColumnType::text});
    columns.push_back({"value", ColumnType::real});
    columns.push_back({"limit", ColumnType::real});
    return columns;
  }
  template <class Visit>
  static void visit_cells(const Alert<K>& alert, const Visit& visit) {
    visit(alert.time);
    visit_part(alert.key, visit);
    visit(std::string_view(alert.raised ? "raised" : "cleared"));
    visit(alert.value);
    visit(alert.limit);
  }
  static std::optional<std::pair<Time, Time>> window(const Alert<K>&) { return std::nullopt; }
};

}  // namespace detail
}  // namespace millrace
