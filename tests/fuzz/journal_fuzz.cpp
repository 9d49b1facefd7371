// Fuzz target: any bytes as the files of a journal; opening, reading and appending must hold.
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>
#include <vector>

#include "env/sim_disk.hpp"
#include "env/sim_env.hpp"
#include "journal/journal.hpp"
#include "journal/journal_file.hpp"

namespace {

using namespace millrace::detail;

constexpr const char* kSegment = "j/t/0/00000000000000000000.log";
constexpr const char* kTransactions = "j/.transactions/00000000000000000000.log";

std::unique_ptr<Journal> open(SimDisk& disk, SimClock& clock, bool checked, bool read_only) {
  auto journal = Journal::open(disk, clock, "j", {.read_only = read_only, .no_checksum = !checked});
  return journal ? std::move(*journal) : nullptr;
}

/// The values of the partition, as far as they can be read; also those of transactions that nobody
/// knows.
std::vector<std::string> values(Journal& journal, Isolation isolation) {
  std::vector<std::string> found;
  const auto topic = journal.topic("t");
  if (!topic) return found;
  LogReader reader((*topic)->view(0), 0, isolation);
  for (JournalRecord record;;) {
    const auto more = reader.next(record);
    if (!more || !*more) return found;
    found.emplace_back(record.value.value_or(""));
  }
}

void plant(SimDisk& disk, unsigned choice, const std::string& bytes) {
  if ((choice & 8) != 0) return disk.put(kTransactions, segment_head(0) + bytes);
  switch (choice % 4) {
    case 0:
      return disk.put(kSegment, segment_head(0) + bytes);
    case 1:
      return disk.put("j/t/0/manifest", sealed("MRJmanif", bytes));
    case 2:
      return disk.put("j/t/topic", sealed("MRJtopic", bytes));
    default:
      return disk.put(kSegment, bytes);
  }
}

/// A topic with a record of transaction 1, which is prepared; its process was killed, so that the
/// manifests say nothing of how long the files are.
void make_journal(SimDisk& disk, SimClock& clock) {
  auto journal = open(disk, clock, true, false);
  const auto topic = journal->create_topic("t", {});
  {
    const auto producer = journal->transactions()->producer("p");
    auto transaction = (*producer)->begin();
    JournalRecord record;
    record.value = "hidden";
    if (!transaction->append(*(*topic)->log(0), std::span(&record, 1)) || !transaction->prepare())
      std::abort();
  }
  disk.set_faults({DiskFault::power_cut, 0, false});
  journal.reset();
  disk.kill();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  if (size == 0) return 0;
  SimDisk disk(1);
  SimClock clock;
  make_journal(disk, clock);
  plant(disk, bytes[0], std::string(reinterpret_cast<const char*>(bytes) + 1, size - 1));
  const bool checked = (bytes[0] & 4) == 0;
  std::vector<std::string> seen;
  if (const auto reading = open(disk, clock, checked, true)) {
    seen = values(*reading, Isolation::read_uncommitted);
    (void)values(*reading, Isolation::read_committed);
  }
  auto journal = open(disk, clock, checked, false);
  if (!journal) return 0;
  const std::vector<std::string> kept = values(*journal, Isolation::read_uncommitted);
  (void)values(*journal, Isolation::read_committed);
  if (checked && bytes[0] % 16 == 0 && seen != kept) std::abort();
  const auto topic = journal->topic("t");
  if (!topic) return 0;
  JournalRecord record;
  record.value = "after";
  if (!(*topic)->log(0)->append(std::vector{record}) || !checked) return 0;
  auto after = values(*journal, Isolation::read_uncommitted);
  if (after.empty() || after.back() != "after") std::abort();
  after.pop_back();
  if (after != kept) std::abort();
  return 0;
}
