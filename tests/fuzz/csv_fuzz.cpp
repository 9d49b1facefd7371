// Fuzz target: any bytes as CSV; the same rows must come whatever the sizes of reads and batches.
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "connector/csv_source.hpp"
#include "fuzz_input.hpp"
#include "record/record_json.hpp"

namespace {

using namespace millrace;
using namespace millrace::detail;

struct Record {
  std::optional<std::string_view> a;
  std::optional<std::int16_t> b;
  std::optional<double> c;
  std::optional<Timestamp> d;
  std::optional<Decimal<2>> e;
  std::vector<std::string_view> f;
};

std::vector<std::string> rows(const FuzzInput& input, std::size_t block_bytes) {
  CsvFormatOptions options{.header = false, .columns = {"a", "b", "c", "d", "e", "f"}};
  CsvSource<Record> source({.path = "f", .block_bytes = block_bytes, .quotes = {'"', ','}},
                           CsvFormat<Record>(options));
  std::vector<std::string> found;
  input.read<Record>(source,
                     [&found](const Record& record) { append_json(found.emplace_back(), record); });
  return found;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const FuzzInput input(bytes, size);
  if (rows(input, 1u << 18) != rows(input, input.block_bytes())) std::abort();
  return 0;
}
