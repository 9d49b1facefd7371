// OwnedEmission: an Emission whose records may borrow from what will change, and take the times of
// many calls.
#pragma once

#include <array>
#include <cstdint>

#include "operator/emission.hpp"
#include "record/schema.hpp"

namespace millrace::detail {

/// Of components that emit out of their state, for records and for timers in one batch.
template <class Emitted>
class OwnedEmission : public Emission<Emitted> {
  using Base = Emission<Emitted>;

 public:
  void begin() {
    Base::begin();
    texts_ = {};
  }
  /// What was emitted since mark() takes that time (kTimeMin: records without event time) and the
  /// watermark that it lies behind (kTimeMin: none).
  void give_time(Time time, Time behind) {
    if (time == kTimeMin) return;
    this->each([&](auto& batch, std::size_t port) {
      if (batch.values.size() == this->marks_[port]) return;
      batch.times.resize(batch.values.size(), time);
      if (behind == kTimeMin) return;
      for (std::size_t at = this->marks_[port]; at < batch.values.size(); ++at) {
        batch.behind.push_back({static_cast<std::uint32_t>(at), behind});
      }
    });
  }
  /// What was emitted since mark() has its place behind that of a record.
  void give_place(const Arrival& place) {
    std::uint64_t child = 0;
    this->each([&](auto& batch, std::size_t) {
      while (batch.arrivals.size() < batch.values.size()) {
        batch.arrivals.push_back(place.child(child++));
      }
    });
  }
  /// The texts that were emitted since mark() become the batches' own. Types that cannot be
  /// described are left as they are.
  void own_texts(MemoryMeter* arenas) {
    this->each([&](auto& batch, std::size_t port) { own_texts_of(batch, port, arenas); });
  }
  /// Keeps what `in` borrows as long as what is emitted.
  void pin(const BatchBase& in) {
    this->each([&in](auto& batch, std::size_t) { batch.pin_all(in); });
  }
  std::size_t size() {
    std::size_t size = 0;
    this->each([&size](auto& batch, std::size_t) { size += batch.values.size(); });
    return size;
  }
  /// Hands on what was emitted once it is `most` records.
  void flush_full(std::size_t most, Outputs& outputs) {
    if (size() < most) return;
    this->push(nullptr, outputs);
    begin();
  }
  void set_due(std::int64_t due_ns) {
    this->each([due_ns](auto& batch, std::size_t) { batch.due_ns = due_ns; });
  }

 private:
  template <class T>
  void own_texts_of(Batch<T>& batch, std::size_t port, MemoryMeter* arenas) {
    if constexpr (Described<T>) {
      if constexpr (Schema<T>::kBorrows) {
        std::size_t at = this->marks_[port];
        if (at == batch.values.size()) return;
        if (!texts_[port]) {
          texts_[port] = pool_.take(arenas);
          batch.pin(texts_[port]);
        }
        for (; at < batch.values.size(); ++at) Schema<T>::rehome(batch.values[at], *texts_[port]);
      }
    }
  }

  ArenaPool pool_{8u << 10};
  std::array<ArenaRef, Base::kPorts> texts_;
};

}  // namespace millrace::detail
