// A page without an engine: publishes plausible, moving reports of the demo's topology, for work on
// the page and its end-to-end test. Usage: fake_feed [PORT [REPORTS]]; after REPORTS reports (0:
// never) the state is "finished".
#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <random>
#include <string>
#include <thread>

#include "service/service.hpp"

namespace {

using namespace millrace;
using namespace millrace::detail;

constexpr Time kSecond = 1'000'000;
constexpr Time kDayStart = 1'442'016'000 * kSecond;  // 2015-09-12T00:00:00Z

struct Title {
  const char* page;
  double weight;
  std::int64_t edits;
};

class FakeTopology {
 public:
  Report step(bool last) {
    ++seconds_;
    event_time_ += 1000 * kSecond;
    const auto read = static_cast<std::uint64_t>(420 + static_cast<int>(random_() % 130));
    in_ += read;
    Report report = totals(read, last);
    components(report, read);
    report.views = {trending(), wikis(), removals()};
    report.records_out =
        report.views[0].records + report.views[1].records + report.views[2].records;
    report.records_out_per_second = 31.5 + static_cast<double>(random_() % 10);
    if (seconds_ > 3) dead_letters(report);
    if (seconds_ > 5) report.oracle = OracleReport{5142, 0};
    return report;
  }

 private:
  Report totals(std::uint64_t read, bool last) {
    Report report;
    report.topology = "trending";
    report.version = "0.1.0";
    report.state = last ? "finished" : "running";
    report.uptime_ms = seconds_ * 1000 + 37;
    report.records_in = in_;
    report.records_in_per_second = last ? 0.0 : static_cast<double>(read) * 1.0037;
    report.latency_us_p50 = 412.5 + static_cast<double>(random_() % 90);
    report.latency_us_p99 = 1893.0 + static_cast<double>(random_() % 900);
    report.watermark = event_time_ - 5 * kSecond;
    report.watermark_lag_ms = 5000;
    report.memory_bytes = 48'234'496 + random_() % 4'000'000;
    report.speed = 1000;
    return report;
  }

  void component(Report& report, const char* name, const char* kind, double share, double busy,
                 std::uint32_t tasks = 1) {
    ComponentReport one;
    one.name = name;
    one.kind = kind;
    one.tasks = tasks;
    one.received = static_cast<std::uint64_t>(static_cast<double>(in_) * share);
    one.processed = one.received;
    one.emitted = one.received;
    one.busy_share = busy * (0.8 + 0.004 * static_cast<double>(random_() % 100));
    one.watermark = report.watermark;
    report.components.push_back(one);
  }

  void edge(Report& report, const char* from, const char* to, const char* grouping, double share) {
    EdgeReport one;
    one.from = from;
    one.to = to;
    one.grouping = grouping;
    one.sent = static_cast<std::uint64_t>(static_cast<double>(in_) * share);
    one.queued = std::min<std::uint64_t>(one.sent, random_() % 3);
    one.received = one.sent - one.queued;
    one.records_per_second = report.records_in_per_second * share;
    report.edges.push_back(one);
  }

  void components(Report& report, std::uint64_t) {
    component(report, "edits", "source", 1.0, 0.11);
    component(report, "people", "bolt", 0.51, 0.03, 2);
    component(report, "anonymous", "bolt", 0.097, 0.01);
    component(report, "robots", "bolt", 0.393, 0.02);
    component(report, "articles", "merge", 0.32, 0.01);
    component(report, "count by page", "count", 0.32, 0.19, 2);
    component(report, "top articles", "top", 0.04, 0.02);
    component(report, "Trending articles", "view", 0.001, 0);
    component(report, "count by wiki", "fold", 1.0, 0.14, 2);
    component(report, "Busiest wikis", "view", 0.01, 0);
    component(report, "removals", "filter", 0.097, 0.005);
    component(report, "Large removals", "view", 0.002, 0);
    component(report, "removals.log", "sink", 0.002, 0);
    for (const auto& [from, share] :
         {std::pair("people", 0.51), std::pair("anonymous", 0.097), std::pair("robots", 0.393)}) {
      edge(report, "edits", from, "shuffle", share);
      edge(report, from, "count by wiki", "fields", share);
    }
    edge(report, "people", "articles", "forward", 0.26);
    edge(report, "anonymous", "articles", "forward", 0.06);
    edge(report, "articles", "count by page", "fields", 0.32);
    edge(report, "count by page", "top articles", "global", 0.04);
    edge(report, "top articles", "Trending articles", "forward", 0.001);
    edge(report, "count by wiki", "Busiest wikis", "global", 0.01);
    edge(report, "anonymous", "removals", "forward", 0.097);
    edge(report, "removals", "Large removals", "forward", 0.002);
    edge(report, "removals", "removals.log", "forward", 0.002);
  }

  ViewReport trending() {
    for (Title& title : titles_) {
      if (random_() % 40 == 0) title.weight = 0.3 + 0.05 * static_cast<double>(random_() % 60);
      title.edits += static_cast<std::int64_t>(title.weight * static_cast<double>(random_() % 5));
    }
    std::vector<Title> ranked = titles_;
    std::stable_sort(ranked.begin(), ranked.end(),
                     [](const Title& a, const Title& b) { return a.edits > b.edits; });
    ranked.resize(10);
    ViewReport view{
        "Trending articles", "top", {{"page", "string"}, {"edits", "int"}}, {}, 0, {}, {}};
    for (const Title& title : ranked) view.rows.push_back({std::string(title.page), title.edits});
    const Time pane = 900 * kSecond;
    view.window_end = event_time_ / pane * pane;
    view.window_start = *view.window_end - 6 * 3600 * kSecond;
    view.records = static_cast<std::uint64_t>(seconds_) * 10;
    return view;
  }

  ViewReport wikis() {
    ViewReport view{
        "Busiest wikis",
        "table",
        {{"wiki", "string"}, {"people", "int"}, {"anonymous", "int"}, {"robots", "int"}},
        {},
        0,
        {},
        {}};
    std::int64_t scale = 640;
    for (const char* wiki :
         {"#en.wikipedia", "#vi.wikipedia", "#de.wikipedia", "#fr.wikipedia", "#ru.wikipedia",
          "#it.wikipedia", "#es.wikipedia", "#zh.wikipedia", "#uz.wikipedia", "#ja.wikipedia"}) {
      const auto part = [&](std::int64_t of) {
        return scale * of / 100 + static_cast<std::int64_t>(random_() % 9);
      };
      view.rows.push_back({std::string(wiki), part(52), part(13), part(35)});
      scale = scale * 72 / 100;
    }
    const Time pane = 300 * kSecond;
    view.window_end = event_time_ / pane * pane;
    view.window_start = *view.window_end - 3600 * kSecond;
    view.records = static_cast<std::uint64_t>(seconds_) * 31;
    return view;
  }

  ViewReport removals() {
    if (random_() % 3 != 0) {
      const char* wiki = random_() % 2 ? "#en.wikipedia" : "#fr.wikipedia";
      const std::string page = random_() % 9 == 0
                                   ? "<b>Ørsted</b> & \"sons\" <script>alert(1)</script>"
                                   : titles_[random_() % titles_.size()].page;
      alerts_.insert(alerts_.begin(),
                     {Timestamp{event_time_ - static_cast<Time>(random_() % 900'000'000)}, page,
                      std::string(wiki), fmt::format("{}.{}.0.0", random_() % 250, random_() % 250),
                      -static_cast<std::int64_t>(200 + random_() % 9000)});
    }
    if (alerts_.size() > 100) alerts_.resize(100);
    ViewReport view{"Large removals",
                    "alerts",
                    {{"time", "timestamp"},
                     {"page", "string"},
                     {"wiki", "string"},
                     {"user", "string"},
                     {"delta", "int"}},
                    alerts_,
                    alerts_.size(),
                    {},
                    {}};
    return view;
  }

  void dead_letters(Report& report) {
    report.dead_letters = 2;
    report.recent_dead_letters = {
        {"edits",
         "the line is not JSON: a string is not closed; the line is left out, repair the file to "
         "count it",
         "edits.jsonl:8127", "{\"time\":\"2015-09-12T04:11:09.120Z\",\"page\":\"Corby", kDayStart},
        {"edits", "the field \"delta\" is text but must be an integer", "edits.jsonl:3301",
         "{\"time\":\"2015-09-12T01:02:03.456Z\",\"delta\":\"many\"}", kDayStart - kSecond}};
  }

  std::mt19937 random_{7};
  std::int64_t seconds_ = 0;
  Time event_time_ = kDayStart + 6 * 3600 * kSecond;
  std::uint64_t in_ = 0;
  std::vector<std::vector<Cell>> alerts_;
  std::vector<Title> titles_ = {{"Jeremy Corbyn", 1.6, 41},
                                {"Anthony Martial", 1.4, 38},
                                {"Flavia Pennetta", 1.2, 33},
                                {"2015 US Open – Women's Singles", 1.0, 29},
                                {"Syrian Civil War", 0.9, 27},
                                {"Total Drama Presents: The Ridonculous Race", 0.8, 25},
                                {"Ōsaka", 0.8, 24},
                                {"Копиист", 0.7, 22},
                                {"2015–16 Premier League", 0.7, 21},
                                {"The Naked Brothers Band", 0.6, 20},
                                {"Roberta Vinci", 1.1, 18},
                                {"Serena Williams", 0.8, 17},
                                {"Wikipédia:Le Bistro/12 septembre 2015", 0.5, 16},
                                {"Mecca crane collapse", 1.3, 12},
                                {"Labour Party (UK) leadership election", 1.5, 11}};
};

volatile std::sig_atomic_t stopped = 0;

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGINT, [](int) { stopped = 1; });
  std::signal(SIGTERM, [](int) { stopped = 1; });
  PageOptions options;
  options.port = static_cast<std::uint16_t>(argc > 1 ? std::atoi(argv[1]) : 8080);
  options.port_may_move = true;
  const int reports_max = argc > 2 ? std::atoi(argv[2]) : 0;
  auto server = PageServer::start(options, Log());
  if (!server) {
    fmt::print(stderr, "{}\n", server.error().to_string());
    return 1;
  }
  fmt::print("{}\n", (*server)->address());
  std::fflush(stdout);
  FakeTopology topology;
  for (int i = 1; !stopped; ++i) {
    if (reports_max == 0 || i <= reports_max) {
      (*server)->publish(std::make_shared<const Report>(topology.step(i == reports_max)));
    }
    std::this_thread::sleep_for(
        std::chrono::milliseconds(reports_max > 0 && i < reports_max ? 50 : 1000));
  }
  (*server)->stop();
  return 0;
}
