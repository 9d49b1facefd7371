// Rules that are cut at random places: what is met, their timers and baselines are in the image.
#include "millrace/rules.hpp"
#include "operator_cuts.hpp"

namespace millrace::property {
namespace {

TEST(StoredOperators, RulesGoOn) {
  using namespace std::chrono_literals;
  const auto key = key_by<Note>(&Note::key);
  using P = detail::RuleWatch<Note, std::int32_t, std::int64_t Note::*>;
  using Op = detail::KeyedProcess<Note, NoteByKey, P>;
  for (const Rule& rule : {above(40).until_below(20), above(20).lasting(30us), rises_by(30, 40us),
                           silent_for(25us), deviates_by(1).over_last(5)}) {
    const Subject subject{
        [key, rule] { return std::make_unique<Op>(key, P{rule, &Note::number}); },
        {{&batch_type<Note>(), key}},
        show_by<RuleEvent<std::int32_t>>([](const auto& event) { return event.key; })};
    compare(subject, [](Draw& draw) { return draw.notes(30); });
  }
}

}  // namespace
}  // namespace millrace::property
