# Windows, order and state over streams that are ten times as large as the memory given.
import collections
import json
import pathlib
import unittest

import harness

USERS = 1000
ROWS = 2_000_000 // harness.SLOWNESS
TOPOLOGY = pathlib.Path(__file__).with_name("ten_times_memory.yaml")


class TenTimesMemory(harness.CliTest):
    def test_only_what_is_open_is_kept(self):
        out, _ = self.run_program("millrace", "run", TOPOLOGY, "--headless", "--json", "--memory",
                                  "16M", "--property", f"rows={ROWS}")
        *lines, last = out.splitlines()
        seen = collections.defaultdict(list)
        for row in map(json.loads, lines):
            (name,) = row.keys() - {"user", "window_start", "window_end"}
            seen[name].append(row[name])
        each = ROWS // USERS  # one row a second of each user
        self.assertEqual(dict(seen), {"in_slides": [6 * each] * USERS, "in_session": [each] * USERS,
                                      "over": [each] * USERS, "ordered": [each] * USERS,
                                      "once": [-(-each // 10)] * USERS})
        summary = json.loads(last)
        memory = summary["memory"]
        self.assertEqual(memory["budget_bytes"], 16 << 20)
        self.assertLessEqual(memory["state_peak_bytes"], memory["state_max_bytes"])
        self.assertLessEqual(memory["in_flight_peak_bytes"], memory["in_flight_max_bytes"])
        if harness.SLOWNESS == 1:  # a sanitizer's own memory is in it
            self.assertLess(summary["memory_bytes"], 64 << 20)


if __name__ == "__main__":
    unittest.main()
