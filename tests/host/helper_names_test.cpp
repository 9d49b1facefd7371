// What verbs declare beside the component that a user sees is named with it: a topology whose
// components are all named can keep its state.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "host/state_folder.hpp"
#include "millrace/geo.hpp"
#include "millrace/millrace.hpp"
#include "millrace/notices.hpp"
#include "millrace/rule_sets.hpp"
#include "millrace/rules.hpp"

namespace millrace {
namespace {

struct User {
  Timestamp at;
  std::int64_t id = 0;
  std::int64_t city = 0;
  double age = 0;
};
struct City {
  Timestamp at;
  std::int64_t id = 0;
};

Stream<User> users_of(Topology& topology) {
  return topology.from(records<User>({{}})).event_time(&User::at);
}

/// The names of the components of which state is found again.
std::set<std::string> names_of(Topology& topology) {
  std::set<std::string> names;
  for (const auto& outline : detail::outlines_of(topology.declaration().graph)) {
    EXPECT_FALSE(outline.lacks_name) << outline.name;
    EXPECT_TRUE(names.insert(outline.name).second) << outline.name;
  }
  EXPECT_TRUE(topology.declaration().graph.validate().empty());
  return names;
}

bool holds(const std::set<std::string>& names, const std::vector<std::string>& wanted) {
  return std::ranges::all_of(wanted, [&](const auto& name) { return names.contains(name); });
}

TEST(HelperNames, OfATable) {
  Topology topology("tables");
  users_of(topology).key_by(&User::id).table().changes().named("users").to(each([](auto&) {}));
  EXPECT_TRUE(holds(names_of(topology), {"users", "users order"}));
}

TEST(HelperNames, OfGroupsOfATable) {
  Topology topology("groups");
  const auto table = users_of(topology).key_by(&User::id).table();
  table.group_by(&User::city).count().named("cities").to(each([](auto&) {}));
  table.group_by(&User::age).count().named("ages").to(each([](auto&) {}));
  EXPECT_TRUE(holds(names_of(topology), {"cities", "cities order", "cities changes", "cities table",
                                         "cities order-2", "ages", "ages table"}));
}

TEST(HelperNames, OfTablesThatNameRows) {
  Topology topology("references");
  const auto cities = topology.from(records<City>({{}})).named("cities file");
  users_of(topology)
      .key_by(&User::id)
      .table()
      .join(cities.event_time(&City::at).named("times").key_by(&City::id).table(), &User::city)
      .inner([](const User& user, const City&) { return user; })
      .named("known")
      .to(each([](auto&) {}));
  topology.declaration().graph.node(0).named = true;  // one of two sources, which users name
  EXPECT_TRUE(
      holds(names_of(topology), {"known", "known references", "known table", "known order"}));
}

TEST(HelperNames, OfRulesNoticesAndFences) {
  Topology topology("rules");
  const auto users = users_of(topology);
  const auto keyed = users.key_by(&User::city);
  watch(keyed, &User::age, above(90)).named("old").to(each([](auto&) {}));
  notify(keyed, {.cool_down = 1min}).named("told").to(each([](auto&) {}));
  const auto rules = users.map([](const User&) { return RuleText{"a", "above(3)", ""}; });
  watch_rules(keyed, &User::age, rules.named("texts")).named("ruled").to(each([](auto&) {}));
  crossings(keyed, {circle({49, 2}, 30'000)}, &User::age, &User::age)
      .named("fence")
      .to(each([](auto&) {}));
  EXPECT_TRUE(holds(names_of(topology), {"old order", "told order", "ruled order", "ruled rules",
                                         "texts", "fence", "fence order"}));
}

TEST(HelperNames, FollowTheLastNameAndStayApart) {
  Topology topology("named twice");
  const auto users = users_of(topology);
  users.key_by(&User::id).table().changes().named("first").named("users").to(each([](auto&) {}));
  users.key_by(&User::id).restore_order().named("others order").to(each([](auto&) {}));
  users.key_by(&User::id).table().changes().named("others").to(each([](auto&) {}));
  const auto names = names_of(topology);
  EXPECT_TRUE(holds(names, {"users", "users order", "others", "others order-2"}));
  EXPECT_FALSE(names.contains("first order"));
}

}  // namespace
}  // namespace millrace
