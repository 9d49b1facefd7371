// StateImage: what an operator keeps, as named parts of bytes: written at a barrier, read by who
// owns them after a restart, however many tasks there are then.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/byte_codec.hpp"
#include "base/status.hpp"
#include "state/keyed_tables.hpp"

namespace millrace::detail {

/// Whom a part of an image belongs to, and so who reads it after a restart.
enum class PartOwner : std::uint8_t {
  task,       ///< the task that wrote it; every task reads those of all
  key_group,  ///< a key group: the task that owns it reads it
  partition,  ///< a partition of the source, numbered over all tasks: its task reads it
};

/// Bytes of a part that lie on a disk until they are asked for. Any thread.
class StoredBytes {
 public:
  virtual ~StoredBytes() = default;
  virtual std::uint64_t size() const = 0;
  /// All of them. Errors: 3003, 4001.
  virtual Result<std::string> read() const = 0;
};

/// Some bytes of an image. `number` is that of the task, key group or partition; `shape` says what
/// the bytes are, for a reader of another shape (see StoredShape); empty: nothing to say.
struct StatePart {
  std::string name;
  std::string shape;
  PartOwner owner = PartOwner::task;
  std::uint32_t number = 0;
  std::string bytes;
  std::shared_ptr<const StoredBytes> stored = nullptr;  ///< where they lie instead; null: here

  std::uint64_t size() const { return stored ? stored->size() : bytes.size(); }
};

class StateWriter;

/// Parts of an image that are written little by little, while the operator goes on: as they were
/// when this was made. One thread.
class OpenParts {
 public:
  virtual ~OpenParts() = default;
  /// Writes what about so many `slots` of tables hold; how many of them are left.
  virtual std::size_t advance(std::size_t slots) = 0;
  /// All is written. Advances until then never end before all their slots are used.
  virtual bool done() const = 0;
  /// Between advances: hands over pieces of parts that are large already.
  virtual void give_pieces(StateWriter& /*writer*/) {}
  /// Once, when it is done: hands over the parts, or what is left of them.
  virtual void give(StateWriter& writer) = 0;
};

/// Takes the image of one operator in one task. One thread.
class StateWriter {
 public:
  /// `task` of `tasks` writes.
  StateWriter(std::uint32_t task, std::uint32_t tasks) : task_(task), tasks_(tasks) {}

  std::uint32_t task() const { return task_; }
  std::uint32_t tasks() const { return tasks_; }
  /// Before the first part: parts of tables may hold what has changed since `chain.base` alone.
  void chain(const ImageChain& chain) { chain_ = chain; }
  const ImageChain& chain() const { return chain_; }
  /// The bytes of a new part, to append to. Valid until the next call. A name, owner and number is
  /// asked for once.
  std::string& task_part(std::string_view name, std::string_view shape = {}) {
    return part(name, shape, PartOwner::task, task_);
  }
  std::string& group_part(std::string_view name, std::uint32_t group, std::string_view shape = {}) {
    return part(name, shape, PartOwner::key_group, group);
  }
  /// `local` counts this task's own partitions.
  std::string& partition_part(std::string_view name, std::uint32_t local,
                              std::string_view shape = {}) {
    return part(name, shape, PartOwner::partition, local * tasks_ + task_);
  }
  /// Parts that need not be written now. What they read outlives the writer, and tells them before
  /// it changes.
  void later(std::unique_ptr<OpenParts> parts) { open_.push_back(std::move(parts)); }
  /// Writes on as OpenParts does; true: nothing is left to write.
  bool advance(std::size_t slots) {
    while (!open_.empty()) {
      slots = open_.back()->advance(slots);
      if (in_pieces_) open_.back()->give_pieces(*this);
      if (!open_.back()->done()) return false;
      const std::unique_ptr<OpenParts> parts = std::move(open_.back());
      open_.pop_back();
      parts->give(*this);
    }
    return true;
  }
  /// From now on parts of tables come in pieces, for who asks for those that are ready().
  void allow_pieces() { in_pieces_ = true; }
  /// What has been written and not been given. The bytes of a piece belong behind those of the
  /// pieces of its name, owner and number before.
  std::vector<StatePart> ready() { return std::exchange(parts_, {}); }
  /// Writes what is left and gives all.
  std::vector<StatePart> take() {
    (void)advance(std::numeric_limits<std::size_t>::max());
    return std::move(parts_);
  }

  /// Notes that something cannot be written; the first reason counts, and there is no epoch.
  void refuse(std::string why) {
    if (status_.ok()) status_ = {Code::state_unreadable, std::move(why)};
  }
  const Status& status() const { return status_; }

 private:
  std::string& part(std::string_view name, std::string_view shape, PartOwner owner,
                    std::uint32_t number) {
    parts_.push_back({std::string(name), std::string(shape), owner, number, {}});
    return parts_.back().bytes;
  }

  std::uint32_t task_;
  std::uint32_t tasks_;
  ImageChain chain_;
  std::vector<StatePart> parts_;
  std::vector<std::unique_ptr<OpenParts>> open_;
  bool in_pieces_ = false;
  Status status_;
};

/// Gives a task what it owns of the image of its operator, which as many tasks as there were then
/// have written. One thread.
class StateReader {
 public:
  /// `parts` of all tasks of the image outlive it.
  StateReader(std::span<const StatePart> parts, std::uint32_t task, std::uint32_t tasks)
      : parts_(parts), task_(task), tasks_(tasks) {}

  /// Calls visit(part) for each part of that name which this task owns; task parts are everybody's.
  /// The parts outlive the reader, or are there as long as it is.
  template <class Visit>
  void each(std::string_view name, Visit&& visit) {
    for (const StatePart& part : parts_) {
      if (part.name != name || !owns(part)) continue;
      if (const StatePart* const whole = whole_of(part)) visit(*whole);
    }
  }
  /// The same for large ones: nothing that `visit` keeps points into the part, for bytes that lie
  /// on a disk are there during its call alone.
  template <class Visit>
  void each_in_turn(std::string_view name, Visit&& visit) {
    for (const StatePart& part : parts_) {
      if (part.name != name || !owns(part)) continue;
      if (part.stored == nullptr) {
        visit(part);
      } else if (const auto whole = fetched(part)) {
        visit(*whole);
      }
    }
  }
  /// The number among this task's own partitions of one that it owns.
  std::uint32_t local(const StatePart& part) const { return part.number / tasks_; }
  std::uint32_t task() const { return task_; }
  std::uint32_t tasks() const { return tasks_; }

  /// Notes that a part cannot be read; the first reason counts, and the run does not start.
  void refuse(const StatePart& part, std::string_view why) {
    if (status_.ok()) {
      status_ = {Code::state_unreadable,
                 "state \"" + part.name + "\" cannot be restored: " + std::string(why)};
    }
  }
  const Status& status() const { return status_; }

 private:
  std::unique_ptr<const StatePart> fetched(const StatePart& part) {
    auto bytes = part.stored->read();
    if (bytes) {
      return std::make_unique<const StatePart>(
          StatePart{part.name, part.shape, part.owner, part.number, std::move(*bytes)});
    }
    if (status_.ok()) status_ = bytes.error();
    return nullptr;
  }
  /// Null: it cannot be read.
  const StatePart* whole_of(const StatePart& part) {
    if (part.stored == nullptr) return &part;
    auto& whole = fetched_[&part];
    if (whole == nullptr) whole = fetched(part);
    return whole.get();
  }
  bool owns(const StatePart& part) const {
    if (part.owner == PartOwner::task) return true;
    if (part.owner == PartOwner::partition) return part.number % tasks_ == task_;
    return ((part.number * tasks_) / kKeyGroups) == task_;
  }

  std::span<const StatePart> parts_;
  std::map<const StatePart*, std::unique_ptr<const StatePart>> fetched_;
  std::uint32_t task_;
  std::uint32_t tasks_;
  Status status_;
};

}  // namespace millrace::detail
