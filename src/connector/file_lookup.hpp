// FileLookup: a file of rows as a store that is asked by key, read again when it has aged.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "operator/row_calls.hpp"

namespace millrace::detail {

struct FileLookupOptions {
  std::string path;     ///< plain, gzip or zstd
  bool is_csv = true;   ///< with a header; else a JSON object a line
  RowSchemaPtr schema;  ///< of its rows: the key's fields, then those that are found
  /// The key's fields as those who ask call them.
  RowSchemaPtr key;
  Duration reload{0};  ///< it is read again when it is asked so long after; 0: never
};

/// Keys are JSON objects, as RowAsJson makes them of rows. Of equal keys the last row counts; a row
/// with a null in its key is passed over. While the file cannot be read again, what was read stays;
/// the log says so, once while the reason is the same, and when it is read again. A copy reads the
/// file itself.
///
/// One thread; held_bytes() and reload_failures() any. Cost: a look-up a key. Memory: all rows,
/// twice while it is read.
class FileLookup {
 public:
  explicit FileLookup(FileLookupOptions options) : options_(std::move(options)) {}
  FileLookup(const FileLookup& other)
      : options_(other.options_), env_(other.env_), log_(other.log_), place_(other.place_) {}
  FileLookup& operator=(const FileLookup&) = delete;

  void open(const OperatorContext& context);
  /// Throws std::runtime_error when the file was never read and cannot be.
  std::vector<std::optional<RowValues>> operator()(std::span<const std::string> keys);
  std::size_t held_bytes() const { return bytes_.load(std::memory_order_relaxed); }
  /// How often it could not be read again.
  std::uint64_t reload_failures() const { return failures_.load(std::memory_order_relaxed); }

 private:
  using Table = std::unordered_map<std::string, RowValues>;

  void read_when_due();
  void keep_old(const std::string& why);
  void take_new(Table table);
  /// Throws.
  Table read() const;

  FileLookupOptions options_;
  Env* env_ = nullptr;
  Log log_;
  std::string place_;  ///< for the log: the component and its task
  std::optional<Table> table_;
  std::string failure_;  ///< why it could not be read again; "": it was
  std::int64_t read_ns_ = 0;
  std::atomic<std::size_t> bytes_{0};
  std::atomic<std::uint64_t> failures_{0};
};

}  // namespace millrace::detail
