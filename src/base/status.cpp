// Text of a Status.
#include "base/status.hpp"

namespace millrace {

const std::string& Status::message() const {
  static const std::string kEmpty;
  return detail_ ? detail_->message : kEmpty;
}

std::string Status::to_string() const {
  if (ok()) return "ok";
  return std::to_string(static_cast<unsigned>(detail_->code)) + " " + detail_->message;
}

}  // namespace millrace
