// Settings of the engine by name: where each goes, and which of two that say the same wins.
#include "topology/named_settings.hpp"

#include <gtest/gtest.h>

#include "host/host.hpp"

namespace millrace::detail {
namespace {

GraphSettings settled(const Config& config, const HostOptions& options = {}) {
  GraphSettings settings;
  settings.config = config;
  const Status status = settle(options, settings);
  EXPECT_TRUE(status.ok()) << status.to_string();
  return settings;
}

TEST(NamedSettings, GoWhereTheyBelong) {
  const GraphSettings settings = settled({{"topology.guarantee", "at_least_once"},
                                          {"topology.tries", "9"},
                                          {"topology.max_pending", "70"},
                                          {"topology.message_timeout", "2min"},
                                          {"topology.checkpoint_interval", "3s"},
                                          {"mine", "anything"}});
  EXPECT_EQ(settings.guarantee, Guarantee::at_least_once);
  EXPECT_EQ(settings.acks.tries_max, 9);
  EXPECT_EQ(settings.acks.pending_max, 70);
  EXPECT_EQ(settings.acks.timeout, 2min);
  EXPECT_EQ(settings.state.interval, 3s);
}

TEST(NamedSettings, StormsNamesGiveWayToOurs) {
  const Config storms = {{"topology.max.spout.pending", "500"},
                         {"topology.message.timeout.secs", "7"}};
  EXPECT_EQ(settled(storms).acks.pending_max, 500);
  EXPECT_EQ(settled(storms).acks.timeout, 7s);
  const Config ours = {{"topology.max_pending", "5"}, {"topology.message_timeout", "1s"}};
  EXPECT_EQ(settled(ours.over(storms)).acks.pending_max, 5);
  EXPECT_EQ(settled(ours.over(storms)).acks.timeout, 1s);
}

TEST(NamedSettings, FlagsComeOverThem) {
  HostOptions options;
  options.guarantee = Guarantee::at_least_once;
  options.acks = {{"topology.tries", "2"}, {"topology.max_pending", "4"}};
  options.ack_flag = "--tries 2";
  const GraphSettings settings =
      settled({{"topology.tries", "9"}, {"topology.max.spout.pending", "70"}}, options);
  EXPECT_EQ(settings.acks.tries_max, 2);
  EXPECT_EQ(settings.acks.pending_max, 4);
}

TEST(NamedSettings, AFolderMakesEpochsUnlessSomethingElseIsSaid) {
  const Config folder = {{"topology.state_dir", "state"}};
  EXPECT_EQ(settled(folder).guarantee, Guarantee::exactly_once);
  EXPECT_EQ(settled(folder).state.folder, "state");
  const Config said = {{"topology.guarantee", "at_most_once"}};
  EXPECT_EQ(settled(said.over(folder)).guarantee, Guarantee::at_most_once);
}

TEST(NamedSettings, OfAProgramAreRefusedWithWords) {
  GraphSettings settings;
  settings.config = {{"topology.tries", "999"}};
  const Status status = settle({}, settings);
  EXPECT_EQ(status.code(), Code::option_invalid);
  EXPECT_EQ(status.message(),
            "the setting topology.tries is \"999\": give a whole number from 1 to 255");
}

}  // namespace
}  // namespace millrace::detail
