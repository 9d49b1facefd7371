// WaitingRecords: records that came before their turn, in lists by key, in the order they came.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "operator/operator.hpp"
#include "operator/stateless.hpp"
#include "operator/stored_records.hpp"
#include "record/batch_type.hpp"

namespace millrace::detail {

/// One thread.
template <class T>
class WaitingRecords {
 public:
  /// A record with what it came with; the chunk keeps its texts.
  struct Entry {
    std::shared_ptr<const Batch<T>> chunk;
    std::uint32_t index = 0;
    Time behind = kTimeMin;

    decltype(auto) record() const { return record_at(*chunk, index); }
    Time time() const { return chunk->times[index]; }
  };
  using List = std::vector<Entry>;

  std::size_t size() const { return size_; }

  void add(const Batch<T>& in, std::size_t at, Time behind, std::uint64_t hash) {
    if (!open_) open_ = std::make_shared<Batch<T>>();
    const auto pick = static_cast<std::uint32_t>(at);
    batch_type<T>().append(*open_, in, {&pick, 1});
    lists_[hash].push_back({open_, static_cast<std::uint32_t>(open_->size() - 1), behind});
    ++size_;
  }
  /// The batch they came from is done with: they keep texts of their own.
  void close_chunk() {
    if (!open_) return;
    batch_type<T>().rehome(*open_);
    open_->hashes.clear();  // restored ones have none
    open_->hashed_by = nullptr;
    open_.reset();
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

  /// By `key`, those of one in the order they came.
  void save(StateWriter& writer, const KeyHash& key) const {
    Batch<T> records;
    for (const auto& [hash, list] : lists_) {
      for (const Entry& entry : list) {
        const std::uint32_t pick = entry.index;
        batch_type<T>().append(records, *entry.chunk, {&pick, 1});
      }
    }
    save_keyed(writer, kPart, records, key);
  }
  void restore(StateReader& reader, const KeyHash& key) {
    const Batch<T> records = restored_records<T>(reader, kPart);
    std::vector<std::uint64_t> hashes;
    key.hash(records, hashes);
    std::size_t cursor = 0;
    for (std::size_t at = 0; at < records.values.size(); ++at)
      add(records, at, behind_at(records, at, cursor), hashes[at]);
    close_chunk();
  }

 private:
  static constexpr std::string_view kPart = ":waiting";

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
  std::shared_ptr<Batch<T>> open_;  ///< those of the batch at hand
  std::size_t size_ = 0;
  std::vector<std::uint64_t> unblocked_;
};

}  // namespace millrace::detail
