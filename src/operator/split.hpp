// Split, sample and peek: records that are sent on unchanged, each by itself.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "operator/stateless.hpp"
#include "state/state.hpp"
#include "state/stored_tables.hpp"

namespace millrace::detail {

/// Hands the picked records of `in` to a port, the input itself when all of it was picked.
template <class T>
void hand_on_picked(Batch<T>& in, const std::vector<std::uint32_t>& picks, bool exclusive,
                    Batch<T>& out, std::uint32_t port, Outputs& outputs) {
  if (picks.empty()) return;
  if (exclusive && picks.size() == in.values.size()) {
    outputs.push(port, in);
    return;
  }
  out.clear();
  carry_marks(in, out);
  batch_type<T>().append(out, in, picks);
  outputs.push(port, out);
}

/// Sends each record to the port of its kind, records of other kinds to the last port.
template <class T, class Get>
class SplitOperator final : public Operator {
 public:
  using Kind = KeyView<std::invoke_result_t<const Get&, const T&>>;
  using OwnedKind = typename KeyTraits<Kind>::Owned;

  SplitOperator(Get get, const std::vector<OwnedKind>& kinds)
      : get_(std::move(get)), picks_(kinds.size() + 1) {
    for (std::uint32_t port = 0; port < kinds.size(); ++port) {
      const Kind kind = kinds[port];
      ports_.upsert(kind, KeyTraits<Kind>::hash(kind), [port] { return port; });
    }
  }

  Anchoring anchoring() const override { return Anchoring::by_record; }
  void process(BatchBase& base, bool exclusive, Outputs& outputs) override {
    auto& in = static_cast<Batch<T>&>(base);
    for (auto& picks : picks_) picks.clear();
    const auto pick = [&](std::size_t at) {
      decltype(auto) kind = std::invoke(get_, record_at(in, at));
      picks_[port_of(kind)].push_back(static_cast<std::uint32_t>(at));
    };
    const std::size_t failed = guarded_loop(0, in.values.size(), in, batch_type<T>(),
                                            *context().dead_letters, pick, [](std::size_t) {});
    std::size_t taken = 0;
    for (std::uint32_t port = 0; port < picks_.size(); ++port) {
      if (!outputs.has_readers(port)) picks_[port].clear();
      taken += picks_[port].size();
    }
    tally().processed += taken;
    tally().dead_lettered += failed;
    tally().filtered += in.values.size() - failed - taken;
    for (std::uint32_t port = 0; port < picks_.size(); ++port) {
      hand_on_picked(in, picks_[port], exclusive, out_, port, outputs);
    }
  }

 private:
  std::size_t port_of(Kind kind) {
    const std::uint32_t* port = ports_.find(kind, KeyTraits<Kind>::hash(kind));
    return port ? *port : picks_.size() - 1;
  }

  Get get_;
  KeyedTables<Kind, std::uint32_t> ports_;
  std::vector<std::vector<std::uint32_t>> picks_;
  Batch<T> out_;
};

/// Whether a record is of a sample: a function of its place in the inputs, its time and the seed,
/// so that the same records are taken whatever the schedule.
inline bool is_sampled(std::uint64_t threshold, std::uint64_t seed, const Arrival& arrival,
                       Time time) {
  std::uint64_t hash = hash_combine(kHashSeed, seed);
  hash = hash_combine(hash, std::uint64_t{arrival.origin} << 32 | arrival.path);
  hash = hash_combine(hash, arrival.number);
  hash = hash_combine(hash, static_cast<std::uint64_t>(time));
  return fold_multiply(hash, kHashSeed) <= threshold;
}

/// The greatest hash that a fraction in (0, 1] takes.
inline std::uint64_t sample_threshold(double fraction) {
  constexpr double kHashes = 18446744073709551616.0;  // 2^64
  const double bound = fraction * kHashes;
  return bound >= kHashes ? ~std::uint64_t{0} : static_cast<std::uint64_t>(bound);
}

/// Keeps the records of a sample. Those that came without a place, which only spouts and ticks of
/// one's own make, are numbered as they come.
template <class T>
class SampleOperator final : public Operator {
 public:
  SampleOperator(double fraction, std::uint64_t seed)
      : threshold_(sample_threshold(fraction)), seed_(seed) {}

  Anchoring anchoring() const override { return Anchoring::by_record; }
  void process(BatchBase& base, bool exclusive, Outputs& outputs) override {
    auto& in = static_cast<Batch<T>&>(base);
    const std::size_t count = in.values.size();
    const bool placed = in.arrivals.size() == count;
    picks_.clear();
    for (std::size_t at = 0; at < count; ++at) {
      const Arrival arrival = placed ? in.arrivals[at] : Arrival{0, 0, unplaced_++};
      const Time time = in.times.empty() ? 0 : in.times[at];
      if (is_sampled(threshold_, seed_, arrival, time)) {
        picks_.push_back(static_cast<std::uint32_t>(at));
      }
    }
    tally().processed += picks_.size();
    tally().filtered += count - picks_.size();
    hand_on_picked(in, picks_, exclusive, out_, 0, outputs);
  }
  void save_state(StateWriter& writer) override {
    if (unplaced_ > 0) put_number(writer.task_part(kUnplacedPart, "uint64"), unplaced_);
  }
  void restore_state(StateReader& reader) override {
    reader.each(kUnplacedPart, [&](const StatePart& part) {
      if (part.number % reader.tasks() != reader.task()) return;
      BytesCursor in(part.bytes);
      unplaced_ = std::max(unplaced_, in.number<std::uint64_t>());
      if (!in.ok()) reader.refuse(part, kBytesDoNotFit);
    });
  }

 private:
  static constexpr std::string_view kUnplacedPart = "unplaced";

  std::uint64_t threshold_;
  std::uint64_t seed_;
  std::uint64_t unplaced_ = 0;
  std::vector<std::uint32_t> picks_;
  Batch<T> out_;
};

/// Calls the user's function and keeps every record.
template <class F>
struct PeekCall {
  F f;
  template <class T>
  bool operator()(const T& record) {
    f(record);
    return true;
  }
};

}  // namespace millrace::detail
