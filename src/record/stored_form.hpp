// StoredForm: what stored bytes are, read from the text of their shape.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "record/value_plan.hpp"

namespace millrace::detail {

/// The word of a kind in a shape: "int32", "real64", "text", "time" ...; of those that have one.
std::string_view shape_word(ValueKind kind);
/// Appends a member's name, in quotes unless it is an identifier.
void append_shape_name(std::string& out, std::string_view name);
/// Appends "enum1(red=0,green=1)": the bytes of its numbers, its values by name.
void append_enum_shape(std::string& out, const EnumPlan& plan, bool is_signed);

/// A shape as a tree.
struct StoredForm {
  enum class Kind : std::uint8_t {
    scalar,
    enumeration,
    list,
    set,
    map,
    members,
    word,    ///< of a class that stores itself: "moments", "oneof{int64,text}", "several{...}"
    nested,  ///< an optional of an optional: of no record
  };

  Kind kind = Kind::word;
  bool optional = false;
  ValueKind scalar = ValueKind::object;
  std::uint8_t scale = 0;            ///< of a decimal
  std::uint8_t width = 0;            ///< of an enum
  bool is_signed = false;            ///< of an enum
  std::string text;                  ///< the shape itself
  std::string name;                  ///< of a word: without what it is of
  std::vector<std::string> names;    ///< of members, or of the values of an enum
  std::vector<std::int64_t> values;  ///< of an enum
  std::vector<StoredForm> inner;     ///< members; the element; of a map the key and the element
};

/// Nullopt when the text is none.
std::optional<StoredForm> read_form(std::string_view shape);
/// The one that `text` begins with, which then is what is left of it.
std::optional<StoredForm> take_form(std::string_view& text);

}  // namespace millrace::detail
