// Notify: few notices of many records of a key: a pause behind each, a wait before it, a cap; what
// is held back is counted.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <tuple>
#include <utility>
#include <vector>

#include "operator/keyed_picks.hpp"
#include "operator/notify_options.hpp"
#include "operator/row_shape.hpp"

namespace millrace {

/// What somebody is told of records of a group.
template <class T>
struct Notice {
  T record{};                 ///< the latest of those that it tells of
  std::int64_t held = 0;      ///< how many more it tells of: they came before that one
  Timestamp since{kTimeMin};  ///< event time of the first of them all
};

namespace detail {

/// The columns behind those of the record.
inline constexpr const char* kHeldColumn = "held";
inline constexpr const char* kSinceColumn = "since";

template <class T>
struct RowShape<Notice<T>> {
  static std::vector<ColumnInfo> columns(const RowNames& names) {
    std::vector<ColumnInfo> columns = RowShape<T>::columns(names);
    columns.push_back({kHeldColumn, ColumnType::integer});
    columns.push_back({kSinceColumn, ColumnType::timestamp});
    return columns;
  }
  template <class Visit>
  static void visit_cells(const Notice<T>& row, const Visit& visit) {
    RowShape<T>::visit_cells(row.record, visit);
    visit(row.held);
    visit(row.since);
  }
  static std::optional<std::pair<Time, Time>> window(const Notice<T>&) { return std::nullopt; }
};

/// How records are counted, held and told of.
template <class T>
struct NoticeForm {
  using Emitted = Notice<T>;
  using State = typename HeldRecord<T>::State;
  static std::int64_t told(const T&) { return 1; }
  static Time since(const T&, Time time) { return time; }
  static const T& record(const Emitted& notice) { return notice.record; }
  decltype(auto) hold(const T& record) { return held.hold(record); }
  void emit_now(const T& record, Time time, Output<Emitted>& out) const {
    out.emit({record, 0, Timestamp{time}});
  }
  void emit(const State& state, std::int64_t more, Time since, Output<Emitted>& out) const {
    out.emit({held.read(state), more, Timestamp{since}});
  }
  HeldRecord<T> held = {};
};

/// Notices of notices add up.
template <class T>
struct NoticeForm<Notice<T>> {
  using Emitted = Notice<T>;
  using State = typename HeldRecord<T>::State;
  static std::int64_t told(const Emitted& notice) { return notice.held + 1; }
  static Time since(const Emitted& notice, Time) { return notice.since.micros; }
  static const Emitted& record(const Emitted& notice) { return notice; }
  decltype(auto) hold(const Emitted& notice) { return held.hold(notice.record); }
  void emit_now(const Emitted& notice, Time, Output<Emitted>& out) const { out.emit(notice); }
  void emit(const State& state, std::int64_t more, Time since, Output<Emitted>& out) const {
    out.emit({held.read(state), more, Timestamp{since}});
  }
  HeldRecord<T> held = {};
};

/// What a key waits for.
struct NoticeState {
  Time until = 0;         ///< its timer: then a notice goes, or the pause ends
  std::int64_t told = 0;  ///< records that the next notice tells of; 0: it is a pause
  Time since = kTimeMax;  ///< of the first of them
};

/// Records come in the order of event time.
template <class T, class K, class Form = NoticeForm<T>>
struct NotifyStep {
  using Emitted = typename Form::Emitted;

  NotifyOptions options;
  Form form;
  ValueState<NoticeState> state{{.name = "state"}};
  ValueState<typename Form::State> latest{{.name = "latest"}};
  ListState<Time> sent{{.ttl = options.cap.per, .name = "sent"}};  ///< of the span of the cap

  auto states() { return std::tie(state, latest, sent); }
  auto& held_form() { return form.held; }

  void process(const T& record, KeyedContext<K>& context, Output<Emitted>& out) {
    const Time time = context.time();
    NoticeState now = state.value_or({});
    const bool quiet = !state;
    if (quiet && options.group_wait == Duration(0)) {
      form.emit_now(record, time, out);
      return pause(time, context);
    }
    now.told += form.told(record);
    now.since = std::min(now.since, form.since(record, time));
    latest.set(form.hold(record));
    if (!quiet) return state.set(now);
    wait(now, saturating_add(time, options.group_wait.count()), context);
  }

  void on_timer(Time time, KeyedContext<K>& context, Output<Emitted>& out) {
    const NoticeState now = *state;
    if (now.told == 0) return state.clear();
    form.emit(*latest, now.told - 1, now.since, out);
    latest.clear();
    pause(time, context);
  }

 private:
  void wait(NoticeState now, Time until, KeyedContext<K>& context) {
    now.until = until;
    context.timers().at(until);
    state.set(now);
  }
  void pause(Time time, KeyedContext<K>& context) {
    Time until = saturating_add(time, options.cool_down.count());
    if (options.cap.notices > 0) until = std::max(until, counted(time));
    wait({}, until, context);
  }
  /// Counts the notice of now; from when on the cap lets another one go.
  Time counted(Time time) {
    const Time over = saturating_add(time, -options.cap.per.count());
    sent.erase_if([over](Time before) { return before <= over; });
    sent.add(time);
    if (sent.size() < options.cap.notices) return time;
    return saturating_add(*sent.begin(), options.cap.per.count());
  }
};

}  // namespace detail
}  // namespace millrace
