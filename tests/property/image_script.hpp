// Scripts of records, watermarks and breaks for tests of images, and their rows as lines.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "image_harness.hpp"
#include "millrace/millrace.hpp"
#include "record/record_json.hpp"

namespace millrace::property {
using namespace detail;  // NOLINT: operators are driven by hand

struct Hit {
  std::string name;
  std::int64_t number = 0;
  double amount = 0;
};
using ByName = KeyFn<Hit, std::string Hit::*>;
using Lines = std::vector<std::string>;

inline std::shared_ptr<const TypedKeyHash<Hit, ByName>> by_name() {
  return std::make_shared<const TypedKeyHash<Hit, ByName>>(ByName(&Hit::name));
}

/// A record with what the source says of it.
struct Sent {
  Hit hit;
  Time time;
  Time behind;
};

/// Records and watermarks of a stream, and where it breaks off: all drawn from one seed.
class Script {
 public:
  Script(std::uint64_t seed, bool breaks)
      : input_(seed), breaks_(seed + 1), breaks_there_(breaks) {}

  Sent next_record() {
    static const std::string kNames[] = {"a",
                                         "bb",
                                         "a name longer than a slot of a table",
                                         "d",
                                         "e",
                                         "sixteen-bytes-ok",
                                         "seventeen-bytes-x"};
    Sent sent{{kNames[input_.below(7)], static_cast<std::int64_t>(input_.below(50)),
               static_cast<double>(input_.below(400)) / 4},
              watermark_ + static_cast<Time>(input_.below(90)) - 25,
              kTimeMin};
    if (sent.time < watermark_) sent.behind = watermark_;
    return sent;
  }
  std::uint64_t records() { return input_.below(12); }
  Time next_watermark() {
    return watermark_ += static_cast<Time>(input_.below(4) == 0 ? input_.below(60) : 3);
  }
  std::uint64_t below(std::uint64_t bound) { return input_.below(bound); }
  /// One that others come over.
  bool is_epoch() { return breaks_.below(4) == 0 && breaks_there_; }
  /// Of breaks: tasks hand over what they can.
  bool is_handing() { return breaks_.below(3) == 0; }
  bool is_break() { return breaks_.below(6) == 0 && breaks_there_; }
  std::uint32_t tasks() { return breaks_there_ ? draw_tasks(breaks_) : 1; }

 private:
  Random input_;
  Random breaks_;
  bool breaks_there_;
  Time watermark_ = 1000;
};

inline void put(Batch<Hit>& batch, const Sent& sent, std::uint64_t number) {
  const auto index = static_cast<std::uint32_t>(batch.values.size());
  batch.values.push_back(sent.hit);
  batch.times.push_back(sent.time);
  batch.arrivals.push_back(Arrival::at(1, 0, number));
  if (sent.behind != kTimeMin) batch.behind.push_back({index, sent.behind});
}

/// The rows of a batch as lines, with what they carry.
template <class Row>
void add_lines(Lines& lines, std::uint32_t port, const BatchBase& base) {
  const auto& batch = static_cast<const Batch<Row>&>(base);
  std::size_t cursor = 0;
  for (std::size_t at = 0; at < batch.values.size(); ++at) {
    std::string line = std::to_string(port) + " ";
    if (!batch.times.empty()) line += std::to_string(batch.times[at]) + " ";
    line += std::to_string(behind_at(batch, at, cursor)) + " ";
    append_json(line, batch.values[at]);
    lines.push_back(std::move(line));
  }
}
/// Of port 0; by port 1 leave records that came too late.
template <class Row>
ImagedTasks::Note lines_into(Lines& lines) {
  return [&lines](std::uint32_t port, BatchBase& batch) {
    if (port == 0) {
      add_lines<Row>(lines, port, batch);
    } else {
      add_lines<Hit>(lines, port, batch);
    }
  };
}

inline constexpr int kSteps = 60;

/// Feeds the script to tasks that own the keys of records.
inline void drive(ImagedTasks& tasks, Script& script, const KeyHash& key) {
  std::uint64_t number = 0;
  std::vector<std::uint64_t> hashes;
  const auto feed = [&](Script& from) {
    for (auto left = from.records(); left > 0; --left) {
      Batch<Hit> batch;
      put(batch, from.next_record(), number++);
      key.hash(batch, hashes);
      tasks.process(tasks.task_of(hashes[0]), batch);
    }
  };
  const auto may_break = [&] {
    if (script.is_epoch()) (void)tasks.image();
    if (!script.is_break()) return;
    if (script.is_handing()) return tasks.hand_over(script.tasks());
    const std::uint64_t before = number;
    tasks.restart(script.tasks(), [&] {
      Script ahead = script;
      feed(ahead);
      tasks.advance(ahead.next_watermark());
      feed(ahead);
    });
    number = before;
  };
  for (int step = 0; step < kSteps; ++step) {
    may_break();
    feed(script);
    may_break();
    tasks.advance(script.next_watermark());
  }
  tasks.advance(kTimeMax);
}

/// The rows of an operator with breaks are those without any.
template <class Row, class Make>
void expect_same(Make make) {
  for (std::uint64_t seed = 1; seed <= 15; ++seed) {
    Lines lines[2];
    Tally tallies[2];
    for (const bool breaks : {false, true}) {
      Script script(seed, breaks);
      ImagedTasks tasks(make, script.tasks(), lines_into<Row>(lines[breaks]));
      drive(tasks, script, *by_name());
      std::sort(lines[breaks].begin(), lines[breaks].end());
      tallies[breaks] = tasks.tally();
    }
    ASSERT_EQ(lines[0], lines[1]) << "seed " << seed;
    ASSERT_FALSE(lines[0].empty());
    EXPECT_EQ(tallies[0].processed, tallies[1].processed);
    EXPECT_EQ(tallies[0].late, tallies[1].late);
  }
}

}  // namespace millrace::property
