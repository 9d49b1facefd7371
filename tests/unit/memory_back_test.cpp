// Test of the process's resident memory: a peak of load takes it, the calm after gives it back.
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <thread>

#include "base/sanitizers.hpp"
#include "millrace/topology.hpp"
#include "runtime/calm_after_peak.hpp"
#include "runtime/runtime.hpp"

namespace millrace::detail {
namespace {

constexpr std::uint64_t kMiB = 1u << 20;

std::uint64_t resident_bytes() {
  std::ifstream pages("/proc/self/statm");
  std::uint64_t all = 0;
  std::uint64_t resident = 0;
  pages >> all >> resident;
  return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

struct Control {
  std::atomic<bool> peak{false};
  std::atomic<bool> closed{false};  ///< the sink's gate
  std::atomic<std::uint64_t> made{0};
  std::uint64_t taken = 0;
};

struct Frame {
  std::string pixels;
};

/// Frames of 48 KiB, as many as go, or about a hundred a second.
struct Camera : Spout<Frame> {
  explicit Camera(std::shared_ptr<Control> shared) : control(std::move(shared)) {}
  bool next(Output<Frame>& out) override {
    const auto now = std::chrono::steady_clock::now();
    if (!control->peak && now < due) return true;
    due = now + std::chrono::milliseconds(10);
    Frame frame;
    // At a peak more work than the gate has: so it is busy, and does not wait for the gate.
    for (int layer = 0; layer < (control->peak ? 8 : 1); ++layer)
      frame.pixels.assign(48u << 10, static_cast<char>('a' + (control->made + layer) % 26));
    ++control->made;
    out.emit(std::move(frame));
    return true;
  }
  std::shared_ptr<Control> control;
  std::chrono::steady_clock::time_point due;
};

struct Gate : Bolt<Frame, Frame> {
  explicit Gate(std::shared_ptr<Control> shared) : control(std::move(shared)) {}
  void process(const Frame& frame, Output<Frame>& out) override {
    while (control->closed) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    out.emit(frame);
  }
  std::shared_ptr<Control> control;
};

bool comes(const std::function<bool()>& condition) {
  const char* const patience_s = std::getenv("MILLRACE_PATIENCE_S");
  const auto give_up = std::chrono::steady_clock::now() +
                       std::chrono::seconds(patience_s == nullptr ? 120 : std::atoi(patience_s));
  while (!condition()) {
    if (std::chrono::steady_clock::now() > give_up) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return true;
}

double busiest(const Engine& engine, const Graph& graph) {
  Report report;
  RunningSums sums;
  engine.fill(graph, report, sums);
  double most = 0;
  for (const ExecutorReport& executor : report.executor_threads)
    most = std::max(most, executor.busy_share);
  return most;
}

TEST(MemoryBack, TheProcessShrinksWhenAPeakIsOver) {
  if (kSanitized) GTEST_SKIP() << "the sanitizer keeps what was freed";
  const auto control = std::make_shared<Control>();
  Topology topology("camera");
  auto frames = topology.spout("camera", Camera(control));
  topology.bolt("gate", Gate(control), shuffle(frames), {.blocking = true})
      .to(each([&control](const Frame&) { ++control->taken; }));
  const Graph& graph = topology.declaration().graph;
  ASSERT_TRUE(graph.validate().empty());
  RunOptions options;
  options.executors = 0;
  options.ring_batches_max = 4096;
  options.memory_bytes = 512 * kMiB;  // a quarter of it for what is on its way
  Engine engine(make_plan(graph, {}), options, real_env());
  ASSERT_TRUE(engine.start().ok());
  ASSERT_TRUE(comes([&] { return control->made > 20; }));
  const std::uint64_t before = resident_bytes();

  control->closed = true;
  control->peak = true;
  std::uint64_t peak = 0;
  ASSERT_TRUE(comes([&] {
    peak = std::max(peak, resident_bytes());
    return peak > before + 80 * kMiB;
  })) << "the queues did not fill: "
      << peak / kMiB << " MiB";
  control->closed = false;
  ASSERT_TRUE(comes([&] { return busiest(engine, graph) > CalmAfterPeak::kBusy; }));
  control->peak = false;

  const std::uint64_t most_after = before + (peak - before) / 3;
  EXPECT_TRUE(comes([&] { return resident_bytes() < most_after; }))
      << "before " << before / kMiB << ", at its peak " << peak / kMiB << ", after "
      << resident_bytes() / kMiB << " MiB";
  engine.request_stop();
  EXPECT_TRUE(engine.finish().ok());
  EXPECT_EQ(control->taken, control->made);
}

}  // namespace
}  // namespace millrace::detail
