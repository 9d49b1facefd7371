// Patterns over real data, against rows that a plain script computed.
#include <set>

#include "golden_run.hpp"
#include "millrace/millrace.hpp"

namespace millrace::golden {
namespace {

using Text = std::string_view;

struct Click {
  std::int64_t ts_ms = 0;
  Text user_id;
  Text event;
  Timestamp time() const { return {ts_ms * 1000}; }
};
struct Edit {
  Timestamp time;
  Text channel;
  Text page;
  Text user;
};
struct Line {
  std::string text;
};

class PatternsOverData : public testing::TestWithParam<std::uint32_t> {};

auto is(Text event) {
  return [event](const Click& click) { return click.event == event; };
}

TEST_P(PatternsOverData, AbandonedCarts) {
  const std::string folder = shared_folder("shop-clickstream") + "expected/";
  if (!std::filesystem::exists(folder))
    GTEST_SKIP() << "there is no folder shared/ beside the clone";
  Lines found;
  Topology topology("carts");
  topology.from(millrace::csv<Click>(folder + "by_time.csv.gz"))
      .event_time(&Click::time)
      .key_by(&Click::user_id)
      .match(pattern<Click>("add")
                 .where(is("add_to_cart"))
                 .not_followed_by("other")
                 .where(is("add_to_cart"))
                 .or_where(is("purchase"))
                 .within(30min + 1us))  // a purchase after exactly half an hour counts
      .select([](const Match<Click>& match) {
        const Click& add = match["add"];
        return Line{fmt::format("{},{},{}", match.time().micros / 1000, add.user_id, add.ts_ms)};
      })
      .to(each([&found](const Line& line) { found.push_back(line.text); }));
  run(topology, GetParam(), 1 + GetParam() % 2);
  expect_rows("cep_abandoned_cart.csv", sorted(read_rows(folder + "cep_abandoned_cart.csv")),
              sorted(found));
}

/// Three edits of a page within ten minutes, by two users.
TEST_P(PatternsOverData, EditWars) {
  const std::string folder = shared_folder("wikipedia-edits");
  if (!std::filesystem::exists(folder))
    GTEST_SKIP() << "there is no folder shared/ beside the clone";
  const auto users_of = [](const Matched<Edit>& edits) {
    std::set<Text> users;
    for (std::size_t at = 0; at < edits.size(); ++at) users.insert(edits.at(at).record.user);
    return users;
  };
  const auto war = pattern<Edit>("edit")
                       .times_or_more(2)
                       .consecutive()
                       .next("last")
                       .where([users_of](const Edit& last, const Matched<Edit>& before) {
                         std::set<Text> users = users_of(before);
                         users.insert(last.user);
                         return users.size() >= 2;
                       })
                       .within(10min)
                       .skip_past_last();
  Lines found;
  Topology topology("edit wars");
  topology.from(json_lines<Edit>(folder + "wikiticker-2015-09-12-sampled.json.gz"))
      .event_time(&Edit::time)
      .key_by(&Edit::channel, &Edit::page)
      .match(war)
      .select([users_of](const Match<Edit>& match) {
        const Edit& last = match["last"];
        return Line{fmt::format("{},{},{},{},{}", last.time.micros / 1000, csv(last.channel),
                                csv(last.page), match.size(), users_of(match).size())};
      })
      .to(each([&found](const Line& line) { found.push_back(line.text); }));
  run(topology, GetParam(), 1 + GetParam() % 2);
  expect_rows("cep_edit_war.csv", sorted(read_rows(folder + "expected/cep_edit_war.csv")),
              sorted(found));
}

INSTANTIATE_TEST_SUITE_P(Tasks, PatternsOverData, testing::Values(1u, 2u, 5u));

}  // namespace
}  // namespace millrace::golden
