// A program as a user writes it, for the tests of the command line: counts the words of JSON lines.
#include <cstdint>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <string_view>

#include "millrace/millrace.hpp"

namespace {

struct Entry {
  std::string_view word;
  std::int64_t times = 1;
};

/// Throws at the word "throw", and when it opens if it was told to.
struct Check : millrace::Bolt<Entry, Entry> {
  explicit Check(bool throws) : throws_at_once(throws) {}
  void prepare(millrace::TaskContext& /*context*/) override {
    if (throws_at_once) throw std::runtime_error("there is no dictionary");
  }
  void process(const Entry& entry, millrace::Output<Entry>& out) override {
    out.emit(entry);
    if (entry.word == "throw") throw std::runtime_error("this word is marked");
  }
  bool throws_at_once;
};

std::int64_t checked_total(std::int64_t total) {
  if (total < 0) throw std::runtime_error("a total is marked");
  return total;
}

void check_row(std::string_view word) {
  if (word == "throw-in-each") throw 42;
}

}  // namespace

/// usage: wordcount INPUT OUTPUT [flags]; OUTPUT takes the checked entries, "none" is nowhere, and
/// "wrong-topology" declares one that cannot run.
int main(int argc, char** argv) {
  using namespace millrace;
  if (argc < 3) {
    std::fputs("usage: wordcount INPUT OUTPUT [flags]\n", stderr);
    return 64;
  }
  const std::string output = argv[2];
  Topology topology("wordcount");
  auto entries = topology.from(json_lines<Entry>(argv[1])).named("entries");
  auto checked = topology.bolt("check", Check(output == "throw-in-prepare"), shuffle(entries));
  if (output != "none") checked.to(log(output));
  auto totals = checked.key_by(&Entry::word).window(global()).sum(&Entry::times).named("totals");
  totals.to(view("words"));
  totals.to(each([](const auto& row) { check_row(row.key); }));
  totals.top(1, checked_total).named("ranking").to(view("top word"));
  if (output == "wrong-topology") {
    totals.top(0, checked_total).to(view("words"));
    checked.key_by(&Entry::word).window(tumbling(1min)).count().named("by minute");
  }
  argv[2] = argv[0];
  return run(topology, argc - 2, argv + 2);
}
