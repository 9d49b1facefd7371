// What comes with a stored record besides its value, as bytes.
#include "operator/stored_records.hpp"

namespace millrace::detail {
namespace {

constexpr std::uint8_t kHasTime = 1;
constexpr std::uint8_t kHasArrival = 2;
constexpr std::uint8_t kIsBehind = 4;

}  // namespace

void append_place(std::string& out, const BatchBase& batch, std::size_t at, Time behind) {
  const bool placed = at < batch.arrivals.size();
  std::uint8_t has = batch.has_times() ? kHasTime : 0;
  if (placed) has |= kHasArrival;
  if (behind != kTimeMin) has |= kIsBehind;
  put_number(out, has);
  if (batch.has_times()) put_number(out, batch.times[at]);
  if (placed) {
    put_number(out, batch.arrivals[at].origin);
    put_number(out, batch.arrivals[at].path);
    put_number(out, batch.arrivals[at].number);
  }
  if (behind != kTimeMin) put_number(out, behind);
}

bool load_place(BytesCursor& in, BatchBase& to) {
  const auto has = in.number<std::uint8_t>();
  const std::size_t size = to.size();
  if ((has & kHasTime) != 0) to.times.push_back(in.number<Time>());
  if ((has & kHasArrival) != 0) {
    Arrival arrival;
    arrival.origin = in.number<std::uint32_t>();
    arrival.path = in.number<std::uint32_t>();
    arrival.number = in.number<std::uint64_t>();
    to.arrivals.resize(size);
    to.arrivals.push_back(arrival);
  } else if (!to.arrivals.empty()) {
    to.arrivals.emplace_back();
  }
  if ((has & kIsBehind) != 0)
    to.behind.push_back({static_cast<std::uint32_t>(size), in.number<Time>()});
  return in.ok() && (to.times.empty() || to.times.size() == size + 1);
}

}  // namespace millrace::detail
