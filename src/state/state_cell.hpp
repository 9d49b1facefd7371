// StateCell and StateHandle: one declared state of one key, how a handle reaches it, and how a
// write is undone.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <type_traits>
#include <utility>

#include "base/time.hpp"
#include "record/heap_bytes.hpp"
#include "record/schema.hpp"

namespace millrace {

/// Which clock a state's time to live runs by.
enum class TimeKind {
  event,       ///< the record's event time (a late one's: the watermark it came behind)
  processing,  ///< the wall clock
};

/// When a state's time to live begins anew.
enum class TtlRenewal { on_write, on_access };

/// How one state is kept.
struct StateOptions {
  /// How long it is kept after the last write (or read), and not a microsecond longer. 0: until it
  /// is cleared. For a list or a map: all of it at once.
  Duration ttl{0};
  TimeKind ttl_in = TimeKind::event;
  TtlRenewal renewed = TtlRenewal::on_write;
  /// Empty: as the member is called.
  std::string name = {};
};

/// What is known of a state that a component has declared.
struct StateInfo {
  std::string name;
  std::string kind;           ///< "value", "list", "map", "reducing", "aggregating"
  std::uint64_t entries = 0;  ///< keys that have it
};

namespace detail {

/// What lies in the table for one state of one key.
template <class Content>
struct StateCell {
  Content content{};
  Time touched = kTimeMin;  ///< last written, or read, by the clock of its time to live
};

/// What the handles of a task share: the call of user code that runs.
struct StateCall {
  Time event_now = kTimeMin;
  Time watermark = kTimeMin;  ///< no later call has an earlier event_now
  Time clock_now = 0;
  bool logging = true;          ///< the call may throw, so writes must be undoable
  std::int64_t heap_bytes = 0;  ///< held by contents beside their tables
};

/// What all states are.
struct AnyState {};

/// The base of ValueState, ListState...: bound to the cell of the present key. A write saves what
/// it replaces, once a call; undo() puts it back.
///
/// `Content` is empty by is_empty(const Content&) and made so by make_empty(Content&) of `Derived`.
template <class Derived, class ContentOf>
class StateHandle : public AnyState {
 public:
  using Content = ContentOf;
  using Cell = StateCell<Content>;

  StateHandle() = default;
  explicit StateHandle(StateOptions options) : options_(std::move(options)) {}

  // Internal, as all below.
  const StateOptions& options() const { return options_; }
  std::uint64_t entries() const { return entries_; }
  void attach(StateCall& call) { call_ = &call; }
  void point(Cell& cell) { cell_ = &cell; }

  bool has_ttl() const { return options_.ttl > Duration(0); }
  bool is_expired(const Cell& cell, const StateCall& at) const {
    return has_ttl() && saturating_add(cell.touched, options_.ttl.count()) <= now(at);
  }
  /// Empties a cell whose time is over, outside of a call; true: it did.
  bool drop_if_expired(Cell& cell, StateCall& at) {
    if (Derived::is_empty(cell.content) || !is_expired(cell, at)) return false;
    at.heap_bytes -= static_cast<std::int64_t>(heap_of(cell.content));
    Derived::make_empty(cell.content);
    --entries_;
    return true;
  }
  /// An image gave a key that content.
  void count_restored(const Content& content, StateCall& at) {
    at.heap_bytes += static_cast<std::int64_t>(heap_of(content));
    ++entries_;
  }
  /// The call went well: what it wrote stays.
  void keep() {
    if (!written_) return;
    const bool is_there = !Derived::is_empty(cell_->content);
    entries_ += static_cast<std::uint64_t>(is_there);
    entries_ -= static_cast<std::uint64_t>(was_there_);
    forget();
  }
  /// The call threw: the cell is as before.
  void undo() {
    if (!written_) return;
    if (saved_whole_) cell_->content = std::move(old_);
    static_cast<Derived*>(this)->undo_parts();
    cell_->touched = old_touched_;
    forget();
  }
  static std::size_t heap_of(const Content& content) { return heap_bytes_of(content); }

 protected:
  /// The content to read, null when there is none or its time is over.
  const Content* read() {
    if (Derived::is_empty(cell_->content)) return nullptr;
    if (has_ttl()) {
      if (is_expired(*cell_, *call_)) return nullptr;
      if (options_.renewed == TtlRenewal::on_access && cell_->touched < now(*call_)) {
        begin_write();
        cell_->touched = now(*call_);
      }
    }
    return &cell_->content;
  }
  /// The content to be replaced: empty, whatever it was is saved.
  Content& replace() {
    begin_write();
    touch();
    return move_out();
  }
  /// The content to be changed in place; saved as a copy.
  Content& edit() {
    const bool expired = begin_edit();
    if (!expired && call_->logging && !saved_whole_) {
      old_ = static_cast<Derived*>(this)->before_parts();
      saved_whole_ = true;
    }
    return cell_->content;
  }
  /// The content to be changed in place by a write that `Derived` logs itself. True when its time
  /// was over, so that it is empty now.
  bool begin_edit() {
    begin_write();
    const bool expired = !Derived::is_empty(cell_->content) && is_expired(*cell_, *call_);
    if (expired) (void)move_out();
    touch();
    return expired;
  }
  /// True when single changes are to be logged.
  bool logs_parts() const { return call_->logging && !saved_whole_; }
  void count_heap(std::int64_t bytes) { call_->heap_bytes += bytes; }
  /// By the clock of its time to live.
  Time now() const { return now(*call_); }
  /// Whether an element that was written `at` is not over: for states of which each lives by
  /// itself.
  auto living() const {
    return [ttl = options_.ttl.count(), now = now()](const auto& element) {
      return ttl == 0 || saturating_add(element.at, ttl) > now;
    };
  }
  /// No later call can see it either.
  bool is_over_for_all(Time at) const {
    const Time least = options_.ttl_in == TimeKind::event ? call_->watermark : call_->clock_now;
    return has_ttl() && saturating_add(at, options_.ttl.count()) <= least;
  }
  Content& content() { return cell_->content; }
  const Content& old() const { return old_; }

 private:
  Time now(const StateCall& at) const {
    return options_.ttl_in == TimeKind::event ? at.event_now : at.clock_now;
  }
  void touch() {
    if (!has_ttl()) return;
    const bool anew = Derived::is_empty(cell_->content);
    cell_->touched = anew ? now(*call_) : std::max(cell_->touched, now(*call_));
  }
  void begin_write() {
    if (written_) return;
    written_ = true;
    was_there_ = !Derived::is_empty(cell_->content);
    old_touched_ = cell_->touched;
  }
  Content& move_out() {
    Content& content = cell_->content;
    call_->heap_bytes -= static_cast<std::int64_t>(heap_of(content));
    if (call_->logging && !saved_whole_) {
      old_ = std::move(content);
      saved_whole_ = true;
    }
    Derived::make_empty(content);
    return content;
  }
  void forget() {
    if (saved_whole_) Derived::make_empty(old_);
    static_cast<Derived*>(this)->forget_parts();
    saved_whole_ = false;
    written_ = false;
  }

  StateOptions options_;
  StateCall* call_ = nullptr;
  Cell* cell_ = nullptr;
  std::uint64_t entries_ = 0;
  bool written_ = false;      ///< in this call, as all below
  bool was_there_ = false;    ///< before
  bool saved_whole_ = false;  ///< in old_
  Time old_touched_ = kTimeMin;
  Content old_{};
};

/// True for the members of a class that are states.
template <class M>
concept IsState = requires {
  typename M::Cell;
  requires std::is_base_of_v<AnyState, M>;
};

/// Refuses types that no image could hold.
template <class T>
constexpr void check_state_type() {
  static_assert(Described<T>,
                "millrace: a state must be describable, so that it can be stored: a number, text, "
                "Timestamp, list, map or plain struct of these");
  static_assert(!Schema<T>::kBorrows,
                "millrace: a state outlives the record it is made of: hold std::string, not "
                "std::string_view");
}

}  // namespace detail
}  // namespace millrace
