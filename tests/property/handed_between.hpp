// HandedBetween: what the tasks of an operator hand over to those that follow them, beside what
// goes by an image.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "operator/operator.hpp"
#include "state/handed_tables.hpp"

namespace millrace::property {

class HandedBetween {
 public:
  /// Takes it out of all tasks of an operator, and out of `parts`, their image.
  HandedBetween(const std::vector<detail::Operator*>& tasks,
                std::vector<detail::StatePart>& parts) {
    for (std::uint32_t at = 0; at < tasks.size(); ++at) {
      auto* const hands = dynamic_cast<detail::HandsOver*>(tasks[at]);
      if (hands == nullptr || !hands->hands_over()) continue;
      const auto& handed = handed_.emplace_back(hands->hand_over());
      std::erase_if(parts, [&](const detail::StatePart& part) {
        return part.owner == detail::PartOwner::key_group &&
               part.number * tasks.size() / detail::kKeyGroups == at &&
               handed->stands_for(part.name);
      });
    }
  }
  /// To each of `tasks`, in turn, which is open and has read nothing.
  void give(detail::Operator& to, std::uint32_t task, std::uint32_t tasks) {
    std::uint32_t first = 0;
    while (first * tasks / detail::kKeyGroups < task) ++first;
    std::uint32_t end = first;
    while (end < detail::kKeyGroups && end * tasks / detail::kKeyGroups == task) ++end;
    for (const auto& handed : handed_) {
      const auto own = handed->split(first, end);
      EXPECT_TRUE(dynamic_cast<detail::HandsOver&>(to).take_over(*own));
    }
  }

 private:
  std::vector<std::unique_ptr<detail::HandedState>> handed_;
};

}  // namespace millrace::property
