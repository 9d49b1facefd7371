// Reading packed values, whatever the bytes.
#include "record/packed_values.hpp"

namespace millrace::detail {

PackedValue take_packed(BytesCursor& from) {
  switch (static_cast<Packed>(from.number<std::uint8_t>())) {
    case Packed::null:
      return {};
    case Packed::no:
      return false;
    case Packed::yes:
      return true;
    case Packed::integer:
      return unzigzag(from.varint());
    case Packed::beyond:
      return from.varint();
    case Packed::real:
      return from.number<double>();
    case Packed::text:
      return from.take(from.varint());
    case Packed::time:
      return Timestamp{unzigzag(from.varint())};
    case Packed::json:
      return JsonText{from.take(from.varint())};
  }
  (void)from.take(from.rest().size() + 1);  // no such kind: nothing behind it can be read
  return {};
}

}  // namespace millrace::detail
