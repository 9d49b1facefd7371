# Every verb has two front ends: typed in the headers and by name in YAML, or a reason why not.
import json
import re
import unittest

import harness

INCLUDE = harness.ROOT / "include/millrace"
SOURCES = harness.ROOT / "src"
# Headers in which no verb of a stream stands: a new header is looked into until it is listed here.
OTHERS = {"aggregates.hpp", "bolt.hpp", "bolt_streams.hpp", "components.hpp", "declaration.hpp",
          "direct_stream.hpp", "grouping.hpp", "journal_ends.hpp", "journal_store.hpp",
          "millrace.hpp", "pattern.hpp", "run.hpp", "sinks.hpp", "sources.hpp", "table_end.hpp",
          "test_driver.hpp", "tested_state.hpp", "topology.hpp", "view_spec.hpp"}
ENDS = ["include/millrace/sources.hpp", "include/millrace/sinks.hpp",
        "include/millrace/view_spec.hpp", "include/millrace/table_end.hpp",
        "include/millrace/journal_ends.hpp",
        "include/millrace/history_then.hpp", "include/millrace/geo.hpp",
        "include/millrace/rules.hpp", "include/millrace/rule_sets.hpp",
        "include/millrace/notices.hpp",
        "src/connector/endpoint.hpp"]

# Typed: what says the same in YAML. A type of a component stands by itself; others in brackets.
BOTH = {
    "filter": "filter", "sample": "sample", "split": "split", "branch": "split",
    "restore_order": "restore_order", "deduplicate": "deduplicate", "latest": "latest",
    "throttle": "throttle", "alert": "alert", "count": "count", "sum": "sum", "min": "min",
    "max": "max", "mean": "mean", "distinct": "distinct", "first": "first", "last": "last",
    "exact_sum": "exact_sum", "variance": "variance", "var_pop": "var_pop", "stddev": "stddev",
    "stddev_pop": "stddev_pop", "median": "median", "quantile": "quantile",
    "distinct_approx": "distinct_approx", "list": "list", "set": "set",
    "quantiles": "quantiles", "top_k": "top_k", "top_k_approx": "top_k_approx",
    "aggregate": "aggregate", "trend": "trend", "top": "top ranking", "lines": "lines",
    "json_lines": "json_lines", "csv": "csv write_csv", "tsv": "tsv", "generate": "generate",
    "machine": "machine", "view": "view", "log": "log", "print": "print",
    "journal": "journal write_journal", "history": "[history]", "then": "[switch_at]",
    "merge": "[several streams to one bolt]", "shuffle": "[grouping shuffle]",
    "key_by": "[grouping fields]", "others": "[streamId others]", "errors": "[streamId errors]",
    "late": "[streamId late]",
    "window": "[window]", "over": "[over]", "event_time": "[event_time]",
    "ingestion_time": "[ingestion_time]", "ordered_by": "[ordered_by]", "named": "[id]",
    "parallel": "[parallelism]", "to": "[an end]", "follow": "[follow]", "exec": "[exec]",
    "connect_to": "[connect]", "listen_on": "[listen]",
    "join": "join join_tables join_foreign_key", "table": "table serve_table", "changes": "table",
    "as_of": "as_of",
    "within": "[after, before; within]", "nearest": "[nearest]", "global": "[global]",
    "exclusive_lower": "[bounds]", "exclusive_upper": "[bounds]",
    "allowed_lateness": "[allowed_lateness]",
    **{kind: f"[kind: {kind}]" for kind in ("inner", "left", "right", "full", "semi", "anti")},
    "group_by": "group_by", "call": "call", "lookup": "lookup",
    "crossings": "geofence", "watch": "watch", "watch_rules": "[rules]", "notify": "notify",
    "match": "match", "select": "[values]", "all_rows": "[rows: all]",
    "timed_out": "[streamId timed_out]",
    "late_left": "[streamId late_left]", "late_right": "[streamId late_right]",
}
# Typed alone, and why.
TYPED = {
    "map": "takes a function: select chooses and renames, more needs an expression language",
    "flat_map": "takes a function: tokens takes a text apart",
    "process": "takes a class of C++",
    "peek": "takes a function",
    "broadcast": "is for connect",
    "connect": "takes a class of C++",
    "by_event_time": "is for connect",
    "co_group": "takes a function",
    "fold": "takes a function: aggregate gives several in one pass",
    "each": "takes a function",
    "records": "gives what lies in the program's memory",
}
# By name alone, and why.
NAMED = {
    "select": "typed: map into another struct",
    "tokens": "typed: flat_map with a function of one's own",
    "distance": "typed: map with distance_m",
    "bearing": "typed: map with bearing",
    "grid_cell": "typed: map or key_by with grid_cell",
    "inside": "typed: filter with area.contains",
}


def methods(path, indent):
    """Names of what is public and returns something, outside of detail."""
    found = set()
    hidden = False
    detail = False
    declared = re.compile(r"^" + " " * indent +
                          r"(?:inline |constexpr |static )*"
                          r"(?:auto|std::array<.*>|[A-Z]\w*(?:<[^()]*>)?) ([a-z]\w*)\(")
    text = path.read_text(encoding="utf-8")
    text = re.sub(r"(?m)^namespace detail \{\n.*\n\}\n", "", text)  # its end has no comment
    for line in text.splitlines():
        if line.startswith("namespace detail {"):
            detail = True
        elif line.startswith("}  // namespace detail"):
            detail = False
        elif re.match(r"^(class|struct) ", line):
            hidden = False
        elif re.match(r"^ (private|protected):|^  // Internal", line):
            hidden = True
        elif line.startswith(" public:"):
            hidden = False
        match = declared.match(line)
        if match and not detail and (indent == 0 or not hidden):
            found.add(match.group(1))
    return found


class FrontEnds(harness.CliTest):
    def typed(self):
        found = set()
        for path in INCLUDE.glob("*.hpp"):
            found |= methods(path, 2) if path.name not in OTHERS else set()
        for path in ENDS:
            found |= methods(harness.ROOT / path, 0)
        found |= methods(INCLUDE / "sources.hpp", 2) & {"ordered_by"}
        return found

    def named(self):
        out, _ = self.run_program("millrace", "schema")
        definitions = json.loads(out)["definitions"]
        return {name for part in ("spout", "bolt")
                for name in definitions[part]["properties"]["type"]["enum"]}

    def test_each_typed_verb_is_listed_with_its_name_in_yaml(self):
        self.assertEqual(self.typed(), set(BOTH) | set(TYPED))

    def test_each_component_of_yaml_is_listed_with_its_verb(self):
        listed = {word for words in BOTH.values() if not words.startswith("[")
                  for word in words.split()}
        self.assertEqual(self.named(), listed | set(NAMED))

    def test_windows_are_the_same_by_both(self):
        typed = set()
        for name in ("window.hpp", "session.hpp", "record_windows.hpp"):
            typed |= methods(SOURCES / "window" / name, 0)
        self.assertEqual(typed, {"tumbling", "sliding", "cumulating", "global", "session",
                                 "count_window", "last", "daily", "weekly", "monthly",
                                 "quarterly", "yearly"})
        self.assertEqual(methods(SOURCES / "window/early_trigger.hpp", 0),
                         {"every", "any_of", "all_of"})
        late = "tumbling(1h).offset(-1min).allowed_lateness(10s)"
        sessions = "session(1min).early(any_of(every(9), every(1s).by_clock()))"
        for window in ("tumbling(1min)", "sliding(2min, 1min)", "cumulating(2min, 1min)",
                       "global()", "session(1min)", "count_window(2)", "last(2)", "daily(UTC)",
                       "weekly(UTC)", "monthly(UTC)", "quarterly(UTC)", "yearly(UTC)",
                       "tumbling(1min).by_clock()", "tumbling(1min).last(2)",
                       late + ".accumulating().early(every(1min))", late + ".final_only()",
                       late + ".discarding().early(every(9)).early(every(1s).by_clock())",
                       late + ".retracting()", "session(1min).allowed_lateness(1s).final_only()",
                       sessions + ".discarding()", sessions + ".by_clock()",
                       "tumbling(1h).early(all_of(every(9), every(1min)).times(3).then(every(5)))",
                       "last(1min).by_clock()"):
            cut = "over" if window.startswith("last") else "window"
            path = self.file("window.yaml", f"""
name: window
spouts:
  - {{id: in, type: csv, with: {{path: in.csv, fields: {{k: text, at: timestamp}},
      event_time: {{field: at}}}}}}
bolts:
  - {{id: count, type: count, with: {{{cut}: "{window}"}}}}
  - {{id: out, type: print}}
streams:
  - {{from: in, to: count, grouping: {{type: fields, args: [k]}}}}
  - {{from: count, to: out}}
""")
            self.run_program("millrace", "validate", path)


if __name__ == "__main__":
    unittest.main()
