// History: the last 15 minutes of a topology's figures, a sample a second, in bounded memory.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "metrics/report.hpp"

namespace millrace::detail {

/// A ring of floats: the newest `capacity` of them.
class SampleRing {
 public:
  explicit SampleRing(std::size_t capacity) : values_(capacity) {}
  void push(float value);
  /// In place of the newest.
  void replace(float value);
  /// Oldest first.
  std::vector<float> values() const;

 private:
  std::vector<float> values_;
  std::size_t next_ = 0;
  std::size_t size_ = 0;
};

/// Lists of equal length, oldest sample first. NaN: there was no such figure.
struct HistoryReport {
  Time at = 0;  ///< wall clock of the newest sample; 0: there is none
  std::vector<std::int64_t> uptime_ms;
  std::vector<std::pair<std::string_view, std::vector<float>>> figures;  ///< names are static
};

/// Keeps one sample for each second of uptime; of several reports in a second the last. A second
/// without a report has no sample. One thread at a time.
///
/// Memory: kSamples * (8 + 4 * 9) = 39,600 bytes, and kSamples * 4 * 4 = 14,400 a component, of
/// which the first kComponents have a history: 7.2 MB at most.
class History {
 public:
  static constexpr std::size_t kSamples = 900;
  static constexpr std::size_t kComponents = 500;
  static constexpr std::int64_t kIntervalMs = 1000;

  History();
  void add(const Report& report);
  HistoryReport topology() const;
  /// Nullopt: there is no such component, or it is beyond kComponents.
  std::optional<HistoryReport> component(std::string_view name) const;

 private:
  struct OfComponent {
    std::string name;
    std::vector<SampleRing> rings;
  };
  void add_components(const Report& report);
  void put(SampleRing& ring, double value);
  HistoryReport report_of(const std::vector<SampleRing>& rings,
                          const std::string_view* names) const;

  std::vector<std::int64_t> uptime_ms_;
  bool replaces_ = false;
  Time at_ = 0;
  std::vector<SampleRing> rings_;
  std::vector<OfComponent> components_;
};

}  // namespace millrace::detail
