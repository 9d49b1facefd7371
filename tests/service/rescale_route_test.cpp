// The route that gives components other numbers of tasks, and the client of commands that asks it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "net/http_client.hpp"
#include "net/request_checks.hpp"
#include "page_client.hpp"

namespace millrace::detail {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;
using testing::StartsWith;
using namespace std::chrono_literals;

TEST(RequestQuery, IsDecodedInItsOrder) {
  EXPECT_THAT(*decode_query("/p?component=count%20by+page&tasks=4&&a%3Db=%2B&alone&=#x=1"),
              ElementsAre(Pair("component", "count by page"), Pair("tasks", "4"), Pair("a=b", "+"),
                          Pair("alone", ""), Pair("", "")));
  EXPECT_THAT(*decode_query("/p"), ElementsAre());
  EXPECT_THAT(*decode_query("/p?"), ElementsAre());
  EXPECT_FALSE(decode_query("/p?a=%2"));
  EXPECT_FALSE(decode_query("/p?a=%zz"));
  EXPECT_EQ(encode_query("count by/page=1&\xc3\xa4.~_-"), "count%20by%2Fpage%3D1%26%C3%A4.~_-");
}

/// A server that notes what it is asked.
struct RescaleRoute : testing::Test {
  RescaleRoute() {
    PageOptions options = any_port();
    options.rescale = [this](const PageQuery& query) {
      asked = query;
      return answer;
    };
    options.rescales = [] { return std::string("{\"under_way\":false}\n"); };
    server = *PageServer::start(options, Log());
    address = "127.0.0.1:" + std::to_string(server->port());
  }
  HttpAnswer ask(const std::string& method, const std::string& target) {
    const auto got = http_ask(method, address, target, 2000ms);
    EXPECT_TRUE(got) << got.error().to_string();
    return got ? *got : HttpAnswer();
  }
  PageQuery asked;
  PageAnswer answer{202, "{\"number\":1}\n"};
  std::unique_ptr<PageServer> server;
  std::string address;
};

TEST_F(RescaleRoute, HandsTheQueryOnAndTheAnswerBack) {
  const HttpAnswer accepted = ask("POST", "/api/v1/rescale?component=count+by%20page&tasks=4");
  EXPECT_EQ(accepted.status, 202u);
  EXPECT_EQ(accepted.body, "{\"number\":1}\n");
  EXPECT_THAT(asked, ElementsAre(Pair("component", "count by page"), Pair("tasks", "4")));
  answer = {409, "a \"sentence\""};
  const HttpAnswer refused = ask("POST", "/api/v1/rescale");
  EXPECT_EQ(refused.status, 409u);
  EXPECT_EQ(refused.body, "{\"error\":\"a \\\"sentence\\\"\"}\n");
  EXPECT_THAT(asked, ElementsAre());
  EXPECT_EQ(ask("GET", "/api/v1/rescale").body, "{\"under_way\":false}\n");
}

TEST_F(RescaleRoute, TakesNoRequestOfAnotherSite) {
  const std::string head =
      "POST /api/v1/rescale?component=a&tasks=4 HTTP/1.1\r\nHost: localhost\r\n";
  Client client(server->port());
  client.send(head + "\r\n");
  EXPECT_THAT(client.receive_all(), StartsWith("HTTP/1.1 403"));
  EXPECT_TRUE(asked.empty());
  EXPECT_EQ(ask("POST", "/api/v1/rescale?a=%2").status, 400u);
  EXPECT_EQ(ask("DELETE", "/api/v1/rescale").status, 405u);
}

TEST(CheckpointRoute, HandsTheRequestOnAndTheAnswerBack) {
  PageOptions options = any_port();
  options.checkpoint = [] { return PageAnswer{202, "{\"number\":1}\n"}; };
  options.checkpoints = [] { return std::string("{\"over\":0}\n"); };
  const auto server = *PageServer::start(options, Log());
  const std::string address = "127.0.0.1:" + std::to_string(server->port());
  const auto accepted = http_ask("POST", address, "/api/v1/checkpoint", 2000ms);
  EXPECT_EQ(accepted->status, 202u);
  EXPECT_EQ(accepted->body, "{\"number\":1}\n");
  EXPECT_EQ(http_ask("GET", address, "/api/v1/checkpoint", 2000ms)->body, "{\"over\":0}\n");
  Client client(server->port());
  client.send("POST /api/v1/checkpoint HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_THAT(client.receive_all(), StartsWith("HTTP/1.1 403"));
}

TEST(LettersRoute, HandsTheRequestOnAndTheAnswerBack) {
  PageOptions options = any_port();
  PageQuery asked;
  options.replay_letters = [&asked](const PageQuery& query) {
    asked = query;
    return PageAnswer{202, "{\"number\":1}\n"};
  };
  options.letters = [] { return std::string("{\"over\":0}\n"); };
  options.letter = [](std::string_view offset) { return PageAnswer{404, std::string(offset)}; };
  const auto server = *PageServer::start(options, Log());
  const std::string address = "127.0.0.1:" + std::to_string(server->port());
  const std::string path = "/api/v1/dead-letters";
  EXPECT_EQ(http_ask("POST", address, path + "/replay?component=a", 2000ms)->status, 202u);
  EXPECT_THAT(asked, ElementsAre(Pair("component", "a")));
  EXPECT_EQ(http_ask("GET", address, path, 2000ms)->body, "{\"over\":0}\n");
  const auto missing = http_ask("GET", address, path + "/17", 2000ms);
  EXPECT_EQ(missing->status, 404u);
  EXPECT_EQ(missing->body, "{\"error\":\"17\"}\n");
  asked.clear();
  Client client(server->port());
  client.send("POST " + path + "/replay?component=b HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_THAT(client.receive_all(), StartsWith("HTTP/1.1 403"));
  EXPECT_THAT(asked, ElementsAre());
}

TEST(RescaleClient, SaysWhoGivesNoAnswer) {
  const auto server = *PageServer::start(any_port(), Log());
  const std::string address = "127.0.0.1:" + std::to_string(server->port());
  EXPECT_EQ(http_ask("POST", address, "/api/v1/rescale", 2000ms)->status, 405u);
  EXPECT_EQ(http_ask("GET", address, "/api/v1/rescale", 2000ms)->status, 405u);
  EXPECT_EQ(http_ask("POST", address, "/api/v1/checkpoint", 2000ms)->status, 405u);
  EXPECT_EQ(http_ask("POST", address, "/api/v1/dead-letters/replay", 2000ms)->status, 405u);
  EXPECT_EQ(http_ask("GET", address, "/api/v1/dead-letters", 2000ms)->status, 405u);
  EXPECT_EQ(http_ask("GET", address, "/api/v1/dead-letters/0", 2000ms)->status, 405u);
  server->stop();
  const auto gone = http_ask("GET", address, "/", 2000ms);
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().code(), Code::source_failed);
  EXPECT_THAT(gone.error().message(), HasSubstr(address));
  EXPECT_THAT(http_ask("GET", "nowhere", "/", 2000ms).error().message(), HasSubstr("no port"));
}

}  // namespace
}  // namespace millrace::detail
