# R5 of checkpoints: one flipped bit or one cut file, found by verify, and never taken for state.
"""A topology is stopped on its way; its state folder holds three epochs. Each damage of one of them
must be named by `checkpoints verify`. A run goes on from the newest whole one and says so: what was
committed behind it may come again, but nothing else; where none is whole, nothing runs.
"""
import collections
import json
import os
import random
import shutil
import signal
import subprocess
import tempfile
import time

from epoch_faults import INTERVAL, RECORDS, SPEED, summary_of
from journal_damage import harm
from journal_oracle import BIN, DAMAGED, PATIENCE_S
from topology_kills import OUTPUTS, Topology, Truth

CUT_EACH = 11
ALL_EACH = 13  # so often all files are damaged
RUN_EACH = 8  # so often a run follows; where its checksums are off, always
NO_CHECKSUM = "no-checksum"


class Damaged:
    def __init__(self, folder, chance, unsafe):
        self.chance = chance
        self.unsafe = unsafe
        self.truth = Truth(chance.randrange(1 << 30), RECORDS)
        self.topology = Topology(folder, self.truth, INTERVAL, unsafe)
        self.clean = self.topology.folder / "clean"
        self.stop_on_the_way()
        self.files = sorted(self.topology.state.glob("epoch-*.ckpt"))
        self.clean.mkdir()
        for name in set(OUTPUTS.values()):
            shutil.copytree(self.topology.folder / name, self.clean / name)
        self.contents = {path: path.read_bytes() for path in self.files}

    def stop_on_the_way(self):
        process = subprocess.Popen(self.topology.command(1, SPEED), stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end and not list(self.topology.state.glob("epoch-*09.ckpt")):
            time.sleep(0.002)
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=PATIENCE_S)
        assert process.returncode == 0, said

    def turn(self, number):
        """One damage; what was wrong."""
        cuts = number % CUT_EACH == CUT_EACH - 1
        newest = self.files[-1]
        chosen = [newest if self.chance.random() < 0.6 else self.chance.choice(self.files)]
        if number % ALL_EACH == ALL_EACH - 1:
            chosen = self.files
        self.put_back()
        places = {}
        for path in chosen:
            changed, places[path] = harm(self.contents[path], self.chance, cuts)
            path.write_bytes(changed)
        here = ", ".join(f"{path.name} {'cut' if cuts else 'flipped'} at {at}"
                         for path, at in places.items())
        wrong = self.unseen(places)
        if self.unsafe or chosen == self.files or number % RUN_EACH == 0:
            wrong += self.run_on(places)
        return [f"{here}: {one}" for one in wrong]

    def put_back(self):
        for name in set(OUTPUTS.values()):
            shutil.rmtree(self.topology.folder / name)
            shutil.copytree(self.clean / name, self.topology.folder / name)
        for path in self.topology.state.glob("epoch-*"):
            path.unlink()
        for path, content in self.contents.items():
            path.write_bytes(content)

    def unseen(self, places):
        done = subprocess.run([BIN / "millrace", "checkpoints", "verify", self.topology.state],
                              capture_output=True, check=False, timeout=PATIENCE_S)
        said = done.stderr.decode(errors="replace")
        if done.returncode != DAMAGED:
            return [f"unseen: verify ended with {done.returncode}"]
        return [one for path, at in places.items() for one in self.unnamed(said, path, at)]

    def unnamed(self, said, path, at):
        """The byte is where the frame of the damage begins, or where a length leads to."""
        mark = f'"{path}" is damaged at byte '
        if mark not in said:
            return [f"unnamed: it said {said[:300]!r}"]
        named, what = said.split(mark, 1)[1].split(": ", 1)
        good = int(named) <= at or what.startswith("it ends too early")
        return [] if good else [f"unnamed: it named byte {named}"]

    def run_on(self, places):
        done = subprocess.run(self.topology.command(1, 0, "--json"), capture_output=True,
                              check=False, timeout=PATIENCE_S, stdin=subprocess.DEVNULL)
        said = done.stderr.decode(errors="replace")
        whole = [path for path in self.files if path not in places]
        if self.unsafe == NO_CHECKSUM:  # what it says is not looked at, only what it gives
            return self.served_wrongly(True, done.returncode == 0)
        if not whole:
            good = done.returncode == DAMAGED and "error 3003" in said
            wrong = [] if good else [f"unrefused: it ended with {done.returncode}: {said}"]
            return wrong + self.served_wrongly(False, False)
        if done.returncode:
            return [f"it ended with {done.returncode}: {said}"]
        epoch = int(whole[-1].stem.split("-")[1])
        taken = summary_of(done.stdout).get("checkpoints", {}).get("restored_from", epoch)
        wrong = [] if taken == epoch else [f"restore: epoch {taken} of {epoch} was taken"]
        newest = self.files[-1]
        if newest in places:
            wrong += self.unnamed(said, newest, places[newest])
            if f"going on from epoch {epoch}" not in said:
                wrong.append(f"unsaid: {said[:300]!r}")
        return wrong + self.served_wrongly(newest in places, True)

    def served_wrongly(self, again, complete):
        """`again`: some of what was there may stand there once more, behind it."""
        if not again:
            return self.topology.anomalies(self.truth, complete)
        found = []
        for name, journal in self.topology.outputs.items():
            seen = collections.defaultdict(list)
            for records in journal.served()[0].values():
                for _, value in records:
                    record = json.loads(value)
                    seen[record["k"]].append(self.truth.update_of(name, record))
            expected = self.truth.expected(name).items()
            found += [f"served: {name} of {key}" for key, wanted in expected
                      if complete and not is_repeated(seen[key], wanted)]
        return found


def is_repeated(seen, wanted):
    """Whether it is some first ones of `wanted`, and then all from a place before their end on."""
    more = len(seen) - len(wanted)
    return more >= 0 and any(
        seen[:begin + more] == wanted[:begin + more] and seen[begin + more:] == wanted[begin:]
        for begin in range(len(wanted) + 1))


def damage(seed, count, unsafe=""):
    """`count` damages, one at a time; what was not found, or served."""
    chance = random.Random(seed)
    wrong = []
    with tempfile.TemporaryDirectory(prefix="millrace-rig-") as folder:
        damaged = Damaged(os.path.realpath(folder), chance, unsafe)
        for number in range(count):
            wrong += damaged.turn(number)
    return count, wrong, []
