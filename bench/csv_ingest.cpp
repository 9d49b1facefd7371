// csv: rows of trades read into records, against a loop that finds cells and parses numbers by
// hand.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <bit>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/topology.hpp"
#include "run_engine.hpp"
#include "workloads.hpp"

namespace millrace::bench {
namespace {

struct Trade {
  std::int64_t id = 0;
  std::int64_t time_ms = 0;
  std::string_view symbol;
  double price = 0;
  double quantity = 0;
  bool is_buyer_maker = false;
};

std::uint64_t sum_of(const Trade& trade) {
  return mix(static_cast<std::uint64_t>(trade.id) + std::bit_cast<std::uint64_t>(trade.price)) +
         std::bit_cast<std::uint64_t>(trade.quantity) + static_cast<std::uint64_t>(trade.time_ms) +
         trade.symbol.size() + (trade.is_buyer_maker ? 1 : 0);
}

std::string trades_file(std::uint64_t rows) {
  const std::string path =
      (std::filesystem::temp_directory_path() / fmt::format("millrace-trades-{}.csv", rows))
          .string();
  if (std::filesystem::exists(path)) return path;
  const std::string part = path + ".part";
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(part.c_str(), "w"),
                                                             std::fclose);
  if (!file) throw std::runtime_error("the input \"" + part + "\" cannot be made");
  constexpr const char* kSymbols[] = {"BTCUSDT", "ETHUSDT", "SOLUSDT", "DOGEUSDT"};
  fmt::print(file.get(), "id,timeMs,symbol,price,quantity,isBuyerMaker\n");
  std::uint64_t word = 20150912;
  for (std::uint64_t row = 0; row < rows; ++row) {
    word = mix(word + row);
    fmt::print(file.get(), "{},{},{},{:.2f},{:.6f},{}\n", 1'000'000'000 + row,
               1'700'000'000'000 + row, kSymbols[word & 3],
               static_cast<double>(word % 7'000'000) / 100, static_cast<double>(word >> 44) / 1e5,
               (word & 64) != 0 ? "true" : "false");
  }
  std::filesystem::rename(part, path);
  return path;
}

Answer run_by_engine(const std::string& path, std::uint64_t records, unsigned threads) {
  Answer answer;
  answer.records = records;
  Topology topology("csv");
  topology.from(csv<Trade>(path)).to(each([&answer](const Trade& trade) {
    answer.checksum += sum_of(trade);
  }));
  answer.failure = run_engine(topology, threads);
  return answer;
}

/// The cell that begins at `at`; moves `at` behind the byte that ends it.
inline std::string_view cell(const char*& at, const char* end, char wanted) {
  const void* found = std::memchr(at, wanted, static_cast<std::size_t>(end - at));
  const char* const stop = found != nullptr ? static_cast<const char*>(found) : end;
  const std::string_view text(at, static_cast<std::size_t>(stop - at));
  at = stop + (stop == end ? 0 : 1);
  return text;
}

template <class Number>
inline void parse(std::string_view text, Number& value) {
  std::from_chars(text.data(), text.data() + text.size(), value);
}

/// Whole lines: as an engineer writes it for this file alone, without quotes, checks and messages.
void sum_lines(const char* at, const char* end, Answer& answer) {
  Trade trade;
  while (at != end) {
    parse(cell(at, end, ','), trade.id);
    parse(cell(at, end, ','), trade.time_ms);
    trade.symbol = cell(at, end, ',');
    parse(cell(at, end, ','), trade.price);
    parse(cell(at, end, ','), trade.quantity);
    trade.is_buyer_maker = cell(at, end, '\n') == "true";
    ++answer.records;
    answer.checksum += sum_of(trade);
  }
}

Answer run_by_hand(const std::string& path) {
  Answer answer;
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) throw std::runtime_error("the input \"" + path + "\" cannot be opened");
  std::vector<char> buffer(512u << 10);
  std::size_t tail = 0;
  bool header = true;
  for (;;) {
    const ssize_t count = ::read(file, buffer.data() + tail, buffer.size() - tail);
    if (count <= 0) break;
    const std::string_view text(buffer.data(), tail + static_cast<std::size_t>(count));
    const std::size_t end = text.rfind('\n') + 1;
    const std::size_t begin = header ? text.find('\n') + 1 : 0;
    header = false;
    sum_lines(buffer.data() + begin, buffer.data() + end, answer);
    tail = text.size() - end;
    std::memmove(buffer.data(), buffer.data() + end, tail);
  }
  ::close(file);
  return answer;
}

}  // namespace

Workload csv_workload(const Settings& settings) {
  const std::uint64_t records = settings.records != 0 ? settings.records : 2'000'000;
  const std::string path = trades_file(records);
  Workload workload;
  workload.name = "csv";
  workload.unit = "rows";
  workload.limit_rate_min = 3e6;
  workload.engine = [path, records](unsigned threads) {
    return run_by_engine(path, records, threads);
  };
  workload.limit = [path] { return run_by_hand(path); };
  return workload;
}

}  // namespace millrace::bench
