// PatternKeys: the partial matches of the keys of one task, when their time is over, and images of
// them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "operator/alarmed_rows.hpp"
#include "operator/held_rows.hpp"
#include "operator/joined_records.hpp"
#include "operator/keyed.hpp"
#include "operator/sparse_records.hpp"
#include "operator/stored_records.hpp"
#include "pattern/matcher.hpp"

namespace millrace::detail {

/// How an image holds the records of partial matches.
template <class T>
struct MatchedForm {
  struct Reader {
    StoredReader<T> values;
    /// Reads a record into an empty batch; false: it does not fit.
    bool operator()(BytesCursor& in, Batch<T>& to) const {
      T record{};
      if (!values.read(in, record)) return false;
      to.values.push_back(std::move(record));
      return true;
    }
  };

  std::string shape() const { return stored_shape<T>(); }
  static void store(std::string& out, const T& record) { store_value(out, record); }
  /// Of records of that shape, or why they cannot be read.
  Result<Reader> reader(std::string_view shape) const {
    auto values = StoredReader<T>::of(shape);
    if (!values) return values.error();
    return Reader{std::move(*values)};
  }
};
/// Rows come back with the fields that they had, or not at all.
template <>
struct MatchedForm<RowRef> {
  struct Reader {
    RowSchemaPtr schema;
    bool operator()(BytesCursor& in, RowBatch& to) const {
      to.values.begin(schema);
      return load_row(in, to.values);
    }
  };

  RowSchemaPtr schema;
  RowSchemaPtr keys;  ///< rows that begin with the fields of keys that are of KeyFields; else null

  std::string shape() const { return rows_shape(*schema); }
  static void store(std::string& out, const RowRef& row) { store_row(out, row); }
  Result<Reader> reader(std::string_view wanted) const {
    if (wanted != shape()) return other_shape(wanted, shape());
    return Reader{schema};
  }
};

/// What a key keeps, which lets go of its records when it goes.
class OwnMatches : public KeyMatches {
 public:
  /// Both outlive it; `meter` may be null.
  OwnMatches(Matcher& matcher, MemoryMeter* meter) : KeyMatches(meter), matcher_(&matcher) {}
  OwnMatches(OwnMatches&&) noexcept = default;
  OwnMatches& operator=(OwnMatches&& other) noexcept {
    if (this == &other) return *this;
    matcher_->clear(*this);
    KeyMatches::operator=(std::move(other));
    matcher_ = other.matcher_;
    return *this;
  }
  ~OwnMatches() { matcher_->clear(*this); }

 private:
  Matcher* matcher_;
};

/// How partial matches of a key lie on disk, with their records: see DiskRows. One thread.
template <class T>
class MatchesCodec {
 public:
  using Row = OwnMatches;
  using Reader = typename MatchedForm<T>::Reader;

  /// All but `form` outlive it; `meter` may be null.
  MatchesCodec(Matcher& matcher, const MatchedForm<T>& form, JoinedRecords<T>& records,
               MemoryMeter* meter)
      : matcher_(&matcher), records_(&records), meter_(meter) {
    if constexpr (kStoresRecords<T>) {
      auto read = form.reader(form.shape());
      if (read) own_reader_ = std::make_shared<const Reader>(std::move(*read));
    }
  }

  Row fresh() const { return Row(*matcher_, meter_); }
  /// As images have them.
  void store_matches(std::string& out, const Row& key) const {
    if constexpr (kStoresRecords<T>) {
      matcher_->store(out, key, [this](std::string& to, std::uint64_t slot) {
        append_place(to, records_->batch(slot), static_cast<std::uint32_t>(slot), kTimeMin);
        MatchedForm<T>::store(to, records_->record(slot));
      });
    }
  }
  template <class Read>
  bool load_matches(BytesCursor& in, Row& key, const Read& read) const {
    return matcher_->load(in, key, [&](BytesCursor& from) -> std::optional<std::uint64_t> {
      Batch<T> one;
      if (!load_place(from, one) || !read(from, one)) return std::nullopt;
      const std::uint32_t first = 0;
      return records_->keep(one, {&first, 1});
    });
  }
  void store(std::string& out, const Row& key) const {
    put_number(out, key.alarm);
    store_matches(out, key);
  }
  bool load(BytesCursor& in, Row& key) const {
    const Time alarm = in.number<Time>();
    if constexpr (kStoresRecords<T>) {
      if (!own_reader_ || !load_matches(in, key, *own_reader_)) return false;
    }
    key.alarm = alarm;
    return true;
  }
  /// Its alarm ends it, or nothing does.
  static OverAt over_at(const Row&) { return {}; }
  /// All that it holds counts itself.
  static std::int64_t heap_of(const Row&) { return 0; }

 private:
  Matcher* matcher_;
  JoinedRecords<T>* records_;
  MemoryMeter* meter_;
  std::shared_ptr<const Reader> own_reader_;  ///< of what store() makes
};

/// A key that has nothing is not kept, or until its alarm rings. One thread.
template <class K, class T>
class PatternKeys {
 public:
  /// All but `form` outlive it; `meter` may be null.
  PatternKeys(Matcher& matcher, MatchedForm<T> form, JoinedRecords<T>& records, MemoryMeter* meter)
      : matcher_(matcher),
        form_(std::move(form)),
        sparse_(records),
        meter_(meter),
        codec_(matcher, form_, records, meter),
        keys_(codec_, meter),
        fresh_(matcher, meter) {}

  void spill_to(const SpillPlace& place) {
    if constexpr (kStoresRecords<T>) keys_.spill_to(place);
  }
  /// Partial matches or matches that wait are there.
  bool any() const { return live_ > 0; }
  /// The keys that have any, partial matches of all keys, and matches that wait. O(1).
  std::size_t keys() const { return live_; }
  std::size_t partial() const { return partial_; }
  std::size_t waiting() const { return waiting_; }
  /// See AlarmedRows.
  template <class Key>
  const std::uint64_t* begin_batch(const TypedKeyHash<T, Key>& key, const Batch<T>& in) {
    return keys_.begin_batch(key, in);
  }
  /// Also behind what advances; nothing points to a record.
  void end_batch() {
    // Texts that cannot be found go with all that their chunk has: a move would keep them longer.
    if constexpr (kKnowsTexts<T>)
      sparse_.reclaim([this](auto&& move) { matcher_.move_records(move); });
    keys_.end_batch();
  }
  /// Hands the record at hand to its key. What a condition throws passes.
  void take(const K& key, std::uint64_t hash, Time time) {
    if (OwnMatches* const found = keys_.tables().find(key, hash)) {
      change(*found, [&] { matcher_.take(*found, time); });
      set_alarm(*found, hash);
      if (is_over(*found)) keys_.erase(key, hash);
      return;
    }
    change(fresh_, [&] { matcher_.take(fresh_, time); });
    if (fresh_.empty()) return;
    set_alarm(fresh_, hash);
    keys_.tables().add(key, hash, std::move(fresh_));
    fresh_ = OwnMatches(matcher_, meter_);
  }
  /// The watermark has come there.
  void advance(Time watermark) {
    const auto look = [&](Time when, std::uint64_t hash, const K&, OwnMatches& key) {
      if (key.alarm != when) return is_over(key);
      change(key, [&] { matcher_.expire(key, watermark); });
      key.alarm = kTimeMax;
      set_alarm(key, hash);
      return is_over(key);
    };
    keys_.ring(saturating_add(watermark, 1), look);
  }
  /// No record comes any more.
  void end(Time now) {
    keys_.take_all([&](const K&, OwnMatches& key) { matcher_.end(key, now); });
    live_ = partial_ = waiting_ = 0;
  }

  /// Those of now, whatever becomes of them before the writer is done, which this outlives. A key's
  /// records and paths are its own, and stay while it is as it was.
  void save(StateWriter& writer) {
    if constexpr (!kStoresRecords<T>) {
      if (any()) refuse_records(writer);
    } else {
      keys_.save(writer, kPart, shape(), [codec = codec_](std::string& out, const OwnMatches& key) {
        codec.store_matches(out, key);
      });
      if constexpr (std::is_same_v<T, RowRef>) {
        if (form_.keys) save_key_fields(writer, *form_.keys);
      }
    }
  }
  void restore(StateReader& reader) {
    if constexpr (kStoresRecords<T>) {
      reader.each_in_turn(kPart, [&](const StatePart& part) { restore_part(reader, part); });
      keys_.end_batch();
    }
  }

 private:
  static constexpr std::string_view kPart = "matches";

  static bool is_over(const KeyMatches& key) { return key.empty() && key.alarm == kTimeMax; }
  template <class Change>
  void change(KeyMatches& key, Change&& change) {
    if (!key.empty()) --live_;
    partial_ -= key.runs.size();
    waiting_ -= key.held.size();
    const struct Count {  // also when a condition throws
      ~Count() { keys.count(key); }
      PatternKeys& keys;
      const KeyMatches& key;
    } count{*this, key};
    change();
  }
  void count(const KeyMatches& key) {
    if (!key.empty()) ++live_;
    partial_ += key.runs.size();
    waiting_ += key.held.size();
  }
  void set_alarm(KeyMatches& key, std::uint64_t hash) {
    if (key.empty() || key.deadline >= key.alarm) return;
    key.alarm = key.deadline;
    keys_.alarms().add(key.alarm, hash);
  }

  /// Partial matches are of one pattern alone.
  std::string shape() const { return matcher_.plan().shape.to_string() + "|" + form_.shape(); }
  void restore_part(StateReader& reader, const StatePart& part) {
    const std::string_view shape = value_shape_of<K>(part.shape);
    const std::size_t bar = shape.find('|');
    if (bar == std::string_view::npos)
      return reader.refuse(part, other_shape(part.shape, entry_shape<K>("...")).message());
    if (const std::string pattern = matcher_.plan().shape.to_string();
        shape.substr(0, bar) != pattern) {
      return reader.refuse(part, "it has partial matches of the pattern " +
                                     std::string(shape.substr(0, bar)) +
                                     ", and the program has another one: " + pattern);
    }
    const auto read = form_.reader(shape.substr(bar + 1));
    if (!read) return reader.refuse(part, read.error().message());
    BytesCursor in(part.bytes);
    read_entries<K>(reader, part, in, [&](const K& key, std::uint64_t hash) {
      OwnMatches matches = codec_.fresh();
      if (!codec_.load_matches(in, matches, *read)) return false;
      if (matches.empty()) return true;
      count(matches);
      set_alarm(matches, hash);
      keys_.restore(key, hash, std::move(matches));
      return true;
    });
  }

  Matcher& matcher_;
  MatchedForm<T> form_;
  SparseRecords<T> sparse_;
  MemoryMeter* meter_;
  MatchesCodec<T> codec_;
  AlarmedRows<K, MatchesCodec<T>> keys_;
  OwnMatches fresh_;         ///< of a key that has none
  std::size_t live_ = 0;     ///< keys
  std::size_t partial_ = 0;  ///< partial matches of all of them
  std::size_t waiting_ = 0;  ///< matches that wait, the same
};

}  // namespace millrace::detail
