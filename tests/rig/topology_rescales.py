# R1 while components get other numbers of tasks: asked again and again, and killed in the middle.
"""The oracle's topology runs from journal to journal while one, two or all of its three keyed
components are rescaled to 1 to 9 tasks, one request behind the other. Now and then the process is
killed a moment after a request, and started again with another parallelism. What a reader sees must
be as in a run that nobody touched.
"""
import json
import random
import re
import signal
import subprocess
import tempfile
import threading
import time

from journal_oracle import BIN, PATIENCE_S
from topology_kills import Topology, Truth

STOP_MS_MAX = 2000
TASKS_MAX = 9
KILLED_OF = 6  # one of so many requests


class Rescaled:
    """One life, and what became of its rescales."""

    def __init__(self, topology, chance):
        command = topology.command(chance.choice((1, 2, 3)),
                                   chance.choice(topology.rescaled_speeds), "--json")
        command[command.index("off")] = "127.0.0.1:0"
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE)
        self.chance = chance
        self.topology = topology
        self.address = ""
        self.said = b""
        for line in self.process.stderr:
            self.said += line
            found = re.search(rb"http://(127\.0\.0\.1:\d+)", line)
            if found:
                self.address = found.group(1).decode()
                break
        self.reader = threading.Thread(target=self.read)
        self.reader.start()

    def read(self):
        for line in self.process.stderr:
            self.said += line

    def rescale(self):
        """One request; None: the process was killed meanwhile."""
        names = self.chance.sample(self.topology.rescaled, self.chance.randint(1, 3))
        changes = [f"{name}={self.chance.randint(1, TASKS_MAX)}" for name in names]
        asked = subprocess.Popen([str(BIN / "millrace"), "rescale", self.address, *changes],
                                 stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        kills = self.chance.randrange(KILLED_OF) == 0
        if kills:
            time.sleep(0.06 * self.chance.random())
            self.process.send_signal(signal.SIGKILL)
        _, said = asked.communicate(timeout=PATIENCE_S)
        return None if kills else (asked.returncode, said.decode())

    def live(self, most):
        """Rescales at most so often, then waits for the end; how often, and what was wrong."""
        wrong = []
        done = 0
        while done < most and not wrong and self.process.poll() is None:
            outcome = self.rescale()
            if outcome is None:
                break
            if outcome[0] == 0:
                done += 1
            elif self.process.poll() is None and "the run" not in outcome[1]:
                time.sleep(0.2)  # its page ends before the process
                if self.process.poll() is None:
                    wrong.append(f"refused: {outcome[1]}")
                    self.process.kill()
        out = self.process.stdout.read()
        code = self.process.wait(PATIENCE_S)
        self.reader.join()
        self.process.stdout.close()
        self.process.stderr.close()
        self.ended = code != -signal.SIGKILL
        if self.ended and code:
            wrong.append(f"it ended by itself with {code}: {self.said.decode()}")
        if code == 0 and out:
            summary = json.loads(out)
            wrong += self.topology.ended(summary)
            stop_ms = summary.get("rescaled", {}).get("longest_stop_ms", 0)
            if stop_ms > STOP_MS_MAX:
                wrong.append(f"slow: nothing was read for {stop_ms} ms")
        return done, wrong


def whole(topology, truth, chance, most):
    """Lives until the topology has come to its end: how many rescales, and what was wrong."""
    turn = 0
    while True:
        life = Rescaled(topology, chance)
        done, wrong = life.live(most - turn)
        turn += max(done, 1)
        wrong += topology.anomalies(truth, complete=life.ended and not wrong)
        if wrong or life.ended:
            return turn, wrong


def rescales(seed, count, unsafe=""):
    return rescales_of(Truth, Topology, seed, count, unsafe)


def rescales_of(truth_type, topology_type, seed, count, unsafe):
    """About `count` rescales and kills, over a new folder whenever the topology has ended."""
    chance = random.Random(seed)
    turn = 0
    while turn < count:
        with tempfile.TemporaryDirectory(prefix="millrace-rig-") as folder:
            truth = truth_type(chance.randrange(1 << 30))
            interval = chance.choice(("10ms", "50ms", "200ms"))
            topology = topology_type(folder, truth, interval, unsafe)
            done, wrong = whole(topology, truth, chance, count - turn)
            turn += done
            if wrong:
                return turn, [f"after rescale {turn}: {one}" for one in wrong], []
    return count, [], []
