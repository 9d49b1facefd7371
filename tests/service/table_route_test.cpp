// The paths below /api/v1/tables: lists, rows as JSON, pages, refusals with sentences.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "net/http_client.hpp"
#include "page_client.hpp"
#include "record/packed_values.hpp"

namespace millrace::detail {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::StartsWith;

/// Shops by city and number, and the minutes of a key.
struct TableRoute : testing::Test {
  TableRoute() {
    ServedShape shops{{{"city", KeyPartKind::text}, {"number", KeyPartKind::integer}},
                      {{"city", ColumnType::text},
                       {"number", ColumnType::integer},
                       {"sold", ColumnType::integer},
                       {"share", ColumnType::real},
                       {"price", ColumnType::real},
                       {"tags", ColumnType::object}}};
    ServedShape minutes{{{"key", KeyPartKind::time}},
                        {{"count", ColumnType::integer}},
                        true,
                        Duration(3'600'000'000)};
    tables = {std::make_shared<ServedTable>("shops", shops),
              std::make_shared<ServedTable>("per minute", minutes)};
    PageOptions options = any_port();
    options.tables = tables;
    server = *PageServer::start(options, Log());
    address = "127.0.0.1:" + std::to_string(server->port());
  }
  std::shared_ptr<ServedShard> begin(std::size_t table) {
    auto shard = tables[table]->begin(0, 1, nullptr);
    tables[table]->ready();
    return shard;
  }
  static void put_shop(ServedShard& shard, std::string_view city, std::int64_t number,
                       std::int64_t sold) {
    std::string key;
    append_ordered(key, city);
    append_ordered(key, number);
    std::string values;
    append_packed(values, city);
    append_packed(values, number);
    append_packed(values, sold);
    append_packed(values, std::numeric_limits<double>::infinity());
    append_packed(values, Decimal<2>{1250});
    append_packed(values, std::vector<std::int64_t>{1, 2});
    shard.put(key, values, 0);
  }
  HttpAnswer ask(const std::string& target) {
    const auto got = http_ask("GET", address, "/api/v1/tables" + target, 2000ms);
    EXPECT_TRUE(got) << got.error().to_string();
    return got ? *got : HttpAnswer();
  }
  void expect_refused(const std::string& target, unsigned status, const std::string& part) {
    const HttpAnswer answer = ask(target);
    EXPECT_EQ(answer.status, status) << target;
    EXPECT_THAT(answer.body, StartsWith("{\"error\":\"")) << target;
    EXPECT_THAT(answer.body, HasSubstr(part)) << target;
  }
  ServedTables tables;
  std::unique_ptr<PageServer> server;
  std::string address;
};

TEST_F(TableRoute, TellsRowsInTheirOwnWords) {
  const auto shops = begin(0);
  put_shop(*shops, "Rome", 7, (std::int64_t{1} << 53) + 1);
  shops->reached(1'000'000);
  EXPECT_EQ(ask("/shops").body,
            "{\"table\":\"shops\",\"watermark\":\"1970-01-01T00:00:01Z\",\"rows\":[{\"city\":"
            "\"Rome\",\"number\":7,\"sold\":\"9007199254740993\",\"share\":\"Infinity\",\"price\":"
            "12.50,\"tags\":[1,2]}],\"next\":null}\n");
}

TEST_F(TableRoute, FindsByKeysBeginningsAndRanges) {
  const auto shops = begin(0);
  for (const char* city : {"Oslo", "Rome", "Rostock"}) {
    for (const std::int64_t number : {1, 2, 10}) put_shop(*shops, city, number, number);
  }
  const auto found = [this](const std::string& query) {
    const std::string body = ask("/shops?" + query).body;
    std::string rows;
    for (std::size_t at = body.find("\"city\":\""); at != std::string::npos;
         at = body.find("\"city\":\"", at + 1)) {
      const std::size_t number = body.find("\"number\":", at) + 9;
      rows += body.substr(at + 8, 2) + body.substr(number, body.find(',', number) - number) + " ";
    }
    return rows;
  };
  EXPECT_EQ(found("key=[\"Rome\",2]"), "Ro2 ");
  EXPECT_EQ(found("key=[\"Rome\",2]&key=[\"Oslo\",10]&key=[\"Rome\",2]"), "Os10 Ro2 ");
  EXPECT_EQ(found("key=[\"Rome\"]&key=[\"Rome\",2]"), "Ro1 Ro2 Ro10 ");
  EXPECT_EQ(found("key=[\"Rome\",3]"), "");
  EXPECT_EQ(found("prefix=[\"Ro\"]&limit=4"), "Ro1 Ro2 Ro10 Ro1 ");
  EXPECT_EQ(found("from=[\"Oslo\",2]&until=[\"Rome\",10]"), "Os2 Os10 Ro1 Ro2 ");
  EXPECT_EQ(found("until=[\"Rome\"]"), "Os1 Os2 Os10 ");
  const std::string page = ask("/shops?limit=2").body;
  const std::size_t next = page.find("\"next\":\"") + 8;
  EXPECT_EQ(found("limit=2&after=" + page.substr(next, page.find('"', next) - next)), "Os10 Ro1 ");
}

TEST_F(TableRoute, ListsWhatThereIs) {
  EXPECT_THAT(ask("").body, HasSubstr("\"rows\":null,\"bytes\":null"));
  const auto minutes = begin(1);
  std::string key;
  append_ordered(key, Timestamp{0});
  append_window(key, 0, 60'000'000);
  std::string values;
  append_packed(values, std::int64_t{3});
  minutes->put(key, values, 0);
  const std::string list = ask("").body;
  EXPECT_THAT(list,
              HasSubstr("{\"name\":\"shops\",\"key\":[\"city\",\"number\"],\"windowed\":false,"
                        "\"keep_ms\":null,\"columns\":[{\"name\":\"city\",\"type\":"));
  EXPECT_THAT(list,
              HasSubstr("{\"name\":\"per minute\",\"key\":[\"key\"],\"windowed\":true,"
                        "\"keep_ms\":3600000,\"columns\":[{\"name\":\"count\",\"type\":\"int\""
                        "}],\"rows\":1,\"bytes\":"));
  EXPECT_THAT(ask("/per%20minute?windows_from=1970-01-01").body,
              HasSubstr("{\"count\":3,\"window_start\":\"1970-01-01T00:00:00Z\",\"window_end\":"
                        "\"1970-01-01T00:01:00Z\"}"));
  EXPECT_THAT(ask("/per%20minute?windows_from=1970-01-02").body, HasSubstr("\"rows\":[]"));
}

TEST_F(TableRoute, RefusesWithASentence) {
  expect_refused("/shops", 503, "being restored");
  const auto shops = begin(0);
  const auto minutes = begin(1);
  expect_refused("/shop", 404, "did you mean \\\"shops\\\"?");
  expect_refused("/zzzzzzzz", 404, "there are shops, per minute");
  expect_refused("/shops?key=Rome", 400, "is of 2 fields, city, number: give a JSON list");
  expect_refused("/shops?key=[\"Rome\",\"x\"]", 400, "\\\"number\\\" of the key is an integer");
  expect_refused("/shops?key=[\"Rome\",1,2]", 400, "is of 2 fields");
  expect_refused("/shops?key=[\"Ro", 400, "give a JSON list");
  expect_refused("/shops?kez=1", 400, "did you mean \\\"key\\\"?");
  expect_refused("/shops?prefix=[\"Rome\",1]", 400, "is an integer, and only a text has a prefix");
  expect_refused("/shops?prefix=[\"R\"]&from=[\"R\"]", 400, "give one of key, prefix");
  expect_refused("/shops?from=[\"R\"]&from=[\"S\"]", 400, "from is given twice");
  expect_refused("/shops?windows_from=1970-01-01", 400, "have no windows");
  expect_refused("/shops?limit=0", 400, "give 1 to 1000 rows");
  expect_refused("/shops?limit=1001", 400, "give 1 to 1000 rows");
  expect_refused("/shops?after=%25", 400, "as next");
  expect_refused("/shops?key=%zz", 400, "cannot be read");
  expect_refused("/per%20minute?windows_until=soon", 400, "give a time as 2015");
  expect_refused("/per%20minute?key=soon", 400, "is a time as 2015");
}

TEST_F(TableRoute, AnswersToTheNamesOfItsOwnMachineAlone) {
  const auto shops = begin(0);
  put_shop(*shops, "Rome", 7, 1);
  const std::string path = "GET /api/v1/tables/shops";
  EXPECT_THAT(millrace::detail::ask(*server, path, "Host: evil.example\r\n"),
              StartsWith("HTTP/1.1 421"));
  EXPECT_THAT(millrace::detail::ask(*server, path), HasSubstr("Rome"));
  EXPECT_THAT(millrace::detail::ask(*server, "POST /api/v1/tables/shops"),
              StartsWith("HTTP/1.1 405"));
}

}  // namespace
}  // namespace millrace::detail
