// PatternKeys: the partial matches of the keys of one task, when their time is over, and images of
// them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "operator/held_rows.hpp"
#include "operator/joined_records.hpp"
#include "operator/keyed.hpp"
#include "operator/stored_records.hpp"
#include "pattern/matcher.hpp"
#include "state/key_alarms.hpp"
#include "state/table_parts.hpp"

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

/// A key that has nothing is not kept, or until its alarm rings. One thread.
template <class K, class T>
class PatternKeys {
 public:
  /// `matcher` and `meter` outlive it; the latter may be null.
  PatternKeys(Matcher& matcher, MatchedForm<T> form, MemoryMeter* meter)
      : matcher_(matcher), form_(std::move(form)), meter_(meter), keys_(meter), fresh_(meter) {
    alarms_.count_with(meter);
  }

  /// Partial matches or matches that wait are there.
  bool any() const { return live_ > 0; }
  /// The keys that have any, partial matches of all keys, and matches that wait. O(1).
  std::size_t keys() const { return live_; }
  std::size_t partial() const { return partial_; }
  std::size_t waiting() const { return waiting_; }
  /// Hands the record at hand to its key. What a condition throws passes.
  void take(const K& key, std::uint64_t hash, Time time) {
    if (KeyMatches* const found = keys_.find(key, hash)) {
      change(*found, [&] { matcher_.take(*found, time); });
      set_alarm(*found, hash);
      if (is_over(*found)) keys_.erase(key, hash);
      return;
    }
    change(fresh_, [&] { matcher_.take(fresh_, time); });
    if (fresh_.empty()) return;
    set_alarm(fresh_, hash);
    keys_.add(key, hash, std::move(fresh_));
    fresh_ = KeyMatches(meter_);
  }
  /// The watermark has come there.
  void advance(Time watermark) {
    const auto wake = [&](Time when, std::uint64_t hash) {
      keys_.erase_of_hash(hash, [&](const K&, KeyMatches& key) {
        if (key.alarm != when) return is_over(key);
        change(key, [&] { matcher_.expire(key, watermark); });
        key.alarm = kTimeMax;
        set_alarm(key, hash);
        return is_over(key);
      });
    };
    alarms_.ring(saturating_add(watermark, 1), wake,
                 [this](std::uint64_t hash) { keys_.prefetch(hash); });
  }
  /// No record comes any more.
  void end(Time now) {
    keys_.for_each([&](const K&, KeyMatches& key) { matcher_.end(key, now); });
    keys_.clear();
    live_ = partial_ = waiting_ = 0;
  }

  /// Those of now, whatever becomes of them before the writer is done; this and `records` outlive
  /// it. A key's records and paths are its own, and stay while it is as it was.
  void save(StateWriter& writer, JoinedRecords<T>& records) {
    if constexpr (!kStoresRecords<T>) {
      if (any()) refuse_records(writer);
    } else {
      const auto store_record = [&records](std::string& out, std::uint64_t slot) {
        const auto at = static_cast<std::uint32_t>(slot);
        append_place(out, records.batch(slot), at, kTimeMin);
        MatchedForm<T>::store(out, records.record(slot));
      };
      save_tables_later(writer, kPart, keys_, shape(),
                        [this, store_record](std::string& out, const KeyMatches& key) {
                          matcher_.store(out, key, store_record);
                        });
      if constexpr (std::is_same_v<T, RowRef>) {
        if (form_.keys) save_key_fields(writer, *form_.keys);
      }
    }
  }
  void restore(StateReader& reader, JoinedRecords<T>& records) {
    if constexpr (kStoresRecords<T>)
      reader.each_in_turn(kPart,
                          [&](const StatePart& part) { restore_part(reader, part, records); });
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
    alarms_.add(key.alarm, hash);
  }

  /// Partial matches are of one pattern alone.
  std::string shape() const { return matcher_.plan().shape.to_string() + "|" + form_.shape(); }
  void restore_part(StateReader& reader, const StatePart& part, JoinedRecords<T>& records) {
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
    const auto load = [&](BytesCursor& in) -> std::optional<std::uint64_t> {
      Batch<T> one;
      if (!load_place(in, one) || !(*read)(in, one)) return std::nullopt;
      const std::uint32_t first = 0;
      return records.keep(one, {&first, 1});
    };
    BytesCursor in(part.bytes);
    read_entries<K>(reader, part, in, [&](const K& key, std::uint64_t hash) {
      KeyMatches matches(meter_);
      if (!matcher_.load(in, matches, load)) return false;
      if (matches.empty()) return true;
      count(matches);
      set_alarm(matches, hash);
      keys_.add(key, hash, std::move(matches));
      return true;
    });
  }

  Matcher& matcher_;
  MatchedForm<T> form_;
  MemoryMeter* meter_;
  KeyedTables<K, KeyMatches> keys_;
  KeyAlarms alarms_;
  KeyMatches fresh_;         ///< of a key that has none
  std::size_t live_ = 0;     ///< keys
  std::size_t partial_ = 0;  ///< partial matches of all of them
  std::size_t waiting_ = 0;  ///< matches that wait, the same
};

}  // namespace millrace::detail
