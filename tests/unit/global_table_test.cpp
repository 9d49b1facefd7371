// Global tables: each task has all of one, and records name their rows by any member.
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "millrace/millrace.hpp"
#include "millrace/test_driver.hpp"

namespace millrace {
namespace {

struct Sale {
  Timestamp time;
  std::int64_t id = 0;
  std::optional<std::int64_t> customer;
  std::string city;
  std::int32_t street = 0;
};
struct Customer {
  Timestamp time;
  std::int64_t id = 0;
  std::string name;
  bool gone = false;
};
struct Place {
  Timestamp time;
  std::string city;
  std::int32_t street = 0;
  std::string name;
};
using Told = std::vector<std::string>;

template <class T>
Stream<T> input(Topology& topology, const char* name) {
  return topology.from(records(std::vector<std::vector<T>>(1))).named(name).event_time(&T::time);
}
std::string text_of(const Sale& sale, const Customer* customer) {
  return std::to_string(sale.id) + "+" + (customer != nullptr ? customer->name : "");
}

TEST(GlobalTables, TellWhatHoldsAtTheEventTime) {
  Topology topology("sales");
  const auto sales = input<Sale>(topology, "sales");
  const auto customers =
      input<Customer>(topology, "customers").key_by(&Customer::id).table(&Customer::gone).global();
  const auto all = sales.join(customers, &Sale::customer).left(text_of).named("all");
  const auto known = sales.join(customers, &Sale::customer)
                         .within(Duration(5))
                         .inner([](const Sale& sale, const Customer& customer) {
                           return text_of(sale, &customer);
                         });
  TestDriver driver(topology, {.parallelism = 3});
  auto rows = driver.output(all);
  auto inner = driver.output(known);
  auto customer = driver.input<Customer>("customers");
  auto sale = driver.input<Sale>("sales");
  customer.pipe({{{10}, 0, "zero"}, {{10}, 1, "Ann"}, {{20}, 1, "Anna"}, {{30}, 1, "", true}});
  sale.pipe({{{9}, 1, 1, "", 0}, {{10}, 2, 1, "", 0}, {{19}, 3, 1, "", 0}, {{20}, 4, 1, "", 0}});
  sale.pipe({{{25}, 5, std::nullopt, "", 0}, {{26}, 6, 0, "", 0}, {{30}, 7, 1, "", 0}});
  customer.end();
  sale.end();
  EXPECT_EQ(rows.read_all(), (Told{"1+", "2+Ann", "3+Ann", "4+Anna", "5+", "6+zero", "7+"}));
  EXPECT_EQ(inner.read_all(), (Told{"2+Ann", "4+Anna"}))
      << "19 is more than 5 behind 10, 26 too; nobody is named by an absent one";
}

/// Of a late record one task tells, whatever their number.
TEST(GlobalTables, ATaskOfOneTellsWhatCameTooLate) {
  Topology topology("late");
  const auto sales = input<Sale>(topology, "sales").shuffle();
  const auto customers = input<Customer>(topology, "customers").key_by(&Customer::id).table();
  const auto joined =
      sales.join(customers.global(), &Sale::customer).left(text_of).named("joined").parallel(3);
  const auto late = joined.late_right().map([](const Customer& of) { return of.name; });
  TestDriver driver(topology);
  auto rows = driver.output(joined);
  auto told = driver.output(late);
  auto customer = driver.input<Customer>("customers");
  auto sale = driver.input<Sale>("sales");
  customer.pipe({{{10}, 1, "Ann"}, {{5}, 2, "late"}});
  for (std::int64_t id = 0; id < 9; ++id) sale.pipe({{10}, id, 1 + id % 2, "", 0});
  customer.end();
  sale.end();
  Told all = rows.read_all();
  std::sort(all.begin(), all.end());
  EXPECT_EQ(all, (Told{"0+Ann", "1+", "2+Ann", "3+", "4+Ann", "5+", "6+Ann", "7+", "8+Ann"}));
  EXPECT_EQ(told.read_all(), Told{"late"});
  EXPECT_EQ(driver.counts("joined").received, 9u + 3 * 2) << "each task has the whole table";
}

TEST(GlobalTables, AreNamedBySeveralMembersAndByDifferentOnes) {
  Topology topology("places");
  const auto sales = input<Sale>(topology, "sales");
  const auto places =
      input<Place>(topology, "places").key_by(&Place::city, &Place::street).table().global();
  const auto at = sales.join(places, &Sale::city, &Sale::street)
                      .inner([](const Sale& sale, const Place& place) {
                        return std::to_string(sale.id) + " " + place.name;
                      });
  const auto near =
      sales.join(places, &Sale::city, [](const Sale& sale) { return sale.street + 1; })
          .inner([](const Sale& sale, const Place& place) {
            return std::to_string(sale.id) + " by " + place.name;
          });
  TestDriver driver(topology, {.parallelism = 2});
  auto there = driver.output(at);
  auto by = driver.output(near);
  auto place = driver.input<Place>("places");
  auto sale = driver.input<Sale>("sales");
  place.pipe({{{1}, "Rome", 1, "Forum"}, {{1}, "Rome", 2, "Park"}, {{1}, "Oslo", 1, "Port"}});
  sale.pipe({{{2}, 1, 1, "Rome", 1}, {{2}, 2, 1, "Oslo", 1}, {{2}, 3, 1, "Bern", 1}});
  place.end();
  sale.end();
  EXPECT_EQ(there.read_all(), (Told{"1 Forum", "2 Port"}));
  EXPECT_EQ(by.read_all(), Told{"1 by Park"});
}

/// A foreign key may be absent, too.
TEST(GlobalTables, AndOptionalsAsForeignKeys) {
  Topology topology("foreign");
  const auto sales = input<Sale>(topology, "sales").key_by(&Sale::id).table();
  const auto customers = input<Customer>(topology, "customers").key_by(&Customer::id).table();
  const auto text = [](const Change<std::string>& change) {
    return std::string(change.sign()) + change.record;
  };
  const auto left = sales.join(customers, &Sale::customer).left(text_of).map(text);
  const auto inner = sales.join(customers, &Sale::customer)
                         .inner([](const Sale& sale, const Customer& customer) {
                           return text_of(sale, &customer);
                         })
                         .map(text);
  TestDriver driver(topology, {.parallelism = 2});
  auto rows = driver.output(left);
  auto pairs = driver.output(inner);
  auto customer = driver.input<Customer>("customers");
  auto sale = driver.input<Sale>("sales");
  customer.pipe({{1}, 0, "zero"});
  sale.pipe({{{2}, 1, std::nullopt, "", 0}, {{3}, 1, 0, "", 0}, {{5}, 1, std::nullopt, "", 0}});
  customer.pipe({{4}, 0, "naught"});
  sale.pipe({{6}, 1, std::nullopt, "again", 0});
  customer.end();
  sale.end();
  EXPECT_EQ(rows.read_all(), (Told{"+I1+", "-D1+", "+I1+zero", "-U1+zero", "+U1+naught",
                                   "-D1+naught", "+I1+", "-U1+", "+U1+"}));
  EXPECT_EQ(pairs.read_all(), (Told{"+I1+zero", "-U1+zero", "+U1+naught", "-D1+naught"}));
}

}  // namespace
}  // namespace millrace
