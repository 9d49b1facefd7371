// Values read by a shape into members by name.
#include "record/stored_conversion.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

namespace millrace::detail {
namespace {

using Form = StoredForm::Kind;

bool is_integer(ValueKind kind) { return kind >= ValueKind::i8 && kind <= ValueKind::u64; }
bool is_unsigned(ValueKind kind) { return kind >= ValueKind::u8 && kind <= ValueKind::u64; }

std::string kept_word(const ValuePlan& plan) {
  std::string word;
  switch (plan.kind) {
    case ValueKind::object:
      word = "a struct";
      break;
    case ValueKind::list:
      word = "a list";
      break;
    case ValueKind::map:
      word = "a map";
      break;
    case ValueKind::enumeration:
      word = "an enum";
      break;
    case ValueKind::decimal:
      word = "decimal" + std::to_string(plan.scale);
      break;
    default:
      word = shape_word(plan.kind);
  }
  return plan.engage ? "an optional of " + word : word;
}

Status refused(const StoredForm& form, const ValuePlan& plan, const std::string& path) {
  return {Code::state_mismatch,
          (path.empty() ? std::string("the value") : "member \"" + path + "\"") +
              " was stored as " + form.text + " and the program has " + kept_word(plan) +
              ", which it cannot become: keep its type, or give the new member another name"};
}

bool scalar_becomes(const StoredForm& form, const ValuePlan& plan) {
  const ValueKind to = plan.kind;
  if (is_integer(form.scalar)) {
    return is_integer(to) || to == ValueKind::f32 || to == ValueKind::f64;
  }
  if (form.scalar == ValueKind::f32) return to == ValueKind::f32 || to == ValueKind::f64;
  if (form.scalar == ValueKind::string) return to == ValueKind::string || to == ValueKind::view;
  if (form.scalar == ValueKind::decimal) return to == form.scalar && plan.scale == form.scale;
  return to == form.scalar;
}

bool becomes(const StoredForm& form, const ValuePlan& plan) {
  if (form.optional && plan.engage == nullptr) return false;
  switch (form.kind) {
    case Form::scalar:
      return scalar_becomes(form, plan);
    case Form::enumeration:
      return plan.kind == ValueKind::enumeration;
    case Form::list:
      return plan.kind == ValueKind::list;
    case Form::map:
      return plan.kind == ValueKind::map && form.inner[0].kind == Form::scalar &&
             !form.inner[0].optional &&
             (is_integer(form.inner[0].scalar) || form.inner[0].scalar == ValueKind::string);
    case Form::members:
      return plan.kind == ValueKind::object;
    default:
      return false;
  }
}

/// A part that no reader knows the length of, or none.
bool has_unknown(const StoredForm& form) {
  return form.kind == Form::word || form.kind == Form::nested ||
         std::any_of(form.inner.begin(), form.inner.end(), has_unknown);
}

struct Integer {
  std::uint64_t bits = 0;  ///< of two's complement where negative
  bool negative = false;
};

Integer read_bits(BytesCursor& in, std::size_t width, bool is_signed) {
  std::uint64_t bits = 0;
  const std::string_view bytes = in.take(width);
  if (!in.ok()) return {};
  std::memcpy(&bits, bytes.data(), bytes.size());
  const unsigned unused = 64 - 8 * static_cast<unsigned>(width);
  if (is_signed) {
    bits = static_cast<std::uint64_t>(static_cast<std::int64_t>(bits << unused) >> unused);
  }
  return {bits, is_signed && static_cast<std::int64_t>(bits) < 0};
}
Integer read_bits(BytesCursor& in, ValueKind kind) {
  return read_bits(in, width_of(kind), !is_unsigned(kind));
}

bool fits(const Integer& value, ValueKind kind) {
  if (kind == ValueKind::u64) return !value.negative;
  const IntegerLimits limits = limits_of(kind);
  const auto number = static_cast<std::int64_t>(value.bits);
  if (!value.negative && number < 0) return false;  // above the greatest int64
  return number >= limits.min && number <= limits.max;
}

std::string digits_of(const Integer& value) {
  return value.negative ? std::to_string(static_cast<std::int64_t>(value.bits))
                        : std::to_string(value.bits);
}

}  // namespace

Status other_shape(std::string_view stored, std::string_view kept) {
  return {Code::state_mismatch, "it was stored as " + std::string(stored) +
                                    " and the program keeps " + std::string(kept) +
                                    ": run the program that wrote it, or start without the state"};
}

Result<StoredConversion> StoredConversion::make(std::string_view shape, const ValuePlan& plan) {
  std::optional<StoredForm> form = read_form(shape);
  if (!form || has_unknown(*form)) {
    return Status(Code::state_mismatch,
                  "it was stored as " + std::string(shape) +
                      ", which this program cannot read: run the program that wrote it");
  }
  auto root = step(*std::move(form), plan, "");
  if (!root) return root.error();
  StoredConversion made;
  made.root_ = std::move(*root);
  return made;
}

StoredConversion::Step StoredConversion::passing_over(StoredForm form) {
  Step made;
  made.form = std::move(form);
  for (StoredForm& inner : made.form.inner) made.inner.push_back(passing_over(std::move(inner)));
  return made;
}

Result<StoredConversion::Step> StoredConversion::step(StoredForm form, const ValuePlan& plan,
                                                      const std::string& path) {
  if (!becomes(form, plan)) return refused(form, plan, path);
  Step made;
  made.form = std::move(form);
  made.wanted = true;
  made.plan = plan;
  if (made.form.kind == Form::members) return members_step(std::move(made), path);
  for (std::size_t at = 0; at < made.form.inner.size(); ++at) {
    const bool is_key = made.form.kind == Form::map && at == 0;
    if (is_key) {
      made.inner.push_back(passing_over(made.form.inner[at]));
      continue;
    }
    auto element = step(made.form.inner[at], plan.items->element, path + "[]");
    if (!element) return element.error();
    made.inner.push_back(std::move(*element));
  }
  return made;
}

Result<StoredConversion::Step> StoredConversion::members_step(Step made, const std::string& path) {
  const std::vector<ValuePlan>& members = made.plan.object->members;
  for (std::size_t at = 0; at < made.form.inner.size(); ++at) {
    const std::string& name = made.form.names[at];
    const auto member = std::find_if(members.begin(), members.end(),
                                     [&name](const ValuePlan& plan) { return plan.name == name; });
    if (member == members.end()) {
      made.inner.push_back(passing_over(made.form.inner[at]));
      continue;
    }
    auto inner = step(made.form.inner[at], *member, path.empty() ? name : path + "." + name);
    if (!inner) return inner.error();
    made.inner.push_back(std::move(*inner));
  }
  return made;
}

/// `record` is what the plan's offset counts from; null where nothing is wanted.
bool StoredConversion::Step::read(BytesCursor& in, void* record) const {
  char* to = wanted ? static_cast<char*>(record) + plan.offset : nullptr;
  if (form.optional) {
    const auto there = in.number<std::uint8_t>();
    if (!in.ok() || there > 1) return false;
    if (there == 0) {
      if (wanted) plan.disengage(to);
      return true;
    }
  }
  if (wanted && plan.engage) to = static_cast<char*>(plan.engage(to));
  return read_one(in, to);
}

bool StoredConversion::Step::read_one(BytesCursor& in, void* at) const {
  switch (form.kind) {
    case StoredForm::Kind::members:
      return std::all_of(inner.begin(), inner.end(),
                         [&](const Step& member) { return member.read(in, at); });
    case StoredForm::Kind::enumeration:
      return read_enum(in, at);
    case StoredForm::Kind::scalar:
      return is_integer(form.scalar) ? read_integer(in, at) : read_scalar(in, at);
    default:
      return read_elements(in, at);
  }
}

bool StoredConversion::Step::read_scalar(BytesCursor& in, void* at) const {
  const bool long_one = form.scalar == ValueKind::string || form.scalar == ValueKind::bytes;
  std::size_t width = 8;
  if (form.scalar == ValueKind::boolean || form.scalar == ValueKind::letter) width = 1;
  if (form.scalar == ValueKind::f32) width = 4;
  const std::string_view bytes = in.take(long_one ? in.varint() : width);
  if (!in.ok()) return false;
  if (form.scalar == ValueKind::boolean && static_cast<unsigned char>(bytes.front()) > 1) {
    return false;
  }
  if (!wanted) return true;
  if (plan.kind == ValueKind::string) {
    static_cast<std::string*>(at)->assign(bytes);
  } else if (plan.kind == ValueKind::view) {
    *static_cast<std::string_view*>(at) = bytes;
  } else if (plan.kind == ValueKind::bytes) {
    *static_cast<Bytes*>(at) = Bytes::copy_of(bytes);
  } else if (form.scalar == ValueKind::f32 && plan.kind == ValueKind::f64) {
    float number;
    std::memcpy(&number, bytes.data(), sizeof number);
    *static_cast<double*>(at) = number;
  } else {
    std::memcpy(at, bytes.data(), bytes.size());
  }
  return true;
}

bool StoredConversion::Step::read_integer(BytesCursor& in, void* at) const {
  const Integer value = read_bits(in, form.scalar);
  if (!in.ok()) return false;
  if (!wanted) return true;
  if (plan.kind == ValueKind::f32 || plan.kind == ValueKind::f64) {
    const double real = value.negative ? static_cast<double>(static_cast<std::int64_t>(value.bits))
                                       : static_cast<double>(value.bits);
    if (plan.kind == ValueKind::f64) {
      *static_cast<double*>(at) = real;
    } else {
      *static_cast<float*>(at) = static_cast<float>(real);
    }
    return true;
  }
  if (!fits(value, plan.kind)) return false;
  store_integer(at, plan.kind, value.bits);
  return true;
}

/// By its name, where both have one for it; a number without a name stays that number.
bool StoredConversion::Step::read_enum(BytesCursor& in, void* at) const {
  const Integer value = read_bits(in, form.width, form.is_signed);
  if (!in.ok()) return false;
  if (!wanted) return true;
  const auto number = static_cast<std::int64_t>(value.bits);
  const auto stored = std::find(form.values.begin(), form.values.end(), number);
  std::int64_t kept = number;
  if (stored != form.values.end()) {
    const std::string& name = form.names[static_cast<std::size_t>(stored - form.values.begin())];
    const auto found = std::find(plan.names->names.begin(), plan.names->names.end(), name);
    if (found == plan.names->names.end()) return false;
    kept = plan.names->values[static_cast<std::size_t>(found - plan.names->names.begin())];
  } else if (plan.names->width < form.width) {
    return false;
  }
  std::memcpy(at, &kept, plan.names->width);
  return true;
}

bool StoredConversion::Step::read_elements(BytesCursor& in, void* at) const {
  const std::uint64_t count = in.varint();
  if (!in.ok() || count > in.rest().size()) return false;  // none takes less than a byte
  if (wanted) plan.items->clear(at);
  for (std::uint64_t each = 0; each < count; ++each) {
    void* element = nullptr;
    if (form.kind == StoredForm::Kind::map) {
      const StoredForm& key = form.inner[0];
      if (!wanted) {
        if (!inner[0].read(in, nullptr)) return false;
      } else if (key.scalar == ValueKind::string) {
        element = plan.items->slot(at, in.take(in.varint()));
      } else {
        element = plan.items->slot(at, digits_of(read_bits(in, key.scalar)));
      }
      if (!in.ok() || (wanted && element == nullptr)) return false;
    } else if (wanted) {
      element = plan.items->append(at);
    }
    if (!inner.back().read(in, element)) return false;
  }
  return true;
}

}  // namespace millrace::detail
