// AnchoredOutput: the Output of a bolt that acks by hand: it says to which messages records belong.
#pragma once

#include <initializer_list>
#include <vector>

#include "operator/joint.hpp"
#include "operator/output.hpp"
#include "operator/taken_message.hpp"

namespace millrace {

namespace detail {

/// Who knows which records a call has emitted so far.
class AnchorTarget {
 public:
  /// What is emitted from here on belongs to `ref`; what was emitted before is settled.
  virtual void anchor(MessageRef ref) = 0;

 protected:
  ~AnchorTarget() = default;
};

/// The messages of a call's records. One thread.
class CallAnchors {
 public:
  explicit CallAnchors(AnchorTarget& target) : target_(target) {}

  /// Nothing, the message itself, or all of them as one; each is kept as long as the call.
  void anchor_to(std::initializer_list<const Message*> messages) {
    std::vector<MessageRef> refs;
    for (const Message* message : messages) {
      if (const MessageRef ref = message->ref()) refs.push_back(ref);
    }
    for (const MessageRef ref : refs) ref.origin().count(1, 0);
    if (refs.size() < 2) {
      const MessageRef one = refs.empty() ? MessageRef() : refs.front();
      if (one) kept_.push_back(&one.origin());
      return target_.anchor(one);
    }
    Joint& joint = Joint::make(true);
    for (const MessageRef ref : refs) joint.adopt(ref);
    kept_.push_back(&joint);
    target_.anchor(MessageRef(joint, 0));
  }
  /// What was emitted has been handed on.
  void let_go() {
    for (Origin* origin : kept_) origin->count(-1, 0);
    kept_.clear();
  }

 private:
  AnchorTarget& target_;
  std::vector<Origin*> kept_;  ///< a moving share in each
};

}  // namespace detail

/// Given to the process() of an AckingBolt; valid during the call. What is emitted belongs to the
/// message that the call was given, unless it says otherwise.
template <class Emitted>
class AnchoredOutput : public Output<Emitted> {
 public:
  /// What is emitted from here on in this call belongs to all of these messages: they are acked
  /// when it is handled, and fail when it fails. To one that has been acked or failed it must not
  /// be called. Cost of several: a heap object.
  template <class... M>
  AnchoredOutput& anchor_to(const M&... messages) {
    static_assert(sizeof...(M) > 0 && (std::is_same_v<M, Message> && ...),
                  "millrace: anchor_to needs messages: those that process() was given");
    anchors_->anchor_to({&messages...});
    return *this;
  }
  /// What is emitted from here on in this call belongs to no message: where it fails it is a dead
  /// letter.
  AnchoredOutput& unanchored() {
    anchors_->anchor_to({});
    return *this;
  }

  /// Internal.
  void set_anchors(detail::CallAnchors& anchors) { anchors_ = &anchors; }

 private:
  detail::CallAnchors* anchors_ = nullptr;
};

}  // namespace millrace
