// Shapes read back from their text.
#include "record/stored_form.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace millrace::detail {
namespace {

using Form = StoredForm::Kind;

constexpr int kDepthMax = 64;

struct Word {
  std::string_view text;
  ValueKind kind;
};
constexpr std::array<Word, 17> kWords{{{"bool", ValueKind::boolean},
                                       {"char", ValueKind::letter},
                                       {"int8", ValueKind::i8},
                                       {"int16", ValueKind::i16},
                                       {"int32", ValueKind::i32},
                                       {"int64", ValueKind::i64},
                                       {"uint8", ValueKind::u8},
                                       {"uint16", ValueKind::u16},
                                       {"uint32", ValueKind::u32},
                                       {"uint64", ValueKind::u64},
                                       {"real32", ValueKind::f32},
                                       {"real64", ValueKind::f64},
                                       {"text", ValueKind::string},
                                       {"bytes", ValueKind::bytes},
                                       {"time", ValueKind::timestamp},
                                       {"interval", ValueKind::interval},
                                       {"decimal", ValueKind::decimal}}};

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}

/// Reads the text of a shape. What is none makes ok() false.
class ShapeText {
 public:
  explicit ShapeText(std::string_view text) : left_(text) {}

  bool ok() const { return ok_; }
  std::string_view left() const { return left_; }

  StoredForm form(int depth) {
    StoredForm made;
    const std::string_view before = left_;
    if (depth > kDepthMax) {
      ok_ = false;
    } else if (take('[')) {
      inner(made, Form::list, ']', depth);
    } else if (take('(')) {
      inner(made, Form::set, ')', depth);
    } else if (take('<')) {
      made.inner.push_back(form(depth + 1));
      need(':');
      inner(made, Form::map, '>', depth);
    } else if (take('{')) {
      members(made, depth);
    } else {
      word(made, depth);
    }
    if (take('?')) made.optional = true;
    while (take('?')) made.kind = Form::nested;
    made.text = before.substr(0, before.size() - left_.size());
    return made;
  }

 private:
  bool take(char c) {
    if (!ok_ || left_.empty() || left_.front() != c) return false;
    left_.remove_prefix(1);
    return true;
  }
  void need(char c) { ok_ = take(c) && ok_; }
  std::string_view identifier() {
    std::size_t size = 0;
    while (size < left_.size() && is_letter(left_[size])) ++size;
    const std::string_view found = left_.substr(0, size);
    left_.remove_prefix(size);
    ok_ = ok_ && size > 0;
    return found;
  }
  std::string_view name() {
    if (!take('"')) return identifier();
    const std::size_t end = left_.find('"');
    if (end == std::string_view::npos) {
      ok_ = false;
      return {};
    }
    const std::string_view found = left_.substr(0, end);
    left_.remove_prefix(end + 1);
    return found;
  }
  void inner(StoredForm& made, Form kind, char end, int depth) {
    made.kind = kind;
    made.inner.push_back(form(depth + 1));
    need(end);
  }
  void members(StoredForm& made, int depth) {
    made.kind = Form::members;
    do {
      made.names.emplace_back(name());
      need(':');
      made.inner.push_back(form(depth + 1));
    } while (ok_ && take(','));
    need('}');
  }
  void word(StoredForm& made, int depth) {
    const std::string_view found = identifier();
    const bool has_values = !left_.empty() && left_.front() == '(';
    if (has_values && (found.starts_with("enum") || found.starts_with("uenum")))
      return enumeration(made, found);
    const bool decimal = found.starts_with("decimal");
    if (decimal) made.scale = number<std::uint8_t>(found.substr(7));
    for (const Word& each : kWords) {
      if (each.text != (decimal ? "decimal" : found)) continue;
      made.kind = Form::scalar;
      made.scalar = each.kind;
      return;
    }
    made.name = found;
    if (!take('{')) return;
    while (ok_ && !take('}')) {
      made.inner.push_back(form(depth + 1));
      (void)(take(',') || left_.starts_with('}') || (ok_ = false));
    }
  }
  void enumeration(StoredForm& made, std::string_view found) {
    made.kind = Form::enumeration;
    made.is_signed = found.front() == 'e';
    made.width = number<std::uint8_t>(found.substr(made.is_signed ? 4 : 5));
    ok_ = ok_ && (made.width == 1 || made.width == 2 || made.width == 4 || made.width == 8);
    need('(');
    if (take(')')) return;
    do {
      made.names.emplace_back(name());
      need('=');
      const std::size_t end = std::min(left_.find_first_of(",)"), left_.size());
      made.values.push_back(number<std::int64_t>(left_.substr(0, end)));
      left_.remove_prefix(end);
    } while (ok_ && take(','));
    need(')');
  }
  template <class N>
  N number(std::string_view text) {
    N value{};
    const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
    ok_ = ok_ && read.ec == std::errc() && read.ptr == text.data() + text.size();
    return value;
  }

  std::string_view left_;
  bool ok_ = true;
};

}  // namespace

std::string_view shape_word(ValueKind kind) {
  const ValueKind alike = kind == ValueKind::view ? ValueKind::string : kind;
  for (const Word& word : kWords) {
    if (word.kind == alike) return word.text;
  }
  return "?";
}

void append_shape_name(std::string& out, std::string_view name) {
  const bool plain = !name.empty() && std::all_of(name.begin(), name.end(), is_letter);
  if (!plain) out += '"';
  out += name;
  if (!plain) out += '"';
}

void append_enum_shape(std::string& out, const EnumPlan& plan, bool is_signed) {
  out += (is_signed ? "enum" : "uenum") + std::to_string(plan.width) + "(";
  for (std::size_t at = 0; at < plan.names.size(); ++at) {
    if (at > 0) out += ',';
    append_shape_name(out, plan.names[at]);
    out += "=" + std::to_string(plan.values[at]);
  }
  out += ')';
}

std::optional<StoredForm> take_form(std::string_view& text) {
  ShapeText shape(text);
  StoredForm form = shape.form(0);
  if (!shape.ok()) return std::nullopt;
  text = shape.left();
  return form;
}

std::optional<StoredForm> read_form(std::string_view shape) {
  std::optional<StoredForm> form = take_form(shape);
  return shape.empty() ? form : std::nullopt;
}

}  // namespace millrace::detail
