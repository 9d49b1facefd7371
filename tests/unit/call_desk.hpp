// A desk that is asked from a stream, whose answers the test gives.
#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "millrace/millrace.hpp"
#include "millrace/test_driver.hpp"

namespace millrace {

struct Asked {
  std::int64_t id = 0;
  Timestamp at = {};
};
struct Answered {
  std::int64_t id = 0;
  std::string by;
};
inline Asked asked(std::int64_t id) { return {id, Timestamp{id * 1'000'000}}; }

/// An outside store, whose answers the test gives.
struct Desk {
  std::deque<std::pair<std::int64_t, Reply<Answered>>> calls;

  Reply<Answered> take(std::int64_t id) {
    for (auto at = calls.begin(); at != calls.end(); ++at) {
      if (at->first != id) continue;
      Reply<Answered> reply = std::move(at->second);
      calls.erase(at);
      return reply;
    }
    throw std::runtime_error("nobody asked for " + std::to_string(id));
  }
  void answer(std::int64_t id, const std::string& by = "desk") { take(id)({id, by}); }
};

/// A topology "asked", "call" in a driver.
class DeskTest : public testing::Test {
 protected:
  /// `declare(stream of Asked)` makes the stream of Answered.
  template <class Declare>
  void make_with(Declare declare) {
    topology_ = std::make_unique<Topology>("calls");
    declare(topology_->from(records(std::vector<std::vector<Asked>>{{}}))
                .named("asked")
                .event_time(&Asked::at))
        .named("call");
    driver_ = std::make_unique<TestDriver>(*topology_);
    input_.emplace(driver_->input<Asked>("asked"));
    output_.emplace(driver_->output<Answered>("call"));
  }
  auto ask() {
    return [desk = desk_](const Asked& of, Reply<Answered> reply) {
      desk->calls.emplace_back(of.id, reply);
    };
  }
  void settle() { driver_->advance_clock(0ms); }
  std::vector<std::string> seen() {
    settle();
    std::vector<std::string> rows;
    for (const Answered& row : output_->read_all())
      rows.push_back(std::to_string(row.id) + " " + row.by);
    return rows;
  }
  std::vector<std::string> reasons() {
    std::vector<std::string> reasons;
    for (const DeadLetter& letter : driver_->dead_letters()) reasons.push_back(letter.reason);
    return reasons;
  }

  std::shared_ptr<Desk> desk_ = std::make_shared<Desk>();
  std::unique_ptr<Topology> topology_;
  std::unique_ptr<TestDriver> driver_;
  std::optional<TestInput<Asked>> input_;
  std::optional<TestOutput<Answered>> output_;
};

}  // namespace millrace
