// KeyHashes: the hashes of a batch's keys, and of which records the key throws.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "operator/keyed.hpp"
#include "operator/operator.hpp"

namespace millrace::detail {

/// One thread. Cost: nothing where the batch carries its hashes.
template <class T>
class KeyHashes {
 public:
  /// `key`: null: there is none.
  explicit KeyHashes(std::shared_ptr<const KeyHash> key) : key_(std::move(key)) {}

  const KeyHash* key() const { return key_.get(); }
  /// Of each record, from now on; without a key nothing is done.
  void take(const Batch<T>& of) {
    if (!key_) return;
    failures_.clear();
    if (of.hashed_by == key_.get() && of.hashes.size() == of.values.size()) {
      hashes_ = of.hashes;
      return;
    }
    try {
      key_->hash(of, hashes_);
    } catch (const MemoryRefused&) {
      throw;
    } catch (...) {
      key_->hash_around(of, hashes_, [this](std::size_t at) {
        failures_.emplace(static_cast<std::uint32_t>(at), current_exception_text());
      });
    }
  }
  std::uint64_t operator[](std::uint32_t index) const { return hashes_[index]; }
  /// What the key of a record threw; null: it has one.
  const std::string* failure(std::uint32_t index) const {
    const auto found = failures_.find(index);
    return found == failures_.end() ? nullptr : &found->second;
  }

 private:
  std::shared_ptr<const KeyHash> key_;
  std::vector<std::uint64_t> hashes_;
  std::unordered_map<std::uint32_t, std::string> failures_;
};

}  // namespace millrace::detail
