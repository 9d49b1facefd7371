// From a record's place of arrival to its key.
#include "operator/idempotency_key.hpp"

#include <iterator>

#include <fmt/format.h>

#include "operator/task_context.hpp"
#include "record/arrival_path.hpp"

namespace millrace::detail {
namespace {

/// With '/' between names, no two lists of names give one text.
std::string escaped(std::string_view name) {
  std::string out;
  for (const char c : name) {
    if (c == '/' || c == '%') {
      out += c == '/' ? "%2F" : "%25";
    } else {
      out += c;
    }
  }
  return out;
}

}  // namespace

void IdempotencyKeys::open(const EndContext& context) {
  origins_.clear();
  if (context.user == nullptr) return;
  const TopologyInfo& topology = context.user->topology();
  for (const ComponentInfo& component : topology.components) {
    Origin& origin = origins_.emplace_back();
    origin.of_source = component.inputs.empty();
    if (!origin.of_source && !component.begins_places) continue;
    origin.prefix = fmt::format("{}/{}/{}", escaped(topology.name),
                                escaped(context.user->component()), escaped(component.name));
  }
}

IdempotencyKey IdempotencyKeys::of(const BatchBase& batch, std::size_t at) {
  if (at >= batch.arrivals.size()) return {};
  const Arrival& place = batch.arrivals[at];
  const std::uint32_t partitions_max = Arrival::at(1, 0, 0).origin;
  const std::uint32_t component = place.origin / partitions_max;
  if (component >= origins_.size() || origins_[component].prefix.empty() || !is_exact(place)) {
    return {};
  }
  text_ = origins_[component].prefix;
  const auto to = std::back_inserter(text_);
  if (origins_[component].of_source) {
    fmt::format_to(to, "/{}/{}", place.origin % partitions_max, place.number);
  } else if (at < batch.times.size()) {
    fmt::format_to(to, "/{:x}/{}", place.number, batch.times[at]);
  } else {
    fmt::format_to(to, "/{:x}", place.number);
  }
  if (place.path != 0) fmt::format_to(to, "-{:x}", place.path);
  return {text_};
}

}  // namespace millrace::detail
