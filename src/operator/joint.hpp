// Joint: what was made of several messages, as one thing to be counted.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

#include "record/message_refs.hpp"

namespace millrace::detail {

/// Lies on the heap, and is gone when nothing is left of it. While it is on its way it has one
/// moving share in each of the messages that it stands for; while it is only held, a held one.
class Joint final : public Origin {
 public:
  /// Its maker has a moving share. `fails`: what fails of it, fails its messages; else they are too
  /// many, and what fails of it has nobody to play it again.
  static Joint& make(bool fails) { return *new Joint(fails); }

  /// It stands for `message`, of which it takes over a moving share. By its maker, before that
  /// gives up its own.
  void adopt(MessageRef message);

  void count(std::int64_t moving, std::int64_t held) override;
  bool fail(std::uint32_t index, const MessageFailure& failure) override;
  void give_up(std::uint32_t index, const MessageFailure& failure) override;
  void abandon() override;
  void hold_in_hand(std::int64_t by) override;
  std::string place_of(std::uint32_t index) const override;

 private:
  explicit Joint(bool fails) : fails_(fails) {}
  ~Joint() = default;
  /// Tells the messages what share it has in them now.
  void change_shares(std::int64_t moving, std::int64_t held) const;

  mutable std::mutex mutex_;
  const bool fails_;
  std::int64_t moving_ = 1;
  std::int64_t held_ = 0;
  std::vector<MessageRef> messages_;
};

}  // namespace millrace::detail
