// What a view shows comes back from its image.
#include <gtest/gtest.h>

#include "connector/view.hpp"
#include "millrace/sinks.hpp"

namespace millrace::detail {
namespace {

const std::vector<ColumnReport> kRanked = {{"rank", "int"}, {"page", "string"}, {"count", "int"}};
const std::vector<ColumnReport> kReading = {{"at", "timestamp"}, {"room", "string"}, {"t", "real"}};

Row ranked(std::int64_t rank, std::string page, Time start) {
  return {{Cell(rank), Cell(std::move(page)), Cell(std::int64_t{7})}, start, start + 10};
}
Row reading(Time at, std::string room, double value) {
  return {{Cell(Timestamp{at}), Cell(std::move(room)), Cell(value)}, {}, {}};
}

void expect_same(const View& one, const View& other) {
  const ViewReport a = one.snapshot();
  const ViewReport b = other.snapshot();
  EXPECT_EQ(a.rows, b.rows);
  EXPECT_EQ(a.records, b.records);
  EXPECT_EQ(a.window_start, b.window_start);
  EXPECT_EQ(a.window_end, b.window_end);
  EXPECT_EQ(a.x_is_time, b.x_is_time);
  ASSERT_EQ(a.lines.size(), b.lines.size());
  for (std::size_t at = 0; at < a.lines.size(); ++at) {
    EXPECT_EQ(a.lines[at].name, b.lines[at].name);
    ASSERT_EQ(a.lines[at].points.size(), b.lines[at].points.size());
    for (std::size_t point = 0; point < a.lines[at].points.size(); ++point) {
      EXPECT_EQ(a.lines[at].points[point].x, b.lines[at].points[point].x);
      EXPECT_EQ(a.lines[at].points[point].y, b.lines[at].points[point].y);
    }
  }
}

/// Restores another one, and goes on with both.
void expect_restored(const ViewOptions& options, std::span<const Row> first,
                     std::span<const Row> then) {
  View view(options);
  view.add(first);
  View again(options);
  ASSERT_TRUE(again.restore(view.image()));
  expect_same(view, again);
  view.add(then);
  again.add(then);
  expect_same(view, again);
}

TEST(ViewImage, TheLatestWindow) {
  const std::vector<Row> first = {ranked(2, "b", 0), ranked(1, "a", 0)};
  const std::vector<Row> then = {ranked(1, "c", 0), ranked(1, "d", 20)};
  expect_restored({.name = "v", .kind = "top", .columns = kRanked}, first, then);
  expect_restored({.name = "v", .kind = "table", .columns = kRanked, .key_columns = {"page"}},
                  first, then);
}

TEST(ViewImage, TheNewestAlerts) {
  const std::vector<Row> first = {ranked(1, "a", 0), ranked(2, "b", 0), ranked(3, "c", 0)};
  const std::vector<Row> then = {ranked(4, "d", 0)};
  expect_restored({.name = "v", .kind = "alerts", .columns = kRanked, .rows_max = 2}, first, then);
}

TEST(ViewImage, LinesAndTheirNewestRows) {
  const std::vector<Row> first = {reading(1'000'000, "hall", 20), reading(2'000'000, "hall", 21.5),
                                  reading(1'000'000, "attic", 30)};
  const std::vector<Row> then = {reading(3'000'000, "hall", 22)};
  expect_restored(
      {.name = "v", .kind = "line", .columns = kReading, .x = "at", .y = {"t"}, .series = "room"},
      first, then);
}

TEST(ViewImage, OtherColumnsAndDamageShowNothing) {
  const std::vector<Row> rows = {ranked(1, "a", 0), ranked(2, "b", 0)};
  View view({.name = "v", .kind = "top", .columns = kRanked});
  view.add(rows);
  const std::string image = view.image();
  View other({.name = "v", .kind = "table", .columns = kReading});
  EXPECT_FALSE(other.restore(image));
  for (std::size_t bytes = 0; bytes < image.size(); ++bytes) {
    View cut({.name = "v", .kind = "top", .columns = kRanked});
    EXPECT_FALSE(cut.restore(image.substr(0, bytes))) << bytes;
    EXPECT_TRUE(cut.snapshot().rows.empty());
    EXPECT_EQ(cut.snapshot().records, 0u);
  }
}

TEST(ViewImage, TheSinkGivesItToTheNextRun) {
  const ViewOptions options{.name = "v", .kind = "top", .columns = kRanked};
  const auto shown = std::make_shared<View>(options);
  const std::vector<Row> rows = {ranked(1, "a", 0)};
  shown->add(rows);
  ViewSink<int> sink(shown);
  ASSERT_TRUE(sink.open({}).ok());
  const auto older = sink.prepare(1);
  const std::vector<Row> more = {ranked(2, "b", 0)};
  shown->add(more);
  const auto newer = sink.prepare(2);
  ASSERT_TRUE(older && newer);

  const auto back = std::make_shared<View>(options);
  ViewSink<int> next(back);
  ASSERT_TRUE(next.open({}).ok());
  const std::vector<std::string> prepared = {*older, *newer};
  ASSERT_TRUE(next.recover(prepared).ok());
  expect_same(*shown, *back);
}

}  // namespace
}  // namespace millrace::detail
