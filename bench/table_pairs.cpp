// table-join: orders of 10,000 keys, each with the row that its user has then; and two tables whose
// rows change, joined.
#include <array>
#include <cstdint>
#include <utility>

#include "flat_map.hpp"
#include "millrace/topology.hpp"
#include "run_engine.hpp"
#include "workloads.hpp"

namespace millrace::bench {
namespace {

struct Version {
  std::uint32_t key = 0;
  std::uint32_t number = 0;
  Timestamp time;
};
struct Both {
  std::uint32_t key = 0;
  std::uint32_t left = 0;
  std::uint32_t right = 0;
};

std::uint64_t both_sum(const Both& both) {
  return mix(mix(both.key) + (std::uint64_t{both.left} << 32) + both.right);
}
/// What takes a row back counts against what made it.
std::uint64_t change_sum(const Change<Both>& change) {
  const std::uint64_t sum = both_sum(change.record) | 1;
  return change.takes_back() ? ~sum * 3 : sum;
}

/// Record `index` of one side, 10,000 a second of event time: of a key one a second.
Version version_of(std::uint64_t index, std::uint64_t keys, std::uint64_t side) {
  const std::uint64_t word = mix(2 * index + side);
  return {static_cast<std::uint32_t>(((word >> 32) * keys) >> 32),
          static_cast<std::uint32_t>(index),
          Timestamp{static_cast<std::int64_t>(index) * 100 + static_cast<std::int64_t>(side) * 50}};
}

Both both_of(const Version& left, const Version& right) {
  return {left.key, left.number, right.number};
}

/// `join` joins both sides, keyed, and ends the stream.
template <class Join>
std::string run_join(std::uint64_t records, std::uint64_t keys, unsigned threads, Join join) {
  Topology topology("table-join");
  const auto side = [&](std::uint64_t number) {
    auto versions = generate(
        records / 2,
        [keys, number](std::uint64_t index) { return version_of(index, keys, number); }, threads);
    versions.tasks = threads;
    return topology.from(versions).event_time(&Version::time).key_by(&Version::key);
  };
  join(side(0), side(1));
  return run_engine(topology, threads);
}

Answer looked_up_by_engine(std::uint64_t records, std::uint64_t keys, unsigned threads) {
  Answer answer;
  answer.records = records;
  answer.failure = run_join(records, keys, threads, [&](const auto& orders, const auto& users) {
    orders.join(users.table()).inner(both_of).to(each([&answer](const Both& both) {
      answer.checksum += both_sum(both);
    }));
  });
  return answer;
}

Answer tables_by_engine(std::uint64_t records, std::uint64_t keys, unsigned threads) {
  Answer answer;
  answer.records = records;
  answer.failure = run_join(records, keys, threads, [&](const auto& left, const auto& right) {
    left.table().join(right.table()).inner(both_of).to(each([&answer](const Change<Both>& row) {
      answer.checksum += change_sum(row);
    }));
  });
  return answer;
}

/// The newest right record of each key: both sides come in order.
Answer looked_up_by_hand(std::uint64_t records, std::uint64_t keys) {
  Answer answer;
  answer.records = records;
  FlatMap<std::uint32_t, std::uint32_t, 4> numbers;  // from 1 on; 0: none yet
  for (std::uint64_t index = 0; index < records / 2; ++index) {
    const Version left = version_of(index, keys, 0);
    if (const std::uint32_t right = numbers[left.key]; right != 0)
      answer.checksum += both_sum({left.key, left.number, right - 1});
    const Version right = version_of(index, keys, 1);
    numbers[right.key] = right.number + 1;
  }
  return answer;
}

/// The newest record of each key and side.
Answer tables_by_hand(std::uint64_t records, std::uint64_t keys) {
  Answer answer;
  answer.records = records;
  FlatMap<std::uint32_t, std::array<std::uint32_t, 2>, 4> rows;  // from 1 on; 0: none yet
  const auto take = [&](const Version& version, std::size_t side) {
    auto& row = rows[version.key];
    const auto tell = [&](ChangeKind kind) {
      answer.checksum += change_sum({kind, {version.key, row[0] - 1, row[1] - 1}});
    };
    const bool had = row[0] != 0 && row[1] != 0;
    if (had) tell(ChangeKind::update_before);
    row[side] = version.number + 1;
    if (row[0] != 0 && row[1] != 0) tell(had ? ChangeKind::update_after : ChangeKind::insert);
  };
  for (std::uint64_t index = 0; index < records / 2; ++index) {
    take(version_of(index, keys, 0), 0);
    take(version_of(index, keys, 1), 1);
  }
  return answer;
}

}  // namespace

Workload table_join_workload(const Settings& settings) {
  const std::uint64_t records = settings.records != 0 ? settings.records : 5'000'000;
  const std::uint64_t keys = settings.keys != 0 ? settings.keys : 10'000;
  Workload workload;
  workload.name = "table-join";
  workload.unit = "events";
  workload.engine = [=](unsigned threads) { return looked_up_by_engine(records, keys, threads); };
  workload.limit = [=] { return looked_up_by_hand(records, keys); };
  workload.extras.push_back(
      {"two_tables",
       [=, threads = settings.threads] { return tables_by_engine(records, keys, threads); },
       [=] { return tables_by_hand(records, keys); }});
  return workload;
}

}  // namespace millrace::bench
