// Images of a table on a scratch disk against copies of a map: whatever is put, erased and written
// anew while one is read, it has what was there when it began, or what of it had changed.
#include <array>
#include <cstdlib>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "random_table.hpp"

namespace millrace::property {
namespace {

using detail::DiskImage;

struct Kept {
  std::string value;
  Time ends = kTimeMax;
  bool changed = true;  ///< since the last image that others come over
};
using Values = std::map<std::uint64_t, std::string>;

class DiskImagesTest : public RandomTable {
 protected:
  void run(std::uint64_t seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    Random random(seed);
    const std::uint64_t keys = 1 + random.below(random.chance(0.5) ? 300 : 3'000);
    ASSERT_NO_FATAL_FAILURE(open(keys, 1 + random.below(random.chance(0.5) ? 40 : 2'000)));
    model_.clear();
    wanted_.reset();
    chained_ = false;
    ends_ = random.chance(0.5);
    begins_ = random.chance(0.5) ? 1 : 0.01;  // seldom: what has changed is written anew, too
    for (std::uint64_t put = 0; put < 16u << 20 && !HasFailure();) put += act(random);
    EXPECT_TRUE(table_->check());
    if (wanted_) read(kAll);
    begin(chained_ ? DiskImage::changes : DiskImage::base);
    read(kAll);
    table_.reset();
  }

 private:
  /// What it put.
  std::uint64_t act(Random& random) {
    const std::uint64_t what = random.below(1'000);
    if (what < 900) return put(random);
    if (what < 950) {
      erase(random.below(keys_) * kSpread);
    } else if (what < 955) {
      pass(static_cast<Time>(random.below(40)));
    } else if (!wanted_) {
      if (what < 965 && random.chance(begins_)) begin(draw(random));
    } else if (what < 998) {
      read(random.chance(0.1) ? kAll : random.below(300));
    } else if (random.chance(0.1)) {
      table_->end_image();
      wanted_.reset();
      forget_over();
    }
    return 0;
  }
  std::uint64_t put(Random& random) {
    const std::uint64_t key = random.below(keys_) * kSpread;
    copy_if_awaited(key);
    Kept kept;
    const auto before = model_.find(key);
    kept.changed = random.chance(0.5) || before == model_.end() || before->second.changed;
    if (ends_ && random.chance(0.5)) kept.ends = now_ + 1 + static_cast<Time>(random.below(200));
    kept.value = draw_value(random);
    table_->put(key, {kept.ends, kept.ends}, kept.value, kept.changed);
    const std::uint64_t bytes = bytes_of(kept.value);
    model_[key] = std::move(kept);
    return bytes;
  }
  void erase(std::uint64_t key) {
    copy_if_awaited(key);
    table_->erase(key);
    model_.erase(key);
  }
  void pass(Time by) {
    table_->set_time(now_ + by, now_ + by);
    if (wanted_) return;  // while an image is open, none of it is over
    now_ += by;
    forget_over();
  }
  bool is_over(const Kept& kept) const { return kept.ends <= now_; }
  /// An older value of a key that has changed would come back, if no image of changes had it.
  void forget_over() {
    std::erase_if(model_, [this](const auto& entry) {
      return is_over(entry.second) && !(chained_ && entry.second.changed);
    });
  }
  DiskImage draw(Random& random) const {
    constexpr std::array kKinds = {DiskImage::alone, DiskImage::base, DiskImage::changes,
                                   DiskImage::changes};
    const DiskImage drawn = kKinds[random.below(kKinds.size())];
    return chained_ || drawn != DiskImage::changes ? drawn : DiskImage::base;
  }
  void begin(DiskImage kind) {
    wanted_.emplace();
    got_.clear();
    for (auto& [key, kept] : model_) {
      if (kind == DiskImage::changes ? kept.changed : !is_over(kept))
        wanted_->emplace(key, kept.value);
      if (kind != DiskImage::alone) kept.changed = false;
    }
    chained_ |= kind != DiskImage::alone;
    table_->begin_image(kind);
    ++begun_;
  }
  void read(std::size_t values) {
    const std::size_t left = table_->read_image(values, [&](auto key, auto value) {
      EXPECT_TRUE(got_.emplace(key, value).second) << "twice: " << key;
    });
    if (left == 0) return;
    EXPECT_TRUE(got_ == *wanted_) << got_.size() << " of " << wanted_->size();
    read_ += wanted_->size();
    wanted_.reset();
    forget_over();
  }
  /// As who keeps rows does, before one is in memory again.
  void copy_if_awaited(std::uint64_t key) {
    if (!table_->is_awaited(key)) return;
    ASSERT_TRUE(wanted_.has_value()) << "no image is open";
    EXPECT_TRUE(got_.emplace(key, model_.at(key).value).second) << "twice: " << key;
    ++copied_;
  }

 protected:
  static constexpr std::size_t kAll = 1u << 30;
  static constexpr std::uint64_t kSpread = 0x9e3779b97f4a7c15ull | 1;

  std::map<std::uint64_t, Kept> model_;  ///< what is over is not in it
  std::optional<Values> wanted_;         ///< of the image that is open
  Values got_;
  bool ends_ = false;
  double begins_ = 1;     ///< how often, when it may
  bool chained_ = false;  ///< there was an image that others come over
  std::size_t begun_ = 0;
  std::size_t read_ = 0;
  std::size_t copied_ = 0;
};

TEST_F(DiskImagesTest, HaveWhatWasThereWhenTheyBegan) {
  const char* const asked = std::getenv("MILLRACE_SEEDS");
  const std::uint64_t seeds = asked != nullptr ? std::strtoull(asked, nullptr, 10) : 12;
  for (std::uint64_t seed = 0; seed < seeds && !HasFailure(); ++seed) run(seed);
  EXPECT_GT(begun_, seeds);
  EXPECT_GT(read_, 100 * seeds);
  EXPECT_GT(copied_, 10 * seeds);
}

}  // namespace
}  // namespace millrace::property
