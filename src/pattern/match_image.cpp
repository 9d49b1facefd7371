// What a key keeps of partial matches as bytes: its records, the paths through them, its runs.
#include <algorithm>
#include <map>

#include "pattern/matcher.hpp"

namespace millrace::detail {
namespace {

/// The nodes of a key, those before others first, and their records.
class Content {
 public:
  Content(const MatchBuffer& buffer, const KeyMatches& key) : buffer_(buffer) {
    for (const MatchRun& run : key.runs) add(run.node);
    for (const FoundMatch& match : key.held) add(match.node);
  }
  void store(std::string& out,
             const std::function<void(std::string&, std::uint64_t)>& store) const {
    put_varint(out, records_.size());
    for (const std::uint32_t at : records_) {
      put_varint(out, buffer_.record(at).number);
      put_number(out, buffer_.record(at).time);
      store(out, buffer_.record(at).slot);
    }
    put_varint(out, nodes_.size());
    for (const std::uint32_t at : nodes_) {
      const MatchBuffer::Node& node = buffer_.node(at);
      put_varint(out, node.before == MatchBuffer::kNone ? 0 : number(node.before) + 1);
      put_varint(out, record_numbers_.at(node.record));
      put_varint(out, node.stage);
    }
  }
  std::uint64_t number(std::uint32_t node) const { return numbers_.at(node); }

 private:
  void add(std::uint32_t node) {
    std::vector<std::uint32_t> path;
    for (; node != MatchBuffer::kNone && !numbers_.contains(node); node = buffer_.node(node).before)
      path.push_back(node);
    for (auto at = path.rbegin(); at != path.rend(); ++at) {
      numbers_.emplace(*at, nodes_.size());
      nodes_.push_back(*at);
      const std::uint32_t record = buffer_.node(*at).record;
      if (record_numbers_.emplace(record, records_.size()).second) records_.push_back(record);
    }
  }

  const MatchBuffer& buffer_;
  std::vector<std::uint32_t> nodes_;
  std::vector<std::uint32_t> records_;
  std::map<std::uint32_t, std::uint64_t> numbers_;
  std::map<std::uint32_t, std::uint64_t> record_numbers_;
};

}  // namespace

void Matcher::store(std::string& out, const KeyMatches& key,
                    const std::function<void(std::string&, std::uint64_t)>& store) const {
  put_varint(out, key.records);
  put_varint(out, key.found);
  const Content content(buffer_, key);
  content.store(out, store);
  put_varint(out, key.runs.size());
  for (const MatchRun& run : key.runs) {
    put_number(out, run.first);
    put_number(out, run.last);
    put_varint(out, run.start);
    put_varint(out, run.open);
    put_varint(out, content.number(run.node));
    put_varint(out, run.step);
    put_number(out, static_cast<std::uint8_t>(run.fresh));
  }
  put_varint(out, key.held.size());
  for (const FoundMatch& match : key.held) {
    put_varint(out, match.start);
    put_varint(out, match.order);
    put_varint(out, content.number(match.node));
  }
}

MatchCounts Matcher::count(BytesCursor in, std::size_t record_bytes) {
  MatchCounts counts;
  const auto pass_numbers = [&in](int numbers) {
    for (int left = numbers; left > 0; --left) (void)in.varint();
  };
  pass_numbers(2);
  for (std::uint64_t left = in.varint(); left > 0 && in.ok(); --left) {
    pass_numbers(1);
    (void)in.number<Time>();
    (void)in.take(record_bytes);
  }
  for (std::uint64_t left = in.varint(); left > 0 && in.ok(); --left) pass_numbers(3);
  counts.partial = static_cast<std::int64_t>(in.varint());
  for (std::int64_t left = counts.partial; left > 0 && in.ok(); --left) {
    (void)in.number<Time>();
    (void)in.number<Time>();
    pass_numbers(4);
    (void)in.number<std::uint8_t>();
  }
  counts.waiting = static_cast<std::int64_t>(in.varint());
  return in.ok() ? counts : MatchCounts();
}

bool Matcher::load(BytesCursor& in, KeyMatches& key,
                   const std::function<std::optional<std::uint64_t>(BytesCursor&)>& load) {
  key.records = in.varint();
  key.found = in.varint();
  std::vector<std::uint32_t> records;
  for (std::uint64_t left = in.varint(); left > 0; --left) {
    const std::uint64_t number = in.varint();
    const Time time = in.number<Time>();
    const auto slot = in.ok() ? load(in) : std::nullopt;
    if (!slot) return false;
    records.push_back(buffer_.add_record(*slot, number, time));
  }
  std::vector<std::uint32_t> nodes;
  for (std::uint64_t left = in.varint(); left > 0; --left) {
    const std::uint64_t before = in.varint();
    const std::uint64_t record = in.varint();
    const std::uint64_t stage = in.varint();
    if (!in.ok() || before > nodes.size() || record >= records.size() ||
        stage >= plan_.stages.size())
      return false;
    nodes.push_back(buffer_.add_node(before == 0 ? MatchBuffer::kNone : nodes[before - 1],
                                     records[record], static_cast<std::uint32_t>(stage)));
  }
  const auto hold = [&](std::uint64_t number) {
    buffer_.hold(nodes[number]);
    return nodes[number];
  };
  for (std::uint64_t left = in.varint(); left > 0; --left) {
    MatchRun run;
    run.first = in.number<Time>();
    run.last = in.number<Time>();
    run.start = in.varint();
    run.open = in.varint();
    const std::uint64_t node = in.varint();
    const std::uint64_t step = in.varint();
    run.fresh = in.number<std::uint8_t>() != 0;
    if (!in.ok() || node >= nodes.size() || step >= plan_.steps.size() ||
        (run.open & ~plan_.steps[step].open) != 0)
      return false;
    run.node = hold(node);
    run.step = static_cast<std::uint32_t>(step);
    key.deadline = std::min(key.deadline, deadline_of(run));
    key.runs.push_back(run);
  }
  for (std::uint64_t left = in.varint(); left > 0; --left) {
    FoundMatch match{in.varint(), in.varint(), 0};
    const std::uint64_t node = in.varint();
    if (!in.ok() || node >= nodes.size()) return false;
    match.node = hold(node);
    key.held.push_back(match);
  }
  std::make_heap(key.held.begin(), key.held.end());
  for (const std::uint32_t node : nodes) let_go(node);  // held by what ends or goes on with them
  return in.ok();
}

}  // namespace millrace::detail
