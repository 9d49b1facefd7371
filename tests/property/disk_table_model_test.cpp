// A table on a scratch disk against a map: random puts, erases, look-ups, ranges and times, over so
// much that segments are written anew again and again.
#include <algorithm>
#include <cstdlib>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "random_table.hpp"

namespace millrace::property {
namespace {

struct Kept {
  OverAt over;
  std::string value;
};

class DiskTableModelTest : public RandomTable {
 protected:
  void run(std::uint64_t seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    Random random(seed);
    // Few keys are written again and again, many fill the index.
    const std::uint64_t keys = 1 + random.below(random.chance(0.5) ? 500 : 50'000);
    ASSERT_NO_FATAL_FAILURE(open(keys, 1 + random.below(random.chance(0.5) ? 40 : 3'000)));
    model_.clear();
    put_bytes_ = 0;
    ends_ = random.chance(0.5);
    spread_ = random.chance(0.3) ? 1 : 0x9e3779b97f4a7c15ull | 1;
    while (put_bytes_ < 12u << 20 && !HasFailure()) act(random);
    EXPECT_TRUE(table_->check());
    compare(0, ~0ull);
    table_.reset();
  }

 private:
  std::uint64_t draw_key(Random& random) { return random.below(keys_) * spread_; }
  bool is_over(const Kept& kept) const {
    return kept.over.event <= now_ && kept.over.clock <= now_;
  }

  void act(Random& random) {
    const std::uint64_t what = random.below(1'000);
    if (what < 800) {
      put(random);
    } else if (what < 950) {
      const std::uint64_t key = draw_key(random);
      table_->erase(key);
      model_.erase(key);
    } else if (what < 998) {
      look(random);
    } else if (what == 998) {
      now_ += static_cast<Time>(random.below(50));
      table_->set_time(now_, now_);
      std::erase_if(model_, [&](const auto& entry) { return is_over(entry.second); });
    } else if (random.chance(0.1)) {
      const std::uint64_t one = draw_key(random);
      const std::uint64_t other = draw_key(random);
      compare(std::min(one, other), std::max(one, other));
    }
  }
  void put(Random& random) {
    for (std::uint64_t left = 1 + random.below(20); left > 0; --left) {
      const std::uint64_t key = draw_key(random);
      Kept kept;
      if (ends_ && random.chance(0.7)) {
        kept.over.event =
            random.chance(0.5) ? kTimeMin : now_ + static_cast<Time>(random.below(90));
        kept.over.clock = now_ + static_cast<Time>(random.below(90));
      }
      kept.value = draw_value(random);
      put_bytes_ += bytes_of(kept.value);
      table_->put(key, kept.over, kept.value);
      if (is_over(kept)) {
        model_.erase(key);
      } else {
        model_[key] = std::move(kept);
      }
    }
  }
  void look(Random& random) {
    std::vector<std::uint64_t> keys;
    std::map<std::uint64_t, std::string> wanted;
    for (std::uint64_t left = random.below(200); left > 0; --left) keys.push_back(draw_key(random));
    std::sort(keys.begin(), keys.end());
    keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
    for (const std::uint64_t key : keys) {
      if (const auto at = model_.find(key); at != model_.end()) wanted[key] = at->second.value;
    }
    std::map<std::uint64_t, std::string> got;
    table_->find(keys, [&](auto key, auto value) { got.emplace(key, value); });
    EXPECT_TRUE(got == wanted) << got.size() << " of " << wanted.size();
  }
  void compare(std::uint64_t first, std::uint64_t last) {
    std::map<std::uint64_t, std::string> wanted;
    for (const auto& [key, kept] : model_) {
      if (key >= first && key <= last) wanted[key] = kept.value;
    }
    std::map<std::uint64_t, std::string> got;
    table_->each(first, last, [&](auto key, auto value) {
      EXPECT_TRUE(got.emplace(key, value).second) << "twice: " << key;
    });
    EXPECT_TRUE(got == wanted) << got.size() << " of " << wanted.size();
  }

  std::map<std::uint64_t, Kept> model_;  ///< what is over is not in it
  std::uint64_t put_bytes_ = 0;
  bool ends_ = false;
  std::uint64_t spread_ = 0;
};

TEST_F(DiskTableModelTest, IsAMap) {
  const char* const asked = std::getenv("MILLRACE_SEEDS");
  const std::uint64_t seeds = asked != nullptr ? std::strtoull(asked, nullptr, 10) : 12;
  for (std::uint64_t seed = 0; seed < seeds && !HasFailure(); ++seed) run(seed);
}

}  // namespace
}  // namespace millrace::property
