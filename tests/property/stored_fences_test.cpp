// Geofences that are cut at random places: the side of each key is in the image.
#include "millrace/geo.hpp"
#include "operator_cuts.hpp"

namespace millrace::property {
namespace {

TEST(StoredOperators, GeofencesGoOn) {
  const auto key = key_by<Note>(&Note::key);
  const auto nowhere = [](const Note&) { return 0; };
  // About every second of the 64 places lies inside, and some in the margin.
  const Geofence fence{circle({0, 0}, 3'000'000), 500'000};
  using Step =
      detail::FenceStep<Note, std::int32_t, std::int64_t Note::*, std::decay_t<decltype(nowhere)>>;
  using Op = detail::KeyedStep<Note, NoteByKey, FenceSide, Crossing<std::int32_t>, Step>;
  const Subject subject{
      [key, fence, nowhere] {
        return std::make_unique<Op>(key, Step{fence, &Note::number, nowhere});
      },
      {{&batch_type<Note>(), key}},
      show_by<Crossing<std::int32_t>>([](const auto& crossing) { return crossing.key; })};
  compare(subject, [](Draw& draw) { return draw.notes(100); });
}

}  // namespace
}  // namespace millrace::property
