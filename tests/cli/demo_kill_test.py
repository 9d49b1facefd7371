# The demo whose process is killed again and again: nothing lost, nothing doubled, the same page.
import http.client
import json
import os
import re
import signal
import time
import unittest
import urllib.request

from harness import PATIENCE_S, SLOWNESS, CliTest

EDITS_OF_A_DAY = 39244
ROWS_OF_A_DAY = 5142
# A day takes about nine seconds, in which each process lives for one; under a sanitizer it has
# four, of a slower day, for it needs one to start.
LIFE_S, SPEED = (1, 10_000) if SLOWNESS == 1 else (4, 3_000)
DAY = ["demo", "--limit", EDITS_OF_A_DAY, "--speed", SPEED, "--kill",
       f"{LIFE_S}s", "--checkpoint-interval", f"{100 * LIFE_S}ms"]
NO_ANSWER = (OSError, http.client.HTTPException)
KILL = re.compile(r"^kill (\d+): process (\d+), [\d.]+ s old; [\d.]+ s later process (\d+) had new "
                  r"rows; lost (\d+), doubled (\d+), wrong (\d+) of \d+ rows$", re.MULTILINE)


class Killed(CliTest):
    def day(self, *flags):
        """The oracle's figures at the end of the day, and what was said of each kill."""
        run, err = self.summary("millrace", *DAY, *flags)
        self.assertEqual(run["state"], "finished")
        return run["oracle"], err

    def test_a_day_loses_nothing_and_doubles_nothing(self):
        oracle, err = self.day()
        kills = KILL.findall(err)
        self.assertGreaterEqual(oracle["kills"], 3, err)
        self.assertEqual(oracle, {"rows": ROWS_OF_A_DAY, "wrong": 0, "kills": oracle["kills"],
                                  "lost": 0, "doubled": 0})
        self.assertEqual(len(err.splitlines()), oracle["kills"], err)
        self.assertGreaterEqual(len(kills), 3, err)
        for number, (kill, killed, next_one, *amiss) in enumerate(kills[:3], 1):
            self.assertEqual((int(kill), amiss), (number, ["0", "0", "0"]))
            self.assertNotEqual(killed, next_one)

    def test_it_notices_when_readers_see_records_again(self):
        oracle, err = self.day("--unsafe", "no-dedup")
        self.assertIn("UNSAFE", err)
        self.assertGreater(oracle["doubled"], 0, err)

    def test_a_folder_that_was_given_stays_and_is_gone_on_with(self):
        folder = self.folder / "kept"
        half = self.start("millrace", *DAY, "--headless", "--json", "--state-dir", folder)
        for line in half.stderr:
            if KILL.match(line.decode()):
                break
        out, _ = self.interrupt(half, PATIENCE_S)
        stopped = json.loads(out)
        self.assertEqual(stopped["state"], "stopped")
        self.assertEqual(stopped["oracle"]["lost"] + stopped["oracle"]["doubled"], 0)
        oracle, _ = self.day("--state-dir", folder)
        self.assertEqual((oracle["rows"], oracle["lost"], oracle["doubled"], oracle["wrong"]),
                         (ROWS_OF_A_DAY, 0, 0, 0))
        self.assertTrue((folder / "large-removals.jsonl").read_text().count("\n") == 74)
        # All is done: nothing runs, and what was counted is said once more.
        oracle, _ = self.day("--state-dir", folder)
        self.assertEqual((oracle["rows"], oracle["kills"]), (ROWS_OF_A_DAY, 0))

    def test_nothing_is_left_behind(self):
        temp = self.folder / "tmp"
        temp.mkdir()
        self.run_program("millrace", *DAY, "--headless", "--duration", "300ms",
                         env={**os.environ, "TMPDIR": str(temp)})
        self.assertEqual(list(temp.iterdir()), [])


    def test_it_says_when_no_process_lives_long_enough(self):
        _, err = self.run_program("millrace", "demo", "--kill", "100ms", "--checkpoint-interval",
                                  "99ms", "--duration", "2s", "--headless")
        self.assertRegex(err, r"had completed no epoch.*: give a longer --kill or a shorter "
                              r"--checkpoint-interval\n")


class Page(CliTest):
    @staticmethod
    def address_of(demo):
        for line in demo.stderr:
            if found := re.search(rb"the page is at (http://\S+)\n", line):
                return found[1].decode()
        raise AssertionError("it has no page")

    @staticmethod
    def answers(address):
        try:
            with urllib.request.urlopen(address, timeout=5):
                return True
        except NO_ANSWER:
            return False

    def report(self, address):
        """Of whichever process has the page now; waits for it while none has."""
        end = time.monotonic() + 20 * SLOWNESS
        while True:
            try:
                with urllib.request.urlopen(f"{address}/api/v1/report", timeout=5) as answer:
                    return json.load(answer)
            except NO_ANSWER:
                self.assertLess(time.monotonic(), end, "the page did not come back")

    def test_the_page_comes_back_with_its_views(self):
        demo = self.start("millrace", *DAY, "--ui", "127.0.0.1:0")
        address = self.address_of(demo)
        removals = 0
        for _ in range(2):
            for line in demo.stderr:
                if KILL.match(line.decode()):
                    break
            report = self.report(address)
            while not report["checkpoints"] or report["checkpoints"]["restored_from"] is None:
                report = self.report(address)
            shown = {view["name"]: view["records"] for view in report["views"]}
            self.assertGreaterEqual(shown["Large removals"], removals)
            removals = shown["Large removals"]
            self.assertGreater(shown["Busiest wikis"], 0)
            self.assertGreaterEqual(report["oracle"]["kills"], 1)
            self.assertEqual(report["oracle"]["lost"] + report["oracle"]["doubled"], 0)
        self.interrupt(demo, PATIENCE_S)

    def test_who_kills_the_supervisor_ends_both(self):
        # The day takes longer than the other process has to go.
        demo = self.start("millrace", "demo", "--kill", "10s", "--limit", EDITS_OF_A_DAY, "--ui",
                          "127.0.0.1:0", env={**os.environ, "TMPDIR": str(self.folder)})
        address = self.address_of(demo)
        demo.send_signal(signal.SIGKILL)
        end = time.monotonic() + 20 * SLOWNESS
        while self.answers(address):
            self.assertLess(time.monotonic(), end, "the other process lives on")
            time.sleep(0.01)


class Wrong(CliTest):
    def test_spans_that_cannot_be(self):
        for span in ("0s", "99ms", "10", "-5s", "soon"):
            _, err = self.run_program("millrace", "demo", f"--kill={span}", code=64)
            self.assert_error(err, 1002, "--kill", "at least 100ms")

    def test_no_process_lives_until_its_first_epoch(self):
        _, err = self.run_program("millrace", "demo", "--kill", "2s", "--checkpoint-interval", "2s",
                                  code=64)
        self.assert_error(err, 1002, "--checkpoint-interval 2s", "--kill 2s")

    def test_demos_that_have_no_such_oracle(self):
        for demo in ("posts", "machine"):
            for flag in (["--kill", "10s"], ["--kill=10s"]):
                _, err = self.run_program("millrace", "demo", demo, *flag, code=64)
                self.assert_error(err, 1001, "--kill", demo, "millrace demo --kill 10s")

    def test_a_folder_that_cannot_be_made(self):
        file = self.file("file", "")
        _, err = self.run_program("millrace", "demo", "--headless", "--kill", "10s", "--state-dir",
                                  file / "state", code=74)
        self.assert_error(err, 4002, file / "state", "--state-dir")


if __name__ == "__main__":
    unittest.main()
