// TimelineCall: what a step of a timeline needs of the operator that owns it.
#pragma once

#include "operator/operator.hpp"

namespace millrace::detail {

template <class Kernel>
struct TimelineCall {
  const Kernel& kernel;
  const OperatorContext& context;
  Outputs& outputs;
};

}  // namespace millrace::detail
