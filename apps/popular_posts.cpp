// A spout and four bolts in Storm's style, the rest as verbs on their streams.
#include "popular_posts.hpp"

#include <array>
#include <cmath>
#include <cstring>
#include <map>
#include <string>
#include <utility>

namespace millrace::apps {
namespace {

/// The generated feed, a few posts a call.
struct PostSpout : Spout<Post> {
  explicit PostSpout(const FeedOptions& options) : feed(options) {}
  bool next(Output<Post>& out) override {
    for (int post = 0; post < kAtOnce; ++post) {
      Post made = feed.next();
      made.text = out.intern(made.text);
      out.emit(made);
    }
    return true;
  }
  static constexpr int kAtOnce = 32;
  PostFeed feed;
};

/// Lets the posts of one language pass: the demo runs three of them side by side.
struct KeepLanguage : Bolt<Post, Post> {
  explicit KeepLanguage(std::string_view code) : language(code) {}
  void process(const Post& post, Output<Post>& out) override {
    if (post.language == language) out.emit(post);
  }
  std::string_view language;
};

struct TagUse {
  std::string_view hashtag;
};

/// Emits the hashtags of a post; one with more of them than people write is spam, and none counts.
struct ExtractTags : Bolt<Post, TagUse> {
  static constexpr std::size_t kTagsMax = 4;
  void process(const Post& post, Output<TagUse>& out) override {
    std::array<std::string_view, kTagsMax> tags;
    std::size_t count = 0;
    for (std::size_t at = post.text.find('#'); at != std::string_view::npos;
         at = post.text.find('#', at)) {
      const std::size_t end = tag_end(post.text, ++at);
      if (end == at) continue;
      if (count == kTagsMax) return;
      tags[count++] = post.text.substr(at, end - at);
      at = end;
    }
    for (std::size_t at = 0; at < count; ++at) out.emit({tags[at]});
  }

 private:
  /// A hashtag goes on over ASCII letters, digits, '_' and whatever is not ASCII.
  static std::size_t tag_end(std::string_view text, std::size_t at) {
    const auto in_tag = [](unsigned char c) {
      const unsigned char lower = c | 32;
      return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') || c == '_' || c >= 0x80;
    };
    while (at < text.size() && in_tag(static_cast<unsigned char>(text[at]))) ++at;
    return at;
  }
};

/// An alarm, or that a minute is over.
struct Sighting {
  std::string_view hashtag;
  bool is_alarm = false;
  double score = 0;
};

/// The alarms of a minute that is over, by hashtag: the same ones in the same order however many
/// tasks raise them.
struct Alarms {
  std::map<std::string, double> scores;

  static void add(Alarms& alarms, const Sighting& sighting) {
    if (sighting.is_alarm) alarms.scores.emplace(sighting.hashtag, sighting.score);
  }
  static void merge(Alarms& alarms, const Alarms& others) {
    alarms.scores.insert(others.scores.begin(), others.scores.end());
  }
};

/// A key whose column says what it is.
struct Hashtag {
  std::string_view hashtag;
};
using OutcomeRow = Ranked<Hashtag, TrendOutcome>;

/// Tells the judge of each minute, and emits its newest outcomes.
using Judged = Aggregate<int, Alarms>;
struct Compare : Bolt<Judged, OutcomeRow> {
  static constexpr std::size_t kShown = 12;
  explicit Compare(std::shared_ptr<TrendJudge> with) : judge(std::move(with)) {}
  void process(const Judged& minute, Output<OutcomeRow>& out) override {
    for (const auto& [hashtag, score] : minute.value.scores) {
      judge->alarm(hashtag, minute.window_end, score);
    }
    judge->advance(minute.window_end);
    std::uint32_t rank = 0;
    for (const auto& row : judge->latest(kShown)) {
      out.emit(
          {++rank, {out.intern(row.tag)}, row.outcome, minute.window_start, minute.window_end});
    }
  }
  std::shared_ptr<TrendJudge> judge;
};

/// A trend as people read it.
struct ShownTrend {
  double score = 0;
  std::int64_t uses = 0;
  double usual = 0;
};

double tenths(double number) { return std::round(number * 10) / 10; }

Ranked<Hashtag, ShownTrend> shown(const Ranked<std::string_view, Trend>& row) {
  const Trend& trend = row.value;
  return {row.rank,
          {row.key},
          {tenths(trend.score), static_cast<std::int64_t>(trend.value), tenths(trend.expected)},
          row.window_start,
          row.window_end};
}

}  // namespace

void declare_posts(Topology& topology, const FeedOptions& feed, std::shared_ptr<TrendJudge> judge) {
  auto posts = topology.spout("posts", PostSpout(feed)).event_time(&Post::time).named("event time");

  auto english = topology.bolt("english", KeepLanguage("en"), shuffle(posts));
  auto spanish = topology.bolt("spanish", KeepLanguage("es"), shuffle(posts));
  auto japanese = topology.bolt("japanese", KeepLanguage("ja"), shuffle(posts));
  auto tags = topology.bolt("hashtags", ExtractTags{}, shuffle(english.merge(spanish, japanese)));

  auto per_minute =
      tags.key_by(&TagUse::hashtag).window(tumbling(1min)).count().named("uses per minute");
  using Minute = Aggregate<std::string_view, std::int64_t>;
  per_minute.key_by(&Minute::key)
      .window(sliding(10min, 1min))
      .sum(&Minute::value)
      .named("uses in 10 minutes")
      .top(10)
      .named("top hashtags")
      .to(view("Top hashtags"));

  auto trends = per_minute.trend({.half_life = 30min}).named("trend");
  auto trending = trends.top(10, &Trend::score).named("top trends");
  trending.map(shown).named("rounded").to(view("Trending now"));

  using Scored = Aggregate<std::string_view, Trend>;
  using Shown = Ranked<std::string_view, Trend>;
  // Alarms and ranks have the time of their window's row, a microsecond before the window's end: a
  // minute is judged when both have come.
  auto alarms = trends.key_by(&Scored::key)
                    .alert([](const Scored& row) { return row.value.score; }, kTrendAlarm)
                    .named("trend alarm")
                    .filter([](const auto& alert) { return alert.raised; })
                    .named("raised")
                    .map([](const Alert<std::string_view>& alert) {
                      return Sighting{alert.key, true, alert.value};
                    })
                    .named("alarms");
  auto minutes =
      trending.filter([](const Shown& row) { return row.rank == 1; })
          .named("each minute")
          .map([](const Shown& row) { return Sighting{row.key, false, row.value.score}; })
          .named("minutes");
  const auto judged = alarms.merge(minutes)
                          .key_by([](const Sighting&) { return 0; })
                          .window(tumbling(1min))
                          .fold(Alarms{}, Alarms::add, Alarms::merge)
                          .named("minute's alarms");
  topology.bolt("against the truth", Compare(std::move(judge)), global(judged))
      .to(view("Planted trends", {.kind = ViewKind::table}));
}

}  // namespace millrace::apps
