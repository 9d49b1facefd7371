# R17: a topology that is told to end drains, ends well, and the next run does nothing again.
"""Each life gets SIGTERM at a random moment. It must be over within seconds, with exit code 0 and
all updates of what it has read in place; the lives of a topology together read each record once.
The canary takes the newest epoch away between two lives, as if the end had not been kept.
"""
import json
import random
import signal
import subprocess
import tempfile
import time

from journal_oracle import PATIENCE_S
from topology_kills import RECORDS, Topology, Truth

DRAINED_S = 5
OLDER_EPOCH = "older-epoch"  # of --unsafe
INTERVALS = ("10ms", "100ms", "1h")  # the last: no other epoch than that of the end


class Stopped:
    """One life: how it ended, and what it says it has read."""

    def __init__(self, topology, chance):
        self.process = subprocess.Popen(
            topology.command(chance.choice((1, 1, 2, 3)), chance.choice((0, 100, 300)), "--json"),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.wait_for_start(topology)
        load_s = chance.choice((0, 0.05, 0.2, 0.6)) * chance.random()
        try:
            self.process.wait(load_s)
        except subprocess.TimeoutExpired:
            pass
        self.ended = self.process.poll() is not None
        asked = time.monotonic()
        self.process.terminate()
        out, said = self.process.communicate(timeout=PATIENCE_S)
        self.took_s = time.monotonic() - asked
        self.code = self.process.returncode
        self.said = said.decode()
        # All was done and told when the signal came: nothing is left that takes it.
        if self.code == -signal.SIGTERM and (out.endswith(b"}\n") or "has ended" in self.said):
            self.code, self.ended = 0, True
        self.summary = json.loads(out) if self.code == 0 and out else {}

    def wait_for_start(self, topology):
        """Until it holds the state folder: before that, a signal just ends it."""
        lock = topology.state / "LOCK"
        while self.process.poll() is None:
            if lock.exists() and f"process {self.process.pid} " in lock.read_text():
                return
            time.sleep(0.001)

    def anomalies(self):
        if self.code:
            return [f"unclean: it ended with {self.code}: {self.said}"]
        if self.took_s > DRAINED_S:
            return [f"slow: it drained for {self.took_s:.1f} s"]
        return []

    def read(self):
        components = self.summary.get("components", {})
        return components["in"]["processed"] if "in" in components else 0


def lives(topology, truth, chance, stops_left, older):
    """Stops until the topology has ended: how many, and what was wrong. `older`: the canary."""
    read = 0
    for turn in range(stops_left + 1):
        life = Stopped(topology, chance)
        wrong = life.anomalies()
        read += life.read()
        served, _ = topology.outputs["sums"].served()
        shown = sum(map(len, served.values()))
        if shown != read and not wrong:
            wrong.append(f"undrained: {read} records were read, {shown} updates are there")
        if not wrong and turn % 4 == 3 and not older:
            wrong = topology.anomalies(truth)
        if wrong or life.ended or turn == stops_left:
            break
        if older:
            sorted(topology.state.glob("*.ckpt"))[-1].unlink()
    if wrong:
        return turn + 1, wrong
    done = subprocess.run(topology.command(1, 0, "--json"), capture_output=True, check=False,
                          stdin=subprocess.DEVNULL, timeout=PATIENCE_S)
    if done.returncode:
        return turn, [f"the last run ended with {done.returncode}: {done.stderr.decode()}"]
    if done.stdout:  # else it only says that all is done
        read += json.loads(done.stdout)["components"]["in"]["processed"]
    replayed = [f"replayed: {read} records were read of {RECORDS}"] if read != RECORDS else []
    return turn, replayed + topology.anomalies(truth, complete=True)


def stops(seed, count, unsafe=""):
    """`count` stops; over a new folder whenever the topology has come to its end."""
    chance = random.Random(seed)
    turn = 0
    while turn < count:
        with tempfile.TemporaryDirectory(prefix="millrace-rig-") as folder:
            truth = Truth(chance.randrange(1 << 30))
            older = unsafe == OLDER_EPOCH
            topology = Topology(folder, truth, chance.choice(INTERVALS), "" if older else unsafe)
            done, wrong = lives(topology, truth, chance, min(count - turn, 12), older)
            turn += done
            if wrong:
                return turn, [f"after stop {turn}: {one}" for one in wrong], []
    return count, [], []
