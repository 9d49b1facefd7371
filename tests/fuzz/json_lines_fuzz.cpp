// Fuzz target: any bytes as JSON lines; what is read must be written and read again as the same.
#include <cstdint>
#include <cstdlib>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "connector/json_source.hpp"
#include "fuzz_input.hpp"
#include "record/record_json.hpp"

namespace {

using namespace millrace;
using namespace millrace::detail;

enum class Side : std::uint8_t { buy, sell };
struct Point {
  double x = 0;
  std::optional<std::string_view> label;
};
struct Record {
  std::string_view text;
  std::string owned;
  std::int8_t small = 0;
  std::uint64_t large = 0;
  float real = 0;
  std::optional<bool> flag;
  Timestamp time;
  std::optional<Duration> took;
  std::optional<Decimal<3>> price;
  std::optional<char> letter;
  std::optional<Side> side;
  std::vector<Point> points;
  std::map<std::string, std::vector<std::int32_t>> lists;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const FuzzInput input(bytes, size);
  JsonSource<Record> source({.path = "f", .block_bytes = input.block_bytes()});
  JsonDecoder<Record> decoder;
  input.read<Record>(source, [&decoder](const Record& record) {
    Arena arena(256);
    Record again;
    std::string first;
    std::string second;
    append_json(first, record);
    if (decoder.decode(first, again, arena, LineHome::elsewhere) != Decoded::record) std::abort();
    append_json(second, again);
    if (first != second) std::abort();
  });
  return 0;
}
