// large-records: records with bytes of 1 KB and of 1 MB through queues: a hop must not look at
// them.
#include <array>
#include <cstdint>
#include <cstring>
#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "millrace/topology.hpp"
#include "run_engine.hpp"
#include "workloads.hpp"

namespace millrace::bench {
namespace {

constexpr std::size_t kSmall = 1u << 10;
constexpr std::size_t kLarge = 1u << 20;
constexpr std::size_t kPictures = 16;

struct Frame {
  std::uint64_t number = 0;
  Bytes pixels;
};

struct Forward : Bolt<Frame, Frame> {
  void process(const Frame& frame, Output<Frame>& out) override { out.emit(frame); }
};

std::uint64_t frame_sum(std::uint64_t number, char first) {
  return mix(number ^ static_cast<std::uint64_t>(static_cast<unsigned char>(first)) << 56);
}

/// The pictures, made once: what is measured is the way, not the making.
std::vector<Bytes> pictures(std::size_t bytes) {
  std::vector<Bytes> made;
  for (std::size_t at = 0; at < kPictures; ++at) {
    made.push_back(
        Bytes::make(bytes, [&](char* to) { std::memset(to, static_cast<int>('a' + at), bytes); }));
  }
  return made;
}

/// Two hops through queues: source, two tasks, sink.
Answer run_by_engine(std::uint64_t records, std::size_t bytes, unsigned threads) {
  Answer answer;
  answer.records = records;
  Topology topology("large-records");
  auto frames = topology.from(generate(records, [all = pictures(bytes)](std::uint64_t index) {
    return Frame{index, all[index % kPictures]};
  }));
  topology.bolt("forward", Forward{}, shuffle(frames), {.tasks = 2})
      .to(each([&answer](const Frame& frame) {
        answer.checksum += frame_sum(frame.number, frame.pixels.data()[frame.pixels.size() - 1]);
      }));
  answer.failure = run_engine(topology, threads);
  return answer;
}

/// Shared pointers from queue to queue, in turns of a batch, as a program without engine would.
Answer run_by_hand(std::uint64_t records, std::size_t bytes) {
  using Shared = std::pair<std::uint64_t, std::shared_ptr<const std::string>>;
  constexpr std::uint64_t kTurn = 1024;
  Answer answer;
  answer.records = records;
  std::vector<std::shared_ptr<const std::string>> all;
  for (std::size_t at = 0; at < kPictures; ++at) {
    all.push_back(std::make_shared<const std::string>(bytes, static_cast<char>('a' + at)));
  }
  std::array<std::deque<Shared>, 2> queues;
  for (std::uint64_t index = 0; index < records;) {
    for (const std::uint64_t end = std::min(records, index + kTurn); index < end; ++index) {
      queues[0].emplace_back(index, all[index % kPictures]);
    }
    for (; !queues[0].empty(); queues[0].pop_front()) queues[1].push_back(queues[0].front());
    for (; !queues[1].empty(); queues[1].pop_front()) {
      answer.checksum += frame_sum(queues[1].front().first, queues[1].front().second->back());
    }
  }
  return answer;
}

}  // namespace

Workload large_records_workload(const Settings& settings) {
  const std::uint64_t records = settings.records != 0 ? settings.records : 1'000'000;
  Workload workload;
  workload.name = "large-records";
  workload.unit = "records";
  workload.engine = [=](unsigned threads) { return run_by_engine(records, kLarge, threads); };
  workload.limit = [=] { return run_by_hand(records, kLarge); };
  const unsigned threads = settings.threads;
  workload.extras = {
      {"bytes_1k", [=] { return run_by_engine(records, kSmall, threads); }, nullptr}};
  workload.figures = [](const Outcome& outcome) {
    // Time per record and hop with 1 MB, in those with 1 KB: batches are cut by bytes, so that a
    // hop of the large ones is shared by fewer records, whatever their size beyond that.
    return std::vector<Figure>{
        {"size_ratio", outcome.extras[0].rate_per_cpu / outcome.engine.rate_per_cpu, 0, 3}};
  };
  return workload;
}

}  // namespace millrace::bench
