// DirectStream: the handle of a stream whose sender names the receiving tasks.
#pragma once

#include <utility>

#include "millrace/stream.hpp"

namespace millrace {

/// A stream that a component declares as DirectOut<...>. It has no verbs: a bolt reads it with
/// direct(stream).
template <class T>
class DirectStream {
 public:
  explicit DirectStream(Stream<T> stream) : stream_(std::move(stream)) {}
  const Stream<T>& stream() const { return stream_; }

 private:
  Stream<T> stream_;
};

}  // namespace millrace
