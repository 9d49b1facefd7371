// PageServer over raw sockets: routes, refusals, the live feed, slow clients, ports and stopping.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "page_client.hpp"

namespace millrace::detail {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

TEST(PageServer, AnswersItsRoutes) {
  const auto server = started();
  EXPECT_THAT(ask(*server, "GET /api/v1/report"), StartsWith("HTTP/1.1 503"));
  EXPECT_THAT(ask(*server, "GET /healthz"), HasSubstr("{\"state\":\"starting\"}"));
  server->publish(sample_report());
  const std::string report = ask(*server, "GET /api/v1/report?fresh=1");
  EXPECT_THAT(report, StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(report, HasSubstr("\"records_in\":39244"));
  EXPECT_THAT(ask(*server, "GET /api/v1/views/Trending%20articles"),
              HasSubstr("\"rows\":[[\"Corbyn\"]]"));
  EXPECT_THAT(ask(*server, "GET /api/v1/views/none"), StartsWith("HTTP/1.1 404"));
  EXPECT_THAT(ask(*server, "GET /metrics"), HasSubstr("\nmillrace_records_in_total 39244\n"));
  EXPECT_THAT(ask(*server, "GET /healthz"), StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(ask(*server, "GET /"), HasSubstr("text/html"));
  EXPECT_THAT(ask(*server, "GET /app.js"), HasSubstr("text/javascript"));
  EXPECT_THAT(ask(*server, "GET /../report.hpp"), StartsWith("HTTP/1.1 404"));
  EXPECT_THAT(ask(*server, "GET /%zz"), StartsWith("HTTP/1.1 400"));
  auto failed = sample_report();
  failed->state = "failed";
  server->publish(failed);
  EXPECT_THAT(ask(*server, "GET /healthz"), StartsWith("HTTP/1.1 503"));
}

/// The JSON that the page carries for its first paint.
std::string first_paint(const PageServer& server) {
  const std::string page = ask(server, "GET /");
  const std::string mark = "<script type=\"application/json\" id=\"millrace-first\">";
  const auto from = page.find(mark);
  EXPECT_NE(from, std::string::npos);
  EXPECT_NE(page.find("</script>\n</body>", from), std::string::npos);
  return page.substr(from + mark.size(), page.find("</script>", from) - from - mark.size());
}

TEST(PageServer, AReloadShowsTheHistory) {
  const auto server = started();
  EXPECT_THAT(first_paint(*server), StartsWith("{\"report\":null,\"history\":{"));
  for (int second = 1; second <= 3; ++second) {
    auto report = sample_report();
    report->uptime_ms = second * 1000;
    report->records_in_per_second = second * 100;
    report->components.emplace_back().name = "count by page";
    report->components.back().emitted_per_second = second;
    server->publish(report);
  }
  const char* rates = "\"uptime_ms\":[1000,2000,3000],\"records_in_per_second\":[100,200,300]";
  EXPECT_THAT(ask(*server, "GET /api/v1/history"), HasSubstr(rates));
  EXPECT_THAT(first_paint(*server), HasSubstr(rates));
  EXPECT_THAT(first_paint(*server), HasSubstr("\"latency_us_p99\":[null,null,null]"));
  const std::string of_one = ask(*server, "GET /api/v1/history/components/count%20by%20page");
  EXPECT_THAT(of_one, HasSubstr("{\"name\":\"count by page\""));
  EXPECT_THAT(of_one, HasSubstr("\"emitted_per_second\":[1,2,3]"));
  EXPECT_THAT(ask(*server, "GET /api/v1/history/components/none"), StartsWith("HTTP/1.1 404"));
}

TEST(PageServer, TextOfARecordCannotEndThePagesData) {
  const auto server = started();
  auto report = sample_report();
  report->views[0].rows[0][0] = std::string("</script><script>alert(1)</script><!--");
  server->publish(report);
  const std::string data = first_paint(*server);
  EXPECT_THAT(data, HasSubstr("\\u003c/script>\\u003cscript>alert(1)"));
  EXPECT_THAT(data, Not(HasSubstr("<")));
}

TEST(PageServer, TellsTasksAndLeavesManyOutOfTheFeed) {
  const auto server = started();
  EXPECT_THAT(ask(*server, "GET /api/v1/tasks"), StartsWith("HTTP/1.1 503"));
  auto report = sample_report();
  report->tasks.resize(256);
  report->tasks.back().running = "count";
  server->publish(report);
  EXPECT_THAT(ask(*server, "GET /api/v1/report"), HasSubstr("\"running\":\"count\""));
  auto many = sample_report();
  many->tasks.resize(257);
  many->tasks.back().running = "count";
  server->publish(many);
  EXPECT_THAT(ask(*server, "GET /api/v1/report"), HasSubstr("\"tasks_total\":257,\"tasks\":[]"));
  EXPECT_THAT(ask(*server, "GET /api/v1/tasks"), HasSubstr("{\"id\":256,"));
}

TEST(PageServer, HeadHasTheHeadersOfGetAndNoBody) {
  const auto server = started();
  server->publish(sample_report());
  const std::string get = ask(*server, "GET /api/v1/report");
  const std::string head = ask(*server, "HEAD /api/v1/report");
  EXPECT_EQ(head, get.substr(0, get.find("\r\n\r\n") + 4));
}

TEST(PageServer, KeepsAConnectionForSeveralRequests) {
  const auto server = started();
  Client client(server->port());
  for (int i = 0; i < 3; ++i) {
    client.send("GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
    EXPECT_THAT(client.receive_until("}\n"), StartsWith("HTTP/1.1 200"));
  }
}

TEST(PageServer, SendsSecurityHeadersWithEveryAnswer) {
  const auto server = started();
  for (const char* path : {"GET /", "GET /none", "POST /", "GET /api/v1/report"}) {
    const std::string answer = ask(*server, path);
    EXPECT_THAT(answer, HasSubstr("Content-Security-Policy: default-src 'self';")) << path;
    EXPECT_THAT(answer, HasSubstr("frame-ancestors 'none'")) << path;
    EXPECT_THAT(answer, HasSubstr("X-Content-Type-Options: nosniff")) << path;
    EXPECT_THAT(answer, HasSubstr("Referrer-Policy: no-referrer")) << path;
  }
}

TEST(PageServer, RefusesOtherHostNamesAndMethods) {
  const auto server = started();
  server->publish(sample_report());
  for (const char* host : {"Host: evil.example\r\n", "Host: localhost.evil.example:80\r\n",
                           "Host: 10.0.0.1\r\n", "Host: [::2]\r\n", "Host: \r\n", ""}) {
    const std::string answer = ask(*server, "GET /api/v1/report", host);
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 421")) << host;
    EXPECT_THAT(answer, Not(HasSubstr("39244"))) << host;
  }
  for (const char* host : {"Host: localhost:9\r\n", "Host: LOCALHOST\r\n",
                           "Host: 127.0.0.1:8080\r\n", "Host: [::1]:1\r\n"}) {
    EXPECT_THAT(ask(*server, "GET /api/v1/report", host), StartsWith("HTTP/1.1 200")) << host;
  }
  for (const char* method : {"POST", "PUT", "DELETE", "OPTIONS", "TRACE"}) {
    const std::string answer = ask(*server, std::string(method) + " /api/v1/report");
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 405")) << method;
    EXPECT_THAT(answer, HasSubstr("Allow: GET, HEAD\r\n")) << method;
  }
}

TEST(PageServer, RefusesWhatIsNotARequestAndHeadersWithoutEnd) {
  auto options = any_port();
  options.header_timeout = std::chrono::milliseconds(200);
  const auto server = started(options);
  Client nonsense(server->port());
  nonsense.send("\x16\x03\x01 hello\r\n\r\n");
  EXPECT_THAT(nonsense.receive_all(), StartsWith("HTTP/1.1 400"));
  Client large(server->port());
  large.send("GET / HTTP/1.1\r\nHost: localhost\r\nX: " + std::string(9000, 'x') + "\r\n\r\n");
  EXPECT_THAT(large.receive_all(), StartsWith("HTTP/1.1 431"));
  Client slow(server->port());
  const auto start = SteadyClock::now();
  for (int i = 0; i < 3; ++i) {  // each byte in time, the whole header not
    slow.send("G");
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  EXPECT_EQ(slow.receive_all(), "");
  EXPECT_LT(ms_since(start), 8'000);
}

TEST(PageServer, PushesReportsToLiveClients) {
  const auto server = started();
  server->publish(sample_report());
  Client client(server->port());
  client.send(upgrade_request("Host: localhost:1\r\nOrigin: http://localhost:1\r\n"));
  const std::string first = client.receive_until("\"oracle\":null}");
  EXPECT_THAT(first, StartsWith("HTTP/1.1 101"));
  EXPECT_THAT(first, HasSubstr("\"records_in\":39244"));
  auto next = sample_report();
  next->records_in = 50000;
  server->publish(next);
  EXPECT_THAT(client.receive_until("\"oracle\":null}"), HasSubstr("\"records_in\":50000"));
}

TEST(PageServer, PushesTheLastReportBeforeItStops) {
  const auto server = started();
  Client client(server->port());
  client.send(upgrade_request("Host: localhost\r\n"));
  EXPECT_THAT(client.receive_until("\r\n\r\n"), StartsWith("HTTP/1.1 101"));
  auto last = sample_report();
  last->state = "finished";
  server->publish(last);
  server->stop();
  EXPECT_THAT(client.receive_all(), HasSubstr("\"state\":\"finished\""));
}

TEST(PageServer, RefusesLiveClientsOfOtherPages) {
  const auto server = started();
  for (const char* origin :
       {"https://evil.example", "null", "http://localhost:2", "http://localhost"}) {
    Client client(server->port());
    client.send(upgrade_request("Host: localhost:1\r\nOrigin: " + std::string(origin) + "\r\n"));
    EXPECT_THAT(client.receive_all(), StartsWith("HTTP/1.1 403")) << origin;
  }
  Client rebound(server->port());
  rebound.send(upgrade_request("Host: evil.example\r\nOrigin: http://evil.example\r\n"));
  EXPECT_THAT(rebound.receive_all(), StartsWith("HTTP/1.1 421"));
  EXPECT_THAT(ask(*server, "GET /api/v1/live"), StartsWith("HTTP/1.1 426"));
}

TEST(PageServer, AClientThatNeverReadsDelaysNobody) {
  const auto server = started();
  server->publish(sample_report());
  Client deaf(server->port(), 4096);
  deaf.send(upgrade_request("Host: localhost\r\n"));
  EXPECT_THAT(deaf.receive_until("\r\n\r\n"), StartsWith("HTTP/1.1 101"));
  Client halfway(server->port());
  halfway.send("GET /api");
  std::vector<std::shared_ptr<const Report>> reports;
  for (int i = 0; i < 50; ++i) reports.push_back(sample_report(1'000'000));
  const auto start = SteadyClock::now();
  for (const auto& report : reports) server->publish(report);
  EXPECT_LT(ms_since(start), 5'000) << "50 megabytes of text are nothing to publish";
  EXPECT_THAT(ask(*server, "GET /healthz"), StartsWith("HTTP/1.1 200"));
  const auto stopping = SteadyClock::now();
  server->stop();
  EXPECT_LT(ms_since(stopping), 5'000);
}

TEST(PageServer, ASlowClientGetsTheNewestReport) {
  const auto server = started();
  server->publish(sample_report());
  Client slow(server->port(), 4096);
  slow.send(upgrade_request("Host: localhost\r\n"));
  slow.receive_until("\r\n\r\n");
  for (int i = 0; i < 100; ++i) {
    server->publish(sample_report(1'000'000));
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  auto newest = sample_report();
  newest->records_in = 77777;
  server->publish(newest);
  std::string all;
  while (all.find("77777") == std::string::npos) {
    const std::string part = slow.receive();
    if (part.empty()) break;
    all += part;
  }
  EXPECT_THAT(all.substr(all.size() - std::min<std::size_t>(all.size(), 2000)), HasSubstr("77777"));
  EXPECT_LT(all.size(), 5'000'000u) << "texts that a client was too slow for are skipped";
}

TEST(PageServer, DropsALiveClientThatTakesNothing) {
  auto options = any_port();
  options.stall_timeout = std::chrono::milliseconds(300);
  const auto server = started(options);
  server->publish(sample_report(8'000'000));
  Client deaf(server->port(), 4096);
  deaf.send(upgrade_request("Host: localhost\r\n"));
  std::this_thread::sleep_for(std::chrono::milliseconds(900));
  std::size_t bytes = 0;
  for (std::string part = deaf.receive(); !part.empty(); part = deaf.receive())
    bytes += part.size();
  EXPECT_LT(bytes, 8'000'000u) << "the connection ended in the middle of the text";
}

TEST(PageServer, HoldsItsNumberOfClients) {
  auto options = any_port();
  options.clients_max = 2;
  const auto server = started(options);
  Client first(server->port());
  Client second(server->port());
  for (Client* client : {&first, &second}) {
    client->send("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
    EXPECT_THAT(client->receive_until("}\n"), StartsWith("HTTP/1.1 200"));
  }
  Client third(server->port());
  EXPECT_THAT(third.receive_all(), StartsWith("HTTP/1.1 503"));
}

TEST(PageServer, ATakenPortIsAnErrorOrMovesOn) {
  const auto first = started();
  PageOptions options = any_port();
  options.port = first->port();
  const auto refused = PageServer::start(options, Log());
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code(), Code::address_in_use);
  EXPECT_THAT(refused.error().message(),
              HasSubstr("port " + std::to_string(first->port()) + " is taken"));
  options.port_may_move = true;
  const auto moved = started(options);
  EXPECT_GT(moved->port(), first->port());
  EXPECT_LE(moved->port(), first->port() + 20);
  EXPECT_EQ(moved->address(), "http://127.0.0.1:" + std::to_string(moved->port()));
}

TEST(PageServer, OnlyLoopbackAddressesAreServed) {
  for (const char* host :
       {"0.0.0.0", "::", "192.168.1.7", "8.8.8.8", "example.org", "", "::ffff:127.0.0.1"}) {
    PageOptions options = any_port();
    options.host = host;
    const auto refused = PageServer::start(options, Log());
    ASSERT_FALSE(refused.has_value()) << host;
    EXPECT_EQ(refused.error().code(), Code::address_refused) << host;
    EXPECT_THAT(refused.error().message(), HasSubstr("until access control exists")) << host;
  }
  for (const char* host : {"localhost", "127.0.0.1", "127.0.0.2"}) {
    PageOptions options = any_port();
    options.host = host;
    started(options)->stop();
  }
}

TEST(PageServer, StopsTwiceAndWithoutClients) {
  const auto server = started();
  const auto start = SteadyClock::now();
  server->stop();
  server->stop();
  EXPECT_LT(ms_since(start), 5'000);
  server->publish(sample_report());
  EXPECT_FALSE(Client(server->port()).connected());
}

}  // namespace
}  // namespace millrace::detail
