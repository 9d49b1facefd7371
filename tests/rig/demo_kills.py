# R1 over the demo's own topology, at its own interval of epochs: killed at random moments.
"""`millrace demo --kill 1h` keeps its ranked rows in a journal and its alerts in a file. Here its
processes are all killed and started again, until nothing is left of the count; a reader follows the
journal all the time. What a script computed once from the same day of edits (data/) says which rows
must be there: each once, in their order, from the first to the newest one.
"""
import collections
import csv
import datetime
import json
import pathlib
import random
import subprocess
import tempfile
import time

from journal_oracle import BIN, PATIENCE_S, ROOT, Follower, Journal

EXPECTED = ROOT / "data/wikipedia-edits/expected"
DAY_MS = 24 * 3600 * 1000
TOPIC = "ranked"
ROW_FIELDS = ("rank", "channel", "edits", "added", "deleted")
CHECKED_EACH = 2


def read_csv(name):
    with (EXPECTED / name).open(newline="", encoding="utf-8") as rows:
        return list(csv.DictReader(rows))


def ms_of(text):
    return round(datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() * 1000)


class Days:
    """The same day again and again, as the oracle's script has it."""

    def __init__(self):
        self.rows = [(int(row["window_start_ms"]), int(row["rank"]), row["channel"],
                      int(row["edits"]), int(row["added"]), int(row["deleted"]))
                     for row in read_csv("top20_channels_5m.csv")]
        self.alerts = [(int(row["ts_ms"]), row["page"])
                       for row in read_csv("alerts_big_removal.csv")]

    def row(self, number):
        day, at = divmod(number, len(self.rows))
        start, *rest = self.rows[at]
        return (start + day * DAY_MS, *rest)

    def alerts_before(self, end_ms):
        begin = self.alerts[0][0]
        days = range((end_ms - begin) // DAY_MS + 1)
        return [(at + day * DAY_MS, page) for day in days for at, page in self.alerts
                if at + day * DAY_MS < end_ms]

    def anomalies(self, seen):
        """Of rows as a reader has them."""
        for number, row in enumerate(seen):
            wanted = self.row(number)
            if row == wanted:
                continue
            if row in seen[:number]:
                return [f"duplicate: row {number} is {row} again"]
            is_later = row in map(self.row, range(number, number + len(self.rows)))
            name = "lost-write" if is_later else "wrong-aggregate"
            return [f"{name}: row {number} is {row}, and {wanted} was due"]
        return []


class Demo:
    def __init__(self, folder, unsafe):
        self.folder = pathlib.Path(folder)
        self.unsafe = unsafe
        self.days = Days()
        self.journal = Journal(self.folder / "ranked", topic=TOPIC)

    def start(self, tasks):
        flags = ["--unsafe", self.unsafe] if self.unsafe else []
        return subprocess.Popen([BIN / "millrace", "demo", "--kill", "1h", "--ui", "off",
                                 "--state-dir", self.folder, "--parallelism", str(tasks), *flags],
                                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                stderr=subprocess.PIPE)

    def served(self):
        records = self.journal.served()[0].get(0, [])
        return [self.row_of(json.loads(value)) for _, value in records]

    @staticmethod
    def row_of(value):
        return (ms_of(value["window_start"]), *(value[field] for field in ROW_FIELDS))

    def anomalies(self, ended=False):
        rows = self.served()
        found = self.days.anomalies(rows)
        alerts = self.folder / "large-removals.jsonl"
        if ended and rows:
            told = collections.Counter()
            for line in alerts.read_text(encoding="utf-8").splitlines():
                record = json.loads(line)
                told[ms_of(record["time"]), record["page"]] += 1
            found += [f"duplicate: alert {alert}" for alert, count in told.items() if count > 1]
            found += [f"lost-write: alert {alert}" for alert in self.days.alerts_before(rows[-1][0])
                      if alert not in told]
        return found


def one_life(demo, chance, follower):
    """Starts, and kills all processes at once: what was wrong, the time to the first new row."""
    before = len(demo.served()) if follower else 0
    started = time.monotonic()
    process = demo.start(chance.choice((1, 1, 2, 3)))
    limit = started + 0.05 + chance.choice((0.3, 1.5, 3)) * chance.random()
    first_s = None
    while process.poll() is None and time.monotonic() < limit:
        if first_s is None and follower and follower.count > before:
            first_s = time.monotonic() - started
        time.sleep(0.002)
    ended = process.poll() is not None
    if not ended:
        process.kill()  # the other one goes with it
    said = process.stderr.read().decode()
    code = process.wait(PATIENCE_S)
    process.stderr.close()
    return [f"it ended by itself with {code}: {said}"] if ended else [], first_s


def kills(seed, count, unsafe=""):
    """`count` kills of one demo, which is then told to end."""
    chance = random.Random(seed)
    times_s = []
    follower = None
    with tempfile.TemporaryDirectory(prefix="millrace-rig-") as folder:
        demo = Demo(folder, unsafe)
        try:
            for turn in range(count):
                wrong, first_s = one_life(demo, chance, follower)
                if first_s is not None:
                    times_s.append(first_s)
                if follower is None and demo.served():
                    follower = Follower(demo.journal)
                if not wrong and turn % CHECKED_EACH == CHECKED_EACH - 1:
                    wrong = demo.anomalies()
                if wrong:
                    return turn + 1, [f"after kill {turn + 1}: {one}" for one in wrong], times_s
            return count, finish(demo, follower), times_s
        finally:
            if follower:
                follower.stop()


def finish(demo, follower):
    """What is wrong in the end."""
    process = demo.start(1)
    time.sleep(1.2)
    process.terminate()
    said = process.communicate(timeout=PATIENCE_S)[1].decode()
    if process.returncode:
        return [f"the last run ended with {process.returncode}: {said}"]
    wrong = demo.anomalies(ended=True)
    if not demo.served():
        wrong.append("lost-write: there is no row")
    if follower:
        wrong += follower.anomalies(demo.journal.served()[0])
    return wrong
