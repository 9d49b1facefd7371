// The topology `posts`: a spout of generated posts, three filters side by side, hashtags counted,
// ranked and scored.
#pragma once

#include <memory>

#include "trend_judge.hpp"

namespace millrace::apps {

/// When a hashtag's score raises an alarm, and when it clears it.
inline constexpr AlertLimits kTrendAlarm{.high = 6, .low = 2};

/// Declares the demo's topology. The judge outlives the run.
void declare_posts(Topology& topology, const FeedOptions& feed, std::shared_ptr<TrendJudge> judge);

}  // namespace millrace::apps
