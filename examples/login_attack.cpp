// Guessed passwords: three logins of a user that fail and one that does not, within a minute, all
// from one address.
#include <string_view>

#include "millrace/millrace.hpp"

using namespace millrace;

struct Login {
  std::int64_t ts_ms = 0;
  std::string_view user;
  std::string_view address;
  bool ok = false;

  Timestamp time() const { return {ts_ms * 1000}; }
  bool failed() const { return !ok; }
};

struct Attack {
  Timestamp when;
  std::string_view user;
  std::string_view address;
  std::uint64_t failed = 0;
  bool succeeded = false;
};

bool same_address(const Login& login, const Matched<Login>& before) {
  return before.empty() || before.at(0).record.address == login.address;
}

Attack attack_of(const Match<Login>& match) {
  const Login& first = match["failed"];
  return {match.time(), first.user, first.address, match.count("failed"), match.count("in") > 0};
}

int main(int argc, char** argv) {
  const auto guessed = pattern<Login>("failed")
                           .where(&Login::failed)
                           .where(same_address)
                           .times(3)
                           .followed_by("in")
                           .where(&Login::ok)
                           .where(same_address)
                           .within(1min)
                           .skip_past_last();

  Topology logins("login attacks");
  const auto attacks = logins.from(csv<Login>("examples/logins.csv"))
                           .event_time(&Login::time, {.out_of_order = 5s})
                           .key_by(&Login::user)
                           .match(guessed)
                           .select(attack_of, attack_of)
                           .named("guessed");
  attacks.merge(attacks.timed_out().filter([](const Attack& tried) { return tried.failed == 3; }))
      .to(print());
  return run(logins, argc, argv);
}
