// IdempotencyKey: what is the same whenever a sink is given a record again.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "operator/source.hpp"
#include "record/batch.hpp"

namespace millrace {

/// Names a record that a sink is given, in this run and in every later one that goes on from its
/// state: a receiver that keeps the keys it has seen, and leaves out what comes under one of them
/// again, has each record exactly once.
struct IdempotencyKey {
  /// "topology/sink/source/partition/number" of the source's record that it was made of, with
  /// "-path" where several were made of one; of a row of a window or a match
  /// "topology/sink/component/hash/time", of its key or of the records of the match, and its event
  /// time in microseconds, with "-path" of several such rows. To be compared, not to be read: of
  /// names, '/' and '%' are escaped. Valid during the call.
  ///
  /// Empty where it has none: a bolt emitted it at the end of the input, or so many records were
  /// made of one that their places cannot be told apart (see docs/guarantees.md).
  std::string_view text;
};

namespace detail {

/// Spells the keys of the records of a sink's task. One thread.
class IdempotencyKeys {
 public:
  /// The names of the topology as `context` has them.
  void open(const EndContext& context);
  /// Of record `at`; valid until the next call. Cost: some 50 bytes of formatting.
  IdempotencyKey of(const BatchBase& batch, std::size_t at);

 private:
  struct Origin {
    std::string prefix;  ///< empty: what begins there has no key
    bool of_source = false;
  };
  std::vector<Origin> origins_;  ///< by number of the component
  std::string text_;
};

}  // namespace detail
}  // namespace millrace
