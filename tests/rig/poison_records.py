# R14: malformed records among good ones stop no run; each is kept with its place, and replayed.
"""A journal of orders, of which 1 % do not fit, goes through `millrace run --dead-letters`.

The oracle knows each line: what must come out, and what must lie in the dead letters, at which
partition and offset. It names what is wrong: stopped, wrong-output, lost-letter, phantom-letter,
misplaced, not-streamed, not-replayed.
"""
import collections
import csv
import json
import pathlib
import random
import subprocess
import tempfile

from journal_oracle import BIN, PATIENCE_S

PARTITIONS = 4
BAD_SHARE = 0.01
SMALL_BOUND = "small-bound"  # of --unsafe: room for 1 MiB of letters
TOPOLOGY = """
name: poisoned
spouts:
  - id: orders
    type: journal
    with: {{folder: {folder}/in, topic: orders, follow: false, fields: {{id: int, note: text}}}}
bolts:
  - {{id: good, type: select, with: {{fields: [id]}}}}
  - {{id: out, type: write_csv, with: {{path: {folder}/out.csv}}}}
  - {{id: wrong, type: write_csv, with: {{path: {folder}/wrong.csv}}}}
streams:
  - {{from: orders, to: good, grouping: shuffle}}
  - {{from: good, to: out}}
  - {{from: orders, to: wrong, grouping: {{streamId: errors}}}}
"""


def run(*words, **more):
    return subprocess.run([str(BIN / "millrace"), *map(str, words)], capture_output=True,
                          check=False, timeout=PATIENCE_S,
                          **{"stdin": subprocess.DEVNULL, **more})


def malformed(chance, number):
    note = "x" * chance.choice((0, 50, 300, 30_000))
    return chance.choice((
        f'{{"id":{number},"note":"{note}',
        f'{{"id":"{number}","note":"{note}"}}',
        f'{{"id":{number}00000000000000000000,"note":"{note}"}}',
        f'{{"note":"{number} {note}"}}',
        f'[{number},"{note}"]',
        f'{number}{note}',
    ))


class Poisoned:
    """The orders of a seed, in a journal."""

    def __init__(self, folder, seed, count):
        self.folder = pathlib.Path(folder)
        chance = random.Random(seed)
        self.good = set()
        bad = []
        with (self.folder / "lines").open("w") as lines:
            for number in range(count):
                if chance.random() < BAD_SHARE:
                    bad.append(malformed(chance, number))
                    lines.write(bad[-1] + "\n")
                else:
                    self.good.add(number)
                    lines.write(f'{{"id":{number},"note":"n{number}"}}\n')
        done = run("journal", "produce", self.folder / "in", "orders", self.folder / "lines",
                   "--partitions", PARTITIONS, "--mode", "async")
        assert done.returncode == 0, done.stderr
        self.bad = collections.Counter(bad)
        self.places = self.find_places()
        (self.folder / "t.yaml").write_text(TOPOLOGY.format(folder=self.folder))

    def find_places(self):
        """What lies where, of the bad ones: (partition, offset) by line."""
        places = collections.defaultdict(set)
        done = run("journal", "consume", self.folder / "in", "orders", "--json")
        for line in done.stdout.splitlines():
            record = json.loads(line)
            if record["value"] in self.bad:
                places[record["value"]].add((record["partition"], record["offset"]))
        return places

    def output(self):
        with (self.folder / "out.csv").open() as rows:
            return [int(row["id"]) for row in csv.DictReader(rows)]

    def streamed(self):
        with (self.folder / "wrong.csv").open(newline="") as rows:
            return collections.Counter((row["where"], row["record"])
                                       for row in csv.DictReader(rows))

    def anomalies(self, bound):
        done = run("run", self.folder / "t.yaml", "--headless", "--parallelism", "2",
                   "--dead-letters", self.folder / "letters", *bound)
        if done.returncode != 0:
            return [f"stopped: exit code {done.returncode}: {done.stderr.decode()[-300:]}"]
        out = self.output()
        found = []
        if len(out) != len(self.good) or set(out) != self.good:
            found.append(f"wrong-output: {len(out)} rows of {len(self.good)}")
        return found + self.of_letters() + self.of_replay()

    def of_letters(self):
        done = run("dead-letters", "show", self.folder / "letters", "--json")
        letters = [json.loads(line) for line in done.stdout.splitlines()]
        kept = collections.Counter(letter["record"] for letter in letters)
        found = [f"lost-letter: {line[:60]}" for line in self.bad - kept]
        found += [f"phantom-letter: {line[:60]}" for line in kept - self.bad]
        for letter in letters:
            places = {f"{self.folder}/in/orders/{partition}:{offset}"
                      for partition, offset in self.places[letter["record"]]}
            good = (letter["where"] in places and letter["reason"] and letter["source"] == "orders"
                    and letter["component"] == "orders")
            if not good:
                found.append(f"misplaced: {letter['where']}: {letter['record'][:60]}")
        streamed = self.streamed()
        missing = collections.Counter((one["where"], one["record"]) for one in letters) - streamed
        found += [f"not-streamed: {where}" for where, _ in missing]
        return found

    def of_replay(self):
        """One command gives all of them back, and once."""
        target = self.folder / "again"
        for _ in range(2):
            done = run("dead-letters", "replay", self.folder / "letters", "--to", target)
            if done.returncode != 0:
                return [f"not-replayed: {done.stderr.decode()[-300:]}"]
        again = collections.Counter(target.read_text().splitlines())
        return [] if again == self.bad else [
            f"not-replayed: {again.total()} of {self.bad.total()} letters"]


def poison(seed, count, unsafe=""):
    """One run over `count` orders; the cases are those that do not fit."""
    bound = ("--dead-letters-bytes", "1M") if unsafe == SMALL_BOUND else ()
    with tempfile.TemporaryDirectory(prefix="millrace-rig-") as folder:
        poisoned = Poisoned(folder, seed, count)
        return poisoned.bad.total(), poisoned.anomalies(bound), []
