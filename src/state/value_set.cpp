// Growing and merging of the sets behind exact counts of distinct values.
#include "state/value_set.hpp"

#include <utility>

namespace millrace::detail {
namespace {

constexpr std::size_t kSlotsMin = 8;

}  // namespace

void WordSet::grow() {
  const std::vector<std::uint64_t> old = std::exchange(
      slots_, std::vector<std::uint64_t>(slots_.empty() ? kSlotsMin : slots_.size() * 2));
  const std::size_t mask = slots_.size() - 1;
  for (const std::uint64_t word : old) {
    if (word == 0) continue;
    std::size_t at = hash_integer(word) & mask;
    while (slots_[at] != 0) at = (at + 1) & mask;
    slots_[at] = word;
  }
}

void WordSet::merge(const WordSet& other) {
  if (size() == 0) {
    *this = other;
    return;
  }
  has_zero_ |= other.has_zero_;
  for (const std::uint64_t word : other.slots_) {
    if (word != 0) insert(word);
  }
}

void TextSet::insert(std::string_view text, std::uint64_t hash) {
  if (2 * used_ >= slots_.size()) grow();
  const std::size_t mask = slots_.size() - 1;
  const std::uint32_t tag = tag_of(hash);
  for (std::size_t at = hash & mask;; at = (at + 1) & mask) {
    Slot& slot = slots_[at];
    if (slot.tag == tag && text_of(slot) == text) return;
    if (slot.tag != 0) continue;
    bytes_.append(text);
    slot = {bytes_.size() - text.size(), static_cast<std::uint32_t>(text.size()), tag};
    ++used_;
    return;
  }
}

void TextSet::grow() {
  const std::vector<Slot> old =
      std::exchange(slots_, std::vector<Slot>(slots_.empty() ? kSlotsMin : slots_.size() * 2));
  const std::size_t mask = slots_.size() - 1;
  for (const Slot& slot : old) {
    if (slot.tag == 0) continue;
    std::size_t at = hash_bytes(text_of(slot)) & mask;
    while (slots_[at].tag != 0) at = (at + 1) & mask;
    slots_[at] = slot;
  }
}

void TextSet::merge(const TextSet& other) {
  if (used_ == 0) {
    *this = other;
    return;
  }
  for (const Slot& slot : other.slots_) {
    if (slot.tag != 0) insert(other.text_of(slot));
  }
}

void WordSet::store(std::string& out) const {
  put_varint(out, size());
  for_each([&out](std::uint64_t word) { put_number(out, word); });
}

bool WordSet::load(BytesCursor& in) {
  *this = {};
  const std::uint64_t count = in.varint();
  if (!in.ok() || count > in.rest().size() / sizeof(std::uint64_t)) return false;
  for (std::uint64_t at = 0; at < count; ++at) insert(in.number<std::uint64_t>());
  return size() == count;
}

void TextSet::store(std::string& out) const {
  put_varint(out, used_);
  for (const Slot& slot : slots_) {
    if (slot.tag == 0) continue;
    put_varint(out, slot.size);
    out.append(text_of(slot));
  }
}

bool TextSet::load(BytesCursor& in) {
  *this = {};
  const std::uint64_t count = in.varint();
  if (!in.ok() || count > in.rest().size()) return false;
  for (std::uint64_t at = 0; at < count && in.ok(); ++at) insert(in.take(in.varint()));
  return in.ok() && used_ == count;
}

}  // namespace millrace::detail
