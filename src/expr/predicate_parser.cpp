// Conditions as text: words, grammar, and the types of what is compared.
#include <charconv>
#include <optional>

#include <fmt/format.h>

#include "base/text.hpp"
#include "base/time.hpp"
#include "expr/predicate.hpp"

namespace millrace::detail {
namespace {

struct Token {
  enum class Kind { end, word, field, text, number, sign } kind = Kind::end;
  std::size_t offset = 0;
  std::string text;   ///< of a word in lower case; of a text what the quotes enclose
  std::string shown;  ///< as it was written
};

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}
bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::string lower(std::string_view word) {
  std::string out(word);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return out;
}

const char* words_for(ColumnType type) {
  switch (type) {
    case ColumnType::boolean:
      return "true or false";
    case ColumnType::text:
      return "a text in quotes";
    case ColumnType::timestamp:
      return "a time, such as '2015-09-12T00:46:58Z'";
    default:
      return "a number";
  }
}

[[noreturn]] void fail(std::size_t offset, std::string message) {
  throw ExprError{offset, std::move(message)};
}

/// The words of a condition, one after the other. Throws ExprError, inside of this file only.
class Words {
 public:
  explicit Words(std::string_view text) : text_(text) { next(); }

  const Token& now() const { return now_; }
  void next() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n')) {
      ++at_;
    }
    now_ = {};
    now_.offset = at_;
    if (at_ == text_.size()) return;
    const char c = text_[at_];
    if (c == '\'' || c == '"' || c == '`') {
      quoted(c);
    } else if (is_letter(c)) {
      take(Token::Kind::word, [](char d) { return is_letter(d) || is_digit(d) || d == '.'; });
    } else if (is_digit(c) || ((c == '-' || c == '.') && at_ + 1 < text_.size() &&
                               (is_digit(text_[at_ + 1]) || text_[at_ + 1] == '.'))) {
      take_number();
    } else {
      sign(c);
    }
    now_.shown = std::string(text_.substr(now_.offset, at_ - now_.offset));
    if (now_.kind == Token::Kind::word) now_.text = lower(now_.shown);
  }
  bool is_word(std::string_view word) const {
    return now_.kind == Token::Kind::word && now_.text == word;
  }
  bool is_sign(std::string_view sign) const {
    return now_.kind == Token::Kind::sign && now_.text == sign;
  }
  bool accept_word(std::string_view word) {
    if (!is_word(word)) return false;
    next();
    return true;
  }
  void expect_sign(std::string_view sign, std::string_view why) {
    if (!is_sign(sign)) fail(now_.offset, fmt::format("expected \"{}\" {}", sign, why));
    next();
  }

 private:
  template <class While>
  void take(Token::Kind kind, While&& holds) {
    now_.kind = kind;
    while (at_ < text_.size() && holds(text_[at_])) ++at_;
  }
  void take_number() {
    ++at_;
    take(Token::Kind::number, [this](char d) {
      const char before = text_[at_ - 1];
      return is_digit(d) || is_letter(d) || d == '.' ||
             ((d == '+' || d == '-') && (before == 'e' || before == 'E'));
    });
  }
  void quoted(char quote) {
    now_.kind = quote == '`' ? Token::Kind::field : Token::Kind::text;
    for (++at_; at_ < text_.size(); ++at_) {
      if (text_[at_] == quote) {
        if (at_ + 1 >= text_.size() || text_[at_ + 1] != quote) break;
        ++at_;
      }
      now_.text += text_[at_];
    }
    if (at_ == text_.size()) {
      fail(now_.offset, fmt::format("this {} has no end: put {} behind it",
                                    quote == '`' ? "field" : "text", quote));
    }
    ++at_;
  }
  void sign(char c) {
    static constexpr std::string_view kTwo[] = {"==", "!=", "<>", "<=", ">="};
    now_.kind = Token::Kind::sign;
    for (const std::string_view two : kTwo) {
      if (text_.substr(at_, 2) == two) {
        now_.text = two;
        at_ += 2;
        return;
      }
    }
    if (std::string_view("=<>(),").find(c) == std::string_view::npos) {
      fail(at_, fmt::format("\"{}\" means nothing in a condition", c));
    }
    now_.text = c;
    ++at_;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  Token now_;
};

Literal number_of(const Token& token) {
  const char* const begin = token.shown.data();
  const char* const end = begin + token.shown.size();
  std::int64_t whole = 0;
  if (const auto read = std::from_chars(begin, end, whole);
      read.ec == std::errc() && read.ptr == end) {
    return whole;
  }
  double real = 0;
  if (const auto read = std::from_chars(begin, end, real);
      read.ec == std::errc() && read.ptr == end) {
    return real;
  }
  fail(token.offset, fmt::format("{} is no number that can be held", token.shown));
}

bool is_name(const Token& token) {
  return token.kind == Token::Kind::word || token.kind == Token::Kind::field;
}
/// Of a word as it was written.
const std::string& name_in(const Token& token) {
  return token.kind == Token::Kind::field ? token.text : token.shown;
}

/// The names of the fields of rows.
class SchemaNames final : public ConditionNames {
 public:
  explicit SchemaNames(const RowSchema& schema) : schema_(schema) {}

  NamedOrWhy find(const std::string& name) override {
    const auto field = schema_.find(name);
    if (!field) return no_such_field(name, schema_);
    return Named{*field, schema_.fields()[*field]};
  }
  NamedOrWhy call(const std::string& function, const std::string&) override {
    return find(function);
  }
  bool has_calls() const override { return false; }

 private:
  const RowSchema& schema_;
};

ConditionNames::Named read_field(Words& words, ConditionNames& names) {
  const Token name = words.now();
  if (!is_name(name)) {
    fail(name.offset, name.kind == Token::Kind::end
                          ? "the condition ends where a field is expected"
                          : fmt::format("expected the name of a field, found {}", name.shown));
  }
  words.next();
  const bool calls = name.kind == Token::Kind::word && names.has_calls() && words.is_sign("(");
  std::string argument;
  if (calls) {
    words.next();
    if (is_name(words.now())) {
      argument = name_in(words.now());
      words.next();
    }
    words.expect_sign(")", "to close the parenthesis");
  }
  auto named = calls ? names.call(name.text, argument) : names.find(name_in(name));
  if (auto* const why = std::get_if<std::string>(&named)) fail(name.offset, std::move(*why));
  return std::get<ConditionNames::Named>(std::move(named));
}

Literal read_literal(Words& words, ColumnType type) {
  const Token token = words.now();
  words.next();
  if (token.kind == Token::Kind::word && token.text == "null") {
    fail(token.offset, "nothing equals null: write is null, or is not null");
  }
  if (token.kind == Token::Kind::word && type == ColumnType::boolean &&
      (token.text == "true" || token.text == "false")) {
    return token.text == "true";
  }
  if (token.kind == Token::Kind::text && type == ColumnType::text) return token.text;
  if (token.kind == Token::Kind::text && type == ColumnType::timestamp) {
    if (const auto time = parse_iso_time(token.text)) return std::int64_t{*time};
  }
  if (token.kind == Token::Kind::number &&
      (type == ColumnType::integer || type == ColumnType::real)) {
    return number_of(token);
  }
  fail(token.offset, fmt::format("expected {}, found {}", words_for(type),
                                 token.shown.empty() ? "the end" : token.shown));
}

/// The grammar.
class Parser {
 public:
  Parser(std::string_view text, ConditionNames& names) : words_(text), names_(names) {}

  PredicateNode parse() {
    PredicateNode root = alternatives(0);
    if (now().kind != Token::Kind::end) {
      fail(now().offset,
           fmt::format("\"{}\" is not expected here: join conditions with and, or", now().shown));
    }
    return root;
  }

 private:
  static constexpr int kDepthMax = 100;

  const Token& now() const { return words_.now(); }

  PredicateNode alternatives(int depth) {
    if (depth > kDepthMax) fail(now().offset, "the condition is nested too deeply");
    return joined("or", PredicateNode::Kind::any, [&] {
      return joined("and", PredicateNode::Kind::all, [&] { return negation(depth); });
    });
  }
  template <class Part>
  PredicateNode joined(std::string_view word, PredicateNode::Kind kind, Part&& part) {
    PredicateNode first = part();
    if (!words_.is_word(word)) return first;
    PredicateNode node;
    node.kind = kind;
    node.parts.push_back(std::move(first));
    while (words_.accept_word(word)) node.parts.push_back(part());
    return node;
  }
  static PredicateNode negated(PredicateNode inner) {
    PredicateNode node;
    node.kind = PredicateNode::Kind::none;
    node.parts.push_back(std::move(inner));
    return node;
  }
  PredicateNode negation(int depth) {
    if (depth > kDepthMax) fail(now().offset, "the condition is nested too deeply");
    if (words_.accept_word("not")) return negated(negation(depth + 1));
    if (words_.is_sign("(")) {
      words_.next();
      PredicateNode inner = alternatives(depth + 1);
      words_.expect_sign(")", "to close the parenthesis");
      return inner;
    }
    return condition();
  }
  PredicateNode condition() {
    PredicateNode node;
    const Token subject = now();
    const ConditionNames::Named its = read_field(words_, names_);
    node.field = its.field;
    node.type = its.info.type;
    if (words_.accept_word("is")) {
      const bool is_not = words_.accept_word("not");
      if (!words_.accept_word("null")) fail(now().offset, "expected null: is null, or is not null");
      node.kind = PredicateNode::Kind::is_null;
      return is_not ? negated(std::move(node)) : node;
    }
    if (node.type == ColumnType::object) {
      fail(subject.offset, fmt::format("\"{}\" is a list: a condition can only ask whether it "
                                       "is null",
                                       subject.shown));
    }
    const bool is_not = words_.is_word("not");
    if (is_not) words_.next();
    if (words_.accept_word("in")) {
      list(node);
      return is_not ? negated(std::move(node)) : node;
    }
    if (is_not) fail(now().offset, "expected in: not in (...)");
    if (now().kind == Token::Kind::sign && !words_.is_sign(")") && !words_.is_sign("(") &&
        !words_.is_sign(",")) {
      node.comparison = comparison();
      words_.next();
      compared(node, its.info.name);
      return node;
    }
    if (node.type != ColumnType::boolean) {
      fail(subject.offset,
           fmt::format("\"{}\" alone is no condition: compare it with {}, as in {} = ...",
                       subject.shown, words_for(node.type), subject.shown));
    }
    return node;
  }
  Comparison comparison() const {
    if (words_.is_sign("=") || words_.is_sign("==")) return Comparison::equal;
    if (words_.is_sign("!=") || words_.is_sign("<>")) return Comparison::unequal;
    if (words_.is_sign("<")) return Comparison::less;
    if (words_.is_sign("<=")) return Comparison::at_most;
    return words_.is_sign(">") ? Comparison::greater : Comparison::at_least;
  }
  void list(PredicateNode& node) {
    node.kind = PredicateNode::Kind::in;
    words_.expect_sign("(", "before the list: in (a, b)");
    for (;;) {
      node.literals.push_back(read_literal(words_, node.type));
      if (words_.is_sign(")")) break;
      words_.expect_sign(",", "or \")\" in the list");
    }
    words_.next();
  }
  void compared(PredicateNode& node, const std::string& name) {
    const bool names_field = now().kind == Token::Kind::field ||
                             (now().kind == Token::Kind::word && !words_.is_word("true") &&
                              !words_.is_word("false") && !words_.is_word("null"));
    if (!names_field) {
      node.kind = PredicateNode::Kind::compare;
      node.literals.push_back(read_literal(words_, node.type));
      return;
    }
    const Token other = now();
    node.kind = PredicateNode::Kind::compare_two;
    const ConditionNames::Named its = read_field(words_, names_);
    node.second = its.field;
    node.other = its.info.type;
    const auto number = [](ColumnType type) {
      return type == ColumnType::integer || type == ColumnType::real;
    };
    if (node.type != node.other && !(number(node.type) && number(node.other))) {
      fail(other.offset,
           fmt::format("\"{}\" is of type {} and \"{}\" of type {}: they cannot be compared", name,
                       column_type_name(node.type), other.shown, column_type_name(node.other)));
    }
  }

  Words words_;
  ConditionNames& names_;
};

}  // namespace

std::variant<PredicateNode, ExprError> parse_condition(std::string_view text,
                                                       ConditionNames& names) {
  try {
    return Parser(text, names).parse();
  } catch (ExprError& error) {
    return std::move(error);
  }
}

std::variant<Predicate, ExprError> parse_predicate(std::string_view text, const RowSchema& schema) {
  SchemaNames names(schema);
  auto parsed = parse_condition(text, names);
  if (auto* const error = std::get_if<ExprError>(&parsed)) return std::move(*error);
  return Predicate(std::get<PredicateNode>(std::move(parsed)));
}

}  // namespace millrace::detail
