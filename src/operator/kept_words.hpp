// Words of shapes: classes that store themselves, told as JSON.
#pragma once

#include <cstdint>
#include <string>

#include "base/byte_codec.hpp"
#include "operator/kept_values.hpp"
#include "record/stored_form.hpp"

namespace millrace::detail {

/// A value that is read and told.
struct Telling {
  std::string& out;
  BytesCursor& in;
  const HeldRecords* records;  ///< null: texts are texts
};

// Each appends what it reads; false where the bytes do not fit.

/// As append_kept_value().
bool tell_value(Telling& to, const StoredForm& form);
/// `count` values one behind the other, as a list.
bool tell_list(Telling& to, const StoredForm& form, std::uint64_t count);
/// Of a form that is a word; false too for one that is not known.
bool tell_word(Telling& to, const StoredForm& form);

}  // namespace millrace::detail
