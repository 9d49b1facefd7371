// The manifest to bytes and back.
#include "journal/manifest.hpp"

#include <algorithm>

#include "base/byte_codec.hpp"
#include "journal/journal_file.hpp"

namespace millrace::detail {
namespace {

constexpr std::string_view kKind = "MRJmanif";
constexpr const char* kName = "manifest";

}  // namespace

Result<Manifest> read_manifest(Disk& disk, const std::string& folder) {
  const std::string path = folder + "/" + kName;
  const auto bytes = read_whole(disk, path);
  if (!bytes) return bytes.error();
  const auto payload = unsealed(path, kKind, *bytes);
  if (!payload) return payload.error();
  Manifest manifest;
  BytesCursor from(*payload);
  for (auto left = from.number<std::uint32_t>(); left > 0 && from.ok(); --left) {
    Segment segment;
    segment.base_offset = from.number<std::uint64_t>();
    segment.bytes = from.number<std::uint64_t>();
    segment.end_offset = from.number<std::uint64_t>();
    segment.max_time = from.number<Time>();
    segment.sealed_at = from.number<Time>();
    manifest.segments.push_back(segment);
  }
  for (auto left = from.number<std::uint32_t>(); left > 0 && from.ok(); --left) {
    const auto id = from.number<std::uint64_t>();
    ProducerState state;
    state.sequence = from.number<std::uint64_t>();
    state.offset = from.number<std::uint64_t>();
    state.records = from.number<std::uint32_t>();
    manifest.producers.emplace(id, state);
  }
  for (auto left = from.number<std::uint32_t>(); left > 0 && from.ok(); --left) {
    const auto number = from.number<TransactionNumber>();
    manifest.undecided.emplace(number, from.number<std::uint64_t>());
  }
  if (!from.ok() || !from.rest().empty() || manifest.segments.empty())
    return journal_damage(path, 0, "its content is no manifest");
  return manifest;
}

Status write_manifest(Disk& disk, const std::string& folder, const Manifest& manifest) {
  std::string payload;
  put_number(payload, static_cast<std::uint32_t>(manifest.segments.size()));
  for (const Segment& segment : manifest.segments) {
    put_number(payload, segment.base_offset);
    put_number(payload, segment.bytes);
    put_number(payload, segment.end_offset);
    put_number(payload, segment.max_time);
    put_number(payload, segment.sealed_at);
  }
  put_number(payload, static_cast<std::uint32_t>(manifest.producers.size()));
  for (const auto& [id, state] : manifest.producers) {
    put_number(payload, id);
    put_number(payload, state.sequence);
    put_number(payload, state.offset);
    put_number(payload, state.records);
  }
  put_number(payload, static_cast<std::uint32_t>(manifest.undecided.size()));
  for (const auto& [number, offset] : manifest.undecided) {
    put_number(payload, number);
    put_number(payload, offset);
  }
  return replace_file(disk, folder, kName, kKind, payload);
}

void note_producer(Producers& producers, std::uint64_t id, const ProducerState& state) {
  producers[id] = state;
  if (producers.size() <= kProducersMax) return;
  producers.erase(std::min_element(
      producers.begin(), producers.end(),
      [](const auto& a, const auto& b) { return a.second.offset < b.second.offset; }));
}

}  // namespace millrace::detail
