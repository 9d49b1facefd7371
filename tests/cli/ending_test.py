# How runs end: Ctrl-C, a duration, a limit; the demo as its own oracle, and its page.
import json
import os
import re
import select
import signal
import socket
import time
import unittest
import urllib.request

from harness import PATIENCE_S, CliTest, taken_port

EDITS_OF_A_DAY = 39244
LINE = b'{"word":"a","times":1}\n'


def read_until(pipe, pattern):
    """The match of `pattern` in what a program prints; waits for nothing else."""
    text = b""
    end = time.monotonic() + PATIENCE_S
    while not (match := re.search(pattern, text)):
        ready, _, _ = select.select([pipe], [], [], max(0.0, end - time.monotonic()))
        more = os.read(pipe.fileno(), 4096) if ready else b""
        if not more:
            raise AssertionError(f"no {pattern} in {text}")
        text += more
    return match


def get(address, path):
    with urllib.request.urlopen(address + path, timeout=PATIENCE_S) as answer:
        return json.load(answer)


class Day(CliTest):
    def test_exactly_one_day_and_no_wrong_row(self):
        for flags in ([], ["--parallelism", "4", "--executors", "2"]):
            day, err = self.summary("millrace", "demo", "--limit", EDITS_OF_A_DAY, "--speed", "max",
                                    *flags)
            self.assertEqual(err, "")
            self.assertEqual((day["state"], day["records_in"]), ("finished", EDITS_OF_A_DAY))
            self.assertEqual(day["oracle"], {"rows": 5142, "wrong": 0})
            self.assertEqual(day["dead_letters"], 0)
            self.assert_counted(day)
            self.assert_views(day)
            kinds = {name: day["components"][name]["emitted"]
                     for name in ("people", "anonymous", "robots")}
            self.assertEqual(kinds, {"people": 20025, "anonymous": 3799, "robots": 15420})

    def assert_views(self, day):
        views = day["views"]
        self.assertEqual(list(views), ["Trending articles", "Busiest wikis", "Large removals"])
        self.assertEqual(len(views["Large removals"]), 74)
        for name in ("Trending articles", "Busiest wikis"):
            rows = views[name]
            self.assertEqual([row["rank"] for row in rows], list(range(1, len(rows) + 1)))
            self.assertGreater(len(rows), 0)
        self.assertGreater(day["records_out"], 5142 + 2 * 74)

    def test_the_second_day_is_compared_as_the_first(self):
        days, _ = self.summary("millrace", "demo", "--limit", 2 * EDITS_OF_A_DAY, "--speed", "max")
        self.assertEqual(days["oracle"], {"rows": 2 * 5142, "wrong": 0})
        self.assertEqual(days["records_in"], 2 * EDITS_OF_A_DAY)

    def test_a_window_that_the_limit_cut_off_is_not_called_wrong(self):
        some, _ = self.summary("millrace", "demo", "--limit", 1000, "--speed", "max")
        self.assertGreater(some["oracle"]["rows"], 100)
        self.assertEqual(some["oracle"]["wrong"], 0)

    def test_a_run_that_goes_on_is_compared_from_there(self):
        flags = ["demo", "--limit", EDITS_OF_A_DAY, "--state-dir", self.folder / "state"]
        self.summary("millrace", *flags, "--speed", "20000", "--duration", "500ms")
        rest, _ = self.summary("millrace", *flags, "--speed", "max")
        self.assertEqual((rest["state"], rest["oracle"]["wrong"]), ("finished", 0))
        self.assertGreater(rest["oracle"]["rows"], 0)

    def test_half_a_day_is_not_called_wrong(self):
        half, _ = self.summary("millrace", "demo", "--duration", "300ms", "--speed", "100000")
        self.assertEqual(half["state"], "stopped")
        self.assertEqual(half["oracle"]["wrong"], 0)


class Ending(CliTest):
    def test_duration(self):
        began = time.monotonic()
        run, _ = self.summary("millrace", "demo", "--duration", "300ms")
        self.assertGreaterEqual(time.monotonic() - began, 0.3)
        self.assertEqual(run["state"], "stopped")
        self.assertGreaterEqual(run["uptime_ms"], 300)
        self.assertGreater(run["records_in"], 0)
        self.assert_counted(run)

    def test_ctrl_c_ends_the_demo_with_a_summary(self):
        demo = self.start("millrace", "demo", "--ui", "127.0.0.1:0", "--json")
        address = read_until(demo.stderr, rb"the page is at (http://\S+)\n")[1].decode()
        self.assertIn(b"</html>", urllib.request.urlopen(address, timeout=PATIENCE_S).read())
        out, _ = self.interrupt(demo)
        run = json.loads(out)
        self.assertEqual((run["state"], run["oracle"]["wrong"]), ("stopped", 0))
        self.assert_counted(run)

    def test_ctrl_c_ends_a_stalled_reader_of_standard_input(self):
        for executors in ("1", "2"):
            read, write = os.pipe()
            with os.fdopen(read, "rb") as stdin, os.fdopen(write, "wb", 0) as feeder:
                process = self.start("wordcount", "-", "-", "--ui", "off", "--parallelism", "2",
                                     "--executors", executors, stdin=stdin)
                feeder.write(LINE)
                # What a quiet input brought is written at once, not when a buffer is full.
                read_until(process.stdout, re.escape(LINE))
                _, err = self.interrupt(process)
            self.assertIn("wordcount stopped after", err)
            self.assertIn("1 records in", err)

    def test_ctrl_c_ends_a_run_whose_output_nobody_reads(self):
        lines = self.file("lines", LINE * 50_000)
        process = self.start("wordcount", lines, "-", "--headless")
        read_until(process.stdout, re.escape(LINE))  # and then no more: the pipe becomes full
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(PATIENCE_S), 74)
        self.assert_error(process.stderr.read().decode(), 4002, "standard output", "is full")

    def test_ctrl_c_drains_what_was_read(self):
        read, write = os.pipe()
        with os.fdopen(read, "rb") as stdin, os.fdopen(write, "wb", 0) as feeder:
            process = self.start("wordcount", "-", "-", "--headless", "--json", stdin=stdin)
            feeder.write(LINE * 1000)
            read_until(process.stdout, re.escape(LINE))
            out, _ = self.interrupt(process)
        run = json.loads(out.splitlines()[-1])
        self.assert_counted(run)
        self.assertEqual(run["components"]["log"]["processed"], run["records_in"])
        self.assertEqual(run["views"]["words"], [], "a window fired that was still open")

    def test_a_signal_as_soon_as_the_state_folder_is_held_ends_it_well(self):
        for turn in range(20):
            state = self.folder / f"state{turn}"
            demo = self.start("millrace", "demo", "--headless", "--json", "--state-dir", state)
            until = time.monotonic() + PATIENCE_S
            while not (state / "LOCK").exists() and time.monotonic() < until:
                pass
            out, _ = self.interrupt(demo)
            run = json.loads(out.splitlines()[-1])
            self.assertEqual((run["state"], run["oracle"]["wrong"]), ("stopped", 0))
            self.assert_counted(run)

    def test_the_end_of_standard_input(self):
        run, _ = self.summary("wordcount", "-", "none", stdin=None, input=LINE * 3)
        self.assertEqual((run["state"], run["records_in"]), ("finished", 3))
        self.assertEqual(run["views"]["words"], [{"word": "a", "sum": 3}])


class Page(CliTest):
    def test_the_default_port_moves_on_when_it_is_taken(self):
        listener = socket.socket()
        with listener:
            try:
                listener.bind(("127.0.0.1", 8080))
                listener.listen()
            except OSError:
                pass  # somebody else holds it, which is what the test needs
            demo = self.start("millrace", "demo")
            port = read_until(demo.stderr, rb"the page is at http://127.0.0.1:(\d+)\n")[1]
            self.assertGreater(int(port), 8080)
            self.interrupt(demo)

    def test_a_port_asked_for_and_taken(self):
        listener, port = taken_port()
        with listener:
            _, err = self.run_program("millrace", "demo", "--ui", f"127.0.0.1:{port}", code=69)
        self.assert_error(err, 5001, port)

    def test_says_how_to_reach_it_where_there_is_no_display(self):
        plain = {key: value for key, value in os.environ.items()
                 if key not in ("DISPLAY", "WAYLAND_DISPLAY")}
        for more, shown in (({}, True), ({"DISPLAY": ":0"}, False)):
            _, err = self.run_program("millrace", "demo", "--ui", "127.0.0.1:0", "--duration",
                                      "50ms", env={**plain, **more})
            self.assertEqual("ssh -L" in err, shown, err)


if __name__ == "__main__":
    unittest.main()
