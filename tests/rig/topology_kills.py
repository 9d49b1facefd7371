# R1 of a topology: journal to journal, exactly once, killed at random moments and started again.
"""The oracle makes records from a seed and computes in closed form every update that the topology
may emit: running counts and sums of each key, sums of windows, and each key's records in the order
of event time. What a reader sees, between kills and in the end, must be the beginning of that, or
all of it, each update once and in its order.
"""
import collections
import json
import pathlib
import random
import shutil
import signal
import subprocess
import tempfile
import time

from journal_oracle import BIN, PATIENCE_S, Follower, Journal

RECORDS = 40_000
KEYS = 50
STEP_MS = 20  # of event time, between records
DISORDER_MS = 2000
WINDOW_MS = 10_000
BEGIN_MS = 1_700_000_000_000
# Two of the sinks write to one journal.
OUTPUTS = {"sums": "shared", "windows": "shared", "ordered": "own"}

INPUT = """\
config: {{}}
spouts:
  - id: in
    type: journal
    with:
      folder: {folder}/in
      topic: t
      follow: false
      fields: {{k: text, n: int, v: int, at: timestamp}}
      event_time: {{field: at, out_of_order: 2s}}
"""
AGGREGATES = """\
  - id: running
    type: aggregate
    with: {{values: {{count: count(), sum: sum(v)}}}}
  - id: windowed
    type: aggregate
    with: {{window: tumbling(10s), values: {{count: count(), sum: sum(v)}}}}
"""
TO_AGGREGATES = """\
  - {{from: in, to: running, grouping: {{type: fields, args: [k]}}}}
  - {{from: in, to: windowed, grouping: {{type: fields, args: [k]}}}}
  - {{from: running, to: sums}}
  - {{from: windowed, to: windows}}
"""
ORDER = """\
  - id: in_order
    type: restore_order
"""
TO_ORDER = """\
  - {{from: in, to: in_order, grouping: {{type: fields, args: [k]}}}}
  - {{from: in_order, to: ordered}}
"""
SINK = """\
  - id: {name}
    type: write_journal
    with: {{folder: {folder}/{journal}, topic: {name}, key: k, partitions: 2}}
"""


def text_of(name, bolts, streams):
    """A topology of that input, bolts and streams, to be formatted with its folder and sinks."""
    return f"name: {name}\n{INPUT}bolts:\n{bolts}{{sinks}}\nstreams:\n{streams}"


class Truth:
    """What was sent, and all that may come of it."""

    records = RECORDS
    step_ms = STEP_MS
    unordered = ()  # outputs whose updates of a key come in any order

    def __init__(self, seed, records=None):
        chance = random.Random(seed)
        self.lines = []
        self.sums = collections.defaultdict(list)  # by key: every update, in its order
        self.ordered = collections.defaultdict(list)
        windows = collections.defaultdict(lambda: [0, 0])
        for number in range(records or self.records):
            key = f"k{self.key_of(chance)}"
            value = chance.randrange(-1000, 1000)
            at = BEGIN_MS + number * self.step_ms - chance.randrange(DISORDER_MS)
            self.lines.append(json.dumps({"k": key, "n": number, "v": value, "at": at}))
            count, total = self.sums[key][-1] if self.sums[key] else (0, 0)
            self.sums[key].append((count + 1, total + value))
            self.ordered[key].append((at, number))
            window = windows[key, at // WINDOW_MS]
            window[0] += 1
            window[1] += value
        for updates in self.ordered.values():
            updates.sort()
        self.windows = collections.defaultdict(list)
        for (key, start), (count, total) in sorted(windows.items(), key=lambda item: item[0][1]):
            self.windows[key].append((count, total))

    @staticmethod
    def key_of(chance):
        return chance.randrange(KEYS)

    @staticmethod
    def update_of(output, record):
        if output == "ordered":
            return record["n"]
        return record["count"], record["sum"]

    def expected(self, output):
        if output == "ordered":
            return {key: [number for _, number in updates]
                    for key, updates in self.ordered.items()}
        return getattr(self, output)

    def anomalies(self, output, served, complete):
        """`served`: as Journal.served() gives it."""
        seen = collections.defaultdict(list)
        for records in served.values():
            for _, value in records:
                record = json.loads(value)
                seen[record["k"]].append(self.update_of(output, record))
        found = []
        expected = self.expected(output)
        for key, updates in seen.items():
            wanted = expected.get(key, [])
            if output in self.unordered:
                found += [f"{name}: {output} of {key}: {update}" for update, name in
                          self.unwanted(updates, wanted)]
                continue
            if updates == wanted[:len(updates)]:
                continue
            at = next(at for at, update in enumerate(updates)
                      if at >= len(wanted) or update != wanted[at])
            found.append(f"{self.name_of(updates, wanted, at)}: {output} of {key}, update {at}: "
                         f"{updates[at]}")
        if complete:
            missing = sum(map(len, expected.values())) - sum(map(len, seen.values()))
            if missing > 0:
                found.append(f"lost-write: {missing} updates of {output}")
        return found

    @staticmethod
    def unwanted(updates, wanted):
        left = collections.Counter(wanted)
        for update in updates:
            left[update] -= 1
            if left[update] < 0:
                yield update, "duplicate" if update in wanted else "wrong-aggregate"

    @staticmethod
    def name_of(updates, wanted, at):
        if updates[at] in updates[:at] and updates[at] in wanted[:at]:
            return "duplicate"
        if updates[at] in wanted[at:]:
            return "lost-write"
        return "wrong-aggregate"


class Topology:
    """The program on its file, its state folder and its journals."""

    text = text_of("oracle", AGGREGATES + ORDER, TO_AGGREGATES + TO_ORDER)
    outputs_of = OUTPUTS
    rescaled = ("running", "windowed", "in_order")  # components
    speeds = (100, 300)
    rescaled_speeds = (50, 100, 200)
    flags = ()

    def __init__(self, folder, truth, interval, unsafe, partitions=2):
        self.folder = pathlib.Path(folder)
        self.state = self.folder / "state"
        self.interval = interval
        self.unsafe = unsafe
        self.file = self.folder / "oracle.yaml"
        sinks = "".join(SINK.format(name=name, folder=self.folder, journal=journal)
                        for name, journal in self.outputs_of.items())
        self.file.write_text(self.text.format(folder=self.folder, sinks=sinks))
        lines = self.folder / "lines"
        lines.write_text("".join(f"{json.loads(line)['k']}={line}\n" for line in truth.lines))
        done = Journal(self.folder / "in").run("produce", "t", "--key-separator", "=",
                                               "--partitions", partitions, lines)
        assert done.returncode == 0, done.stderr
        self.outputs = {name: Journal(self.folder / journal, topic=name)
                        for name, journal in self.outputs_of.items()}
        self.followed = next(iter(self.outputs.values()))

    def command(self, parallelism, speed=0, *words):
        """`speed`: so many times that of event time; 0: as fast as it can."""
        flags = ["--unsafe", self.unsafe] if self.unsafe else []
        flags += ["--speed", str(speed)] if speed else []
        return [BIN / "millrace", "run", self.file, "--state-dir", self.state, "--guarantee",
                "exactly_once", "--checkpoint-interval", self.interval, "--parallelism",
                str(parallelism), "--ui", "off", *self.flags, *flags, *words]

    def start(self, parallelism, speed=0):
        return subprocess.Popen(self.command(parallelism, speed, "--json"),
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE)

    def look(self, process):
        """At one that is about to be killed."""

    def ended(self, summary):
        """What is wrong by the summary of a run that came to its end; None: all was done before."""
        return []

    def begin_anew(self):
        """All but the input is gone."""
        for folder in (self.state, *(self.folder / name for name in set(self.outputs_of.values()))):
            shutil.rmtree(folder, ignore_errors=True)

    def anomalies(self, truth, complete=False):
        found = []
        for name, journal in self.outputs.items():
            served, code = journal.served()
            if code not in (0, 66) or (code and complete):
                found.append(f"{name}: consume ended with {code}")
            found += truth.anomalies(name, served, complete)
        return found


def one_life(topology, chance, follower):
    """Starts and kills: what was wrong, whether it ended by itself, the time to new output."""
    before = follower.count if follower else 0
    started = time.monotonic()
    process = topology.start(chance.choice((1, 1, 2, 3)), chance.choice(topology.speeds))
    limit = started + chance.choice((0.05, 0.2, 0.6, 1.2)) * chance.random()
    first_s = None
    while process.poll() is None and time.monotonic() < limit:
        if first_s is None and follower and follower.count > before:
            first_s = time.monotonic() - started
        time.sleep(0.002)
    ended = process.poll() is not None
    if not ended:
        topology.look(process)
    process.send_signal(signal.SIGKILL)
    _, said = process.communicate(timeout=PATIENCE_S)
    if ended and process.returncode:
        wrong = f"it ended by itself with {process.returncode}: {said.decode()}"
        return [wrong], True, first_s
    return [], ended, first_s


def kills(seed, count, unsafe=""):
    return kills_of(Truth, Topology, seed, count, unsafe)


def kills_of(truth_type, topology_type, seed, count, unsafe):
    """`count` kills; over a new folder whenever the topology has come to its end."""
    chance = random.Random(seed)
    restarts_s = []
    turn = 0
    while turn < count:
        with tempfile.TemporaryDirectory(prefix="millrace-rig-") as folder:
            truth = truth_type(chance.randrange(1 << 30))
            interval = chance.choice(("10ms", "50ms", "200ms"))
            topology = topology_type(folder, truth, interval, unsafe)
            done, wrong, times_s = live(topology, truth, chance, count - turn)
            turn += done
            restarts_s += times_s
            if wrong:
                return turn, [f"after kill {turn}: {one}" for one in wrong], restarts_s
    return count, [], restarts_s


def live(topology, truth, chance, kills_left):
    """Kills until the topology has ended; then it runs to its end."""
    times_s = []
    follower = None
    try:
        for turn in range(kills_left):
            if follower is None and topology.followed.served()[0]:
                follower = Follower(topology.followed)
            wrong, ended, first_s = one_life(topology, chance, follower)
            if first_s is not None:
                times_s.append(first_s)
            if not wrong and turn % 4 == 3:
                wrong = topology.anomalies(truth)
            if wrong:
                return turn + 1, wrong, times_s
            if ended:
                kills_left = turn + 1
                break
        process = topology.start(chance.choice((1, 2)))
        out, said = process.communicate(timeout=PATIENCE_S)
        if process.returncode:
            wrong = f"the last run ended with {process.returncode}: {said.decode()}"
            return kills_left, [wrong], times_s
        summary = json.loads(out) if out else None  # all was done before: it only says so
        wrong = topology.ended(summary) + topology.anomalies(truth, complete=True)
        if follower:
            served, _ = topology.followed.served()
            wrong += follower.anomalies(served)
        return kills_left, wrong, times_s
    finally:
        if follower:
            follower.stop()
