// The words that generated posts are made of: hashtags, names, and the two halves of a sentence.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::apps {

/// Languages of the feed with the share of its posts.
struct FeedLanguage {
  std::string_view code;
  double share;
  std::array<std::string_view, 16> openings;
  std::array<std::string_view, 16> endings;
};
inline constexpr std::size_t kLanguages = 5;
const std::array<FeedLanguage, kLanguages>& feed_languages();

/// 4,096 different hashtags without '#', the most used first. Each at most 24 bytes.
std::vector<std::string> feed_hashtags();
/// Different names of `count` users, at most 24 bytes.
std::vector<std::string> feed_users(std::size_t count);

}  // namespace millrace::apps
