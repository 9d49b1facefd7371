// A spout and two bolts in Storm's style: the second bolt keeps its counts in a plain member.
#include <cstdint>
#include <map>

#include "millrace/millrace.hpp"

using namespace millrace;

/// Emits 0, 1, 2, ... 99.
struct Numbers : Spout<std::int64_t> {
  bool next(Output<std::int64_t>& out) override {
    if (number == 100) return false;
    out.emit(number++);
    return true;
  }
  std::int64_t number = 0;
};

struct LastDigit : Bolt<std::int64_t, std::int64_t> {
  void process(const std::int64_t& number, Output<std::int64_t>& out) override {
    out.emit(number % 10);
  }
};

struct DigitCount {
  std::int64_t digit = 0;
  std::int64_t count = 0;
};

/// Counts in a member: right because fields() sends equal digits to one task.
struct CountDigits : Bolt<std::int64_t, DigitCount> {
  void process(const std::int64_t& digit, Output<DigitCount>& out) override {
    out.emit({digit, ++counts[digit]});
  }
  std::map<std::int64_t, std::int64_t> counts;
};

int main(int argc, char** argv) {
  Topology topology("storm style");
  auto numbers = topology.spout("numbers", Numbers{});
  auto digits = topology.bolt("digits", LastDigit{}, shuffle(numbers));
  auto counts = topology.bolt("counts", CountDigits{}, fields(digits, self), {.tasks = 4});
  counts.to(print());
  return run(topology, argc, argv);
}
