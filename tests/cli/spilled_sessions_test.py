# Sessions, windows by records and partial matches of keys that do not fit memory: on disk, killed
# and started again.
import json
import signal
import unittest

import harness

TIMES = 3
USERS = 120_000 if harness.SLOWNESS == 1 else 30_000  # for the memory that they get
MEMORY = "16M" if harness.SLOWNESS == 1 else "8M"
KINDS = {  # each tells once of a user how often it came
    "sessions": "type: count, with: {window: session(10h), as: times}",
    "late sessions": "type: count, with: {window: session(10h).allowed_lateness(1h), as: times}",
    "records": f"type: count, with: {{window: count_window({TIMES}), as: times}}",
    "matches": "type: match, with: {stages: [{begin: visit, times: %d}], within: 10h, "
               "skip: past_last, values: {times: count(visit)}}" % TIMES,
}
TOPOLOGY = """
name: visits
spouts:
  - id: in  # the users come in turn
    type: generate
    with:
      count: %d
      fields: {user: modulo(%d), t: 'time(2024-01-01T00:00:00Z, 1ms)'}
      event_time: {field: t, out_of_order: 1s}
bolts:
  - {id: kept, %s}
  - {id: so_often, type: count, with: {window: global(), as: users}}
  - {id: told, type: print}
streams:
  - {from: in, to: kept, grouping: {type: fields, args: [user]}}
  - {from: kept, to: so_often, grouping: {type: fields, args: [times]}}
  - {from: so_often, to: told}
"""


class SpilledSessions(harness.CliTest):
    def topology(self, kind):
        name = kind.replace(" ", "_") + ".yaml"
        return self.file(name, TOPOLOGY % (TIMES * USERS, USERS, KINDS[kind]))

    def assert_all_counted(self, out):
        *lines, last = out.splitlines()
        self.assertEqual([(row["times"], row["users"]) for row in map(json.loads, lines)],
                         [(TIMES, USERS)])
        return json.loads(last)

    def test_each_is_told_of_in_a_part_of_the_memory(self):
        for kind in KINDS:
            with self.subTest(kind):
                out, _ = self.run_program(
                    "millrace", "run", self.topology(kind), "--headless", "--json", "--memory",
                    MEMORY, "--state", "disk", "--spill-dir", self.folder / "spill")
                summary = self.assert_all_counted(out)
                self.assertGreater(summary["components"]["kept"]["spilled"]["misses"], USERS / 4)
                memory = summary["memory"]
                self.assertLessEqual(memory["state_peak_bytes"], memory["state_max_bytes"])

    def test_what_is_on_disk_is_in_the_epochs_too(self):
        for kind in ("sessions", "matches"):
            with self.subTest(kind):
                self.kill_and_go_on(kind)

    def kill_and_go_on(self, kind):
        state = ("--memory", MEMORY, "--state-dir", self.folder / f"state of {kind}",
                 "--checkpoint-interval", "200ms", "--state", "disk")
        killed = self.start("millrace", "run", self.topology(kind), "--ui", "127.0.0.1:0", *state)
        self.find_page(killed)
        self.report_when(lambda report: report["checkpoints"]["completed"] > 1 and any(
            one.get("spilled_keys", 0) > 0 for one in report["components"]))
        killed.send_signal(signal.SIGKILL)
        killed.wait(harness.PATIENCE_S)
        out, _ = self.run_program("millrace", "run", self.topology(kind), "--headless", "--json",
                                  *state, "--parallelism", "3")
        summary = self.assert_all_counted(out)
        self.assertGreater(summary["checkpoints"]["restored_from"], 1)
        self.assertGreater(summary["components"]["kept"]["spilled"]["misses"], 0)

    def test_without_a_disk_they_are_refused_by_name(self):
        for kind in KINDS:
            with self.subTest(kind):
                _, err = self.run_program("millrace", "run", self.topology(kind), "--headless",
                                          "--memory", "8M", "--state", "memory", code=69)
                self.assert_error(err, 3002, '"kept" holds', "--spill-dir")


if __name__ == "__main__":
    unittest.main()
