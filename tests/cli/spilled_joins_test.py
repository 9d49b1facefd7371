# A join whose keys do not fit memory: on disk, killed and started again.
import json
import signal
import unittest

import harness

TOO_MANY = 300_000  # for the memory that they get
ORDERS = TOO_MANY if harness.SLOWNESS == 1 else TOO_MANY // 4


class SpilledJoins(harness.CliTest):
    def words(self, *more):
        return [ORDERS, "--json", "--memory", "16M", *more]

    def assert_all_told(self, out):
        *lines, last = out.splitlines()
        self.assertEqual({row["after"]: row["count"] for row in map(json.loads, lines)},
                         {ORDERS: ORDERS // 3, -1: ORDERS - ORDERS // 3})
        return json.loads(last)

    def test_each_is_told_once_in_a_part_of_the_memory(self):
        out, _ = self.run_program("paid_orders", *self.words(
            "--headless", "--state", "disk", "--spill-dir", self.folder / "spill"))
        summary = self.assert_all_told(out)
        spilled = summary["components"]["paid"]["spilled"]
        self.assertGreater(spilled["misses"], ORDERS / 4)
        memory = summary["memory"]
        self.assertLessEqual(memory["state_peak_bytes"], memory["state_max_bytes"])

    def test_what_is_on_disk_is_in_the_epochs_too(self):
        state = ("--state-dir", self.folder / "state", "--checkpoint-interval", "200ms",
                 "--state", "disk")
        killed = self.start_unhurried("paid_orders", *self.words("--ui", "127.0.0.1:0", *state))
        self.find_page(killed)
        self.report_when(lambda report: report["checkpoints"]["completed"] > 1 and any(
            one.get("spilled_keys", 0) > 0 for one in report["components"]))
        killed.send_signal(signal.SIGKILL)
        killed.wait(harness.PATIENCE_S)
        out, _ = self.run_program("paid_orders", *self.words("--headless", *state,
                                                             "--parallelism", "3"))
        summary = self.assert_all_told(out)
        self.assertGreater(summary["checkpoints"]["restored_from"], 1)
        self.assertGreater(summary["components"]["paid"]["spilled"]["misses"], 0)

    def test_without_a_disk_it_is_refused_by_name(self):
        _, err = self.run_program("paid_orders", TOO_MANY, "--memory", "16M", "--headless",
                                  "--state", "memory", code=69)
        self.assert_error(err, 3002, '"paid" holds', "--spill-dir")


if __name__ == "__main__":
    unittest.main()
