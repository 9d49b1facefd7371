// Tests of the generated feed: its distributions, and that its trends are the planted ones.
#include "apps/post_feed.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>

namespace millrace::apps {
namespace {

constexpr Time kMinute = 60'000'000;
constexpr Time kHour = 60 * kMinute;

std::vector<std::string> tags_of(std::string_view text) {
  std::vector<std::string> tags;
  for (std::size_t at = text.find('#'); at != std::string_view::npos; at = text.find('#', at + 1)) {
    tags.emplace_back(text.substr(at + 1, text.find(' ', at) - at - 1));
  }
  return tags;
}

std::string line_of(const Post& post) {
  return std::to_string(post.id) + " " + std::to_string(post.time.micros) + " " +
         std::string(post.user) + " " + std::string(post.language) + " " + std::string(post.text);
}

TEST(AliasTable, DrawsByWeight) {
  const std::vector<double> weights = {8, 0, 1, 3, 0.5, 2.5, 0, 1};
  const AliasTable table(weights);
  detail::Random random(3);
  std::vector<double> drawn(weights.size());
  constexpr int kDraws = 400'000;
  for (int draw = 0; draw < kDraws; ++draw) ++drawn[table.draw(random())];
  for (std::size_t at = 0; at < weights.size(); ++at) {
    EXPECT_NEAR(drawn[at] / kDraws, weights[at] / 16, 0.004) << at;
  }
  EXPECT_EQ(drawn[1], 0);
}

TEST(PostFeed, FollowsFromItsSeed) {
  PostFeed one({.posts_per_second = 300, .seed = 7});
  PostFeed same({.posts_per_second = 300, .seed = 7});
  PostFeed other({.posts_per_second = 300, .seed = 8});
  int different = 0;
  for (int post = 0; post < 20'000; ++post) {
    const std::string line = line_of(one.next());
    ASSERT_EQ(line, line_of(same.next()));
    different += line != line_of(other.next());
  }
  EXPECT_GT(different, 19'000);
  PostFeed copy = one;
  EXPECT_EQ(line_of(copy.next()), line_of(one.next())) << "a copy goes on from here";
}

TEST(PostFeed, PostsAreWellFormedAndInOrder) {
  PostFeed feed({.posts_per_second = 2000, .seed = 2});
  Time last = PostFeed::kStart;
  for (std::int64_t id = 0; id < 100'000; ++id) {
    const Post post = feed.next();
    ASSERT_EQ(post.id, id);
    ASSERT_GE(post.time.micros, last);
    last = post.time.micros;
    ASSERT_LE(post.text.size(), PostFeed::kTextBytesMax);
    ASSERT_FALSE(post.user.empty());
    const auto tags = tags_of(post.text);
    ASSERT_TRUE(tags.size() <= PostFeed::kTagsMax || tags.size() == PostFeed::kSpamTags);
    ASSERT_EQ(std::set<std::string>(tags.begin(), tags.end()).size(), tags.size());
  }
}

TEST(PostFeed, TagsFollowZipfAndLanguagesTheirShares) {
  PostFeed feed({.posts_per_second = 100'000, .seed = 3});
  std::map<std::string, double> tags;
  std::map<std::string, double> languages;
  constexpr int kPosts = 400'000;  // four seconds: before the first trend
  for (int at = 0; at < kPosts; ++at) {
    const Post post = feed.next();
    ++languages[std::string(post.language)];
    for (const std::string& tag : tags_of(post.text)) ++tags[tag];
  }
  for (const FeedLanguage& language : feed_languages()) {
    EXPECT_NEAR(languages[std::string(language.code)] / kPosts, language.share, 0.01);
  }
  const FeedTables& tables = feed.tables();
  const auto uses = [&](std::uint32_t rank) { return tags[std::string(tables.tag(rank - 1))]; };
  // The second tag of a post is dropped when it is the first one again: hence a little less.
  EXPECT_NEAR(uses(1) / uses(2), 2, 0.12);
  EXPECT_NEAR(uses(1) / uses(10), 10, 1.2);
  EXPECT_NEAR(uses(10) / uses(100), 10, 1.5);
}

TEST(PostFeed, WritesMoreByDayThanByNight) {
  PostFeed feed({.posts_per_second = 1, .seed = 4});
  std::map<Time, double> by_hour;
  Post post;
  while ((post = feed.next()).time.micros < PostFeed::kStart + 24 * kHour) {
    ++by_hour[post.time.micros / kHour % 24];
  }
  double day = 0;
  for (const auto& [hour, posts] : by_hour) day += posts;
  EXPECT_NEAR(day, 86'400, 500);
  EXPECT_NEAR(by_hour[15] / 3600, 1.4, 0.02);
  EXPECT_NEAR(by_hour[3] / 3600, 0.6, 0.02);
  EXPECT_NEAR(by_hour[9] / 3600, 1.05, 0.02);
}

TEST(PostFeed, ATrendRisesAndFallsAsPlanted) {
  PostFeed feed({.posts_per_second = 400, .seed = 5});
  const PlantedTrend trend = feed.tables().trends.at(0);
  const std::string tag(feed.tables().tag(trend.tag));
  std::map<Time, double> with_tags;  // by tenth of the trend
  std::map<Time, double> with_trend;
  const Time tenth = (trend.end - trend.start) / 10;
  Post post;
  while ((post = feed.next()).time.micros < trend.end + tenth) {
    const auto tags = tags_of(post.text);
    if (tags.empty() || tags.size() == PostFeed::kSpamTags) continue;
    const Time at = detail::floor_div(post.time.micros - trend.start, tenth);
    ++with_tags[at];
    with_trend[at] += std::ranges::count(tags, tag);
  }
  for (Time at = -1; at <= 10; ++at) {
    const double share = trend.share(trend.start + at * tenth + tenth / 2);
    EXPECT_NEAR(with_trend[at] / with_tags[at], share, 0.004 + share / 10) << at;
  }
  EXPECT_NEAR(with_trend[4] / with_tags[4], 0.9 * trend.peak_share, 0.01);
}

TEST(PlantedTrends, AreFiveAnHourAndKnownAtAnyTime) {
  const FeedTables tables(9);
  const PlantedTrends& trends = tables.trends;
  std::set<std::uint32_t> tags;
  Time before = 0;
  for (std::uint64_t index = 0; index < 500; ++index) {
    const PlantedTrend trend = trends.at(index);
    EXPECT_GT(trend.start, before);
    before = trend.start;
    EXPECT_GE(trend.tag, FeedTables::kPopularTags);
    EXPECT_LT(trend.tag, FeedTables::kTags);
    EXPECT_TRUE(tags.insert(trend.tag).second) << "a tag came back too soon";
    EXPECT_GE(trend.end - trend.start, PlantedTrends::kShortest.count());
    EXPECT_LE(trend.end - trend.start, PlantedTrends::kLongest.count());
  }
  EXPECT_EQ(trends.begun(PostFeed::kStart + 100 * kHour + 8 * kMinute), 500u);
}

TEST(PlantedTrends, NearAndBegunAgreeWithTheWholeList) {
  const FeedTables tables(11);
  const PlantedTrends& trends = tables.trends;
  for (Time at = -kHour; at < 20 * kHour; at += 97 * 1'000'000) {
    const Time time = PostFeed::kStart + at;
    const auto [first, last] = trends.near(time);
    std::uint64_t begun = 0;
    for (std::uint64_t index = 0; index < 120; ++index) {
      const PlantedTrend trend = trends.at(index);
      begun += trend.start < time;
      if (trend.share(time) > 0) {
        EXPECT_TRUE(first <= index && index < last) << index << " at " << at;
      }
    }
    EXPECT_EQ(trends.begun(time), begun) << at;
  }
}

TEST(FeedHashtags, AreDifferentAndShort) {
  const auto tags = feed_hashtags();
  EXPECT_EQ(tags.size(), std::size_t{FeedTables::kTags});
  EXPECT_EQ(std::set<std::string>(tags.begin(), tags.end()).size(), tags.size());
  for (const std::string& tag : tags) EXPECT_LE(tag.size(), 24u) << tag;
}

}  // namespace
}  // namespace millrace::apps
