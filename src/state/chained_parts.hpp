// ChainedParts: what stands beside the parts of a table, so that images of what has changed can be
// put over an earlier one by who knows nothing of their entries.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "base/byte_codec.hpp"

namespace millrace::detail {

/// Behind the name of the part of a key group that they tell of.
/// Where its entries and their keys end: see EntryCuts.
inline constexpr std::string_view kCutsSuffix = ":cuts";
/// Keys that are gone, each a text of the bytes that it has in the part.
inline constexpr std::string_view kGoneSuffix = ":gone";
/// Of the task: the epoch that the parts of that name are changes of. Without it they are whole.
inline constexpr std::string_view kBaseSuffix = ":base";

/// The same again: `count` entries of `bytes`, of which the first `key_bytes` are the key.
struct CutRun {
  std::uint64_t count = 0;
  std::uint64_t key_bytes = 0;
  std::uint64_t bytes = 0;
};

/// Spells how long the entries of a part are: the length of what stands before them, then runs of
/// entries that are alike. One thread.
class EntryCuts {
 public:
  /// The next entry. `before`: how long is what stands before the first one.
  void add(std::size_t before, std::size_t key_bytes, std::size_t bytes) {
    if (run_.count > 0 && run_.key_bytes == key_bytes && run_.bytes == bytes) {
      ++run_.count;
      return;
    }
    if (run_.count == 0) put_varint(spelled_, before);
    end_run();
    run_ = {1, key_bytes, bytes};
  }
  /// Without the run that is not over.
  std::size_t size() const { return spelled_.size(); }
  /// What is spelled so far, to be followed by the rest.
  std::string take() { return std::exchange(spelled_, {}); }
  void end_run() {
    if (run_.count == 0) return;
    put_varint(spelled_, run_.count);
    put_varint(spelled_, run_.key_bytes);
    put_varint(spelled_, run_.bytes);
  }

 private:
  std::string spelled_;
  CutRun run_;
};

/// Walks over the entries of a part. Any bytes may come.
class CutEntries {
 public:
  CutEntries(std::string_view cuts, std::string_view bytes) : cuts_(cuts), in_(bytes) {
    if (!cuts.empty()) before_ = in_.take(cuts_.varint());
  }
  /// What stands before the entries.
  std::string_view before() const { return before_; }
  /// Goes to the next entry; false: there is none, or whole() is false.
  bool next() {
    if (run_.count == 0) {
      if (!cuts_.ok() || cuts_.rest().empty()) return false;
      run_ = {cuts_.varint(), cuts_.varint(), cuts_.varint()};
    }
    if (run_.count == 0 || run_.key_bytes > run_.bytes) cuts_fit_ = false;
    if (!cuts_fit_) return false;
    --run_.count;
    entry_ = in_.take(run_.bytes);
    return in_.ok();
  }
  std::string_view entry() const { return entry_; }
  std::string_view key() const { return entry_.substr(0, run_.key_bytes); }
  /// Behind the last one: the cuts fit the bytes.
  bool whole() const { return cuts_fit_ && cuts_.ok() && in_.ok() && in_.rest().empty(); }

 private:
  BytesCursor cuts_;
  BytesCursor in_;
  std::string_view before_;
  std::string_view entry_;
  CutRun run_;
  bool cuts_fit_ = true;
};

}  // namespace millrace::detail
