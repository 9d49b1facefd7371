// Promise: groups of a table and joins by a foreign key that are declared by name tell what the
// typed ones tell, whatever the schedule, and in runs that are killed again and again.
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "../property/cut_run.hpp"
#include "millrace/millrace.hpp"
#include "millrace/yaml.hpp"

namespace millrace {
namespace {

using detail::Random;

constexpr const char* kByName = R"yaml(
name: tables
spouts:
  - id: users
    type: json_lines
    with:
      path: users-*.jsonl
      fields: {id: int, city: text, paid: int or null, score: double, active: bool, gone: bool,
        at: timestamp}
      event_time: {field: at, out_of_order: 20ms}
  - id: orders
    type: json_lines
    with:
      path: orders-*.jsonl
      fields: {number: int, user: int, amount: int, dropped: bool, at: timestamp}
      event_time: {field: at, out_of_order: 20ms}
bolts:
  - {id: table, type: table, with: {deleted: gone}}
  - id: cities
    type: group_by
    with: {values: {users: count(), active: count(active), paid: sum(paid), mean: mean(paid),
      least: min(paid), best: max(score), first: min(at)}}
  - {id: sizes, type: group_by, with: {values: {cities: count(), last: max(city)}}}
  - {id: all, type: group_by, with: {values: {score: sum(score), active: sum(active)}}}
  - id: named
    type: join_foreign_key
    with: {left: orders, foreign_key: [user], kind: left, left_deleted: dropped,
      right_deleted: gone, prefix: u_}
  - {id: known, type: join_foreign_key, with: {left: orders, foreign_key: [user]}}
  - {id: sums, type: group_by, with: {values: {orders: count(), amount: sum(amount)}}}
  - {id: shown sizes, type: view}
  - {id: shown all, type: view}
  - {id: shown named, type: view}
  - {id: shown sums, type: view}
streams:
  - {from: users, to: table, grouping: {type: fields, args: [id]}}
  - {from: table, to: cities, grouping: {type: fields, args: [city]}}
  - {from: cities, to: sizes, grouping: {type: fields, args: [users]}}
  - {from: table, to: all, grouping: global}
  - {from: orders, to: named, grouping: {type: fields, args: [number]}}
  - {from: users, to: named, grouping: {type: fields, args: [id]}}
  - {from: orders, to: known, grouping: {type: fields, args: [number]}}
  - {from: users, to: known, grouping: {type: fields, args: [id]}}
  - {from: known, to: sums, grouping: {type: fields, args: [city, active]}}
  - {from: sizes, to: shown sizes}
  - {from: all, to: shown all}
  - {from: named, to: shown named}
  - {from: sums, to: shown sums}
)yaml";

struct User {
  std::int64_t id = 0;
  std::string_view city;
  std::optional<std::int64_t> paid;
  double score = 0;
  bool active = false;
  bool gone = false;
  Timestamp at;
};
struct Order {
  std::int64_t number = 0;
  std::int64_t user = 0;
  std::int64_t amount = 0;
  bool dropped = false;
  Timestamp at;
};

/// The same verbs, typed. Members have the names of the fields.
struct City {
  std::int64_t users = 0;
  std::int64_t active = 0;
  std::int64_t paid = 0;
  std::optional<double> mean;
  std::optional<std::int64_t> least;
  double best = 0;
  Timestamp first;
};
struct Size {
  std::int64_t cities = 0;
  std::string last;
};
struct All {
  double score = 0;
  std::int64_t active = 0;
};
struct Named {
  Order order;
  std::optional<User> user;
};
struct Sum {
  std::int64_t orders = 0;
  std::int64_t amount = 0;
};

/// The texts of each lane, in their order, as one text; what a killed run told is told again.
using Told = std::map<std::string, std::string>;

/// `lane(record)` and `text(record)` as texts.
template <class T, class Lane, class Text>
void tell(const Stream<T>& rows, Told& told, const std::string& name, Lane lane, Text text) {
  rows.key_by(lane).window(global()).list(text, 10'000).to(each([&told, name](const auto& all) {
    told[fmt::format("{} {}", name, all.key)] = fmt::format("{}", fmt::join(all.value, "\n"));
  }));
}

/// One change as the rows of YAML are written.
template <class... Values>
std::string json(std::string_view sign, std::initializer_list<const char*> names,
                 const Values&... values) {
  std::string text = fmt::format("{{\"change\":\"{}\"", sign);
  const auto* name = names.begin();
  ((text += fmt::format(",\"{}\":", *name++), detail::append_json_value(text, values)), ...);
  return text + "}";
}

template <class Users>
void declare_groups(const Users& users, Told& told) {
  const auto table = users.table(&User::gone);
  const auto active = [](const User& user) { return std::int64_t{user.active}; };
  const auto cities =
      table.group_by(&User::city)
          .aggregate(count().as(&City::users), sum(active).as(&City::active),
                     sum(&User::paid).as(&City::paid), mean(&User::paid).as(&City::mean),
                     min(&User::paid).as(&City::least), max(&User::score).as(&City::best),
                     min(&User::at).as(&City::first));
  using CityRow = Aggregate<std::string_view, City>;
  const auto sizes = group_by(cities, [](const CityRow& row) {
                       return row.value.users;
                     }).aggregate(count().as(&Size::cities), max([](const CityRow& row) {
                                                               return row.key;
                                                             }).as(&Size::last));
  tell(
      sizes, told, "sizes", [](const auto& row) { return row.record.key; },
      [](const auto& row) {
        const Size& of = row.record.value;
        return json(row.sign(), {"users", "cities", "last"}, row.record.key, of.cities, of.last);
      });
  const auto all = table.group_by([](const User&) { return 0; })
                       .aggregate(sum(&User::score).as(&All::score), sum(active).as(&All::active));
  tell(
      all, told, "all", [](const auto&) { return 0; },
      [](const auto& row) {
        const All& of = row.record.value;
        return json(row.sign(), {"score", "active"}, of.score, of.active);
      });
  tell(
      cities, told, "cities", [](const auto& row) { return std::string(row.record.key); },
      [](const auto& row) {
        const City& of = row.record.value;
        return json(
            row.sign(), {"city", "users", "active", "paid", "mean", "least", "best", "first"},
            row.record.key, of.users, of.active, of.paid, of.mean, of.least, of.best, of.first);
      });
}

template <class Users, class Orders>
void declare_joins(const Users& users, const Orders& orders, Told& told) {
  const auto named =
      orders.table(&Order::dropped)
          .join(users.table(&User::gone), &Order::user)
          .left([](const Order& order, const User* user) {
            return Named{order, user != nullptr ? std::optional(*user) : std::nullopt};
          });
  tell(
      named, told, "named", [](const auto& row) { return row.record.order.number; },
      [](const auto& row) {
        const Order& of = row.record.order;
        const auto& user = row.record.user;
        const auto field = [&user](auto member) {
          return user ? std::optional((*user).*member) : std::nullopt;
        };
        return json(row.sign(),
                    {"number", "user", "amount", "dropped", "at", "id", "city", "paid", "score",
                     "active", "gone", "u_at"},
                    of.number, of.user, of.amount, of.dropped, of.at, field(&User::id),
                    field(&User::city), user ? user->paid : std::nullopt, field(&User::score),
                    field(&User::active), field(&User::gone), field(&User::at));
      });
  const auto known =
      orders.table()
          .join(users.table(), &Order::user)
          .inner([](const Order& order, const User& user) { return Named{order, user}; });
  const auto sums =
      group_by(
          known, [](const Named& row) { return row.user->city; },
          [](const Named& row) { return std::int64_t{row.user->active}; })
          .aggregate(count().as(&Sum::orders),
                     sum([](const Named& row) { return row.order.amount; }).as(&Sum::amount));
  tell(
      sums, told, "sums",
      [](const auto& row) {
        return fmt::format("{} {}", std::get<0>(row.record.key), std::get<1>(row.record.key));
      },
      [](const auto& row) {
        const Sum& of = row.record.value;
        return json(row.sign(), {"city", "active", "orders", "amount"}, std::get<0>(row.record.key),
                    std::get<1>(row.record.key) != 0, of.orders, of.amount);
      });
}

void declare_typed(Topology& topology, Told& told) {
  using namespace std::chrono_literals;
  const auto users = topology.from(json_lines<User>("users-*.jsonl"))
                         .event_time(&User::at, {.out_of_order = 20ms})
                         .key_by(&User::id);
  const auto orders = topology.from(json_lines<Order>("orders-*.jsonl"))
                          .event_time(&Order::at, {.out_of_order = 20ms})
                          .key_by(&Order::number);
  declare_groups(users, told);
  declare_joins(users, orders, told);
}

/// What the component of that name sends, by `lane`.
template <class Lane>
void tell_rows(Topology& topology, Told& told, const std::string& name, Lane lane) {
  detail::Declaration& declaration = topology.declaration();
  const auto& nodes = declaration.graph.nodes();
  detail::NodeId id = 0;
  while (id < nodes.size() && nodes[id].name != name) ++id;
  ASSERT_LT(id, nodes.size()) << name;
  tell(Stream<RowRef>(declaration, {{id, 0}}), told, name, lane, [](const RowRef& row) {
    std::string text;
    detail::append_row_json(text, row);
    return text;
  });
}

void declare_by_name(Topology& topology, Told& told) {
  const auto number = [](const RowRef& row) { return row.integer(1); };
  tell_rows(topology, told, "sizes", number);
  tell_rows(topology, told, "all", [](const RowRef&) { return 0; });
  tell_rows(topology, told, "cities", [](const RowRef& row) { return std::string(row.text(1)); });
  tell_rows(topology, told, "named", number);
  tell_rows(topology, told, "sums", [](const RowRef& row) {
    return fmt::format("{} {}", row.text(1), row.boolean(2) ? 1 : 0);
  });
}

/// The lines of the files, by name.
using Drawn = std::map<std::string, std::string>;

Drawn draw(std::uint64_t seed) {
  constexpr const char* kCities[] = {"", "Rome", "Oslo", "a city with a name that is long"};
  Random random(seed ^ 0x9e0);
  Drawn files;
  for (const std::string side : {"users", "orders"}) {
    const std::uint64_t partitions = 1 + random.below(3);
    for (std::uint64_t partition = 0; partition < partitions; ++partition) {
      std::string& lines = files[fmt::format("{}-{}.jsonl", side, partition)];
      std::int64_t now = 1000;
      for (std::uint64_t left = 5 + random.below(40); left > 0; --left) {
        now += random.between(0, 8);
        const std::int64_t at = now - (random.chance(0.2) ? random.between(0, 30) : 0);
        // A key is in one partition, so that its changes have one order.
        const auto key = static_cast<std::int64_t>(random.below(3) * partitions + partition);
        const bool gone = random.chance(0.15);
        if (side == "users") {
          lines += fmt::format(
              R"({{"id":{},"city":"{}","paid":{},"score":{},"active":{},"gone":{},"at":{}}})"
              "\n",
              key, kCities[random.below(4)],
              random.chance(0.3) ? "null" : std::to_string(random.between(-9, 9)),
              random.chance(0.1) ? 1e300 : 0.1 * static_cast<double>(random.below(9)),
              random.chance(0.5), gone, at);
        } else {
          lines += fmt::format(R"({{"number":{},"user":{},"amount":{},"dropped":{},"at":{}}})"
                               "\n",
                               key, random.below(5), random.between(-9, 9), gone, at);
        }
      }
    }
  }
  return files;
}

Topology loaded(const char* text) {
  Result<Topology> topology = topology_from_yaml(text);
  if (!topology) throw Error(topology.error());
  return *std::move(topology);
}

/// A run without a break, or the last of several of which all others were killed.
Told run(std::uint64_t seed, const Drawn& drawn, bool by_name, bool killed, std::size_t& epochs) {
  Random random(seed);
  Told told;
  detail::MemoryStore store;
  const auto put_files = [&](detail::SimEnv& env) {
    for (const auto& [path, lines] : drawn) env.files.put(path, lines);
  };
  for (std::uint64_t kills = killed ? 1 + random.below(5) : 0;; --kills) {
    Topology topology = by_name ? loaded(kByName) : Topology("typed");
    by_name ? declare_by_name(topology, told) : declare_typed(topology, told);
    if (!detail::run_until_cut(topology, store, random, kills > 0 ? 1500 : 0, false, put_files))
      return {};
    const auto newest = store.newest();
    if (kills == 0 || (newest && *newest && (*newest)->finished)) break;
  }
  epochs += static_cast<std::size_t>(store.writes());
  return told;
}

std::string first_difference(const Told& expected, const Told& found) {
  for (const auto& [lane, text] : expected) {
    const auto its = found.find(lane);
    if (its == found.end()) return lane + " is not told";
    if (its->second != text) return lane + " is\n" + its->second + "\ninstead of\n" + text;
  }
  return expected.size() == found.size() ? "" : "a lane more";
}

/// Of sums what there is at the end: of several rows that name one that changes, keys of another
/// type have another order, and so have the sums between.
Told with_final_sums(Told told) {
  for (auto& [lane, text] : told) {
    if (!lane.starts_with("sums")) continue;
    text.erase(0, text.rfind('\n') + 1);
    if (text.find("-D") != std::string::npos) text = "gone";
  }
  return told;
}

TEST(TablesByName, TellWhatTypedOnesTellAlsoWhenKilled) {
  std::size_t epochs = 0;
  std::size_t told = 0;
  property::for_each_seed([&](std::uint64_t seed) {
    const Drawn drawn = draw(seed);
    const Told typed = run(seed, drawn, false, false, epochs);
    const Told named = run(seed + 1, drawn, true, false, epochs);
    EXPECT_EQ(first_difference(with_final_sums(typed), with_final_sums(named)), "")
        << "MILLRACE_SEED=" << seed;
    EXPECT_EQ(first_difference(named, run(seed + 2, drawn, true, true, epochs)), "")
        << "MILLRACE_SEED=" << seed << ", killed";
    told += typed.size();
    return !testing::Test::HasFailure();
  });
  EXPECT_GT(told, 0u);
  EXPECT_GT(epochs, 0u);
}

}  // namespace
}  // namespace millrace
