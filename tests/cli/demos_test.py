# The demos by name: flags of their own, what they find, and their summaries.
import unittest

from harness import CliTest

POSTS = ["demo", "posts", "--speed", "max", "--rate", "5000", "--limit", 400000]


class Names(CliTest):
    def test_help_lists_the_demos(self):
        out, _ = self.run_program("millrace", "demo", "--help")
        for name in ("millrace demo posts", "millrace demo machine", "--speed"):
            self.assertIn(name, out)
        out, _ = self.run_program("millrace", "demo", "posts", "--help")
        for part in ("--rate", "--speed", "planted"):
            self.assertIn(part, out)
        out, _ = self.run_program("millrace", "demo", "machine", "--help")
        for part in ("--cpu-high", "--samples", "--interval"):
            self.assertIn(part, out)

    def test_an_unknown_demo(self):
        _, err = self.run_program("millrace", "demo", "post", code=64)
        self.assert_error(err, 1001, "post: there is no such demo", "did you mean posts?")
        _, err = self.run_program("millrace", "demo", "xylophone", code=64)
        self.assert_error(err, 1001, "xylophone", "millrace demo --help")


class Posts(CliTest):
    def test_trends_are_seen_and_nothing_else(self):
        run, err = self.summary("millrace", *POSTS)
        self.assertEqual(err, "")
        trends = run["trends"]
        self.assertEqual(run["records_in"], 400000)
        self.assertGreaterEqual(trends["planted"], 5)
        self.assertEqual((trends["missed"], trends["false"]), (0, 0))
        self.assertEqual((trends["precision"], trends["recall"]), (1, 1))
        self.assertGreaterEqual(trends["seen"] + 1, trends["planted"])
        self.assertLessEqual(trends["delay_s_p50"], 120)
        self.assertEqual(list(run["views"]), ["Top hashtags", "Trending now", "Planted trends"])
        self.assertIn("coffee", [row["hashtag"] for row in run["views"]["Top hashtags"]])
        outcomes = [row["outcome"] for row in run["views"]["Planted trends"]]
        self.assertEqual(outcomes.count("seen"), trends["seen"])
        languages = [run["components"][name]["emitted"]
                     for name in ("english", "spanish", "japanese")]
        self.assertEqual(run["components"]["hashtags"]["received"], sum(languages))
        self.assert_counted(run)

    def test_a_seed_is_a_feed(self):
        def figures(*flags):
            run, _ = self.summary("millrace", *POSTS, *flags)
            return run["trends"], run["views"]
        first = figures()
        self.assertEqual(first, figures("--seed", "1"))
        for tasks in (3, 8):
            self.assertEqual(first, figures("--parallelism", tasks, "--executors", "2"))
        self.assertNotEqual(first, figures("--seed", "2"))

    def test_a_rate_holds_posts_back(self):
        run, _ = self.summary("millrace", "demo", "posts", "--rate", "1000", "--duration", "500ms")
        self.assertGreater(run["records_in"], 0)
        self.assertLess(run["components"]["event time"]["processed"], 1.5 * run["uptime_ms"] + 2048)

    def test_the_summary_for_people(self):
        _, err = self.run_program("millrace", *POSTS, "--headless")
        self.assertRegex(err, r"trends: \d+ planted, \d+ seen, 0 missed, 0 false alarms")

    def test_rates_that_cannot_be(self):
        for rate in ("0", "-5", "1e3", "many", "100000001", "12 "):
            _, err = self.run_program("millrace", "demo", "posts", f"--rate={rate}", code=64)
            self.assert_error(err, 1002, "--rate", "from 1 to 100000000, or max")
        _, err = self.run_program("millrace", "demo", "posts", "--rates", "5", code=64)
        self.assert_error(err, 1001, "did you mean --rate?")


class Machine(CliTest):
    FLAGS = ["demo", "machine", "--interval", "10ms", "--limit", 120]

    def test_an_alert_that_a_flag_forces(self):
        run, err = self.summary("millrace", *self.FLAGS, "--memory-high", "0", "--samples", "2")
        self.assertEqual(err, "")
        self.assertGreaterEqual(run["alerts"]["raised"], 1)
        self.assertEqual(run["alerts"]["active"],
                         run["alerts"]["raised"] - run["alerts"]["cleared"])
        alerts = [row for row in run["views"]["Alerts"] if row["metric"] == "memory"]
        self.assertEqual([(row["instance"], row["state"], row["limit"]) for row in alerts],
                         [("used", "raised", 0)])
        for view in ("Processors", "Memory", "Processors over time"):
            self.assertGreaterEqual(len(run["views"][view]), 1, view)
        self.assert_counted(run)

    def test_no_alert_without_a_reason(self):
        run, _ = self.summary("millrace", *self.FLAGS, "--cpu-high", "100", "--memory-high", "100",
                              "--disk-high", "100", "--pressure-high", "100")
        self.assertEqual(run["alerts"], {"raised": 0, "cleared": 0, "active": 0})

    def test_flags_that_cannot_be(self):
        for flag, value, wanted in (("--cpu-high", "101", "from 0 to 100"),
                                    ("--memory-high", "-1", "from 0 to 100"),
                                    ("--disk-high", "much", "from 0 to 100"),
                                    ("--pressure-high", "nan", "from 0 to 100"),
                                    ("--samples", "0", "from 1 to"),
                                    ("--samples", "2.5", "from 1 to"),
                                    ("--interval", "0s", "from 10ms to 24h"),
                                    ("--interval", "1", "from 10ms to 24h")):
            _, err = self.run_program("millrace", "demo", "machine", f"{flag}={value}", code=64)
            self.assert_error(err, 1002, f"{flag} {value}", wanted)

    def test_the_summary_for_people(self):
        _, err = self.run_program("millrace", *self.FLAGS, "--headless")
        self.assertRegex(err, r"alerts: \d+ raised, \d+ cleared, \d+ still active")


if __name__ == "__main__":
    unittest.main()
