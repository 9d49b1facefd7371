// Promise: tables and joins of tables that are cut at random places go on from their images, in as
// many tasks or others, as if nothing had been.
#include "millrace/millrace.hpp"
#include "operator_cuts.hpp"

namespace millrace::property {
namespace {

using detail::JoinKind;

/// Of a note by its name, what it meets.
struct MetRow {
  std::string_view name;
  std::int64_t left = -1;  ///< -1: none
  std::int64_t right = -1;
};
const auto kMeetRow = [](const Note* left, const Note* right) {
  MetRow met;
  met.name = left != nullptr ? left->name : right->name;
  if (left != nullptr) met.left = left->number;
  if (right != nullptr) met.right = right->number;
  if (met.left == 61) throw std::runtime_error("as asked");
  return met;
};
const auto kDeletes = [](const Note& note) { return note.number % 4 == 0; };

/// Notes of `sides` inputs and watermarks.
auto notes_of(std::uint64_t sides) {
  return [sides](Draw& draw) {
    std::vector<OperatorStep> steps;
    while (steps.size() < 120) {
      const std::uint64_t what = draw.random().below(10);
      if (what < 8) {
        steps.push_back(draw.batch<Note>(static_cast<std::uint32_t>(what % sides),
                                         [&](Time time) { return draw.note(time); }));
      } else {
        steps.push_back(draw.watermark());
      }
    }
    steps.push_back({.kind = OperatorStep::Kind::watermark, .watermark = kTimeMax});
    return steps;
  };
}

/// Rows on port 0 by `name_of`, late notes on the others.
template <class Row, class NameOf>
OperatorTasks::Show show_rows(NameOf name_of) {
  return [name_of](std::uint32_t port, const detail::BatchBase& base, std::size_t at) {
    if (port > 0) return show_by<Note>([](const Note& note) { return note.name; })(port, base, at);
    return show_by<Row>(name_of)(port, base, at);
  };
}
template <class Op, class Row, class Make, class NameOf>
Subject of_two_sides(Make make, NameOf name_of) {
  const auto key = key_by<Note>(&Note::name);
  return {[key, make]() -> std::unique_ptr<detail::Operator> { return make(key); },
          {{&batch_type<Note>(), key}, {&batch_type<Note>(), key}},
          show_rows<Row>(name_of),
          true};
}

TEST(TableImages, OfJoinedTables) {
  using Row = Change<MetRow>;
  using Maker = detail::ChangeMaker<detail::PairMaker<JoinKind::full, decltype(kMeetRow)>>;
  using Op = detail::TableJoin<Note, NoteByName, Note, NoteByName, Row, Maker>;
  const auto name_of = [](const Row& change) { return change.record.name; };
  for (const std::int64_t lateness : {0, 25}) {
    const auto make = [lateness](const auto& key) {
      const Op::Rules rules{JoinKind::full, Duration(lateness), kDeletes, kDeletes};
      return std::make_unique<Op>(rules, key, key, Maker{{kMeetRow}});
    };
    EXPECT_GT(compare(of_two_sides<Op, Row>(make, name_of), notes_of(2)), 0u);
  }
}

TEST(TableImages, OfAStreamWithATable) {
  using Maker = detail::PairMaker<JoinKind::full, decltype(kMeetRow)>;
  using Op = detail::AsOfJoin<Note, NoteByName, Note, NoteByName, MetRow, Maker>;
  const auto name_of = [](const MetRow& row) { return row.name; };
  for (const bool bounded : {false, true}) {
    const auto make = [bounded](const auto& key) {
      AsOfBounds bounds;
      if (bounded) bounds.within = Duration(30);
      return std::make_unique<Op>(bounds, JoinKind::left, key, key, Maker{kMeetRow},
                                  detail::AsOfTable<Note, Note>{.deletes = kDeletes});
    };
    EXPECT_GT(compare(of_two_sides<Op, MetRow>(make, name_of), notes_of(2)), 0u);
  }
}

TEST(TableImages, OfChanges) {
  using Step = detail::TableStep<Note, std::string_view>;
  using Op = detail::KeyedProcess<Note, NoteByName, Step>;
  const auto key = key_by<Note>(&Note::name);
  const Subject subject{
      [key]() -> std::unique_ptr<detail::Operator> {
        return std::make_unique<Op>(key, Step{kDeletes});
      },
      {{&batch_type<Note>(), key}},
      show_by<Change<Note>>([](const Change<Note>& change) { return change.record.name; })};
  compare(subject, notes_of(1));
}

}  // namespace
}  // namespace millrace::property
