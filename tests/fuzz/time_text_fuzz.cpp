// Fuzz target: any text as a time, an interval and a decimal; what is read must come back the same.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/decimal.hpp"
#include "base/interval.hpp"
#include "base/time.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace millrace;
  using namespace millrace::detail;
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  if (const auto time = parse_iso_time(text)) {
    if (parse_iso_time(format_iso_time(*time)) != time) std::abort();
  }
  for (const TimeUnit unit :
       {TimeUnit::seconds, TimeUnit::milliseconds, TimeUnit::microseconds, TimeUnit::nanoseconds}) {
    (void)parse_epoch_time(text, unit);
  }
  if (const auto interval = parse_interval(text)) {
    if (parse_interval(format_interval(*interval)) != interval) std::abort();
  }
  for (const int scale : {0, 2, 18}) {
    std::int64_t units = 0;
    if (parse_decimal(text, scale, units) != DecimalRead::ok) continue;
    std::string shown;
    append_decimal(shown, units, scale);
    std::int64_t again = 0;
    if (parse_decimal(shown, scale, again) != DecimalRead::ok || again != units) std::abort();
  }
  return 0;
}
