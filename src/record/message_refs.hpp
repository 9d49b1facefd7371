// MessageRefs: which message of a source each record of a batch descends from, and who counts that.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::detail {

/// Why a message failed.
struct MessageFailure {
  std::string_view component;  ///< where
  std::string_view reason;
  bool timed_out = false;
};

/// What references point to: one message or many, of which somebody counts what is left. All calls
/// by any thread; the caller has a share in the counts.
class alignas(64) Origin {
 public:
  Origin(const Origin&) = delete;
  Origin& operator=(const Origin&) = delete;

  /// Adds to the records on their way (`moving`) and to the keepers of records in state (`held`).
  /// When nothing is left of either, the origin is done; touch it no more.
  virtual void count(std::int64_t moving, std::int64_t held) = 0;
  /// Message `index` has failed. False: it will not be played again, so its record must not be
  /// lost.
  virtual bool fail(std::uint32_t index, const MessageFailure& failure) = 0;
  /// Like fail(), for what no longer has its record at hand: a message that is not played again is
  /// set aside by its source.
  virtual void give_up(std::uint32_t index, const MessageFailure& failure) = 0;
  /// What was held of it is dropped unfinished: its messages are neither acked nor failed.
  virtual void abandon() = 0;
  /// Somebody's hands hold shares of it, so many more than before: they may still fail it.
  virtual void hold_in_hand(std::int64_t by) = 0;
  /// Which message that is, for people.
  virtual std::string place_of(std::uint32_t index) const = 0;
  /// Records of it have come to stage number `stage` - 1.
  virtual void seen_at(std::uint32_t /*stage*/) {}

 protected:
  Origin() = default;
  ~Origin() = default;
};

/// Message `index` of an origin in 8 bytes; or none.
class MessageRef {
 public:
  static constexpr std::uint32_t kIndexBits = 22;
  static constexpr std::size_t kMessagesMax = std::size_t{1} << kIndexBits;

  MessageRef() = default;
  /// Addresses are multiples of 64 below 2^48, which user space has on all machines we build for.
  MessageRef(Origin& origin, std::uint32_t index)
      : bits_(reinterpret_cast<std::uintptr_t>(&origin) >> 6 << kIndexBits | index) {}

  explicit operator bool() const { return bits_ != 0; }
  Origin& origin() const {
    return *reinterpret_cast<Origin*>(static_cast<std::uintptr_t>(bits_ >> kIndexBits << 6));
  }
  std::uint32_t index() const { return static_cast<std::uint32_t>(bits_ & (kMessagesMax - 1)); }
  bool same_origin(MessageRef other) const { return (bits_ ^ other.bits_) >> kIndexBits == 0; }
  friend bool operator==(MessageRef, MessageRef) = default;

 private:
  std::uint64_t bits_ = 0;
};

/// The messages of a batch's records: one for each, or empty where nothing is tracked. Borrowed:
/// somebody else keeps them counted as long as they are used; or owned: counted as moving by this
/// list. One thread.
class MessageRefs {
 public:
  MessageRefs() = default;
  MessageRefs(const MessageRefs&) = delete;
  MessageRefs& operator=(const MessageRefs&) = delete;
  MessageRefs(MessageRefs&& other) noexcept { swap(other); }
  MessageRefs& operator=(MessageRefs&& other) noexcept {
    release();
    swap(other);
    return *this;
  }
  ~MessageRefs() { release(); }

  bool empty() const { return refs_.empty(); }
  std::size_t size() const { return refs_.size(); }
  MessageRef operator[](std::size_t at) const { return refs_[at]; }

  /// Appends borrowed ones; own() makes them its own.
  void push_back(MessageRef ref) { refs_.push_back(ref); }
  /// Gives record `at` its message, which those before it that have none do without; while nothing
  /// is tracked, nothing.
  void put(std::size_t at, MessageRef ref) {
    if (!ref && refs_.empty()) return;
    refs_.resize(at);
    refs_.push_back(ref);
  }
  /// Fills up to `size` with `ref`; or forgets what is beyond, which must not be owned.
  void resize(std::size_t size, MessageRef ref = {}) { refs_.resize(size, ref); }
  void append(const MessageRefs& from, std::span<const std::uint32_t> picks);
  void append_all(const MessageRefs& from) {
    refs_.insert(refs_.end(), from.refs_.begin(), from.refs_.end());
  }
  /// Becomes the messages [first, first + count) of `origin`, counted by it as moving already.
  void take_over(Origin& origin, std::uint32_t first, std::uint32_t count);

  /// Counts those that are borrowed. Cost: an atomic for each run of equal origins.
  void own();
  /// Takes off what is owned; they are borrowed then.
  void lend();
  /// Takes off what is owned, and empties the list.
  void release() {
    if (!refs_.empty()) let_go();
  }
  void swap(MessageRefs& other) noexcept {
    refs_.swap(other.refs_);
    std::swap(owned_, other.owned_);
  }
  /// Tells the origins where they are, see Origin.
  void seen_at(std::uint32_t stage) const {
    each_run(0, refs_.size(), [stage](Origin& origin, std::int64_t) { origin.seen_at(stage); });
  }
  /// Calls use(origin) for each run of equal origins.
  template <class Use>
  void each_origin(Use&& use) const {
    each_run(0, refs_.size(), [&use](Origin& origin, std::int64_t) { use(origin); });
  }

 private:
  template <class Use>
  void each_run(std::size_t begin, std::size_t end, Use&& use) const {
    while (begin < end) {
      const MessageRef first = refs_[begin];
      std::size_t next = begin + 1;
      while (next < end && refs_[next].same_origin(first)) ++next;
      if (first) use(first.origin(), static_cast<std::int64_t>(next - begin));
      begin = next;
    }
  }
  void let_go() {
    lend();
    refs_.clear();
  }

  std::vector<MessageRef> refs_;
  std::size_t owned_ = 0;  ///< of the first so many it owns the counts
};

}  // namespace millrace::detail
