// Stored values as JSON, by their shape alone: for people who look into an image.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/byte_codec.hpp"
#include "base/time.hpp"
#include "record/stored_form.hpp"

namespace millrace::detail {

/// Appends the record that a text holds the bytes of; false, and nothing, where it holds none.
using HeldRecords = std::function<bool(std::string& out, std::string_view text)>;

/// Appends the value that `in` begins with, and reads over it. Of sketches and other accumulators
/// what they say so far. False when the bytes do not fit, or nothing is known of a word in the
/// form: `out` is then partly written. Any bytes may come.
/// `records`: see there; null: texts are texts.
bool append_kept_value(std::string& out, const StoredForm& form, BytesCursor& in,
                       const HeldRecords* records = nullptr);

/// ISO 8601 in quotes; null for the ends of time.
void append_kept_time(std::string& out, Time time);

}  // namespace millrace::detail
