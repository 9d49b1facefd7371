// Reading a pattern of rows: a list of stages, groups of them, their conditions, and its rules.
#include "catalog/match_stages.hpp"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "operator/call_words.hpp"

namespace millrace::detail {
namespace {

/// How a stage begins: the word, and what it says of the stage.
struct StageWord {
  std::string_view word;
  StageKind kind;
  Contiguity contiguity;
  std::string_view doc;
};
constexpr StageWord kStageWords[] = {
    {"begin", StageKind::single, Contiguity::followed_by,
     "the first stage of a pattern or group: its name, or a list of stages, which are a group"},
    {"next", StageKind::single, Contiguity::next,
     "a stage, or group, that takes the row directly behind the one before"},
    {"followed_by", StageKind::single, Contiguity::followed_by,
     "one that takes the first row behind that fits"},
    {"followed_by_any", StageKind::single, Contiguity::followed_by_any,
     "one that takes each row behind that fits"},
    {"not_next", StageKind::not_next, Contiguity::next,
     "the row directly behind the one before must not fit: its name"},
    {"not_followed_by", StageKind::not_followed_by, Contiguity::followed_by,
     "no row may fit up to that of the next stage, or within the time of the pattern: its name"},
};

const StageWord* stage_word_of(const ConfigNode& stage) {
  const auto at = std::ranges::find_if(
      kStageWords, [&](const StageWord& one) { return stage.find(one.word) != nullptr; });
  return at == std::end(kStageWords) ? nullptr : at;
}

void add_names(const ConfigNode& list, bool optional, std::vector<MatchStageName>& names) {
  for (const ConfigNode& stage : list.items) {
    const StageWord* const word = stage_word_of(stage);
    if (word == nullptr || word->kind != StageKind::single) continue;
    const ConfigNode& named = *stage.find(word->word);
    const ConfigNode* const may_miss = stage.find("optional");
    const bool misses = optional || (may_miss != nullptr && may_miss->text == "true");
    if (named.is_list()) {
      add_names(named, misses, names);
    } else {
      names.push_back({named.text, misses});
    }
  }
}

/// 0 where it is not given, below that where it is no span.
Duration span_of(const Settings& settings, std::string_view parameter) {
  if (!settings.has(parameter)) return Duration(0);
  const Duration span = settings.duration(parameter);
  return span > Duration(0) ? span : Duration(-1);
}

class StageReader {
 public:
  StageReader(const Making& making, const std::vector<MatchStageName>& names)
      : making_(making), names_(names) {}

  bool good() const { return good_; }
  /// Where a stage stands; that of the list where no stage has the name.
  Place place_of(const std::string& stage) const {
    const auto at = places_.find(stage);
    return at == places_.end() ? making_.settings.node("stages")->place : at->second;
  }

  std::vector<PatternStage<RowRef>> read(const ConfigNode& list) {
    std::vector<PatternStage<RowRef>> stages;
    if (list.items.empty()) wrong(list.place, "a pattern or group needs at least one stage");
    for (const ConfigNode& item : list.items) {
      if (item.is_map()) {
        stages.push_back(stage(item, stages.empty()));
      } else {
        wrong(item.place, fmt::format("a stage is a map, such as {{followed_by: paid, where: "
                                      "amount > 0}}, found {}",
                                      item.words()));
      }
    }
    return stages;
  }

 private:
  void wrong(const Place& place, std::string message) {
    good_ = false;
    making_.mistakes.add(place, std::move(message));
  }

  PatternStage<RowRef> stage(const ConfigNode& item, bool is_first) {
    ComponentText text;
    text.type = "a stage";
    text.settings = item;
    text.type_place = item.place;
    const Settings settings(match_stage_params(), text, making_.mistakes);
    good_ &= settings.good();
    PatternStage<RowRef> stage;
    name(item, is_first, stage);
    times(settings, item, stage);
    stage.where = condition(settings.node("where"));
    stage.until = condition(settings.node("until"));
    stage.optional = settings.flag("optional");
    stage.greedy = settings.flag("greedy");
    stage.lasting = span_of(settings, "lasting");
    if (settings.flag("consecutive")) stage.inner = Contiguity::next;
    if (settings.flag("allow_combinations")) stage.inner = Contiguity::followed_by_any;
    if (settings.flag("consecutive") && settings.flag("allow_combinations")) {
      wrong(settings.node("consecutive")->place,
            "consecutive and allow_combinations exclude each other");
    }
    return stage;
  }

  void name(const ConfigNode& item, bool is_first, PatternStage<RowRef>& stage) {
    const auto given = std::ranges::count_if(
        kStageWords, [&](const StageWord& one) { return item.find(one.word) != nullptr; });
    const StageWord* const word = stage_word_of(item);
    if (given != 1) {
      return wrong(item.place,
                   "a stage begins with one of begin, next, followed_by, "
                   "followed_by_any, not_next and not_followed_by, and its name");
    }
    if (is_first != (word->word == "begin")) {
      return wrong(item.key(word->word)->place,
                   is_first ? "the first stage of a pattern or group is its begin"
                            : "only the first stage is the begin: say how near this one must be "
                              "with next, followed_by or followed_by_any");
    }
    const ConfigNode& named = *item.find(word->word);
    stage.kind = word->kind;
    stage.contiguity = word->contiguity;
    if (named.is_scalar()) {
      stage.name = named.text;
      places_[stage.name] = named.place;
      return;
    }
    if (!named.is_list() || word->kind != StageKind::single) {
      return wrong(
          named.place,
          fmt::format("\"{}\" is the name of a stage{}, found {}", word->word,
                      word->kind == StageKind::single ? ", or a list of stages, a group" : "",
                      named.words()));
    }
    stage.kind = StageKind::group;
    stage.stages = read(named);
    if (const ConfigNode* const where = item.find("where"))
      wrong(where->place, "a group has no where: give it to the stages in it");
  }

  void times(const Settings& settings, const ConfigNode& item, PatternStage<RowRef>& stage) {
    const ConfigNode* const times = settings.node("times");
    const int given = (times ? 1 : 0) + (settings.has("times_or_more") ? 1 : 0) +
                      (settings.flag("one_or_more") ? 1 : 0);
    if (given > 1) {
      return wrong(item.place,
                   "a stage has one of times, times_or_more and one_or_more: leave the others "
                   "away");
    }
    if (times != nullptr) return set_times(*times, stage);
    if (given == 0) return;
    const bool or_more = settings.has("times_or_more");
    stage.times_min = or_more ? static_cast<std::uint32_t>(settings.integer("times_or_more")) : 1;
    stage.times_max = kAnyTimes;
  }
  void set_times(const ConfigNode& times, PatternStage<RowRef>& stage) {
    std::vector<std::uint64_t> counts;
    const auto add = [&counts](const ConfigNode& node) {
      const auto count = node.is_scalar() ? count_of(node.text) : std::nullopt;
      if (count && *count >= 1 && *count < kAnyTimes) counts.push_back(*count);
    };
    if (times.is_list()) {
      std::ranges::for_each(times.items, add);
    } else {
      add(times);
    }
    const std::size_t wanted = times.is_list() ? 2 : 1;
    if (counts.size() != wanted || (times.is_list() && times.items.size() != wanted) ||
        counts.back() < counts.front()) {
      return wrong(times.place,
                   "\"times\" is how often, such as 3, or [2, 4] for 2 to 4 times; may it be "
                   "missing, say optional: true");
    }
    stage.times_min = static_cast<std::uint32_t>(counts.front());
    stage.times_max = static_cast<std::uint32_t>(counts.back());
  }

  Where<RowRef> condition(const ConfigNode* node) {
    if (node == nullptr) return {};
    MatchNames names(*making_.input->schema, names_);
    auto parsed = parse_condition(node->text, names);
    if (const auto* const error = std::get_if<ExprError>(&parsed)) {
      wrong(node->place_of(error->offset), error->message);
      return {};
    }
    PredicateNode root = std::get<PredicateNode>(std::move(parsed));
    if (names.others().empty()) return Predicate(std::move(root));
    return MatchedPredicate{std::move(root), names.others()};
  }

  const Making& making_;
  const std::vector<MatchStageName>& names_;
  std::map<std::string, Place> places_;  ///< of the stages' names
  bool good_ = true;
};

/// False: a mistake.
bool read_skip(const Making& making, PatternShape& rules) {
  const std::string& text = making.settings.text("skip");
  rules.fail_on_miss = making.settings.flag("fail_on_miss");
  if (text.empty()) return true;
  const auto call = parse_call(text);
  if (text == "to_next") {
    rules.after_match = AfterMatch::skip_to_next;
  } else if (text == "past_last") {
    rules.after_match = AfterMatch::skip_past_last;
  } else if (call && call->args.size() == 1 &&
             (call->name == "to_first" || call->name == "to_last")) {
    rules.after_match =
        call->name == "to_first" ? AfterMatch::skip_to_first : AfterMatch::skip_to_last;
    rules.skip_stage = call->args.front();
  } else {
    making.wrong("skip", fmt::format("\"skip\" is to_next, past_last, to_first(stage) or "
                                     "to_last(stage), found {}",
                                     text));
    return false;
  }
  return true;
}

}  // namespace

const std::vector<ParamInfo>& match_stage_params() {
  static const std::vector<ParamInfo> kParams = [] {
    std::vector<ParamInfo> params;
    for (const StageWord& one : kStageWords) {
      params.push_back({.name = std::string(one.word),
                        .type = one.kind == StageKind::single ? ParamType::stage : ParamType::text,
                        .doc = std::string(one.doc)});
    }
    const auto add = [&params](const char* name, ParamType type, const char* doc) {
      params.push_back({.name = name, .type = type, .doc = doc});
    };
    add("where", ParamType::condition,
        "which rows fit: a condition, also on rows matched before: stage.field, "
        "first(stage.field), count(stage)");
    add("times", ParamType::times, "so often; [2, 4]: 2 to 4 times");
    params.push_back({.name = "times_or_more",
                      .type = ParamType::integer,
                      .doc = "so often or more",
                      .least = 1,
                      .most = 1e9});
    add("one_or_more", ParamType::flag, "once or more");
    add("optional", ParamType::flag, "it may be missing");
    add("greedy", ParamType::flag, "it takes all it can: what follows waits");
    add("consecutive", ParamType::flag, "of a repetition: each row directly behind the one before");
    add("allow_combinations", ParamType::flag,
        "of a repetition: rows that fit may be passed over, too");
    add("until", ParamType::condition,
        "of a repetition without bound: a row for which it is true ends it");
    add("lasting", ParamType::duration,
        "of not_followed_by at the end: so long behind the last row; else as long as within");
    return params;
  }();
  return kParams;
}

std::vector<MatchStageName> match_stage_names(const ConfigNode& list) {
  std::vector<MatchStageName> names;
  add_names(list, false, names);
  return names;
}

std::optional<TypedPattern<RowRef>> match_pattern(const Making& making,
                                                  const std::vector<MatchStageName>& stages,
                                                  std::string& note) {
  PatternDraft<RowRef> draft;
  StageReader reader(making, stages);
  draft.stages = reader.read(*making.settings.node("stages"));
  draft.rules.within = span_of(making.settings, "within");
  draft.rules.within_neighbours = span_of(making.settings, "within_neighbours");
  if (!read_skip(making, draft.rules) || !reader.good()) return std::nullopt;
  const PatternShape shape = draft.shape();
  note = shape.to_string();
  if (const PatternProblem problem = shape.problem(); !problem.text.empty()) {
    if (problem.rule.empty()) {
      making.mistakes.add(reader.place_of(problem.stage), problem.text);
    } else {
      making.wrong(problem.rule, problem.text);
    }
    return std::nullopt;
  }
  auto compiled = draft.compile();
  if (compiled) return std::move(*compiled);
  making.wrong("stages", compiled.error().message());
  return std::nullopt;
}

}  // namespace millrace::detail
