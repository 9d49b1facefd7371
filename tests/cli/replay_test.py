# Replays as a person meets them: --from and --until, history before a journal, runs from an epoch.
import collections
import json
import random
import signal
import time
import unittest

import harness

FIELDS = "{number: int, key: text, at: timestamp}"

FILES = """
name: sales
spouts:
  - {id: sales, type: json_lines, with: {path: "%(input)s", fields: """ + FIELDS + """,
      event_time: {field: at}}}
bolts:
  - {id: counts, type: aggregate, with: {window: tumbling(10s), values: {sales: count(),
      numbers: sum(number)}}}
  - {id: out, type: log, with: {path: "%(out)s"}}
streams:
  - {from: sales, to: counts, grouping: {type: fields, args: [key]}}
  - {from: counts, to: out}
"""

JOURNAL = FILES.replace('type: json_lines, with: {path: "%(input)s"',
                        'type: journal, with: {folder: "%(journal)s", topic: sales, %(more)s')

TO_JOURNAL = """
name: fills
spouts:
  - {id: sales, type: json_lines, with: {path: "%(input)s", fields: """ + FIELDS + """,
      event_time: {field: at}}}
bolts:
  - {id: out, type: write_journal, with: {folder: "%(journal)s", topic: sales, key: key,
      partitions: %(partitions)s}}
streams:
  - {from: sales, to: out}
"""


def iso(millis):
    clock = time.gmtime(millis // 1000)
    return time.strftime("2024-01-01T%H:%M:%S", clock) + f".{millis % 1000:03}Z"


def sale(millis):
    return {"number": millis, "key": f"k{millis % 7}", "at": iso(millis)}


def lines(moments):
    return "".join(json.dumps(sale(millis)) + "\n" for millis in moments)


def rows_of(moments):
    """What the topology says of these sales, by a count that shares nothing with it."""
    counts = collections.Counter()
    numbers = collections.Counter()
    for millis in moments:
        counts[f"k{millis % 7}", millis // 10000 * 10000] += 1
        numbers[f"k{millis % 7}", millis // 10000 * 10000] += millis
    return sorted((*row, counts[row], numbers[row]) for row in counts)


class Replay(harness.CliTest):
    def topology(self, text, **names):
        self.out = self.folder / "out.jsonl"
        return self.file("sales.yaml", text % {"out": self.out, "journal": self.folder / "j",
                                               "more": "follow: false", **names})

    def fill(self, moments, partitions=2):
        feed = self.file("feed.jsonl", lines(moments))
        self.run_program("millrace", "run", self.file("fills.yaml", TO_JOURNAL % {
            "input": feed, "journal": self.folder / "j", "partitions": partitions}), "--headless")

    def rows(self):
        found = []
        for line in self.out.read_text().splitlines():
            row = json.loads(line)
            start = row["window_start"]
            clock = time.strptime(start[:19], "%Y-%m-%dT%H:%M:%S")
            millis = (clock.tm_hour * 3600 + clock.tm_min * 60 + clock.tm_sec) * 1000
            found.append((row["key"], millis, row["sales"], row["numbers"]))
        return sorted(found)

    def run_sales(self, text, *flags, code=0, **names):
        return self.summary("millrace", "run", self.topology(text, **names), *flags, code=code)

    def test_a_part_of_files(self):
        feed = self.file("in.jsonl", lines(range(0, 60000, 500)))
        summary, _ = self.run_sales(FILES, "--from", iso(20000), "--until", iso(41000), input=feed)
        self.assertEqual(self.rows(), rows_of(range(20000, 41000, 500)))
        self.assertEqual(summary["passed_over"], 120 - 42)
        self.assert_counted(summary)
        _, err = self.run_program("millrace", "run", self.topology(FILES, input=feed), "--headless",
                                  "--from", "7", code=64)
        self.assert_error(err, 1002, '"sales" has no offsets')

    def test_a_part_of_a_journal(self):
        self.fill(range(0, 60000, 500))
        for speed in ("max", "1000"):
            for tasks in ("1", "3"):
                self.run_sales(JOURNAL, "--from", iso(20000), "--until", iso(41000), "--speed",
                               speed, "--parallelism", tasks)
                self.assertEqual(self.rows(), rows_of(range(20000, 41000, 500)))
        self.run_sales(JOURNAL, more=f'from: "{iso(30000)}", until: "{iso(30500)}"')
        self.assertEqual(self.rows(), rows_of([30000]))

    def test_what_cannot_be(self):
        feed = self.file("in.jsonl", lines(range(0, 60000, 500)))
        for flags, part in ((("--from", "noon"), "--from noon: give earliest"),
                            (("--until", "earliest"), "--until earliest: give latest"),
                            (("--from", iso(5000), "--until", iso(4000)), "lies before --from")):
            _, err = self.run_program("millrace", "run", self.topology(FILES, input=feed), *flags,
                                      "--headless", code=64)
            self.assert_error(err, 1002, part)
        state = self.folder / "state"
        self.run_sales(FILES, "--state-dir", state, "--until", iso(20000), input=feed)
        _, err = self.run_program("millrace", "run", self.topology(FILES, input=feed), "--headless",
                                  "--state-dir", state, "--from", iso(30000), code=64)
        self.assert_error(err, 1002, "which says where reading goes on", "another --state-dir")

    def test_what_no_history_can_be(self):
        at = iso(30000)
        for more, part in ((f'switch_at: "{at}"', "where \"history\" ends"),
                           ('history: "a.jsonl"', "ends at \"switch_at\", a time such as"),
                           ('history: "a.jsonl", switch_at: "noon"', "ends at \"switch_at\""),
                           ('history: "a.jsonl", history_format: xml', "history_format"),
                           ('until: earliest', "\"until\" is latest, an offset, or a time")):
            with self.subTest(more=more):
                _, err = self.run_program("millrace", "run", self.topology(JOURNAL, more=more),
                                          "--headless", code=78)
                self.assertIn(part, err)

    def kill_until_done(self, command, seconds):
        """Starts it again and again until it ends by itself; in between it is killed or stopped,
        later each time. Returns how often."""
        kills = 0
        while True:
            process = self.start("millrace", "run", *command)
            try:
                _, err = process.communicate(timeout=random.uniform(*seconds))
                self.assertEqual(process.returncode, 0, err.decode())
                return kills
            except harness.subprocess.TimeoutExpired:
                process.send_signal(random.choice((signal.SIGKILL, signal.SIGKILL, signal.SIGINT)))
                process.communicate(timeout=harness.PATIENCE_S)
                kills += 1
                seconds = (seconds[0], seconds[1] * 1.05)
                self.assertLess(kills, 100)

    def test_history_then_live_survives_kills(self):
        self.survives_kills(lambda switch: iso(switch), beyond=40000)

    def test_history_up_to_an_offset_survives_kills(self):
        self.survives_kills(lambda switch: 40000 // 50, beyond=0, partitions=1)

    def survives_kills(self, switch_at, beyond, partitions=2):
        """`beyond`: so many milliseconds behind the switch are in the files, too."""
        random.seed(7)
        switch, end = 300000, 600000
        for part in (0, 50):  # two files side by side
            self.file(f"stored-{part}.jsonl", lines(range(part, switch + beyond, 100)))
        self.fill(range(switch - 40000, end + 1000, 50), partitions)
        more = (f'history: "{self.folder}/stored-*.jsonl", switch_at: "{switch_at(switch)}"')
        topology = self.topology(JOURNAL, more=more)
        slowness = min(3, harness.SLOWNESS)  # of the replay too, so that it is killed as often
        kills = self.kill_until_done(
            [topology, "--headless", "--state-dir", self.folder / "state", "--until", iso(end),
             "--checkpoint-interval", "10ms", "--speed", 200 / slowness, "--parallelism", "2"],
            (0.1 * slowness, 0.6 * slowness))
        self.assertGreater(kills, 2)
        self.assertEqual(self.rows(), rows_of(range(0, end, 50)))

    def test_a_run_from_an_epoch(self):
        self.fill(range(0, 60000, 50))
        first = self.folder / "first"
        process = self.start("millrace", "run", self.topology(JOURNAL, more="follow: true"),
                             "--headless", "--state-dir", first, "--checkpoint-interval", "10ms",
                             "--speed", "60")
        while not self.out.exists() or not self.out.read_text():
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        written = self.out.read_text()
        epochs = sorted(first.glob("epoch-*.ckpt"))
        held = {path: path.read_bytes() for path in epochs}
        number = int(epochs[-1].name[6:16])
        kept = self.folder / "kept"
        out, _ = self.run_program("millrace", "checkpoints", "save", f"{first}@{number}", kept)
        self.assertIn(f"epoch {number} is kept in {kept}", out)
        _, err = self.run_program("millrace", "checkpoints", "save", first, kept, code=74)
        self.assert_error(err, 4002, f"has epoch {number} already")
        found = []
        for start, flags in ((f"{first}@{number}", ()), (kept, ()),
                             (kept, ("--state-dir", self.folder / "second"))):
            topology = self.file("again.yaml", JOURNAL % {
                "out": self.folder / "again.jsonl", "journal": self.folder / "j",
                "more": "follow: false"})
            _, err = self.run_program("millrace", "run", topology, "--headless", "--from", start,
                                      *flags)
            self.assertIn(f"from epoch {number} of", err)
            found.append((self.folder / "again.jsonl").read_text().splitlines())
        self.assertEqual(sorted(found[0]), sorted(found[1]))
        self.assertEqual(sorted(found[0]), sorted(found[2]))
        self.assertEqual(self.out.read_text(), written)
        self.assertEqual({path: path.read_bytes() for path in epochs}, held)
        # With what the first run wrote up to that epoch it is all there is, and nothing is twice.
        self.run_sales(JOURNAL, "--state-dir", first)
        self.assertEqual(self.rows(), rows_of(range(0, 60000, 50)))
        rest = set(found[0])
        self.assertEqual(sorted(rest), sorted(found[0]))
        self.assertLessEqual(rest, set(self.out.read_text().splitlines()))
        _, err = self.run_program("millrace", "run", self.topology(JOURNAL), "--headless", "--from",
                                  f"{first}@99999", code=66)
        self.assert_error(err, 4001, "has no epoch 99999")
        _, err = self.run_program("millrace", "run", self.topology(JOURNAL), "--headless", "--from",
                                  first, code=64)
        self.assert_error(err, 1002, "the input has ended")


if __name__ == "__main__":
    unittest.main()
