# The examples run and print what their pages say.
import json
import unittest

from harness import ROOT, CliTest


class Examples(CliTest):
    def rows(self, program, *flags):
        out, _ = self.run_program(program, "--ui", "off", *flags, cwd=ROOT)
        return [json.loads(line) for line in out.splitlines()]

    def test_trending_hashtags(self):
        shown = [(row["window_start"][11:16], row["rank"], row["key"], row["count"])
                 for row in self.rows("trending_hashtags")]
        self.assertEqual(shown, [
            ("12:00", 1, "river", 3), ("12:00", 2, "dawn", 1), ("12:00", 3, "mill", 1),
            ("12:01", 1, "rain", 2), ("12:01", 2, "mill", 1)])

    def test_abandoned_cart(self):
        # Ben only looks; Ada buys in the last moment; of Cleo the input ends.
        self.assertEqual(
            [(row["fired"][11:19], row["user"], row["added"][11:19])
             for row in self.rows("abandoned_cart")],
            [("12:20:00", "ben", "11:50:00"), ("13:10:00", "cleo", "12:40:00")])

    def test_storm_style(self):
        rows = self.rows("storm_style", "--parallelism", "3", "--executors", "2")
        self.assertEqual(sorted((row["digit"], row["count"]) for row in rows),
                         [(digit, count) for digit in range(10) for count in range(1, 11)])

    def test_own_source(self):
        rows = self.rows("own_source")
        self.assertEqual(
            sorted((row["window_start"][17:19], row["sensor"], row["sum"]) for row in rows),
            [("00", 0, 435), ("00", 1, 465), ("30", 0, 1335), ("30", 1, 1365)])

    def test_tested_topology(self):
        out, _ = self.run_program("tested_topology", cwd=ROOT)
        self.assertEqual(out.count(": ok\n"), 4)


if __name__ == "__main__":
    unittest.main()
