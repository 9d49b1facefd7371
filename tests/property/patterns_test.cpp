// Matches of random patterns in random records equal those of a model that tries everything.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <map>
#include <memory>

#include "pattern/matcher.hpp"
#include "random_pattern.hpp"

namespace millrace::property {
namespace {

std::string text_of(const std::vector<ToldMatch>& all) {
  constexpr std::array kKinds = {"over", "match", "missed"};
  std::string out;
  for (const ToldMatch& told : all) {
    out += fmt::format("{} at ({}, {}):", kKinds[static_cast<std::size_t>(told.kind)],
                       told.moment.first, told.moment.second);
    for (const auto& [record, stage] : told.taken) out += fmt::format(" {}#{}", stage, record);
    out += "\n";
  }
  return out;
}

/// Gives the matcher the letters, and notes what it tells.
class Matched final : public detail::MatchHost {
 public:
  Matched(const DrawnPattern& drawn, const std::vector<Letter>& letters, detail::MemoryMeter& meter)
      : drawn_(drawn),
        letters_(letters),
        meter_(meter),
        plan_(*detail::MatchPlan::of(drawn.shape)) {
    restart();
  }

  /// `cut`: before that record all goes on from an image.
  std::vector<ToldMatch> run(int cut) {
    for (at_ = 0; at_ < static_cast<int>(letters_.size()); ++at_) {
      if (at_ == cut) go_on_from_image();
      const Time time = letters_[static_cast<std::size_t>(at_)].time;
      telling_over_ = true;
      matcher_->expire(*key_, time);
      telling_over_ = false;
      matcher_->take(*key_, time);
    }
    telling_over_ = true;
    matcher_->expire(*key_, kTimeMax);
    matcher_->end(*key_, kTimeMax);
    EXPECT_TRUE(key_->empty());
    EXPECT_EQ(matcher_->buffer().nodes(), 0u);
    EXPECT_EQ(matcher_->buffer().records(), 0u);
    EXPECT_EQ(kept_, 0);
    return told_;
  }

  bool holds(std::uint32_t condition, std::uint32_t node) override {
    return drawn_.conditions[condition].holds(letters_, path(node), at_);
  }
  std::uint64_t keep() override {
    ++kept_;
    return static_cast<std::uint64_t>(at_);
  }
  void gone(std::uint64_t) override { --kept_; }
  void matched(std::uint32_t node, Time now) override { tell(1, node, now); }
  void missed(std::uint32_t node, Time now) override { tell(2, node, now); }
  void timed_out(std::uint32_t node, Time now) override { tell(0, node, now); }

 private:
  void restart() {
    matcher_ = std::make_unique<detail::Matcher>(plan_, *this, &meter_);
    key_ = std::make_unique<detail::KeyMatches>(&meter_);
  }
  void go_on_from_image() {
    std::string image;
    matcher_->store(image, *key_,
                    [](std::string& out, std::uint64_t slot) { detail::put_varint(out, slot); });
    matcher_->clear(*key_);
    EXPECT_EQ(kept_, 0);
    restart();
    detail::BytesCursor in(image);
    EXPECT_TRUE(matcher_->load(in, *key_, [this](detail::BytesCursor& from) {
      ++kept_;
      return std::optional<std::uint64_t>(from.varint());
    }));
    EXPECT_TRUE(in.rest().empty());
  }
  Taken path(std::uint32_t node) const {
    Taken taken;
    const detail::MatchBuffer& buffer = matcher_->buffer();
    for (; node != detail::MatchBuffer::kNone; node = buffer.node(node).before)
      taken.emplace_back(static_cast<int>(buffer.record_of(node).slot),
                         plan_.stages[buffer.node(node).stage]);
    std::reverse(taken.begin(), taken.end());
    return taken;
  }
  void tell(int kind, std::uint32_t node, Time now) {
    told_.push_back({{now, telling_over_ ? -1 : at_}, kind, path(node)});
  }

  const DrawnPattern& drawn_;
  const std::vector<Letter>& letters_;
  detail::MemoryMeter& meter_;
  detail::MatchPlan plan_;
  std::unique_ptr<detail::Matcher> matcher_;
  std::unique_ptr<detail::KeyMatches> key_;
  int at_ = 0;
  int kept_ = 0;
  bool telling_over_ = false;
  std::vector<ToldMatch> told_;
};

/// How often something was matched by a pattern that has a construct.
using Hits = std::map<std::string, int>;

void note_stages(const std::vector<detail::StageShape>& stages, Hits& hits) {
  for (const auto& stage : stages) {
    const bool repeats = stage.times_max > 1;
    hits["next"] += stage.contiguity == Contiguity::next;
    hits["followed_by"] += stage.contiguity == Contiguity::followed_by;
    hits["followed_by_any"] += stage.contiguity == Contiguity::followed_by_any;
    hits["not_next"] += stage.kind == detail::StageKind::not_next;
    hits["not_followed_by"] += stage.kind == detail::StageKind::not_followed_by;
    hits["times"] += repeats && stage.times_max != detail::kAnyTimes;
    hits["one_or_more"] += stage.times_max == detail::kAnyTimes;
    hits["optional"] += stage.optional;
    hits["greedy"] += stage.greedy;
    hits["consecutive"] += repeats && stage.inner == Contiguity::next;
    hits["combinations"] += repeats && stage.inner == Contiguity::followed_by_any;
    hits["lasting"] += stage.lasting.count() > 0;
    hits["until"] += stage.until != detail::kNoCondition;
    hits["group"] += stage.kind == detail::StageKind::group;
    hits["repeated group"] += stage.kind == detail::StageKind::group && repeats;
    note_stages(stage.stages, hits);
  }
}
void note(const DrawnPattern& drawn, const std::vector<Letter>& letters,
          const std::vector<ToldMatch>& told, Hits& hits) {
  constexpr std::array kRules = {"no_skip", "skip_to_next", "skip_past_last", "skip_to_first",
                                 "skip_to_last"};
  hits["over"] += static_cast<int>(
      std::count_if(told.begin(), told.end(), [](const ToldMatch& one) { return one.kind == 0; }));
  const auto match =
      std::find_if(told.begin(), told.end(), [](const ToldMatch& one) { return one.kind != 0; });
  if (match == told.end()) return;
  note_stages(drawn.shape.stages, hits);
  hits[kRules[static_cast<std::size_t>(drawn.shape.after_match)]] += 1;
  hits["within"] += drawn.shape.within.count() > 0;
  hits["within_neighbours"] += drawn.shape.within_neighbours.count() > 0;
  for (const Asked& asked : drawn.conditions) hits["looks back"] += asked.looks_back;
  const auto kind = drawn.shape.stages.back().kind;
  hits["not at the end"] +=
      kind == detail::StageKind::not_next || kind == detail::StageKind::not_followed_by;
  for (const ToldMatch& one : told) {
    hits["missed"] += one.kind == 2;
    hits["several"] += one.kind != 0 && &one != &*match;
    if (one.kind != 1) continue;
    const Time last = letters[static_cast<std::size_t>(one.taken.back().first)].time;
    hits["waited"] += one.moment.first > last;
  }
  for (std::size_t at = 1; at < letters.size(); ++at)
    hits["equal stamps"] += letters[at].time == letters[at - 1].time;
}

TEST(Patterns, MatchWhatTheModelMatches) {
  Hits hits;
  int cases = 0;
  const char* const only = std::getenv("MILLRACE_SEED");
  const std::uint64_t first = only ? std::strtoull(only, nullptr, 10) : 1;
  for (std::uint64_t seed = first; seed < first + (only ? 1 : 20'000); ++seed) {
    detail::Random random(seed);
    const DrawnPattern drawn = PatternDraw(random).draw();
    if (!detail::MatchPlan::of(drawn.shape)) continue;
    ++cases;
    const std::vector<Letter> letters = draw_letters(random);
    SCOPED_TRACE(fmt::format("seed {}: {}", seed, drawn.shape.to_string()));
    const auto holds = [&](std::uint32_t condition, const Taken& before, int at) {
      return drawn.conditions[condition].holds(letters, before, at);
    };
    const std::vector<ToldMatch> expected = naive_matches(drawn.shape, letters, holds);
    detail::MemoryMeter meter;
    const int cut = random.chance(0.5) ? static_cast<int>(random.below(10)) : -1;
    ASSERT_EQ(text_of(Matched(drawn, letters, meter).run(cut)), text_of(expected));
    ASSERT_EQ(meter.bytes(), 0u);
    note(drawn, letters, expected, hits);
  }
  if (only) return;
  EXPECT_GE(cases, 10'000);
  for (const char* const what : {"next",
                                 "followed_by",
                                 "followed_by_any",
                                 "not_next",
                                 "not_followed_by",
                                 "times",
                                 "one_or_more",
                                 "optional",
                                 "greedy",
                                 "consecutive",
                                 "combinations",
                                 "until",
                                 "group",
                                 "repeated group",
                                 "within",
                                 "within_neighbours",
                                 "no_skip",
                                 "skip_to_next",
                                 "skip_past_last",
                                 "skip_to_first",
                                 "skip_to_last",
                                 "missed",
                                 "over",
                                 "several",
                                 "waited",
                                 "looks back",
                                 "not at the end",
                                 "equal stamps"})
    EXPECT_GE(hits[what], 50) << what;
}

}  // namespace
}  // namespace millrace::property
