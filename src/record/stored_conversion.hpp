// StoredConversion: reads bytes of one shape into a record of another, by the names of its members.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/byte_codec.hpp"
#include "base/status.hpp"
#include "record/stored_form.hpp"
#include "record/value_plan.hpp"

namespace millrace::detail {

/// 3004: what was stored is not what the program keeps, and cannot become it.
Status other_shape(std::string_view stored, std::string_view kept);

/// Not changed once made: any thread may read with it.
class StoredConversion {
 public:
  /// `plan` is of the root, outlives nothing: it is copied. 3004 when the shape is none, or a
  /// member cannot become what the program has.
  static Result<StoredConversion> make(std::string_view shape, const ValuePlan& plan);

  /// Reads one value into `record`, which is as its type's defaults are. False when the bytes do
  /// not fit or a number does not fit its member.
  bool read(BytesCursor& in, void* record) const { return root_.read(in, record); }

 private:
  struct Step {
    StoredForm form;
    bool wanted = false;  ///< else it is passed over
    ValuePlan plan;       ///< of what is wanted
    std::vector<Step> inner;

    bool read(BytesCursor& in, void* record) const;
    bool read_one(BytesCursor& in, void* at) const;
    bool read_scalar(BytesCursor& in, void* at) const;
    bool read_integer(BytesCursor& in, void* at) const;
    bool read_enum(BytesCursor& in, void* at) const;
    bool read_elements(BytesCursor& in, void* at) const;
  };

  static Step passing_over(StoredForm form);
  static Result<Step> step(StoredForm form, const ValuePlan& plan, const std::string& path);
  static Result<Step> members_step(Step made, const std::string& path);

  Step root_;
};

}  // namespace millrace::detail
