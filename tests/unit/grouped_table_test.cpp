// Aggregates over the rows of a table by another key: what they tell when rows come, change and go.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "millrace/millrace.hpp"
#include "millrace/test_driver.hpp"

namespace millrace {
namespace {

using namespace std::chrono_literals;

struct Citizen {
  std::int32_t id = 0;
  std::string city;  ///< "": gone; "?": nobody knows
  std::int64_t paid = 0;
  double weight = 0;
  std::optional<std::int32_t> age = {};
  Timestamp when = {};
};
struct CityTotals {
  std::int64_t citizens = 0;
  std::int64_t paid = 0;
  double weight = 0;
  std::optional<std::int32_t> oldest;
  std::optional<double> mean_age;
};
using Told = std::vector<std::string>;

const std::string& city_of(const Citizen& citizen) {
  if (citizen.city == "?") throw std::runtime_error("nobody knows where");
  return citizen.city;
}

/// A driver over the changes of an aggregate of citizens by city, as texts.
template <class Declare>
class Cities {
 public:
  explicit Cities(Declare declare) : topology_("cities") {
    const auto table = topology_.from(records(std::vector<std::vector<Citizen>>(1)))
                           .named("citizens")
                           .event_time(&Citizen::when)
                           .key_by(&Citizen::id)
                           .table([](const Citizen& citizen) { return citizen.city.empty(); });
    told_ = declare(table);
  }
  Told tell(std::vector<Citizen> citizens) {
    TestDriver driver(topology_);
    auto out = driver.output(*told_);
    auto in = driver.input<Citizen>("citizens");
    std::int64_t second = 0;
    for (Citizen& citizen : citizens) {
      citizen.when = Timestamp{second++ * 1'000'000};
      in.pipe(citizen);
    }
    in.end();
    dead_letters = driver.dead_letters().size();
    return out.read_all();
  }
  std::size_t dead_letters = 0;

 private:
  Topology topology_;
  std::optional<Stream<std::string>> told_;
};

TEST(GroupedTable, CountsFollowWhoMovesComesAndGoes) {
  Cities cities([](const auto& table) {
    return table.group_by(city_of).count().map([](const auto& change) {
      return fmt::format("{}{} {}", change.sign(), change.record.key, change.record.value);
    });
  });
  EXPECT_EQ(cities.tell({{.id = 1, .city = "Rome"},
                         {.id = 2, .city = "Rome"},
                         {.id = 1, .city = "Rome", .paid = 5},  // nothing that is counted changes
                         {.id = 1, .city = "Oslo"},
                         {.id = 2, .city = ""},
                         {.id = 3, .city = "?"},
                         {.id = 1, .city = "?"}}),
            (Told{"+IRome 1", "-URome 1", "+URome 2", "-URome 2", "+URome 1", "+IOslo 1",
                  "-DRome 1", "-DOslo 1"}));
  EXPECT_EQ(cities.dead_letters, 2u) << "rows without a group";
}

TEST(GroupedTable, SeveralAggregatesTakeBackWhatRowsHadAdded) {
  Cities cities([](const auto& table) {
    return table.group_by(&Citizen::city)
        .aggregate(count().as(&CityTotals::citizens), sum(&Citizen::paid).as(&CityTotals::paid),
                   sum(&Citizen::weight).as(&CityTotals::weight),
                   max(&Citizen::age).as(&CityTotals::oldest),
                   mean(&Citizen::age).as(&CityTotals::mean_age))
        .map([](const auto& change) {
          const CityTotals& of = change.record.value;
          return fmt::format("{} {} {} {} {} {}", change.sign(), of.citizens, of.paid, of.weight,
                             of.oldest ? std::to_string(*of.oldest) : "-",
                             of.mean_age ? fmt::format("{}", *of.mean_age) : "-");
        });
  });
  EXPECT_EQ(
      cities.tell({{.id = 1, .city = "Rome", .paid = 3, .weight = 0.1, .age = 40},
                   {.id = 2, .city = "Rome", .paid = 4, .weight = 1e300, .age = 60},
                   {.id = 2, .city = "Rome", .paid = 5, .weight = 0.2},
                   {.id = 1, .city = "Rome", .paid = 0, .weight = INFINITY},
                   {.id = 1, .city = ""}}),
      (Told{"+I 1 3 0.1 40 40", "-U 1 3 0.1 40 40", "+U 2 7 1e+300 60 50", "-U 2 7 1e+300 60 50",
            "+U 2 8 0.30000000000000004 40 40", "-U 2 8 0.30000000000000004 40 40",
            "+U 2 5 inf - -", "-U 2 5 inf - -", "+U 1 5 0.2 - -"}));
}

TEST(GroupedTable, TheNextBestComesUpWhenTheBestGoes) {
  Cities cities([](const auto& table) {
    return table.group_by(&Citizen::city).min(&Citizen::weight).map([](const auto& change) {
      return fmt::format("{} {}", change.sign(), change.record.value);
    });
  });
  EXPECT_EQ(cities.tell({{.id = 1, .city = "Rome", .weight = 2},
                         {.id = 2, .city = "Rome", .weight = 1},
                         {.id = 3, .city = "Rome", .weight = 1},
                         {.id = 2, .city = ""},
                         {.id = 4, .city = "Rome", .weight = NAN},
                         {.id = 3, .city = ""},
                         {.id = 4, .city = ""}}),
            (Told{"+I 2", "-U 2", "+U 1", "-U 1", "+U nan", "-U nan", "+U 2"}));
}

TEST(GroupedTable, ASumThatDoesNotFitHasNoRowUntilItFitsAgain) {
  Cities cities([](const auto& table) {
    return table.group_by(&Citizen::city).sum(&Citizen::paid).map([](const auto& change) {
      return fmt::format("{} {}", change.sign(), change.record.value);
    });
  });
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
  EXPECT_EQ(cities.tell({{.id = 1, .city = "Rome", .paid = kMost},
                         {.id = 2, .city = "Rome", .paid = 1},
                         {.id = 3, .city = "Rome", .paid = 1},
                         {.id = 2, .city = ""},
                         {.id = 3, .city = "Rome", .paid = -7}}),
            (Told{fmt::format("+I {}", kMost), fmt::format("-D {}", kMost),
                  fmt::format("+I {}", kMost - 7)}));
  EXPECT_EQ(cities.dead_letters, 3u);
}

}  // namespace
}  // namespace millrace
