// Edit wars: pages of Wikipedia that are edited three times or more within ten minutes, by two or
// more people.
#include <set>

#include "millrace/millrace.hpp"

using namespace millrace;

struct Edit {
  Timestamp time;
  std::string_view channel;
  std::string_view page;
  std::string_view user;
};

struct War {
  Timestamp time;
  std::string_view channel;
  std::string_view page;
  std::size_t edits = 0;
  std::size_t users = 0;
};

std::set<std::string_view> users_of(const Matched<Edit>& edits) {
  std::set<std::string_view> users;
  for (std::size_t at = 0; at < edits.size(); ++at) users.insert(edits.at(at).record.user);
  return users;
}

bool several_users(const Edit& last, const Matched<Edit>& before) {
  auto users = users_of(before);
  users.insert(last.user);
  return users.size() >= 2;
}

int main(int argc, char** argv) {
  Topology wikipedia("edit wars");
  wikipedia.from(json_lines<Edit>("data/wikipedia-edits/wikiticker-2015-09-12-sampled.json.gz"))
      .event_time(&Edit::time)
      .key_by(&Edit::channel, &Edit::page)
      .match(pattern<Edit>("edit")
                 .times_or_more(2)
                 .consecutive()
                 .next("last")
                 .where(several_users)
                 .within(10min)
                 .skip_past_last())  // what was told of is forgotten
      .select([](const Match<Edit>& match) {
        const Edit& last = match["last"];
        return War{last.time, last.channel, last.page, match.size(), users_of(match).size()};
      })
      .named("wars")
      .to(print());
  return run(wikipedia, argc, argv);
}
