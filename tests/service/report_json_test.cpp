// The JSON form of a report: shapes, exact numbers, escapes, times, and the Prometheus text.
#include "service/report_json.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <simdjson.h>

#include <cmath>
#include <cstdlib>
#include <limits>

#include "service/metrics_text.hpp"

namespace millrace::detail {
namespace {

ViewReport view_of(std::vector<Cell> row) {
  ViewReport view{"v", "table", {}, {}, 0, {}, {}};
  for (std::size_t i = 0; i < row.size(); ++i)
    view.columns.push_back({"c" + std::to_string(i), "any"});
  view.rows.push_back(std::move(row));
  return view;
}

std::string rows_of(std::vector<Cell> row) {
  const std::string json = to_json(view_of(std::move(row)));
  const auto from = json.find("\"rows\":") + 7;
  return json.substr(from, json.find(",\"records\"") - from);
}

TEST(ReportJson, WritesEachKindOfCell) {
  EXPECT_EQ(rows_of({Cell{}, true, false, std::int64_t{-3}, 0.1, std::string("x"),
                     Timestamp{1'442'018'818'771'000}}),
            R"([[null,true,false,-3,0.1,"x","2015-09-12T00:46:58.771Z"]])");
}

TEST(ReportJson, KeepsDoublesExactly) {
  for (const double value : {1.0 / 3, 1e300, 5e-324, -0.0, 1e20, 12345678.9}) {
    const std::string rows = rows_of({value});
    const double back = std::strtod(rows.c_str() + 2, nullptr);
    EXPECT_EQ(back, value) << rows;
    EXPECT_EQ(std::signbit(back), std::signbit(value)) << rows;
  }
}

TEST(ReportJson, WritesWhatJsonNumbersCannotHoldAsText) {
  const double infinity = std::numeric_limits<double>::infinity();
  EXPECT_EQ(rows_of({infinity, -infinity, std::nan("")}), R"([["Infinity","-Infinity","NaN"]])");
  const std::int64_t last_exact = (std::int64_t{1} << 53) - 1;
  EXPECT_EQ(rows_of({last_exact, last_exact + 1, -last_exact, -last_exact - 1}),
            R"([[9007199254740991,"9007199254740992",-9007199254740991,"-9007199254740992"]])");
  EXPECT_EQ(rows_of({std::numeric_limits<std::int64_t>::min()}), R"([["-9223372036854775808"]])");
}

TEST(ReportJson, EscapesNamesAndText) {
  ViewReport view = view_of({std::string("a\"b\\c\n\x01</script>\xff")});
  view.name = "say \"hi\"";
  simdjson::dom::parser parser;
  const auto parsed = parser.parse(to_json(view));
  EXPECT_EQ(std::string_view(parsed["name"]), "say \"hi\"");
  EXPECT_EQ(std::string_view(parsed["rows"].at(0).at(0)), "a\"b\\c\n\x01</script>\xEF\xBF\xBD");
}

TEST(ReportJson, MissingValuesAreNullAndTheEndHasAName) {
  Report report;
  report.topology = "t";
  std::string json = to_json(report);
  for (const char* member :
       {"latency_us_p50", "latency_us_p99", "watermark", "watermark_lag_ms", "oracle"}) {
    EXPECT_NE(json.find('"' + std::string(member) + "\":null"), std::string::npos) << member;
  }
  report.watermark = kTimeMin;
  EXPECT_NE(to_json(report).find("\"watermark\":null"), std::string::npos);
  report.watermark = kTimeMax;
  EXPECT_NE(to_json(report).find("\"watermark\":\"end\""), std::string::npos);
}

TEST(ReportJson, ARestoreIsToldWhileItLasts) {
  Report report;
  EXPECT_NE(to_json(report).find("\"restore\":null"), std::string::npos);
  report.restore = RestoreReport{1200, 3000, 45};
  EXPECT_NE(to_json(report).find("\"restore\":{\"bytes\":1200,\"bytes_all\":3000,\"left_ms\":45}"),
            std::string::npos);
}

TEST(ReportJson, EpochsAreToldWhereTheyAreMade) {
  Report report;
  EXPECT_NE(to_json(report).find("\"checkpoints\":null"), std::string::npos);
  report.checkpoints = CheckpointsReport{.interval_ms = 10'000, .completed = 2, .restored_from = 7};
  CheckpointReport& newest = report.checkpoints->recent.emplace_back();
  newest.id = 9;
  newest.state = "complete";
  newest.write_us = 1500;
  newest.base = 8;
  newest.chain = 3;
  const std::string json = to_json(report);
  EXPECT_NE(json.find("\"completed\":2,\"failed\":0,\"age_ms\":null,\"restored_from\":7"),
            std::string::npos);
  EXPECT_NE(json.find("\"id\":9,\"state\":\"complete\""), std::string::npos);
  EXPECT_NE(json.find("\"write_us\":1500"), std::string::npos);
  EXPECT_NE(json.find("\"base\":8,\"chain\":3,"), std::string::npos);
}

Report full_report() {
  Report report;
  report.topology = "trending";
  report.state = "running";
  report.uptime_ms = 1500;
  report.records_in = 39244;
  report.records_in_per_second = 1234.5;
  report.latency_us_p50 = 250;
  report.latency_us_p99 = 1000;
  report.watermark = 1'442'018'818'500'000;
  report.watermark_lag_ms = -1;
  report.components.push_back({.name = "edits",
                               .kind = "source",
                               .tasks = 2,
                               .received = 5,
                               .processed = 4,
                               .filtered = 3,
                               .late = 2,
                               .dead_lettered = 1,
                               .in_flight = 0,
                               .emitted = 6,
                               .busy_share = 0.25});
  report.components.front().acks =
      AckReport{.tried = 9,
                .acked = 4,
                .pending = 5,
                .slowest = {{"edits partition 0, message 4", 5, 12, 3, 0, ""}}};
  report.edges.push_back({"edits", "a \"b\"\\\n", "shuffle", 7, 6, 1, 0, 3.5});
  report.views.push_back(view_of({std::int64_t{1}}));
  report.recent_dead_letters.push_back({"edits", "broken", "f:1", "{", 1'442'018'818'000'000});
  report.oracle = OracleReport{5142, 1};
  return report;
}

TEST(ReportJson, WritesAWholeReportThatParses) {
  simdjson::dom::parser parser;
  const auto parsed = parser.parse(to_json(full_report()));
  EXPECT_EQ(std::int64_t(parsed["records_in"]), 39244);
  EXPECT_EQ(double(parsed["records_in_per_second"]), 1234.5);
  EXPECT_EQ(std::int64_t(parsed["watermark_lag_ms"]), -1);
  EXPECT_EQ(std::string_view(parsed["watermark"]), "2015-09-12T00:46:58.500Z");
  const auto component = parsed["components"].at(0);
  EXPECT_EQ(std::int64_t(component["tasks"]), 2);
  EXPECT_EQ(std::int64_t(component["emitted"]), 6);
  EXPECT_EQ(double(component["busy_share"]), 0.25);
  EXPECT_TRUE(component["watermark"].is_null());
  EXPECT_EQ(std::int64_t(component["acks"]["pending"]), 5);
  EXPECT_TRUE(component["acks"]["latency_us_p50"].is_null());
  EXPECT_EQ(std::int64_t(component["acks"]["slowest"].at(0)["age_ms"]), 12);
  EXPECT_EQ(std::int64_t(parsed["edges"].at(0)["queued"]), 1);
  EXPECT_EQ(std::string_view(parsed["views"].at(0)["columns"].at(0)["name"]), "c0");
  EXPECT_EQ(std::string_view(parsed["recent_dead_letters"].at(0)["at"]), "2015-09-12T00:46:58Z");
  EXPECT_EQ(std::int64_t(parsed["oracle"]["wrong"]), 1);
}

TEST(ReportJson, TellsOfKillsWhereThereAreAny) {
  Report report = full_report();
  EXPECT_THAT(to_json(report), testing::HasSubstr(R"("oracle":{"rows":5142,"wrong":1}})"));
  report.oracle->kills = KillsReport{7, 2, 3};
  EXPECT_THAT(
      to_json(report),
      testing::HasSubstr(R"("oracle":{"rows":5142,"wrong":1,"kills":7,"lost":2,"doubled":3}})"));
}

TEST(MetricsText, NamesUnitsAndEscapesLabels) {
  const std::string text = to_prometheus(full_report());
  for (const char* line : {"millrace_records_in_total 39244\n", "millrace_uptime_seconds 1.5\n",
                           "millrace_batch_latency_seconds{quantile=\"0.99\"} 0.001\n",
                           "millrace_watermark_lag_seconds -0.001\n",
                           "millrace_component_filtered_total{component=\"edits\"} 3\n",
                           "# TYPE millrace_edge_sent_total counter\n",
                           "millrace_edge_sent_total{from=\"edits\",to=\"a "
                           "\\\"b\\\"\\\\\\n\",grouping=\"shuffle\"} 7\n"}) {
    EXPECT_NE(text.find(line), std::string::npos) << line;
  }
  EXPECT_EQ(to_prometheus(Report()).find("latency"), std::string::npos) << "no value, no line";
}

Report with_user_metrics() {
  Report report = full_report();
  report.components[0].metrics = {{"lag \"s\"", "gauge", 2.5, 0, 0, 0, 0},
                                  {"seen", "counter", 7, 0, 0, 0, 0},
                                  {"took", "timer", 3000, 2, 1000, 2000, 2000}};
  return report;
}

TEST(ReportJson, WritesTheBytesOfState) {
  Report report = full_report();
  report.components[0].state_bytes = 13'400'000;
  EXPECT_NE(to_json(report).find("\"state_bytes\":13400000,"), std::string::npos);
  EXPECT_NE(to_prometheus(report).find("millrace_component_state_bytes{component=\"edits\"} "
                                       "13400000\n"),
            std::string::npos);
}

TEST(ReportJson, WritesTheUsersMetrics) {
  simdjson::dom::parser parser;
  const auto parsed = parser.parse(to_json(with_user_metrics()));
  const auto metrics = parsed["components"].at(0)["metrics"];
  EXPECT_EQ(std::string_view(metrics.at(0)["name"]), "lag \"s\"");
  EXPECT_EQ(double(metrics.at(0)["value"]), 2.5);
  EXPECT_EQ(std::string_view(metrics.at(1)["kind"]), "counter");
  EXPECT_EQ(double(metrics.at(2)["p99"]), 2000);
  EXPECT_EQ(std::int64_t(metrics.at(2)["count"]), 2);
}

TEST(MetricsText, HasTheUsersMetricsByKind) {
  const std::string text = to_prometheus(with_user_metrics());
  for (const char* line :
       {"millrace_user_level{component=\"edits\",name=\"lag \\\"s\\\"\"} 2.5\n",
        "# TYPE millrace_user_total counter\n",
        "millrace_user_total{component=\"edits\",name=\"seen\"} 7\n",
        "millrace_user_seconds{component=\"edits\",name=\"took\",quantile=\"0.99\"} 0.002\n",
        "millrace_user_seconds_sum{component=\"edits\",name=\"took\"} 0.003\n",
        "millrace_user_seconds_count{component=\"edits\",name=\"took\"} 2\n"}) {
    EXPECT_NE(text.find(line), std::string::npos) << line << text;
  }
}

}  // namespace
}  // namespace millrace::detail
