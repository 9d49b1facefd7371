// How the accumulators of a kernel are stored: by their schema, or as the kernel itself says.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "record/stored_value.hpp"
#include "state/table_parts.hpp"

namespace millrace::detail {

/// A kernel of kernels: kStorable, and acc_shape(), store_acc(out, acc), load_acc(in, acc), which
/// reads into what init() gives and is false where the bytes do not fit.
template <class Kernel>
concept StoresAccumulators = requires(const Kernel& kernel) { kernel.acc_shape(); };

template <class Kernel>
constexpr bool stores() {
  if constexpr (StoresAccumulators<Kernel>) {
    return Kernel::kStorable;
  } else {
    return Storable<typename Kernel::Acc>;
  }
}
/// Whether accumulators of the kernel can be stored. A fold's, or those of an aggregate of the
/// user's own, may be of any type.
template <class Kernel>
inline constexpr bool kStores = stores<Kernel>();

template <class Kernel>
std::string shape_of(const Kernel& kernel) {
  if constexpr (!kStores<Kernel>) {
    return "unstorable";
  } else if constexpr (StoresAccumulators<Kernel>) {
    return kernel.acc_shape();
  } else {
    return stored_shape<typename Kernel::Acc>();
  }
}

template <class Kernel>
void store_accumulator(const Kernel& kernel, std::string& out, const typename Kernel::Acc& acc) {
  if constexpr (!kStores<Kernel>) {
    return;
  } else if constexpr (StoresAccumulators<Kernel>) {
    kernel.store_acc(out, acc);
  } else {
    store_value(out, acc);
  }
}

/// Of the same shape, into what kernel.init() gives.
template <class Kernel>
bool load_accumulator(const Kernel& kernel, BytesCursor& in, typename Kernel::Acc& acc) {
  if constexpr (!kStores<Kernel>) {
    return false;
  } else if constexpr (StoresAccumulators<Kernel>) {
    return kernel.load_acc(in, acc);
  } else {
    return load_value(in, acc);
  }
}

/// Of the same shape; nullopt: the bytes do not fit.
template <class Kernel>
std::optional<typename Kernel::Acc> next_accumulator(const Kernel& kernel, BytesCursor& in) {
  std::optional<typename Kernel::Acc> acc(kernel.init());
  if (!load_accumulator(kernel, in, *acc)) acc.reset();
  return acc;
}

/// Reads accumulators that were stored with a shape; see StoredReader.
template <class Kernel>
class AccumulatorReader {
 public:
  using Acc = typename Kernel::Acc;
  /// `kernel` outlives it. 3004 where it cannot read that.
  static Result<AccumulatorReader> of(const Kernel& kernel, std::string_view shape) {
    AccumulatorReader reader(kernel);
    if constexpr (Described<Acc>) {
      auto values = StoredReader<Acc>::of(shape);
      if (!values) return values.error();
      reader.values_ = std::move(*values);
    } else if (shape != shape_of(kernel)) {
      return other_shape(shape, shape_of(kernel));
    }
    return reader;
  }
  /// One; nullopt: the bytes do not fit.
  std::optional<Acc> next(BytesCursor& in) const {
    std::optional<Acc> acc(kernel_->init());
    if (!read(in, *acc)) acc.reset();
    return acc;
  }
  /// Into what kernel.init() gives. False: the bytes do not fit.
  bool read(BytesCursor& in, Acc& acc) const {
    if constexpr (Described<Acc>) {
      return values_->read(in, acc);
    } else {
      return load_accumulator(*kernel_, in, acc);
    }
  }

 private:
  struct Nothing {};
  explicit AccumulatorReader(const Kernel& kernel) : kernel_(&kernel) {}

  const Kernel* kernel_;
  std::conditional_t<Described<Acc>, std::optional<StoredReader<Acc>>, Nothing> values_;
};

/// Calls take(part, reader of accumulators) for the parts that this task owns of entries of K whose
/// values have the shape "kind{accumulator}"; refuses the others. See StateReader::each_in_turn.
template <class K, class Kernel, class Take>
void each_part_of_kind(StateReader& reader, std::string_view name, std::string_view kind,
                       const Kernel& kernel, Take&& take) {
  if constexpr (kStores<Kernel>) {
    reader.each_in_turn(name, [&](const StatePart& part) {
      const std::string_view shape = inner_shape(kind, value_shape_of<K>(part.shape));
      if (shape.empty()) {
        const std::string kept = entry_shape<K>(shape_of_kind(kind, shape_of(kernel)));
        return reader.refuse(part, other_shape(part.shape, kept).message());
      }
      const auto accumulators = AccumulatorReader<Kernel>::of(kernel, shape);
      if (!accumulators) return reader.refuse(part, accumulators.error().message());
      take(part, *accumulators);
    });
  }
}

/// How accumulators are appended to images. `kernel` outlives it.
template <class Kernel>
struct AccumulatorSaver {
  const Kernel* kernel;
  void operator()(std::string& out, const typename Kernel::Acc& acc) const {
    store_accumulator(*kernel, out, acc);
  }
};

}  // namespace millrace::detail
