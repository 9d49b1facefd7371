// StoredConversion: reads bytes of one shape into a record of another, by the names of its members.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/byte_codec.hpp"
#include "base/status.hpp"
#include "record/value_plan.hpp"

namespace millrace::detail {

/// The word of a kind in a shape: "int32", "real64", "text", "time" ...; of those that have one.
std::string_view shape_word(ValueKind kind);
/// Appends a member's name, in quotes unless it is an identifier.
void append_shape_name(std::string& out, std::string_view name);
/// Appends "enum1(red=0,green=1)": the bytes of its numbers, its values by name.
void append_enum_shape(std::string& out, const EnumPlan& plan, bool is_signed);

/// 3004: what was stored is not what the program keeps, and cannot become it.
Status other_shape(std::string_view stored, std::string_view kept);

/// What stored bytes are: a shape as a tree.
struct StoredForm {
  enum class Kind : std::uint8_t { scalar, enumeration, list, set, map, members, unknown };

  Kind kind = Kind::unknown;
  bool optional = false;
  ValueKind scalar = ValueKind::object;
  std::uint8_t scale = 0;            ///< of a decimal
  std::uint8_t width = 0;            ///< of an enum
  bool is_signed = false;            ///< of an enum
  std::string text;                  ///< the shape itself
  std::vector<std::string> names;    ///< of members, or of the values of an enum
  std::vector<std::int64_t> values;  ///< of an enum
  std::vector<StoredForm> inner;     ///< members; the element; of a map the key and the element
};

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
