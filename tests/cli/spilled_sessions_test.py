# Sessions, windows that take late records, windows by records and partial matches of keys that do
# not fit memory: on disk, killed and started again.
import json
import signal
import unittest

import harness

TIMES = 3
TOO_MANY = 400_000  # for the memory that they get
USERS = 120_000 if harness.SLOWNESS == 1 else 60_000
KINDS = ("sessions", "late", "windows", "records", "matches")


class SpilledSessions(harness.CliTest):
    @staticmethod
    def words(kind, *more, users=USERS):
        return [kind, users, TIMES, "--memory", "16M", *more]

    def assert_all_counted(self, out):
        *lines, last = out.splitlines()
        self.assertEqual([(row["value"], row["count"]) for row in map(json.loads, lines)],
                         [(TIMES, USERS)])
        return json.loads(last)

    def test_each_is_told_of_in_a_part_of_the_memory(self):
        for kind in KINDS:
            with self.subTest(kind):
                out, _ = self.run_program("told_users", *self.words(
                    kind, "--headless", "--json", "--state", "disk", "--spill-dir",
                    self.folder / "spill"))
                summary = self.assert_all_counted(out)
                self.assertGreater(summary["components"]["kept"]["spilled"]["misses"], USERS / 4)
                memory = summary["memory"]
                self.assertLessEqual(memory["state_peak_bytes"], memory["state_max_bytes"])

    def test_what_is_on_disk_is_in_the_epochs_too(self):
        for kind in ("sessions", "windows", "matches"):
            with self.subTest(kind):
                self.kill_and_go_on(kind)

    def kill_and_go_on(self, kind):
        state = ("--state-dir", self.folder / kind, "--checkpoint-interval", "200ms", "--state",
                 "disk")
        killed = self.start_unhurried("told_users",
                                      *self.words(kind, "--ui", "127.0.0.1:0", *state))
        self.find_page(killed)
        self.report_when(lambda report: report["checkpoints"]["completed"] > 1 and any(
            one.get("spilled_keys", 0) > 0 for one in report["components"]))
        killed.send_signal(signal.SIGKILL)
        killed.wait(harness.PATIENCE_S)
        out, _ = self.run_program("told_users", *self.words(kind, "--headless", "--json", *state,
                                                            "--parallelism", "3"))
        summary = self.assert_all_counted(out)
        self.assertGreater(summary["checkpoints"]["restored_from"], 1)
        self.assertGreater(summary["components"]["kept"]["spilled"]["misses"], 0)

    def test_without_a_disk_they_are_refused_by_name(self):
        for kind in KINDS:
            with self.subTest(kind):
                _, err = self.run_program("told_users", *self.words(
                    kind, "--headless", "--state", "memory", users=TOO_MANY), code=69)
                self.assert_error(err, 3002, '"kept" holds', "--spill-dir")


if __name__ == "__main__":
    unittest.main()
