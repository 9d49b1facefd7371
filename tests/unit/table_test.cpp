// Tables as docs/semantics.md tells them: changes, a stream with a table, two tables, dead letters.
#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <vector>

#include "../hits.hpp"
#include "millrace/millrace.hpp"
#include "millrace/test_driver.hpp"

namespace millrace {
namespace {

using shared::at;
using shared::Hit;
using Told = std::vector<std::string>;

/// A name "-" deletes; with "?" nobody knows.
bool deletes(const Hit& hit) {
  if (hit.name == "?") throw std::runtime_error("who knows");
  return hit.name == "-";
}
std::string shown(const Change<Hit>& change) {
  return std::string(change.sign()) + change.record.name;
}
KeyedStream<Hit, detail::KeyFn<Hit, std::int32_t Hit::*>> side(Topology& topology, const char* name,
                                                               Duration bound = 0s) {
  return topology.from(records(std::vector<std::vector<Hit>>(1)))
      .named(name)
      .event_time(&Hit::when, {.out_of_order = bound})
      .key_by(&Hit::key);
}

TEST(Tables, TellTheirChangesInTheOrderOfTime) {
  Topology topology("users");
  const auto changes = side(topology, "users", 2s).table(deletes).changes();
  const auto again = changes.key_by([](const Change<Hit>& change) { return change.record.key; })
                         .table(&Change<Hit>::takes_back)
                         .changes();
  const auto told_of = changes.map(shown);
  const auto late_of = changes.late().map([](const Hit& hit) { return hit.name; });
  const auto twice_of = again.map([](const Change<Change<Hit>>& change) {
    return std::string(change.sign()) + change.record.record.name;
  });
  TestDriver driver(topology);
  auto told = driver.output(told_of);
  auto late = driver.output(late_of);
  auto twice = driver.output(twice_of);
  auto users = driver.input<Hit>("users");
  users.pipe({{1, 0, at(1), "Rome"},
              {1, 0, at(3), "Oslo"},
              {1, 0, at(2), "Bern"},
              {1, 0, at(4), "-"},
              {1, 0, at(4), "?"},
              {1, 0, at(5), "-"},
              {1, 0, at(6), "Kyiv"},
              {1, 0, at(1), "late"}});
  users.end();
  EXPECT_EQ(told.read_all(),
            (Told{"+IRome", "-URome", "+UBern", "-UBern", "+UOslo", "-DOslo", "+IKyiv"}));
  EXPECT_EQ(late.read_all(), Told{"late"});
  EXPECT_EQ(twice.read_all(),
            (Told{"+IRome", "-DRome", "+IBern", "-DBern", "+IOslo", "-DOslo", "+IKyiv"}))
      << "applied, the changes give the table";
  EXPECT_EQ(driver.dead_letters().size(), 1u);
}

TEST(Tables, AreJoinedAsTheyAre) {
  Topology topology("joined");
  const auto users = side(topology, "users");
  const auto cities = side(topology, "cities").table(deletes);
  const auto text = [](const Hit& user, const Hit* city) {
    return user.name + (city != nullptr ? "+" + city->name : "");
  };
  const auto known = users.join(cities).left(text);
  const auto joined = users.table(deletes).join(cities).left(text);
  const auto told_of = joined.map(
      [](const Change<std::string>& change) { return std::string(change.sign()) + change.record; });
  TestDriver driver(topology);
  auto rows = driver.output(known);
  auto told = driver.output(told_of);
  auto left = driver.input<Hit>("users");
  auto right = driver.input<Hit>("cities");
  left.pipe({{1, 0, at(1), "Ann"}, {1, 0, at(7), "Ann2"}, {1, 0, at(9), "-"}});
  right.pipe(
      {{1, 0, at(3), "Rome"}, {1, 0, at(5), "-"}, {1, 0, at(6), "-"}, {1, 0, at(8), "Oslo"}});
  left.end();
  right.end();
  EXPECT_EQ(rows.read_all(), (Told{"Ann", "Ann2", "-+Oslo"}));
  EXPECT_EQ(told.read_all(), (Told{"+IAnn", "-UAnn", "+UAnn+Rome", "-UAnn+Rome", "+UAnn", "-UAnn",
                                   "+UAnn2", "-UAnn2", "+UAnn2+Oslo", "-DAnn2+Oslo"}));
}

}  // namespace
}  // namespace millrace
