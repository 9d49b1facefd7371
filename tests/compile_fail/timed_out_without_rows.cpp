// Must not compile: millrace: timed_out() needs a function that makes its rows: the second one of
#include <string_view>

#include "millrace/topology.hpp"

using namespace millrace;

struct Login {
  Timestamp time;
  std::string_view user;
  bool ok = false;
};

void declare(Topology& topology) {
  auto logins = topology.from(json_lines<Login>("logins.jsonl")).event_time(&Login::time);
  const auto user = [](const Match<Login>& match) { return match["in"]; };
  const auto in = pattern<Login>("failed").followed_by("in").where(&Login::ok).within(1min);
#ifdef FIXED
  const auto found = logins.key_by(&Login::user).match(in).select(user, user);
#else
  const auto found = logins.key_by(&Login::user).match(in).select(user);
#endif
  found.timed_out().to(print());
}
