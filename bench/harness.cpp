// Turns, CPU seconds, peak memory, medians and their presentation.
#include "harness.hpp"

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <deque>
#include <fstream>
#include <iterator>

namespace millrace::bench {
namespace {

double cpu_seconds_now() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

/// Starts the kernel's count of peak memory anew, so that engine and limit are told apart.
void reset_peak_rss() { std::ofstream("/proc/self/clear_refs") << "5"; }

std::uint64_t peak_rss_bytes() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmHWM:")) return std::stoull(line.substr(6)) * 1024;
  }
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<std::uint64_t>(usage.ru_maxrss) * 1024;
}

double quantile_us(std::vector<std::uint32_t>& latencies_ns, double share) {
  if (latencies_ns.empty()) return 0;
  const auto at = static_cast<std::size_t>(share * static_cast<double>(latencies_ns.size() - 1));
  std::nth_element(latencies_ns.begin(), latencies_ns.begin() + static_cast<std::ptrdiff_t>(at),
                   latencies_ns.end());
  return latencies_ns[at] / 1000.0;
}

Sample sample(const std::function<Answer()>& work) {
  Sample taken;
  reset_peak_rss();
  const double cpu_before = cpu_seconds_now();
  const auto before = std::chrono::steady_clock::now();
  taken.answer = work();
  const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - before;
  taken.cpu_seconds = cpu_seconds_now() - cpu_before;
  taken.wall_seconds = wall.count();
  taken.peak_rss_bytes = peak_rss_bytes();
  taken.latency_us_p50 = quantile_us(taken.answer.latencies_ns, 0.5);
  taken.latency_us_p99 = quantile_us(taken.answer.latencies_ns, 0.99);
  taken.answer.latencies_ns = {};
  return taken;
}

template <class Get>
double median(const std::vector<Sample>& samples, Get get) {
  std::vector<double> values;
  std::transform(samples.begin(), samples.end(), std::back_inserter(values), get);
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const std::size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

Medians medians(const std::vector<Sample>& samples) {
  const auto records = [](const Sample& s) { return static_cast<double>(s.answer.records); };
  Medians m;
  m.rate = median(samples, [&](const Sample& s) { return records(s) / s.wall_seconds; });
  m.rate_per_cpu =
      median(samples, [&](const Sample& s) { return records(s) / std::max(s.cpu_seconds, 1e-9); });
  m.cpu_seconds = median(samples, [](const Sample& s) { return s.cpu_seconds; });
  m.peak_rss_bytes = static_cast<std::uint64_t>(
      median(samples, [](const Sample& s) { return static_cast<double>(s.peak_rss_bytes); }));
  m.latency_us_p50 = median(samples, [](const Sample& s) { return s.latency_us_p50; });
  m.latency_us_p99 = median(samples, [](const Sample& s) { return s.latency_us_p99; });
  return m;
}

double share(double part, double whole) { return whole > 0 ? part / whole : 0; }

/// Runs of a few milliseconds measure the start, not the loop: they are not judged.
bool limit_is_too_slow(const Workload& workload, const Outcome& outcome) {
  return outcome.limit.cpu_seconds > 0.05 && outcome.limit.rate_per_cpu < workload.limit_rate_min;
}

/// One kind of run and what came of it.
struct Lane {
  std::function<Answer()> work;
  std::vector<Sample> samples;
  const Answer* wanted = nullptr;  ///< null: the limit's first answer
};

std::vector<Figure> figures_of(const Workload& workload, const Outcome& outcome) {
  return workload.figures ? workload.figures(outcome) : std::vector<Figure>();
}

void compare(const Sample& taken, const Answer& wanted, Outcome& outcome) {
  if (!taken.answer.failure.empty() && outcome.failure.empty()) {
    outcome.failure = taken.answer.failure;
  }
  if (taken.answer.checksum != wanted.checksum || taken.answer.records != wanted.records) {
    outcome.answer_equal = false;
  }
}

/// Latency runs take their ten seconds however fast the machine is.
unsigned runs_of(const Workload& workload, const Settings& settings) {
  if (settings.runs != 0) return settings.runs;
  return workload.is_latency ? 3 : 5;
}

}  // namespace

Outcome measure(const Workload& workload, const Settings& settings) {
  Lane engine{[&] { return workload.engine(settings.threads); }, {}, nullptr};
  Lane limit{workload.limit, {}, nullptr};
  Lane one_thread{[&] { return workload.engine(1); }, {}, nullptr};
  Lane bound{workload.bound, {}, nullptr};
  std::vector<Lane*> lanes = {&engine, &limit};
  if (settings.threads > 1) lanes.push_back(&one_thread);
  if (workload.bound) lanes.push_back(&bound);
  std::deque<Lane> extras;
  std::deque<Answer> wanted;
  for (const Extra& extra : workload.extras) {
    extras.push_back(
        {extra.run, {}, extra.wanted ? &wanted.emplace_back(extra.wanted()) : nullptr});
    lanes.push_back(&extras.back());
  }

  Outcome outcome;
  outcome.answer_equal = true;
  const unsigned runs = runs_of(workload, settings);
  for (unsigned turn = 0; turn < runs && outcome.failure.empty(); ++turn) {
    for (Lane* lane : lanes) lane->samples.push_back(sample(lane->work));
    for (const Lane* lane : lanes) {
      compare(lane->samples.back(), lane->wanted ? *lane->wanted : limit.samples.front().answer,
              outcome);
    }
    std::fprintf(stderr, "%s: turn %u of %u done\n", workload.name.c_str(), turn + 1, runs);
  }
  outcome.engine = medians(engine.samples);
  outcome.limit = medians(limit.samples);
  outcome.one_thread = medians(one_thread.samples);
  outcome.bound = medians(bound.samples);
  for (const Lane& extra : extras) outcome.extras.push_back(medians(extra.samples));
  return outcome;
}

std::string to_json(const Workload& workload, const Settings& settings, const Outcome& outcome) {
  const Medians& engine = outcome.engine;
  const Medians& limit = outcome.limit;
  std::string json = fmt::format(
      R"({{"workload":"{}","threads":{},"runs":{},"answer_equal":{},"rate":{:.0f},)"
      R"("limit_rate":{:.0f},"ratio":{:.4f},"cpu_seconds":{:.4f},"limit_cpu_seconds":{:.4f},)"
      R"("rate_per_cpu_second":{:.0f},"limit_rate_per_cpu_second":{:.0f},"ratio_cpu":{:.4f},)"
      R"("peak_rss_bytes":{},"limit_peak_rss_bytes":{},"limit_too_slow":{})",
      workload.name, settings.threads, runs_of(workload, settings), outcome.answer_equal,
      engine.rate, limit.rate, share(engine.rate, limit.rate), engine.cpu_seconds,
      limit.cpu_seconds, engine.rate_per_cpu, limit.rate_per_cpu,
      share(engine.rate_per_cpu, limit.rate_per_cpu), engine.peak_rss_bytes, limit.peak_rss_bytes,
      limit_is_too_slow(workload, outcome));
  if (settings.threads > 1) {
    json += fmt::format(R"(,"one_thread_rate":{:.0f},"speedup":{:.4f})", outcome.one_thread.rate,
                        share(engine.rate, outcome.one_thread.rate));
  }
  if (workload.bound) json += fmt::format(R"(,"bound_rate":{:.0f})", outcome.bound.rate);
  if (workload.is_latency) {
    json += fmt::format(
        R"(,"latency_us_p50":{:.3f},"latency_us_p99":{:.3f},"limit_latency_us_p50":{:.3f},)"
        R"("limit_latency_us_p99":{:.3f},"ratio_p50":{:.3f},"ratio_p99":{:.3f})",
        engine.latency_us_p50, engine.latency_us_p99, limit.latency_us_p50, limit.latency_us_p99,
        share(engine.latency_us_p50, limit.latency_us_p50),
        share(engine.latency_us_p99, limit.latency_us_p99));
  }
  for (std::size_t at = 0; at < workload.extras.size(); ++at) {
    const Medians& m = outcome.extras[at];
    json += fmt::format(R"(,"{}":{{"rate":{:.0f},"cpu_seconds":{:.4f},"peak_rss_bytes":{}}})",
                        workload.extras[at].name, m.rate, m.cpu_seconds, m.peak_rss_bytes);
  }
  for (const Figure& figure : figures_of(workload, outcome)) {
    json += fmt::format(R"(,"{}":{:.4f},"{}_good":{})", figure.name, figure.value, figure.name,
                        figure.good());
  }
  return json + "}\n";
}

std::string to_text(const Workload& workload, const Settings& settings, const Outcome& outcome) {
  const auto line = [&](std::string_view name, const Medians& m) {
    std::string text =
        fmt::format("  {:<14}{:>9.2f} M {}/s{:>9.2f} M/CPU-s{:>8.2f} CPU-s{:>8.1f} MB", name,
                    m.rate / 1e6, workload.unit, m.rate_per_cpu / 1e6, m.cpu_seconds,
                    static_cast<double>(m.peak_rss_bytes) / 1e6);
    if (workload.is_latency) {
      text += fmt::format("   p50 {:.3f} us   p99 {:.3f} us", m.latency_us_p50, m.latency_us_p99);
    }
    return text + "\n";
  };
  const Medians& engine = outcome.engine;
  const Medians& limit = outcome.limit;
  std::string text = fmt::format("{}: medians of {} runs, engine and limit in turn\n",
                                 workload.name, runs_of(workload, settings));
  text += line(fmt::format("engine x{}", settings.threads), engine);
  if (settings.threads > 1) text += line("engine x1", outcome.one_thread);
  text += line("limit", limit);
  if (workload.bound) text += line("bound", outcome.bound);
  for (std::size_t at = 0; at < workload.extras.size(); ++at) {
    text += line(workload.extras[at].name, outcome.extras[at]);
  }
  if (workload.is_latency) {
    text += fmt::format("  latency: p50 {:.2f} x, p99 {:.2f} x the limit's\n",
                        share(engine.latency_us_p50, limit.latency_us_p50),
                        share(engine.latency_us_p99, limit.latency_us_p99));
  } else {
    text +=
        fmt::format("  ratio: {:.2f} of the limit ({:.2f} per CPU-second)",
                    share(engine.rate, limit.rate), share(engine.rate_per_cpu, limit.rate_per_cpu));
    if (settings.threads > 1) {
      text += fmt::format(", {:.2f} x one thread", share(engine.rate, outcome.one_thread.rate));
    }
    text += "\n";
  }
  for (const Figure& figure : figures_of(workload, outcome)) {
    text += fmt::format("  {}: {:.3f}", figure.name, figure.value);
    if (figure.least > 0) text += fmt::format(", at least {}", figure.least);
    if (figure.most > 0) text += fmt::format(", at most {}", figure.most);
    text += figure.good() ? "\n" : ": MISSED\n";
  }
  text += outcome.answer_equal ? "  answers: equal\n" : "  answers: DIFFERENT\n";
  if (limit_is_too_slow(workload, outcome)) {
    text += fmt::format(
        "  note: the limit is too slow here ({:.0f} M {} a CPU-second expected): do not compare\n",
        workload.limit_rate_min / 1e6, workload.unit);
  }
  return text;
}

}  // namespace millrace::bench
