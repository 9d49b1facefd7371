// Parameters of spouts of rows.
#include "catalog/row_params.hpp"

namespace millrace::detail {

ParamInfo fields_param() {
  return {.name = "fields",
          .type = ParamType::schema,
          .required = true,
          .doc =
              "each field and its type: bool, int, double, text or timestamp; \"text or null\" "
              "where it may be null"};
}
ParamInfo unit_param() {
  return {.name = "time_unit",
          .type = ParamType::choice,
          .standard = "milliseconds",
          .doc = "what a number for a timestamp counts",
          .choices = {"seconds", "milliseconds", "microseconds", "nanoseconds"}};
}

TimeUnit unit_of(const Settings& settings) {
  const std::string& name = settings.text("time_unit");
  if (name == "seconds") return TimeUnit::seconds;
  if (name == "microseconds") return TimeUnit::microseconds;
  return name == "nanoseconds" ? TimeUnit::nanoseconds : TimeUnit::milliseconds;
}

}  // namespace millrace::detail
