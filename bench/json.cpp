// json: JSON lines into structs; the limit is the parser alone.
#include <fmt/format.h>
#include <simdjson.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <string_view>

#include "flat_map.hpp"
#include "millrace/topology.hpp"
#include "run_engine.hpp"
#include "workloads.hpp"

namespace millrace::bench {
namespace {

struct Visit {
  std::uint64_t id = 0;
  std::string_view page;
  std::string_view country;
  double seconds = 0;
  bool is_new = false;
};

std::uint64_t visit_sum(std::uint64_t id, std::string_view page, std::string_view country,
                        double seconds, bool is_new) {
  return mix(id + hash_of(page)) + hash_of(country) + static_cast<std::uint64_t>(seconds * 4) +
         static_cast<std::uint64_t>(is_new);
}

/// The path of a file of `lines` objects of about 129 bytes, made when absent.
std::string json_input(std::uint64_t lines) {
  namespace fs = std::filesystem;
  const fs::path path = fs::temp_directory_path() / fmt::format("millrace-visits-{}.jsonl", lines);
  if (fs::exists(path)) return path.string();
  const fs::path part = path.string() + ".part";
  std::ofstream file(part, std::ios::binary);
  for (std::uint64_t at = 0; at < lines; ++at) {
    const std::uint64_t word = mix(at + 1);
    file << fmt::format(
        R"({{"id":{},"page":"/articles/{:016x}/comments","referrer":"https://example.org/{:x}",)"
        R"("country":"C{}","seconds":{}.25,"is_new":{}}})"
        "\n",
        at, word, word >> 40, word % 193, word % 997, word % 3 == 0);
  }
  file.close();
  if (!file) throw std::runtime_error("the input \"" + part.string() + "\" cannot be written");
  fs::rename(part, path);
  return path.string();
}

Answer run_by_engine(const std::string& path, std::uint64_t records, unsigned threads) {
  Answer answer;
  answer.records = records;
  Topology topology("json");
  topology.from(json_lines<Visit>(path)).to(each([&answer](const Visit& visit) {
    answer.checksum += visit_sum(visit.id, visit.page, visit.country, visit.seconds, visit.is_new);
  }));
  answer.failure = run_engine(topology, threads);
  return answer;
}

/// simdjson on demand over the whole file, fields in the order in which they stand.
Answer run_by_hand(const std::string& path) {
  Answer answer;
  const std::size_t bytes = std::filesystem::file_size(path);
  std::string text(bytes + simdjson::SIMDJSON_PADDING, '\0');
  std::ifstream(path, std::ios::binary).read(text.data(), static_cast<std::streamsize>(bytes));
  simdjson::ondemand::parser parser;
  simdjson::ondemand::document_stream lines =
      parser.iterate_many(text.data(), bytes, simdjson::dom::DEFAULT_BATCH_SIZE);
  for (auto line : lines) {
    const std::uint64_t id = line["id"].get_uint64();
    const std::string_view page = line["page"].get_string();
    const std::string_view country = line["country"].get_string();
    const double seconds = line["seconds"].get_double();
    answer.checksum += visit_sum(id, page, country, seconds, line["is_new"].get_bool());
    ++answer.records;
  }
  return answer;
}

}  // namespace

Workload json_workload(const Settings& settings) {
  const std::uint64_t records = settings.records != 0 ? settings.records : 1'000'000;
  const std::string path = json_input(records);
  Workload workload;
  workload.name = "json";
  workload.unit = "lines";
  workload.engine = [=](unsigned threads) { return run_by_engine(path, records, threads); };
  workload.limit = [=] { return run_by_hand(path); };
  workload.figures = [](const Outcome& outcome) {
    return std::vector<Figure>{
        {"parser_share", outcome.engine.rate_per_cpu / outcome.limit.rate_per_cpu, 0.7, 0}};
  };
  return workload;
}

}  // namespace millrace::bench
