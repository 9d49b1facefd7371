// Zipf sampling by alias tables, and the writing of the file.
#include "hashtags_input.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string_view>
#include <system_error>
#include <vector>

namespace millrace::bench {
namespace {

constexpr std::uint64_t kSeed = 20150912;
constexpr std::size_t kWords = 20'000;
constexpr std::size_t kTags = 50'000;

/// splitmix64 (Steele, Lea and Flood 2014).
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() {
    std::uint64_t word = state_ += 0x9e3779b97f4a7c15ull;
    word = (word ^ (word >> 30)) * 0xbf58476d1ce4e5b9ull;
    word = (word ^ (word >> 27)) * 0x94d049bb133111ebull;
    return word ^ (word >> 31);
  }
  /// Uniform in [0, bound); bound < 2^32.
  std::uint32_t below(std::uint32_t bound) {
    return static_cast<std::uint32_t>(((next() >> 32) * bound) >> 32);
  }

 private:
  std::uint64_t state_;
};

/// Draws ranks 0 .. count-1 with weights 1/(rank+1) in O(1) (Walker 1977, Vose 1991).
class Zipf {
 public:
  explicit Zipf(std::size_t count) : accept_(count), alias_(count) {
    double total = 0;
    for (std::size_t rank = 0; rank < count; ++rank) total += 1.0 / static_cast<double>(rank + 1);
    std::vector<double> scaled(count);
    std::vector<std::uint32_t> small;
    std::vector<std::uint32_t> large;
    for (std::size_t rank = 0; rank < count; ++rank) {
      scaled[rank] = static_cast<double>(count) / (static_cast<double>(rank + 1) * total);
      (scaled[rank] < 1 ? small : large).push_back(static_cast<std::uint32_t>(rank));
    }
    while (!small.empty() && !large.empty()) {
      const std::uint32_t less = small.back();
      const std::uint32_t more = large.back();
      small.pop_back();
      accept_[less] = static_cast<std::uint32_t>(scaled[less] * 4294967295.0);
      alias_[less] = more;
      scaled[more] -= 1 - scaled[less];
      if (scaled[more] >= 1) continue;
      large.pop_back();
      small.push_back(more);
    }
    for (const auto* rest : {&small, &large}) {
      for (const std::uint32_t rank : *rest) accept_[rank] = 0xffffffffu, alias_[rank] = rank;
    }
  }
  std::uint32_t draw(Random& random) const {
    const std::uint64_t word = random.next();
    const auto column = static_cast<std::uint32_t>(((word >> 32) * accept_.size()) >> 32);
    return static_cast<std::uint32_t>(word) <= accept_[column] ? column : alias_[column];
  }

 private:
  std::vector<std::uint32_t> accept_;
  std::vector<std::uint32_t> alias_;
};

/// A pronounceable name of `letters` letters, unique by the number at its end when `number` is
/// asked for.
std::string name_of(Random& random, std::size_t letters) {
  constexpr std::string_view kConsonants = "bcdfghjklmnprstvwz";
  constexpr std::string_view kVowels = "aeiou";
  std::string name;
  while (name.size() < letters) {
    const auto& from = name.size() % 2 == 0 ? kConsonants : kVowels;
    name += from[random.below(static_cast<std::uint32_t>(from.size()))];
  }
  return name;
}

std::vector<std::string> dictionary(Random& random, std::size_t count, std::size_t shortest,
                                    std::size_t span, std::string_view prefix, bool numbered) {
  std::vector<std::string> names;
  names.reserve(count);
  for (std::size_t rank = 0; rank < count; ++rank) {
    std::string name(prefix);
    name += name_of(random, shortest + random.below(static_cast<std::uint32_t>(span)));
    if (numbered) name += std::to_string(rank);
    names.push_back(std::move(name));
  }
  return names;
}

class Writer {
 public:
  explicit Writer(const std::string& path) : path_(path), file_(std::fopen(path.c_str(), "wb")) {
    if (!file_) fail("cannot be made");
  }
  void write(const std::string& text) {
    if (std::fwrite(text.data(), 1, text.size(), file_.get()) != text.size()) {
      fail("cannot be written");
    }
  }
  void close() {
    if (std::fclose(file_.release()) != 0) fail("cannot be written");
  }

 private:
  struct Close {
    void operator()(std::FILE* file) const { (void)std::fclose(file); }
  };
  [[noreturn]] void fail(std::string_view what) const {
    throw std::runtime_error(fmt::format("the input \"{}\" {}: {}; name another place with --input",
                                         path_, what, std::generic_category().message(errno)));
  }
  std::string path_;
  std::unique_ptr<std::FILE, Close> file_;
};

/// Appends one line: the tags stand at random places between the words.
void append_line(std::string& out, Random& random, const std::vector<std::string>& words,
                 const std::vector<std::string>& tags, const Zipf& word_zipf,
                 const Zipf& tag_zipf) {
  std::uint32_t words_left = 8 + random.below(7);
  std::uint32_t tags_left = random.below(4);
  while (words_left + tags_left > 0) {
    if (random.below(words_left + tags_left) < tags_left) {
      out += tags[tag_zipf.draw(random)];
      --tags_left;
    } else {
      out += words[word_zipf.draw(random)];
      --words_left;
    }
    out += ' ';
  }
  out.back() = '\n';
}

void make_file(const std::string& path, std::uint64_t lines) {
  Random random(kSeed);
  const auto words = dictionary(random, kWords, 2, 9, "", false);
  const auto tags = dictionary(random, kTags, 4, 7, "#", true);
  const Zipf word_zipf(kWords);
  const Zipf tag_zipf(kTags);
  const std::string part = path + ".part";
  Writer file(part);
  std::string out;
  const std::uint64_t step = std::max<std::uint64_t>(lines / 20, 1);
  for (std::uint64_t line = 0; line < lines; ++line) {
    append_line(out, random, words, tags, word_zipf, tag_zipf);
    if (out.size() > (1u << 20)) {
      file.write(out);
      out.clear();
    }
    if (line % step == 0)
      std::fprintf(stderr, "\rmaking %s: %3.0f %%", path.c_str(),
                   100.0 * static_cast<double>(line) / static_cast<double>(lines));
  }
  file.write(out);
  file.close();
  std::filesystem::rename(part, path);
  std::fprintf(stderr, "\rmaking %s: done\n", path.c_str());
}

}  // namespace

std::string hashtags_input(const std::string& wanted, std::uint64_t lines) {
  std::string path = wanted;
  if (path.empty()) {
    path = (std::filesystem::temp_directory_path() / fmt::format("millrace-hashtags-{}.txt", lines))
               .string();
  }
  if (!std::filesystem::exists(path)) make_file(path, lines);
  return path;
}

}  // namespace millrace::bench
