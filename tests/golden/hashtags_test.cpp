// Hashtags of two collections of posts against rows that a plain script computed.
#include "golden_run.hpp"

namespace millrace::golden {
namespace {

struct Post {
  std::int64_t ts = 0;
  std::string_view lang;
  std::string_view text;
};
struct Tweet {
  Timestamp created_at;
  std::string_view text;
};

bool is_alpha(char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); }
bool is_word(char c) { return is_alpha(c) || (c >= '0' && c <= '9') || c == '_'; }

/// Emits each hashtag of a text, lower-cased: "#" not behind a word, "/", "&" or "#", then word
/// characters with at least one letter.
struct Hashtags {
  template <class R>
  void operator()(const R& record, Output<std::string>& out) const {
    const std::string_view text = record.text;
    for (std::size_t at = text.find('#'); at != text.npos; at = text.find('#', at + 1)) {
      if (at > 0 && (is_word(text[at - 1]) || text.substr(at - 1, 1).find_first_of("/&#") == 0)) {
        continue;
      }
      std::string tag;
      for (std::size_t next = at + 1; next < text.size() && is_word(text[next]); ++next) {
        const char c = text[next];
        tag += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
      }
      if (std::ranges::any_of(tag, is_alpha)) out.emit(std::move(tag));
    }
  }
};

void top_of(const Stream<std::string>& tags, Windows windows, std::size_t count, Lines& lines) {
  tags.key_by(self).window(windows).count().top(count).to(each([&lines](const auto& row) {
    lines.push_back(
        fmt::format("{},{},{},{}", row.window_start / 1000, row.rank, row.key, row.value));
  }));
}

void totals_of(const Stream<std::string>& tags, Lines& lines) {
  tags.key_by(self).window(global()).count().to(each(
      [&lines](const auto& row) { lines.push_back(fmt::format("{},{}", row.key, row.value)); }));
}

void expect_all(const std::string& folder, const Results& results) {
  for (const auto& [name, lines] : results) {
    const Lines expected = read_rows(folder + "expected/" + name);
    if (name.starts_with("top")) {
      expect_rows(name, expected, lines);
    } else {
      expect_rows(name, sorted(expected), sorted(lines));
    }
  }
}

class HashtagsOf : public testing::TestWithParam<std::uint32_t> {};

TEST_P(HashtagsOf, SocialGenerated) {
  const std::string folder = shared_folder("social-generated");
  if (!std::filesystem::exists(folder))
    GTEST_SKIP() << "there is no folder shared/ beside the clone";
  Results results;
  Topology topology("social");
  const auto posts =
      topology.from(json_lines<Post>(folder + "posts.jsonl.gz")).event_time([](const Post& post) {
        return post.ts * 1000;
      });
  const auto tags =
      posts.flat_map([](const Post& post, Output<std::string>& out) { Hashtags{}(post, out); });
  top_of(tags, tumbling(1min), 20, results["top20_hashtags_1m.csv"]);
  top_of(tags, tumbling(5min), 20, results["top20_hashtags_5m.csv"]);
  top_of(tags, sliding(15min, 1min), 10, results["top10_hashtags_hopping_15m_1m.csv"]);
  totals_of(tags, results["totals_hashtags.csv"]);
  posts.key_by(&Post::lang)
      .window(tumbling(1min))
      .count()
      .to(each([&lines = results["posts_by_lang_1m.csv"]](const auto& row) {
        lines.push_back(fmt::format("{},{},{}", row.window_start / 1000, row.key, row.value));
      }));
  EXPECT_EQ(run(topology, GetParam(), 1 + GetParam() % 2).records_in, 200'000u);
  expect_all(folder, results);
}

TEST_P(HashtagsOf, TweetsOfOneAccount) {
  const std::string folder = shared_folder("tweets-one-account");
  if (!std::filesystem::exists(folder))
    GTEST_SKIP() << "there is no folder shared/ beside the clone";
  Results results;
  Topology topology("tweets");
  const auto tags =
      topology.from(json_lines<Tweet>(folder + "tweets.jsonl.gz"))
          .event_time(&Tweet::created_at)
          .flat_map([](const Tweet& tweet, Output<std::string>& out) { Hashtags{}(tweet, out); });
  top_of(tags, tumbling(24h), 20, results["top20_hashtags_1d.csv"]);
  top_of(tags, tumbling(7 * 24h), 20, results["top20_hashtags_7d.csv"]);
  totals_of(tags, results["totals_hashtags.csv"]);
  EXPECT_EQ(run(topology, GetParam(), 1 + GetParam() % 2).records_in, 20'761u);
  expect_all(folder, results);
}

INSTANTIATE_TEST_SUITE_P(Parallelism, HashtagsOf, testing::Range(1u, 9u));

}  // namespace
}  // namespace millrace::golden
