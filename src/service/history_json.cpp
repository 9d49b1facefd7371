// A history as JSON.
#include "service/history_json.hpp"

#include "service/json_writer.hpp"

namespace millrace::detail {

std::string to_json(const HistoryReport& history, std::string_view component) {
  JsonWriter json;
  json.open('{');
  if (!component.empty()) json.member("name", component);
  json.member("interval_ms", History::kIntervalMs);
  json.member("samples_max", History::kSamples);
  json.time_member("at", history.at == 0 ? std::optional<Time>() : history.at);
  json_array(json, "uptime_ms", history.uptime_ms,
             [](JsonWriter& to, std::int64_t uptime) { to.value(uptime); });
  for (const auto& [name, values] : history.figures) {
    json_array(json, name, values,
               [](JsonWriter& to, float value) { to.rounded(static_cast<double>(value)); });
  }
  json.close('}');
  return json.take();
}

}  // namespace millrace::detail
