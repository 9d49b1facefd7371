// `millrace demo posts`: its flags, and the figures of its trends in every report.
#include <charconv>
#include <cstdio>
#include <memory>
#include <string>

#include <fmt/format.h>

#include "demo.hpp"
#include "host/host.hpp"
#include "popular_posts.hpp"

namespace millrace::apps {
namespace {

constexpr const char* kPurpose =
    "Makes an endless feed of posts and finds what trends in it. The feed's own time runs at 60 "
    "times the real one (--speed); trends are planted in it, five an hour, and the summary says "
    "which were seen and how long after their start.";

constexpr const char* kRateDefault = "20000";
constexpr std::uint64_t kRateMax = 100'000'000;
constexpr double kSpeedDefault = 60;
/// `--rate max` makes as many posts as the machine can; the feed's own time then runs about as fast
/// as it does otherwise.
constexpr std::uint64_t kRateOfMax = 3'000'000;
constexpr std::uint64_t kSeedDefault = 1;

/// The rate in posts a second; `unpaced` when it is max.
Result<std::uint64_t> read_rate(const std::string& text, bool& unpaced) {
  unpaced = text == "max";
  if (unpaced) return kRateOfMax;
  std::uint64_t rate = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), rate);
  if (error == std::errc() && end == text.data() + text.size() && rate >= 1 && rate <= kRateMax)
    return rate;
  return Status(Code::option_invalid,
                fmt::format("--rate {}: give posts a second as a whole number from 1 to {}, or max",
                            text.empty() ? "\"\"" : text, kRateMax));
}

detail::SummaryPart part_of(const TrendFigures& figures) {
  detail::SummaryPart part;
  part.name = "trends";
  part.json = fmt::format(
      "{{\"planted\":{},\"seen\":{},\"missed\":{},\"false\":{},\"delay_s_p50\":{:.1f},"
      "\"delay_s_max\":{:.1f},\"precision\":{:.4f},\"recall\":{:.4f}}}",
      figures.planted, figures.seen, figures.missed, figures.false_alarms, figures.delay_s_p50,
      figures.delay_s_max, figures.precision(), figures.recall());
  part.text = fmt::format(
      "trends: {} planted, {} seen, {} missed, {} false alarms; seen {:.0f} s after their start "
      "in the feed's time (median; longest {:.0f} s)",
      figures.planted, figures.seen, figures.missed, figures.false_alarms, figures.delay_s_p50,
      figures.delay_s_max);
  return part;
}

}  // namespace

int posts_demo_main(int argc, char** argv) {
  detail::HostOptions defaults;
  defaults.speed = kSpeedDefault;
  defaults.seed = kSeedDefault;
  std::string rate_text = kRateDefault;
  const detail::OwnFlag flags[] = {
      {"--rate", &rate_text,
       "Posts a second at the speed given, on the average of a day, or max: as many as can be "
       "made (default 20000)"}};
  auto parsed = detail::parse_options("millrace demo posts", kPurpose, argc, argv, defaults, flags);
  if (!parsed) return detail::report_error(parsed.error());
  if (parsed->help) {
    std::fputs(parsed->help_text.c_str(), stdout);
    return 0;
  }
  detail::HostOptions& options = parsed->options;
  bool unpaced = false;
  const Result<std::uint64_t> rate = read_rate(rate_text, unpaced);
  if (!rate) return detail::report_error(rate.error());
  // What a second of the feed's time holds does not depend on how fast it is played.
  const double speed = options.speed > 0 ? options.speed : kSpeedDefault;
  const FeedOptions feed{.posts_per_second = static_cast<double>(*rate) / speed,
                         .seed = options.seed};
  if (unpaced) options.speed = 0;

  auto judge = std::make_shared<TrendJudge>(std::make_shared<const FeedTables>(feed.seed));
  Topology topology("posts");
  declare_posts(topology, feed, judge);
  detail::HostExtras extras;
  extras.amend = [judge](detail::Report& report) {
    report.parts.push_back(part_of(judge->figures()));
  };
  extras.start_lines = {"Ctrl-C stops it"};
  return detail::run_with(topology, options, extras);
}

}  // namespace millrace::apps
