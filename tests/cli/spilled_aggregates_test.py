# A running count by key whose keys do not fit memory: on disk, killed and started again.
import json
import os
import shutil
import signal
import subprocess
import unittest

import harness

TIMES = 3
TOO_MANY = 400_000  # for the memory that they get
USERS = TOO_MANY if harness.SLOWNESS == 1 else TOO_MANY // 4
FAILING = ("strace", "-f", "-o", os.devnull, "-e", "trace=unlink", "-e", "inject=unlink:error=EIO")


def no_strace():
    """Why system calls cannot be made to fail here; "" when they can."""
    if harness.SLOWNESS > 1:
        return "a sanitizer cannot look for leaks under strace"
    try:
        done = subprocess.run(FAILING + ("true",), capture_output=True, check=False)
    except FileNotFoundError:
        return "strace is not installed"
    return "" if done.returncode == 0 else "strace may not trace here"


class SpilledAggregates(harness.CliTest):
    def words(self, *more):
        return [USERS, TIMES, "--json", "--memory", "16M", *more]

    def assert_all_counted(self, out):
        *lines, last = out.splitlines()
        self.assertEqual({row["value"]: row["count"] for row in map(json.loads, lines)},
                         {times: USERS for times in range(1, TIMES + 1)})
        return json.loads(last)

    def test_each_is_counted_in_a_part_of_the_memory(self):
        out, _ = self.run_program("seen_users", *self.words(
            "--headless", "--state", "disk", "--spill-dir", self.folder / "spill"))
        summary = self.assert_all_counted(out)
        spilled = summary["components"]["seen"]["spilled"]
        self.assertGreater(spilled["keys"], USERS / 4)
        self.assertGreater(spilled["misses"], USERS / 4)
        memory = summary["memory"]
        self.assertLessEqual(memory["state_peak_bytes"], memory["state_max_bytes"])

    def test_what_is_on_disk_is_in_the_epochs_too(self):
        state = ("--state-dir", self.folder / "state", "--checkpoint-interval", "200ms",
                 "--state", "disk")
        killed = self.start_unhurried("seen_users", *self.words("--ui", "127.0.0.1:0", *state))
        self.find_page(killed)
        self.report_when(lambda report: report["checkpoints"]["completed"] > 1 and any(
            one.get("spilled_keys", 0) > 0 for one in report["components"]))
        killed.send_signal(signal.SIGKILL)
        killed.wait(harness.PATIENCE_S)
        out, _ = self.run_program("seen_users", *self.words("--headless", *state, "--parallelism",
                                                            "3"))
        summary = self.assert_all_counted(out)
        self.assertGreater(summary["checkpoints"]["restored_from"], 1)
        self.assertGreater(summary["components"]["seen"]["spilled"]["keys"], 0)

    def test_a_stop_keeps_what_is_on_disk(self):
        state = ("--state-dir", self.folder / "state", "--checkpoint-interval", "200ms",
                 "--state", "disk")
        stopped = self.start_unhurried("seen_users", *self.words("--ui", "127.0.0.1:0", *state))
        self.find_page(stopped)
        self.report_when(lambda report: any(one.get("spilled_keys", 0) > 0
                                            for one in report["components"]))
        stopped.send_signal(signal.SIGTERM)
        stopped.wait(harness.PATIENCE_S)
        out, _ = self.run_program("seen_users", *self.words("--headless", *state, "--parallelism",
                                                            "3"))
        summary = self.assert_all_counted(out)
        self.assertGreaterEqual(summary["checkpoints"]["restored_from"], 1)

    def test_a_file_that_would_keep_its_name_is_refused(self):
        if why := no_strace():
            self.skipTest(why)
        spill = self.folder / "spill"
        strace, *words = FAILING
        _, err = self.run_program(shutil.which(strace), *words, harness.BIN / "seen_users",
                                  *self.words("--headless", "--state", "disk", "--spill-dir",
                                              spill), code=74)
        self.assert_error(err, 4002, "millrace-rows-", "cannot be removed", "--spill-dir")
        files = [path for path in spill.rglob("*") if path.is_file()]
        self.assertTrue(files)
        self.assertEqual(sum(path.stat().st_size for path in files), 0)

    def test_without_a_disk_it_is_refused_by_name(self):
        _, err = self.run_program("seen_users", TOO_MANY, TIMES, "--memory", "16M", "--headless",
                                  "--state", "memory", code=69)
        self.assert_error(err, 3002, '"seen" holds', "--spill-dir")


if __name__ == "__main__":
    unittest.main()
