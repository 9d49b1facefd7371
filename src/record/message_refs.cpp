// Counting by runs.
#include "record/message_refs.hpp"

#include <utility>

#include "base/check.hpp"

namespace millrace::detail {

void MessageRefs::append(const MessageRefs& from, std::span<const std::uint32_t> picks) {
  std::size_t at = refs_.size();
  refs_.resize(at + picks.size());
  for (const std::uint32_t pick : picks) {
    if (pick < from.refs_.size()) refs_[at] = from.refs_[pick];
    ++at;
  }
}

void MessageRefs::take_over(Origin& origin, std::uint32_t first, std::uint32_t count) {
  MR_CHECK(refs_.empty(), "a batch has messages already");
  refs_.reserve(count);
  for (std::uint32_t at = 0; at < count; ++at) refs_.emplace_back(origin, first + at);
  owned_ = count;
}

void MessageRefs::own() {
  each_run(owned_, refs_.size(), [](Origin& origin, std::int64_t run) { origin.count(run, 0); });
  owned_ = refs_.size();
}

void MessageRefs::lend() {
  const std::size_t owned = std::exchange(owned_, 0);
  each_run(0, owned, [](Origin& origin, std::int64_t run) { origin.count(-run, 0); });
}

}  // namespace millrace::detail
