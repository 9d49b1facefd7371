// Asking all shards, and what a page of their answers is.
#include "connector/served_table.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "base/text.hpp"

namespace millrace::detail {
namespace {

/// Up to where all shards have looked: beyond it rows of one may be missing.
std::optional<std::string> least_looked_to(const std::vector<ServedPart>& parts) {
  std::optional<std::string> least;
  for (const ServedPart& part : parts) {
    if (part.looked_to && (!least || *part.looked_to < *least)) least = part.looked_to;
  }
  return least;
}

Status no_such_column(const std::string& name, const std::vector<KeyPart>& parts) {
  std::vector<std::string> names;
  for (const KeyPart& part : parts) names.push_back(part.name);
  const std::string near = nearest_word(name, names);
  return {Code::parameter_invalid,
          fmt::format("its rows have no column \"{}\" to be a key{}", name,
                      near.empty() ? fmt::format("; there are {}", fmt::join(names, ", "))
                                   : fmt::format(": did you mean \"{}\"?", near))};
}

}  // namespace

Status settle_key(const std::vector<KeyPart>& parts, const std::vector<std::string>& names,
                  ServedShape& shape, ServedColumns& columns) {
  if (names.empty()) {
    return {Code::parameter_invalid,
            "its rows have no key of their own, so say which columns tell them apart: "
            "table(\"users\", {.key = {\"id\"}}), or key: [id]"};
  }
  for (const std::string& name : names) {
    const auto found = std::ranges::find(parts, name, &KeyPart::name);
    if (found == parts.end()) return no_such_column(name, parts);
    if (found->kind == KeyPartKind::none) {
      return {
          Code::parameter_invalid,
          fmt::format("its column \"{}\" cannot be a key: a key is a number, a text, a time, an "
                      "interval, or true or false",
                      name)};
    }
    columns.key.push_back(static_cast<std::size_t>(found - parts.begin()));
    shape.key.push_back(*found);
  }
  return {};
}

std::shared_ptr<ServedShard> ServedTable::begin(std::uint32_t task, std::uint32_t tasks,
                                                MemoryMeter* meter) {
  auto shard = std::make_shared<ServedShard>(shape_, meter);
  Shards old;  // destroyed behind the lock
  const std::lock_guard lock(mutex_);
  if (shards_.size() != tasks || shards_[task] != nullptr) {
    old = std::exchange(shards_, Shards(tasks));
    ready_ = 0;
  }
  shards_[task] = shard;
  return shard;
}

void ServedTable::ready() {
  const std::lock_guard lock(mutex_);
  ++ready_;
}

ServedTable::Shards ServedTable::shards() const {
  const std::lock_guard lock(mutex_);
  return ready_ == shards_.size() ? shards_ : Shards();
}

std::optional<ServedAnswer> ServedTable::ask(const ServedQuestion& question) const {
  const Shards shards = this->shards();
  if (shards.empty()) return std::nullopt;
  ServedAnswer answer;
  answer.watermark = kTimeMax;
  std::vector<ServedPart> parts;
  for (const auto& shard : shards) {
    parts.push_back(shard->look(question));
    answer.watermark = std::min(answer.watermark, parts.back().watermark);
  }
  answer.next = least_looked_to(parts);
  for (ServedPart& part : parts) {
    std::move(part.rows.begin(), part.rows.end(), std::back_inserter(answer.rows));
  }
  std::ranges::sort(answer.rows, {}, &ServedRow::key);
  if (answer.next) {
    const auto behind = std::ranges::upper_bound(answer.rows, *answer.next, {}, &ServedRow::key);
    answer.rows.erase(behind, answer.rows.end());
  }
  if (answer.rows.size() > question.limit) {
    answer.rows.erase(answer.rows.begin() + static_cast<std::ptrdiff_t>(question.limit),
                      answer.rows.end());
    answer.next = answer.rows.back().key;
  }
  return answer;
}

std::optional<ServedFigures> ServedTable::figures() const {
  const Shards shards = this->shards();
  if (shards.empty()) return std::nullopt;
  ServedFigures sum;
  sum.watermark = kTimeMax;
  for (const auto& shard : shards) {
    sum.rows += shard->rows();
    sum.bytes += shard->bytes();
    sum.watermark = std::min(sum.watermark, shard->watermark());
  }
  return sum;
}

Status ServedSink::open(const EndContext& context) {
  context_ = &context;
  return {};
}

void ServedSink::open_state(MemoryMeter& state, bool restores) {
  shard_ = table_->begin(context_->task, context_->tasks, &state);
  if (!restores) table_->ready();
}

void ServedSink::advance(Time watermark) {
  const auto lock = shard_->lock();
  shard_->reached(watermark);
}

/// A row that was taken back before the barrier has its successor before it too.
void ServedSink::save_state(StateWriter& writer) {
  {
    const auto lock = shard_->lock();
    shard_->settle(kTimeMax);
  }
  shard_->save(writer);
}

void ServedSink::restore_state(StateReader* reader) {
  if (reader != nullptr) shard_->restore(*reader);
  table_->ready();
}

void ServedSink::leave() {
  if (shard_ == nullptr) return;
  const auto lock = shard_->lock();
  shard_->stop_counting();
}

}  // namespace millrace::detail
