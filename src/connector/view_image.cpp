// What a view shows, as bytes, so that a page that comes back shows its history.

#include "connector/view.hpp"

namespace millrace::detail {
namespace {

constexpr std::uint64_t kViewVersion = 1;

std::string take_text(BytesCursor& from) { return std::string(from.take(from.varint())); }

struct PutCell {
  std::string& to;
  void operator()(std::monostate) const {}
  void operator()(bool flag) const { to.push_back(flag ? 1 : 0); }
  void operator()(std::int64_t integer) const { put_varint(to, zigzag(integer)); }
  void operator()(double real) const { put_number(to, real); }
  void operator()(const std::string& text) const { put_text(to, text); }
  void operator()(Timestamp time) const { put_varint(to, zigzag(time.micros)); }
};

void put_cells(std::string& to, const std::vector<Cell>& cells) {
  for (const Cell& cell : cells) {
    to.push_back(static_cast<char>(cell.index()));
    std::visit(PutCell{to}, cell);
  }
}

bool take_cell(BytesCursor& from, Cell& cell) {
  switch (from.number<std::uint8_t>()) {
    case 0:
      cell = std::monostate();
      break;
    case 1:
      cell = from.number<std::uint8_t>() != 0;
      break;
    case 2:
      cell = unzigzag(from.varint());
      break;
    case 3:
      cell = from.number<double>();
      break;
    case 4:
      cell = take_text(from);
      break;
    case 5:
      cell = Timestamp{unzigzag(from.varint())};
      break;
    default:
      return false;
  }
  return from.ok();
}

}  // namespace

std::string View::image() const {
  std::string to;
  const std::lock_guard lock(mutex_);
  put_varint(to, kViewVersion);
  put_varint(to, options_.columns.size());
  for (const ColumnReport& column : options_.columns) put_text(to, column.name);
  put_varint(to, records_);
  put_varint(to, alerts_.size());
  for (auto oldest = alerts_.rbegin(); oldest != alerts_.rend(); ++oldest) put_cells(to, *oldest);
  put_varint(to, window_ ? 1 : 0);
  put_number(to, window_ ? window_->first : Time());
  put_number(to, window_ ? window_->second : Time());
  put_varint(to, rows_.size());
  for (const auto& [place, cells] : rows_) {
    put_varint(to, place.second);
    put_cells(to, cells);
  }
  put_varint(to, came_);
  write_points(to);
  return to;
}

void View::write_points(std::string& to) const {
  put_varint(to, windowed_points_ ? 1 : 0);
  put_varint(to, newest_.size());
  for (const auto& [series, cells] : newest_) {
    put_text(to, series);
    put_cells(to, cells);
  }
  const std::vector<LineReport> lines = points_ ? points_->lines() : std::vector<LineReport>();
  put_varint(to, lines.size());
  for (const LineReport& line : lines) {
    put_text(to, line.name);
    put_varint(to, line.points.size());
    for (const LineReport::Point& point : line.points) {
      put_number(to, point.x);
      put_number(to, point.y);
    }
  }
}

bool View::restore(std::string_view image) {
  const std::lock_guard lock(mutex_);
  if (read_all(image)) return true;
  forget();
  return false;
}

void View::forget() {
  records_ = came_ = 0;
  alerts_.clear();
  window_.reset();
  rows_.clear();
  by_key_.clear();
  newest_.clear();
  if (points_) points_.emplace(options_.rows_max, static_cast<double>(options_.keep.count()) / 1e3);
}

bool View::read_all(std::string_view image) {
  BytesCursor from(image);
  if (from.varint() != kViewVersion || from.varint() != options_.columns.size()) return false;
  for (const ColumnReport& column : options_.columns) {
    if (take_text(from) != column.name) return false;
  }
  records_ = from.varint();
  Cells cells;
  for (std::uint64_t left = from.varint(); left > 0; --left) {
    if (!read_cells(from, cells)) return false;
    alerts_.push_front(cells);
    if (alerts_.size() > options_.rows_max) alerts_.pop_back();
  }
  const bool windowed = from.varint() != 0;
  const auto start = from.number<Time>();
  const auto end = from.number<Time>();
  if (windowed) window_ = Window(start, end);
  for (std::uint64_t left = from.varint(); left > 0; --left) {
    came_ = from.varint();  // the place it had among those without rank
    if (!read_cells(from, cells)) return false;
    insert(cells);
  }
  came_ = from.varint();
  return read_points(from) && from.ok() && from.rest().empty();
}

bool View::read_points(BytesCursor& from) {
  windowed_points_ = from.varint() != 0;
  Cells cells;
  for (std::uint64_t left = from.varint(); left > 0; --left) {
    std::string series = take_text(from);
    if (!read_cells(from, cells)) return false;
    newest_.insert_or_assign(std::move(series), cells);
  }
  for (std::uint64_t left = from.varint(); left > 0; --left) {
    const std::string name = take_text(from);
    for (std::uint64_t points = from.varint(); points > 0; --points) {
      const auto x = from.number<double>();
      const auto y = from.number<double>();
      if (!from.ok()) return false;
      if (points_) points_->add(name, x, y);
    }
  }
  return from.ok();
}

bool View::read_cells(BytesCursor& from, Cells& cells) const {
  cells.assign(options_.columns.size(), Cell());
  for (Cell& cell : cells) {
    if (!take_cell(from, cell)) return false;
  }
  return true;
}

}  // namespace millrace::detail
