// W1, hashtags: a file's lines, their hashtags counted, the 100 most frequent.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "answers.hpp"
#include "flat_map.hpp"
#include "hashtag_scan.hpp"
#include "hashtags_input.hpp"
#include "millrace/topology.hpp"
#include "run_engine.hpp"
#include "workloads.hpp"

namespace millrace::bench {
namespace {

constexpr std::size_t kTop = 100;
constexpr std::size_t kBlockBytes = 256u << 10;

// The engine.

struct SplitHashtags : Bolt<std::string_view, std::string_view> {
  void process(const std::string_view& line, Output<std::string_view>& out) override {
    hashtags(line, [&out](std::string_view tag) { out.emit(tag); });
  }
};

/// With one thread all of it is one chain; with more, blocks of lines go to as many tasks that
/// split and count in part.
Stream<std::string_view> tags_of(Topology& topology, const std::string& path, unsigned threads) {
  auto text = topology.from(lines(path));
  if (threads > 1) return topology.bolt("hashtags", SplitHashtags{}, shuffle(text));
  return text.flat_map([](const std::string_view& line, Output<std::string_view>& out) {
    hashtags(line, [&out](std::string_view tag) { out.emit(tag); });
  });
}

Answer run_by_engine(const std::string& path, std::uint64_t records, unsigned threads,
                     bool auto_executors, Guarantee guarantee) {
  Answer answer;
  answer.records = records;
  Topology topology("hashtags");
  topology.guarantee(guarantee);
  tags_of(topology, path, threads)
      .key_by(self)
      .window(global())
      .count()
      .top(kTop)
      .to(each([&answer](const Ranked<std::string_view, std::int64_t>& row) {
        answer.checksum += tag_row_sum(row.rank, row.key, static_cast<std::uint64_t>(row.value));
      }));
  answer.failure = run_engine(topology, threads, auto_executors);
  return answer;
}

// The limit.

/// Texts that last as long as this.
class Texts {
 public:
  std::string_view keep(std::string_view text) {
    if (text.size() > left_) {
      left_ = std::max<std::size_t>(text.size(), 64u << 10);
      blocks_.emplace_back(left_);
      at_ = blocks_.back().data();
    }
    std::memcpy(at_, text.data(), text.size());
    const std::string_view kept(at_, text.size());
    at_ += text.size();
    left_ -= text.size();
    return kept;
  }

 private:
  std::vector<std::vector<char>> blocks_;
  char* at_ = nullptr;
  std::size_t left_ = 0;
};

/// Counts of tags. They are collected first and counted block by block, the slots of the next ones
/// on their way: one by one would wait for memory.
class Counts {
 public:
  void take(std::string_view tag) { pending_.push_back({tag, hash_of(tag)}); }

  /// Counts what was collected; afterwards the block may go.
  void settle() {
    constexpr std::size_t kAhead = 12;
    const std::size_t count = pending_.size();
    for (std::size_t at = 0; at < count; ++at) {
      if (at + kAhead < count) map_.prefetch(pending_[at + kAhead].hash);
      ++map_.find_or_add(pending_[at].tag, pending_[at].hash,
                         [this](std::string_view fresh) { return texts_.keep(fresh); });
    }
    pending_.clear();
  }
  template <class Visit>
  void for_each(Visit&& visit) const {
    map_.for_each(visit);
  }

 private:
  struct Pending {
    std::string_view tag;
    std::uint64_t hash;
  };
  FlatMap<std::string_view, std::uint64_t, 2> map_;
  Texts texts_;
  std::vector<Pending> pending_;
};

/// Reads a file in blocks that end at a line's end and passes each to take(text), where 64 bytes
/// behind the text may be read.
class Blocks {
 public:
  explicit Blocks(const std::string& path)
      : file_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)), buffer_(2 * kBlockBytes + 64) {
    if (file_ < 0) throw std::runtime_error("the input \"" + path + "\" cannot be opened");
  }
  Blocks(const Blocks&) = delete;
  Blocks& operator=(const Blocks&) = delete;
  ~Blocks() { ::close(file_); }

  template <class Take>
  void for_each(Take&& take) {
    std::size_t tail = 0;
    for (;;) {
      if (buffer_.size() < tail + kBlockBytes + 64) buffer_.resize(2 * buffer_.size());
      const ssize_t count = ::read(file_, buffer_.data() + tail, kBlockBytes);
      if (count <= 0) break;
      const std::size_t filled = tail + static_cast<std::size_t>(count);
      const std::string_view text(buffer_.data(), filled);
      const std::size_t end = text.rfind('\n') + 1;  // 0 when there is none
      if (end > 0) take(text.substr(0, end));
      tail = filled - end;
      std::memmove(buffer_.data(), buffer_.data() + end, tail);
    }
    if (tail > 0) take(std::string_view(buffer_.data(), tail));
  }

 private:
  int file_;
  std::vector<char> buffer_;
};

/// Calls take(line) for each line of a block, without its end.
template <class Take>
void for_each_line(std::string_view text, Take&& take) {
  const char* line = text.data();
  const char* const end = text.data() + text.size();
#if defined(__SSE2__)
  for (const char* base = line; base < end; base += 64) {
    std::uint64_t mask = 0;
    for (int part = 0; part < 4; ++part) {
      mask |= equal_bits(load_bytes(base + 16 * part), '\n') << (16 * part);
    }
    if (end - base < 64) mask &= (std::uint64_t{1} << (end - base)) - 1;
    for (; mask != 0; mask &= mask - 1) {
      const char* const at = base + std::countr_zero(mask);
      take(std::string_view(line, static_cast<std::size_t>(at - line)));
      line = at + 1;
    }
  }
#else
  while (const void* found = std::memchr(line, '\n', static_cast<std::size_t>(end - line))) {
    const char* const at = static_cast<const char*>(found);
    take(std::string_view(line, static_cast<std::size_t>(at - line)));
    line = at + 1;
  }
#endif
  if (line < end) take(std::string_view(line, static_cast<std::size_t>(end - line)));
}

std::uint64_t checksum_of_top(const Counts& counts) {
  struct Row {
    std::string_view tag;
    std::uint64_t count;
  };
  std::vector<Row> rows;
  counts.for_each([&](std::string_view tag, std::uint64_t count) { rows.push_back({tag, count}); });
  const auto top = rows.begin() + static_cast<std::ptrdiff_t>(std::min(kTop, rows.size()));
  std::partial_sort(rows.begin(), top, rows.end(), [](const Row& a, const Row& b) {
    return a.count != b.count ? a.count > b.count : a.tag < b.tag;
  });
  std::uint64_t sum = 0;
  for (auto at = rows.begin(); at != top; ++at) {
    sum += tag_row_sum(static_cast<std::uint64_t>(at - rows.begin()) + 1, at->tag, at->count);
  }
  return sum;
}

Answer run_by_hand(const std::string& path) {
  Answer answer;
  Counts counts;
  Blocks(path).for_each([&](std::string_view text) {
    for_each_line(text, [&](std::string_view line) {
      ++answer.records;
      hashtags(line, [&counts](std::string_view tag) { counts.take(tag); });
    });
    counts.settle();
  });
  answer.checksum = checksum_of_top(counts);
  return answer;
}

// The bound: no lines, wider vectors.

#if defined(__x86_64__)
[[gnu::target("avx2,bmi")]] inline const char* word_end(const char* at, const char* end) {
  const __m256i space = _mm256_set1_epi8(' ');
  const __m256i newline = _mm256_set1_epi8('\n');
  for (; at < end; at += 32) {
    const __m256i bytes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at));
    const auto mask = static_cast<std::uint32_t>(_mm256_movemask_epi8(
        _mm256_or_si256(_mm256_cmpeq_epi8(bytes, space), _mm256_cmpeq_epi8(bytes, newline))));
    if (mask != 0) return std::min(at + std::countr_zero(mask), end);
  }
  return end;
}

template <class Take>
[[gnu::target("avx2,bmi")]] void hashtags_of_block(std::string_view text, Take&& take) {
  const char* const begin = text.data();
  const char* const end = begin + text.size();
  const __m256i wanted = _mm256_set1_epi8('#');
  for (const char* base = begin; base < end; base += 32) {
    const __m256i bytes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(base));
    auto mask = static_cast<std::uint32_t>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(bytes, wanted)));
    for (; mask != 0; mask &= mask - 1) {
      const char* const at = base + std::countr_zero(mask);
      if (at >= end) return;
      if (at > begin && at[-1] != ' ' && at[-1] != '\n') continue;
      const char* stop = word_end(at + 1, end);
      if (stop > at + 1) take(std::string_view(at + 1, static_cast<std::size_t>(stop - at - 1)));
    }
  }
}

Answer run_bound(const std::string& path, std::uint64_t records) {
  Answer answer;
  answer.records = records;
  Counts counts;
  Blocks(path).for_each([&](std::string_view text) {
    hashtags_of_block(text, [&counts](std::string_view tag) { counts.take(tag); });
    counts.settle();
  });
  answer.checksum = checksum_of_top(counts);
  return answer;
}
#endif

/// The file, made when there is none.
std::string input_of(const Settings& settings) {
  return hashtags_input(settings.input, settings.records != 0 ? settings.records : 5'000'000);
}

std::uint64_t lines_of(const std::string& path) {
  std::uint64_t records = 0;
  Blocks(path).for_each([&](std::string_view text) {
    records += static_cast<std::uint64_t>(std::count(text.begin(), text.end(), '\n'));
    if (text.back() != '\n') ++records;
  });
  return records;
}

}  // namespace

Workload acked_workload(const Settings& settings) {
  const std::string path = input_of(settings);
  const std::uint64_t records = lines_of(path);
  Workload workload;
  workload.name = "acked";
  workload.unit = "lines";
  workload.engine = [path, records, by_load = settings.auto_executors](unsigned threads) {
    return run_by_engine(path, records, threads, by_load, at_least_once);
  };
  workload.limit = [path, records, threads = settings.threads, by_load = settings.auto_executors] {
    return run_by_engine(path, records, threads, by_load, at_most_once);
  };
  return workload;
}

Workload hashtags_workload(const Settings& settings) {
  const std::string path = input_of(settings);
  const std::uint64_t records = lines_of(path);
  Workload workload;
  workload.name = "hashtags";
  workload.unit = "lines";
  workload.limit_rate_min = 10e6;
  workload.engine = [path, records, by_load = settings.auto_executors](unsigned threads) {
    return run_by_engine(path, records, threads, by_load, at_most_once);
  };
  workload.limit = [path] { return run_by_hand(path); };
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi")) {
    workload.bound = [path, records] { return run_bound(path, records); };
  }
#endif
  return workload;
}

}  // namespace millrace::bench
