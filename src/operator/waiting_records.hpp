// WaitingRecords: records of one or several inputs that came before their turn, in lists by key, in
// the order they came.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

#include "operator/operator.hpp"
#include "operator/stateless.hpp"
#include "operator/stored_records.hpp"
#include "record/batch_type.hpp"

namespace millrace::detail {

/// The name of a part that each input has: of the first one `name` itself.
inline std::string input_part(const char* name, std::size_t input) {
  return input == 0 ? std::string(name) : name + ("-" + std::to_string(input));
}

/// `Ts`: the records of each input. One thread.
template <class... Ts>
class WaitingRecords {
 public:
  template <std::size_t kInput>
  using RecordOf = std::tuple_element_t<kInput, std::tuple<Ts...>>;

  /// A record with what it came with; the chunk keeps its texts.
  struct Entry {
    std::shared_ptr<const BatchBase> chunk;
    std::uint32_t index = 0;
    std::uint32_t input = 0;
    Time behind = kTimeMin;

    template <std::size_t kInput>
    const Batch<RecordOf<kInput>>& batch() const {
      return static_cast<const Batch<RecordOf<kInput>>&>(*chunk);
    }
  };
  using List = std::vector<Entry>;

  std::size_t size() const { return size_; }

  template <std::size_t kInput>
  void add(const Batch<RecordOf<kInput>>& in, std::size_t at, Time behind, std::uint64_t hash) {
    auto& open = std::get<kInput>(open_);
    if (!open) open = std::make_shared<Batch<RecordOf<kInput>>>();
    const auto pick = static_cast<std::uint32_t>(at);
    batch_type<RecordOf<kInput>>().append(*open, in, {&pick, 1});
    lists_[hash].push_back({open, static_cast<std::uint32_t>(open->size() - 1), kInput, behind});
    ++size_;
  }
  /// The batch they came from is done with: they keep texts of their own.
  template <std::size_t kInput>
  void close_chunk() {
    auto& open = std::get<kInput>(open_);
    if (!open) return;
    batch_type<RecordOf<kInput>>().rehome(*open);
    open->hashes.clear();  // restored ones have none
    open->hashed_by = nullptr;
    open.reset();
  }
  /// Something happened for which those of a key may wait no longer.
  void unblock(std::uint64_t hash) { unblocked_.push_back(hash); }
  std::optional<std::uint64_t> next_unblocked() {
    if (unblocked_.empty()) return std::nullopt;
    const std::uint64_t hash = unblocked_.back();
    unblocked_.pop_back();
    return hash;
  }
  /// Calls handle(entry) for those of a key in the order they came; false: it waits on. One that
  /// unblocks the key lets those before it be asked again.
  template <class Handle>
  void release(std::uint64_t hash, Handle&& handle) {
    List list = take(hash);
    List still;
    for (std::size_t next = 0; next < list.size();) {
      Entry& entry = list[next++];
      if (!handle(std::as_const(entry))) {
        still.push_back(std::move(entry));
      } else if (std::erase(unblocked_, hash) > 0) {
        for (; next < list.size(); ++next) still.push_back(std::move(list[next]));
        list = std::exchange(still, {});
        next = 0;
      }
    }
    size_ += still.size();
    if (!still.empty()) lists_[hash] = std::move(still);
  }
  std::vector<std::uint64_t> keys() const {
    std::vector<std::uint64_t> hashes;
    for (const auto& [hash, list] : lists_) hashes.push_back(hash);
    return hashes;
  }

  /// Those of an input by `key`, of one key in the order they came.
  template <std::size_t kInput>
  void save(StateWriter& writer, const KeyHash& key) const {
    Batch<RecordOf<kInput>> records;
    for (const auto& [hash, list] : lists_) {
      for (const Entry& entry : list) {
        const std::uint32_t pick = entry.index;
        if (entry.input == kInput)
          batch_type<RecordOf<kInput>>().append(records, *entry.chunk, {&pick, 1});
      }
    }
    save_keyed(writer, input_part(kPart, kInput), records, key);
  }
  /// Of several inputs those of the first one come before those of the next.
  template <std::size_t kInput>
  void restore(StateReader& reader, const KeyHash& key) {
    const auto records = restored_records<RecordOf<kInput>>(reader, input_part(kPart, kInput));
    std::vector<std::uint64_t> hashes;
    key.hash(records, hashes);
    std::size_t cursor = 0;
    for (std::size_t at = 0; at < records.values.size(); ++at)
      add<kInput>(records, at, behind_at(records, at, cursor), hashes[at]);
    close_chunk<kInput>();
  }

 private:
  static constexpr const char* kPart = ":waiting";

  List take(std::uint64_t hash) {
    if (size_ == 0) return {};
    const auto at = lists_.find(hash);
    if (at == lists_.end()) return {};
    List list = std::move(at->second);
    lists_.erase(at);
    size_ -= list.size();
    return list;
  }

  std::unordered_map<std::uint64_t, List> lists_;
  std::tuple<std::shared_ptr<Batch<Ts>>...> open_;  ///< those of the batch at hand
  std::size_t size_ = 0;
  std::vector<std::uint64_t> unblocked_;
};

}  // namespace millrace::detail
