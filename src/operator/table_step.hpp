// TableStep: the newest record of each key, and what each record changes of it.
#pragma once

#include <string>
#include <tuple>

#include "operator/change.hpp"
#include "operator/keyed_picks.hpp"

namespace millrace::detail {

/// How the record of a key is held, and emitted as a change.
template <class T>
struct ChangeForm {
  using Emitted = Change<T>;
  using State = typename HeldRecord<T>::State;
  decltype(auto) hold(const T& record) { return held.hold(record); }
  void emit(ChangeKind kind, const T& record, Output<Emitted>& out) const {
    out.emit({kind, record});
  }
  /// Borrows its texts from `state`.
  void emit_held(ChangeKind kind, const State& state, Output<Emitted>& out) const {
    out.emit({kind, held.read(state)});
  }
  HeldRecord<T> held = {};
};

/// Takes records in the order of their event times. Cost: a look-up and a copy each. Memory: a copy
/// of one record a key; nothing for a deleted one.
template <class T, class K>
struct TableStep {
  using Form = ChangeForm<T>;
  using Emitted = typename Form::Emitted;

  DeletesRow<T> deletes = {};
  Form form = {};
  ValueState<typename Form::State> row{{.name = "row"}};
  typename Form::State before = {};  // of the call at hand, which emits what borrows from it

  auto states() { return std::tie(row); }
  HeldRecord<T>& held_form() { return form.held; }

  void process(const T& record, KeyedContext<K>&, Output<Emitted>& out) {
    const bool had = bool(row);
    if (deletes && deletes(record)) {
      if (had) take_back(ChangeKind::erase, out);
      return row.clear();
    }
    if (had) take_back(ChangeKind::update_before, out);
    form.emit(had ? ChangeKind::update_after : ChangeKind::insert, record, out);
    row.set(form.hold(record));
  }
  void take_back(ChangeKind kind, Output<Emitted>& out) {
    before = *row;
    form.emit_held(kind, before, out);
  }
};

}  // namespace millrace::detail
