// Wrong HTTP over real sockets: paths that climb, requests without end, floods, changes not
// allowed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

#include "page_client.hpp"

namespace millrace::detail {
namespace {

using testing::AnyOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

TEST(WrongHttp, NoPathLeadsOutOfThePage) {
  const auto server = started();
  for (const char* path :
       {"/../service.cpp", "/..", "/../../../../etc/passwd", "/..%2f..%2f..%2fetc%2fpasswd",
        "/%2e%2e/%2e%2e/etc/passwd", "/%2E%2E%2Fetc%2Fpasswd", "/%252e%252e/etc/passwd",
        "//etc/passwd", "/etc/passwd", "/app.js/../../etc/passwd", "/./app.js", "/app.js%00.html",
        "/..\\..\\etc\\passwd", "/..%5c..%5cetc", "/%c0%ae%c0%ae/etc/passwd",
        "/api/v1/views/../../etc/passwd", "/api/v1/history/components/..%2f..%2fetc"}) {
    const std::string answer = ask(*server, std::string("GET ") + path);
    EXPECT_THAT(answer, AnyOf(StartsWith("HTTP/1.1 404"), StartsWith("HTTP/1.1 503"))) << path;
    EXPECT_THAT(answer, Not(HasSubstr("root:"))) << path;
  }
  for (const char* target : {"*", "app.js", "http://localhost/app.js", "/%", "/%4", "/%g0"}) {
    EXPECT_THAT(ask(*server, std::string("GET ") + target), StartsWith("HTTP/1.1 400")) << target;
  }
}

TEST(WrongHttp, RequestsThatNeverEndAreDroppedAndDelayNobody) {
  auto options = any_port();
  options.header_timeout = std::chrono::milliseconds(300);
  const auto server = started(options);
  std::vector<std::unique_ptr<Client>> slow;
  for (int at = 0; at < 50; ++at) slow.push_back(std::make_unique<Client>(server->port()));
  const auto start = SteadyClock::now();
  for (int turn = 0; turn < 3; ++turn) {  // each line in time, the end never
    for (auto& client : slow) client->send(turn == 0 ? "GET / HTTP/1.1\r\n" : "X: y\r\n");
    EXPECT_THAT(ask(*server, "GET /healthz"), StartsWith("HTTP/1.1 200"));
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  for (auto& client : slow) EXPECT_EQ(client->receive_all(), "");
  EXPECT_LT(ms_since(start), 10'000) << "they were dropped, not waited for";
}

TEST(WrongHttp, HugeHeadersAreRefusedBeforeTheyAreRead) {
  const auto server = started();
  Client one(server->port());
  one.send("GET / HTTP/1.1\r\nHost: localhost\r\nX: " + std::string(20'000, 'x'));
  EXPECT_THAT(one.receive_all(), StartsWith("HTTP/1.1 431"));
  std::string many = "GET / HTTP/1.1\r\nHost: localhost\r\n";
  for (int at = 0; at < 2000; ++at) many += "X" + std::to_string(at) + ": y\r\n";
  Client lines(server->port());
  lines.send(many);
  EXPECT_THAT(lines.receive_all(), StartsWith("HTTP/1.1 431"));
  Client target(server->port());
  target.send("GET /" + std::string(20'000, 'a'));
  EXPECT_THAT(target.receive_all(), StartsWith("HTTP/1.1 431"));
}

TEST(WrongHttp, BodiesAreNotRead) {
  const auto server = started();
  server->publish(sample_report());
  Client huge(server->port());
  huge.send("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10000000000\r\n\r\nabc");
  EXPECT_THAT(huge.receive_all(), StartsWith("HTTP/1.1 413"));
  for (const char* request :
       {"POST /api/v1/report HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\nabc",
        "POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: "
        "chunked\r\n\r\nffffffff\r\nabc"}) {
    Client client(server->port());
    client.send(request);
    EXPECT_THAT(client.receive_all(), StartsWith("HTTP/1.1 405")) << request;
  }
  // What follows a GET's body must not be taken for a request.
  Client smuggler(server->port());
  smuggler.send(
      "GET /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 40\r\n\r\n"
      "GET /api/v1/report HTTP/1.1\r\nHost: localhost\r\n\r\n");
  const std::string answer = smuggler.receive_all();
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(answer, Not(HasSubstr("records_in")));
}

TEST(WrongHttp, WhatIsNotHttpGetsASentence) {
  const auto server = started();
  for (const char* nonsense :
       {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "GET /\r\n\r\n", "GET / HTTP/9.9\r\n\r\n",
        "\r\n\r\n\r\nnonsense\r\n\r\n", "GET / HTTP/1.1\r\nno colon\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"}) {
    Client client(server->port());
    client.send(nonsense);
    EXPECT_THAT(client.receive_all(), StartsWith("HTTP/1.1 400")) << nonsense;
  }
  Client two_hosts(server->port());
  two_hosts.send("GET / HTTP/1.1\r\nHost: evil.example\r\nHost: localhost\r\n\r\n");
  EXPECT_THAT(two_hosts.receive_all(), StartsWith("HTTP/1.1 421"));
}

/// Both ends of 500 connections are in this process.
bool allow_many_files() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  return limit.rlim_max > 1500;
}

TEST(WrongHttp, FiveHundredPagesAtOnceEachGetTheFeed) {
  if (!allow_many_files()) GTEST_SKIP() << "the machine allows too few open files";
  const auto server = started();
  server->publish(sample_report());
  std::vector<std::unique_ptr<Client>> pages;
  for (int at = 0; at < 500; ++at) {
    pages.push_back(std::make_unique<Client>(server->port()));
    pages.back()->send(upgrade_request("Host: localhost\r\n"));
  }
  for (auto& page : pages) ASSERT_THAT(page->receive_until("\"oracle\":null}"), HasSubstr("39244"));
  auto next = sample_report();
  next->records_in = 50'000;
  const auto start = SteadyClock::now();
  server->publish(next);
  EXPECT_LT(ms_since(start), 5'000) << "who publishes waits for none of them";
  for (auto& page : pages) ASSERT_THAT(page->receive_until("\"oracle\":null}"), HasSubstr("50000"));
  const auto stopping = SteadyClock::now();
  server->stop();
  EXPECT_LT(ms_since(stopping), 20'000);
}

TEST(WrongHttp, ManyThatNeverReadDoNotSlowTheOneWhoPublishes) {
  const auto server = started();
  server->publish(sample_report());
  std::vector<std::unique_ptr<Client>> deaf;
  for (int at = 0; at < 100; ++at) {
    deaf.push_back(std::make_unique<Client>(server->port(), 4096));
    deaf.back()->send(upgrade_request("Host: localhost\r\n"));
  }
  for (int at = 0; at < 20; ++at) {
    const auto report = sample_report(200'000);
    const auto start = SteadyClock::now();
    server->publish(report);
    EXPECT_LT(ms_since(start), 5'000);
  }
  EXPECT_THAT(ask(*server, "GET /healthz"), StartsWith("HTTP/1.1 200"));
}

std::unique_ptr<PageServer> pausable(std::atomic<int>& active) {
  auto options = any_port();
  options.set_active = [&active](bool on) { active = on ? 1 : 0; };
  return started(options);
}

TEST(WrongHttp, SourcesArePausedByThePageAndByNoOther) {
  std::atomic<int> active{-1};
  const auto server = pausable(active);
  const std::string own = "Host: localhost:1\r\n";
  for (const std::string& headers : {own, own + "Origin: https://evil.example\r\n",
                                     own + "X-Millrace: 1\r\nOrigin: https://evil.example\r\n",
                                     own + "X-Millrace: 1\r\nOrigin: null\r\n",
                                     own + "Content-Type: text/plain\r\nContent-Length: 0\r\n"}) {
    EXPECT_THAT(ask(*server, "POST /api/v1/deactivate", headers), StartsWith("HTTP/1.1 403"))
        << headers;
  }
  EXPECT_THAT(ask(*server, "POST /api/v1/deactivate", "Host: evil.example\r\nX-Millrace: 1\r\n"),
              StartsWith("HTTP/1.1 421"));
  EXPECT_THAT(ask(*server, "OPTIONS /api/v1/deactivate", own), StartsWith("HTTP/1.1 405"));
  EXPECT_THAT(ask(*server, "GET /api/v1/deactivate", own), StartsWith("HTTP/1.1 404"));
  EXPECT_EQ(active, -1) << "none of these did anything";

  const std::string page = own + "X-Millrace: 1\r\nOrigin: http://localhost:1\r\n";
  EXPECT_THAT(ask(*server, "POST /api/v1/deactivate", page), HasSubstr("{\"active\":false}"));
  EXPECT_EQ(active, 0);
  EXPECT_THAT(ask(*server, "POST /api/v1/activate", own + "X-Millrace: 1\r\n"),
              HasSubstr("{\"active\":true}"));
  EXPECT_EQ(active, 1);
  EXPECT_THAT(ask(*started(), "POST /api/v1/activate", page), HasSubstr("cannot be paused"));
}

}  // namespace
}  // namespace millrace::detail
