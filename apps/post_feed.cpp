// Drawing and composing posts.
#include "post_feed.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numbers>

namespace millrace::apps {
namespace {

constexpr double kMicros = 1e6;
constexpr double kTwo32 = 4294967296.0;
constexpr std::int64_t kHourUs = 3'600'000'000;
constexpr Duration kSpamCampaign = std::chrono::minutes(20);

/// Posts of 65,536 by what they carry: no hashtag, one, two, three, spam.
constexpr std::uint32_t kNoTags = 22'000;
constexpr std::uint32_t kOneTag = kNoTags + 26'500;
constexpr std::uint32_t kTwoTags = kOneTag + 13'000;
constexpr std::uint32_t kThreeTags = kTwoTags + 3'000;

/// How many posts are written at a time of day, 1 on the average.
double daily_curve(Time time) {
  const std::int64_t day = 24 * kHourUs;
  const double hour = static_cast<double>(((time % day) + day) % day) / kHourUs;
  return 1 + PostFeed::kDailySwing * std::sin(2 * std::numbers::pi * (hour - 9) / 24);
}

char* append(char* out, std::string_view text) {
  std::memcpy(out, text.data(), text.size());
  return out + text.size();
}

}  // namespace

FeedTables::FeedTables(std::uint64_t seed)
    : tags(feed_hashtags()),
      users(feed_users(kUsers)),
      tag_draw(zipf_weights(kTags, kTagExponent)),
      user_draw(zipf_weights(kUsers, kUserExponent)),
      trends(seed, PostFeed::kStart, kPopularTags, kTags - kPopularTags) {
  MR_CHECK(tags.size() == kTags, "as many hashtags as are drawn");
  double share = 0;
  std::size_t language = 0;
  for (std::size_t at = 0; at < language_of.size(); ++at) {
    while (language + 1 < kLanguages &&
           static_cast<double>(at) >= 256 * (share + feed_languages()[language].share)) {
      share += feed_languages()[language++].share;
    }
    language_of[at] = static_cast<std::uint8_t>(language);
  }
}

PostFeed::PostFeed(FeedOptions options)
    : options_(options),
      tables_(std::make_shared<const FeedTables>(options.seed)),
      random_(options.seed) {
  begin_slice();
}

void PostFeed::begin_slice() {
  const Time now = kStart + static_cast<Time>(slice_start_us_);
  const double per_second = options_.posts_per_second * daily_curve(now);
  gap_us_ = kMicros / per_second;
  slice_posts_ = static_cast<std::uint32_t>(std::clamp(per_second, 1.0, 65'536.0));
  slice_at_ = 0;
  share_count_ = 0;
  double below = 0;
  const auto [first, last] = tables_->trends.near(now);
  for (std::uint64_t index = first; index < last && share_count_ < shares_.size(); ++index) {
    const PlantedTrend trend = tables_->trends.at(index);
    const double share = trend.share(now);
    if (share <= 0) continue;
    below += share;
    shares_[share_count_++] = {static_cast<std::uint32_t>(below * kTwo32), trend.tag};
  }
  const auto campaign = static_cast<std::uint64_t>(now / kSpamCampaign.count());
  const std::uint64_t tail = FeedTables::kTags - FeedTables::kPopularTags - kSpamTags;
  spam_tag_ = FeedTables::kPopularTags + static_cast<std::uint32_t>(campaign * 977 % tail);
}

Post PostFeed::next() {
  if (slice_at_ == slice_posts_) {
    slice_start_us_ += gap_us_ * slice_posts_;
    begin_slice();
  }
  const std::uint64_t what = random_();
  const std::uint64_t words = random_();
  // Within its share of the slice a post comes at any time.
  const double jitter = static_cast<double>(what & 0xffff) / 65'536.0;
  const double since = slice_start_us_ + gap_us_ * (slice_at_++ + jitter);
  const FeedLanguage& language = feed_languages()[tables_->language_of[words & 0xff]];
  const std::size_t tags = draw_tags(static_cast<std::uint32_t>(what >> 16) & 0xffff,
                                     static_cast<std::uint32_t>(what >> 32));
  Post post;
  post.id = id_++;
  post.time.micros = kStart + static_cast<Time>(since);
  post.user = tables_->users[tables_->user_draw.draw(random_())];
  post.language = language.code;
  post.text = compose(language, words >> 8, tags);
  return post;
}

std::size_t PostFeed::draw_tags(std::uint32_t kind, std::uint32_t coin) {
  if (kind < kNoTags) return 0;
  if (kind >= kThreeTags) {
    for (std::size_t at = 0; at < kSpamTags; ++at)
      picked_[at] = spam_tag_ + static_cast<std::uint32_t>(at);
    return kSpamTags;
  }
  const std::size_t wanted = kind < kOneTag ? 1 : kind < kTwoTags ? 2 : 3;
  picked_[0] = first_tag(coin);
  std::size_t count = 1;
  for (std::size_t draw = 1; draw < wanted; ++draw) {
    const std::uint32_t tag = tables_->tag_draw.draw(random_());
    const auto end = picked_.begin() + static_cast<std::ptrdiff_t>(count);
    if (std::find(picked_.begin(), end, tag) == end) picked_[count++] = tag;
  }
  return count;
}

/// Trends take their share of the first hashtags.
std::uint32_t PostFeed::first_tag(std::uint32_t coin) {
  for (std::size_t at = 0; at < share_count_; ++at) {
    if (coin < shares_[at].below) return shares_[at].tag;
  }
  return tables_->tag_draw.draw(random_());
}

/// opening #tag #tag ending
std::string_view PostFeed::compose(const FeedLanguage& language, std::uint64_t bits,
                                   std::size_t tags) {
  char* out = append(text_.data(), language.openings[bits & 15]);
  for (std::size_t at = 0; at < tags; ++at) {
    *out++ = ' ';
    *out++ = '#';
    out = append(out, tables_->tag(picked_[at]));
  }
  *out++ = ' ';
  out = append(out, language.endings[(bits >> 4) & 15]);
  return {text_.data(), static_cast<std::size_t>(out - text_.data())};
}

}  // namespace millrace::apps
