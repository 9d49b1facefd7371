// PostFeed: an endless generated feed of posts, whose trends are known in advance.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "alias_table.hpp"
#include "env/random.hpp"
#include "millrace/millrace.hpp"
#include "planted_trends.hpp"
#include "post_words.hpp"

namespace millrace::apps {

/// A post of the feed. Times never fall.
struct Post {
  std::int64_t id = 0;  ///< 0, 1, 2, ...
  Timestamp time;
  std::string_view user;
  std::string_view language;  ///< "en", "es", "ja", "pt", "de"
  std::string_view text;      ///< UTF-8 with #hashtags, at most PostFeed::kTextBytesMax
};

struct FeedOptions {
  /// Posts in a second of the feed's own time, on the average of a day. Greater than 0.
  double posts_per_second = 300;
  std::uint64_t seed = 1;
};

/// What all copies of a feed share: words, distributions, planted trends. Never changed.
class FeedTables {
 public:
  explicit FeedTables(std::uint64_t seed);

  std::string_view tag(std::uint32_t index) const { return tags[index]; }

  static constexpr std::uint32_t kUsers = 1u << 14;
  static constexpr std::uint32_t kTags = 1u << 12;
  /// Trends and spam take their tags from beyond the popular ones.
  static constexpr std::uint32_t kPopularTags = 512;
  static constexpr double kTagExponent = 1.0;
  static constexpr double kUserExponent = 0.9;

  const std::vector<std::string> tags;
  const std::vector<std::string> users;
  const AliasTable tag_draw;
  const AliasTable user_draw;
  const PlantedTrends trends;
  std::array<std::uint8_t, 256> language_of;  ///< by 8 random bits
};

/// Makes posts one after another: hashtags and users by Zipf's law, more posts by day than by
/// night, spam, and the planted trends. Equal options give equal posts. One thread; copies go on
/// from where the original is.
///
/// Cost: about 50 ns a post; nothing is allocated.
class PostFeed {
 public:
  /// The feed begins on a Monday at 9 o'clock, when as many posts are written as on the average.
  static constexpr Time kStart = 1'767'603'600'000'000;  // 2026-01-05T09:00:00Z
  static constexpr std::size_t kTextBytesMax = 320;
  /// How far the number of posts in a time lies above the average at 15 o'clock, and below at 3.
  static constexpr double kDailySwing = 0.4;
  /// Spam carries this many hashtags, other posts at most kTagsMax.
  static constexpr std::size_t kSpamTags = 6;
  static constexpr std::size_t kTagsMax = 3;

  explicit PostFeed(FeedOptions options);

  /// The next post. Its text lies in this feed until the next call, its other views in tables().
  Post next();
  const FeedTables& tables() const { return *tables_; }
  std::shared_ptr<const FeedTables> shared_tables() const { return tables_; }

 private:
  /// Posts of about a second share their rate and the trends' shares.
  void begin_slice();
  std::string_view compose(const FeedLanguage& language, std::uint64_t bits, std::size_t tags);
  std::size_t draw_tags(std::uint32_t kind, std::uint32_t coin);
  std::uint32_t first_tag(std::uint32_t coin);

  FeedOptions options_;
  std::shared_ptr<const FeedTables> tables_;
  detail::Random random_;
  std::int64_t id_ = 0;

  double slice_start_us_ = 0;  // since kStart
  double gap_us_ = 0;          // between two posts of the slice
  std::uint32_t slice_posts_ = 0;
  std::uint32_t slice_at_ = 0;
  std::uint32_t spam_tag_ = 0;

  struct Share {
    std::uint32_t below;  // of 2^32, with the shares before
    std::uint32_t tag;
  };
  std::array<Share, 8> shares_{};
  std::size_t share_count_ = 0;
  std::array<std::uint32_t, kSpamTags> picked_{};
  std::array<char, kTextBytesMax> text_{};
};

}  // namespace millrace::apps
