// One function a word.
#include "operator/kept_words.hpp"

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "operator/kernels.hpp"
#include "record/record_json.hpp"
#include "record/stored_value.hpp"
#include "state/distinct_sketch.hpp"
#include "state/exact_sum.hpp"
#include "state/quantile_sketch.hpp"
#include "state/value_set.hpp"

namespace millrace::detail {
namespace {

bool nothing(Telling& to, const StoredForm&) {
  to.out += "null";
  return true;
}
bool int128(Telling& to, const StoredForm&) {
  const auto number = to.in.number<Int128>();
  const bool small = number >= INT64_MIN && number <= INT64_MAX;
  if (small) {
    append_json_integer(to.out, static_cast<std::int64_t>(number));
  } else {
    append_json_number(to.out, static_cast<double>(number));
  }
  return to.in.ok();
}
bool moments(Telling& to, const StoredForm&) {
  const auto count = to.in.number<double>();
  const auto mean = to.in.number<double>();
  const auto squares = to.in.number<double>();
  to.out += "{\"count\":";
  append_json_number(to.out, count);
  to.out += ",\"mean\":";
  append_json_number(to.out, mean);
  to.out += ",\"variance\":";
  append_json_number(to.out, squares / count);
  to.out += '}';
  return to.in.ok();
}
bool exact_sum(Telling& to, const StoredForm&) {
  ExactSum sum;
  if (!sum.load(to.in)) return false;
  return (append_json_number(to.out, sum.value()), to.in.ok());
}
bool distinct(Telling& to, const StoredForm&) {
  DistinctSketch sketch;
  if (!sketch.load(to.in)) return false;
  to.out += "{\"distinct_approx\":";
  append_json_integer(to.out, sketch.count());
  to.out += '}';
  return true;
}
template <class Set>
bool distinct_in(Telling& to, const StoredForm&) {
  Set set;
  if (!set.load(to.in)) return false;
  to.out += "{\"distinct\":";
  append_json_integer(to.out, std::uint64_t{set.size()});
  to.out += '}';
  return true;
}
bool quantiles(Telling& to, const StoredForm&) {
  QuantileSketch sketch;
  if (!sketch.load(to.in)) return false;
  to.out += "{\"count\":";
  append_json_integer(to.out, sketch.count());
  const std::vector<double> found = sketch.quantiles({0, 0.5, 0.99, 1});
  constexpr std::array<const char*, 4> kNames{"min", "p50", "p99", "max"};
  for (std::size_t at = 0; at < kNames.size(); ++at) {
    to.out.append(",\"").append(kNames[at]).append("\":");
    append_json_number(to.out, found[at]);
  }
  to.out += '}';
  return true;
}
/// Space-Saving: values by place, see SpaceSaving::store().
bool most_frequent(Telling& to, const StoredForm& form) {
  const std::uint64_t count = to.in.varint();
  if (!to.in.ok() || count > to.in.rest().size() || form.inner.size() != 1) return false;
  std::vector<std::uint64_t> counts;
  for (std::uint64_t at = 0; at < count; ++at) {
    (void)to.in.number<std::uint64_t>();  // the hash
    counts.push_back(to.in.varint());
    (void)to.in.varint();  // the error
  }
  for (std::uint64_t at = 0; at < count; ++at) (void)to.in.number<std::uint32_t>();  // its place
  to.out += '[';
  for (std::uint64_t at = 0; at < count; ++at) {
    to.out += at == 0 ? "{\"value\":" : ",{\"value\":";
    if (!tell_value(to, form.inner[0])) return false;
    to.out += ",\"count\":";
    append_json_integer(to.out, counts[at]);
    to.out += '}';
  }
  to.out += ']';
  return to.in.ok();
}
bool baseline(Telling& to, const StoredForm&) {
  to.out += "{\"mean\":";
  append_json_number(to.out, to.in.number<double>());
  to.out += ",\"variance\":";
  append_json_number(to.out, to.in.number<double>());
  to.out += '}';
  return to.in.ok();
}
bool hysteresis(Telling& to, const StoredForm&) {
  to.out += "{\"above\":";
  append_json_integer(to.out, std::uint64_t{to.in.number<std::uint32_t>()});
  to.out += ",\"raised\":";
  to.out += to.in.number<std::uint8_t>() != 0 ? "true" : "false";
  to.out += '}';
  return to.in.ok();
}
bool several(Telling& to, const StoredForm& form) {
  to.out += '[';
  for (std::size_t at = 0; at < form.inner.size(); ++at) {
    if (at > 0) to.out += ',';
    if (!tell_value(to, form.inner[at])) return false;
  }
  to.out += ']';
  return true;
}
bool newest(Telling& to, const StoredForm& form) {
  const std::uint64_t count = to.in.varint();
  if (!to.in.ok() || count > to.in.rest().size() || form.inner.size() != 1) return false;
  to.out += '[';
  for (std::uint64_t at = 0; at < count; ++at) {
    Stamp stamp;
    if (at > 0) to.out += ',';
    if (!load_value(to.in, stamp) || !tell_value(to, form.inner[0])) return false;
  }
  to.out += ']';
  return true;
}
bool one_of(Telling& to, const StoredForm& form) {
  const auto at = to.in.number<std::uint8_t>();
  return to.in.ok() && at < form.inner.size() && tell_value(to, form.inner[at]);
}
bool timers(Telling& to, const StoredForm&) {
  StoredForm time;
  time.kind = StoredForm::Kind::scalar;
  time.scalar = ValueKind::timestamp;
  to.out += "{\"event\":";
  if (!tell_list(to, time, to.in.varint())) return false;
  to.out += ",\"clock\":";
  if (!tell_list(to, time, to.in.varint())) return false;
  to.out += '}';
  return true;
}

}  // namespace

bool tell_word(Telling& to, const StoredForm& form) {
  struct Word {
    std::string_view name;
    bool (*tell)(Telling&, const StoredForm&);
  };
  static constexpr std::array<Word, 15> kWords{{{"nothing", nothing},
                                                {"int128", int128},
                                                {"moments", moments},
                                                {"exactsum", exact_sum},
                                                {"distinct", distinct},
                                                {"words", distinct_in<WordSet>},
                                                {"texts", distinct_in<TextSet>},
                                                {"quantiles", quantiles},
                                                {"mostfrequent", most_frequent},
                                                {"baseline", baseline},
                                                {"hysteresis", hysteresis},
                                                {"several", several},
                                                {"newest", newest},
                                                {"oneof", one_of},
                                                {"timers", timers}}};
  for (const Word& word : kWords) {
    if (word.name == form.name) return word.tell(to, form);
  }
  return false;
}

}  // namespace millrace::detail
