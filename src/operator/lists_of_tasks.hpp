// ListsOfTasks: what the tasks of an image have listed, found by the key groups that they had.
#pragma once

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "state/state_image.hpp"
#include "state/stored_tables.hpp"

namespace millrace::detail {

/// One thread.
template <class List>
class ListsOfTasks {
 public:
  /// From the parts of that name; read(BytesCursor) -> std::optional<List>.
  template <class Read>
  ListsOfTasks(StateReader& reader, std::string_view name, Read&& read) {
    reader.each(name, [&](const StatePart& part) {
      auto list = read(BytesCursor(part.bytes));
      if (!list || part.number >= kKeyGroups) return reader.refuse(part, kBytesDoNotFit);
      if (tasks_.size() <= part.number) tasks_.resize(part.number + 1);
      tasks_[part.number] = std::move(*list);
    });
  }

  /// An earlier version wrote the image, or nothing was kept.
  bool empty() const { return tasks_.empty(); }
  /// That of the task which had the key group.
  const List& of_group(std::uint32_t group) const {
    return tasks_[(group * tasks_.size()) / kKeyGroups];
  }

 private:
  std::vector<List> tasks_;
};

}  // namespace millrace::detail
