# R2, R3 and R15 of epochs: the N-th system call is the last one, or fails; some epochs always fail.
"""A small topology runs under strace, which harms one call on the state folder or on the outputs,
in each thread that comes so far. strace counts each thread's calls on the named paths; so a point
is a group of paths, a call and a number. Whatever happened, the next run must bring all to its
end, each update once.
"""
import collections
import json
import os
import pathlib
import random
import re
import signal
import subprocess
import tempfile
import time

from call_faults import visit
from journal_oracle import BIN, PATIENCE_S, strace
from topology_kills import Topology, Truth

CALLS = ("pwrite64", "fdatasync", "fsync", "rename", "mkdir", "unlink")
RECORDS = 3000
SPEED = 100  # a window ends every 0.1 s, an epoch begins every 20 ms
INTERVAL = "20ms"
ANYWHERE = "anywhere"  # a group of calls that are harmed whatever they name
CRASH = 128  # exit codes from here on, and negative ones, are no clean end
KILLED = (-signal.SIGKILL, CRASH + signal.SIGKILL)
KILLS = ("signal=KILL",)
ERRORS = ("error=EIO", "error=ENOSPC", "error=EINTR")
ONCE = ":error=EINTR"  # for ever, it would be tried again for ever
# What fails again and again, so that no four epochs in a row do; why, as the summary says it.
EVERY_K = (
    ("rename:error=EIO", (2, 3, 4), "Input/output error"),
    ("fsync:error=EIO", (2, 3, 4), "Input/output error"),
    ("fdatasync:error=EIO", (2, 3, 4), "Input/output error"),
    ("pwrite64:error=ENOSPC", (25, 40, 60), "No space left on device"),
)


class Runs:
    """Runs of one topology over one input, each anew or behind the one before."""

    records = RECORDS
    speed = SPEED
    calls = CALLS
    again = tuple((group, call) for group in ("state", "outputs") for call in CALLS[:4])
    truth_type = Truth
    topology_type = Topology

    def __init__(self, folder, seed, unsafe=""):
        self.chance = random.Random(seed)
        self.truth = self.truth_type(self.chance.randrange(1 << 30), self.records)
        self.topology = self.topology_type(folder, self.truth, INTERVAL, unsafe,
                                           self.chance.choice((1, 2)))
        self.trace = pathlib.Path(folder) / "trace"
        self.paths = {}

    def run(self, *inject, words=(), flags=(), speed=None):
        """Under strace, as far as it comes: exit code, what it said, its summary."""
        speed = self.speed if speed is None else speed
        traced = strace("-o", self.trace, *inject) if inject else ()
        return self.execute([*words, *traced, *self.topology.command(1, speed, "--json", *flags)])

    @staticmethod
    def execute(command):
        done = subprocess.run(command, capture_output=True, check=False, timeout=PATIENCE_S,
                              stdin=subprocess.DEVNULL)
        return done.returncode, done.stderr.decode(), summary_of(done.stdout)

    def inject(self, group, fault, when):
        """`fault`: as "fsync:error=EIO"."""
        call = fault.split(":", 1)[0]
        paths = () if group == ANYWHERE else self.paths[group]
        watched = [word for path in paths for word in ("-P", path)]
        return (*watched, "-e", f"trace={call}", "-e", f"inject={fault}:when={when}")

    def points(self, faults):
        """Each fault at each call of an undisturbed run; errors also from there on."""
        self.topology.begin_anew()
        code, said, summary = self.run("-y", "-e", f"trace={','.join(self.calls)}")
        assert code == 0, said
        self.undisturbed(summary)
        counts, paths = self.counts()
        paths["state"] |= {f"{self.topology.state}/epoch-{number:010}.ckpt{suffix}"
                           for number in range(1, 100) for suffix in ("", ".new")}
        self.paths = {group: sorted(found) for group, found in paths.items()}
        most = collections.Counter()
        for (group, call, _), count in counts.items():
            most[group, call] = max(most[group, call], count)
        once = [(group, f"{call}:{fault}", str(at)) for (group, call), count in most.items()
                for at in range(1, count + 1) for fault in faults]
        return once + [(group, fault, f"{when}+") for group, fault, when in once
                       if ":error=" in fault and ONCE not in fault]

    def undisturbed(self, summary):
        """Looks at the run whose calls are the points."""

    def traced(self):
        """Thread, call and path of each call of the last trace."""
        for thread, call, rest in re.findall(r"^(\d+) +(\w+)\((.*)$",
                                             self.trace.read_text(), re.MULTILINE):
            named = re.search(r'<([^>]+)>|"([^"]+)"', rest)
            yield thread, call, (named[1] or named[2]) if named else ""

    def counts(self):
        """Of the last trace: calls by group, name and thread, and the paths of each group."""
        counts, paths = collections.Counter(), collections.defaultdict(set)
        for thread, call, path in self.traced():
            if not path.startswith(str(self.topology.folder)):
                continue
            for group in self.groups_of(call, path):
                paths[group].add(path)
                counts[group, call, thread] += 1
        return counts, paths

    def groups_of(self, _, path):
        """Of a call that names `path`."""
        return ("state" if path.startswith(str(self.topology.state)) else "outputs",)

    def killed(self, group, fault, when):
        """What is wrong after a kill, mostly with another one in the recovery from it."""
        self.topology.begin_anew()
        code, said, _ = self.run(*self.inject(group, fault, when))
        wrong = [] if code in (0, *KILLED) else [f"it ended with {code}: {said}"]
        wrong += self.topology.anomalies(self.truth)
        if self.chance.random() < 0.7:
            where, call = self.chance.choice(self.again)
            again = f"{call}:{fault.split(':', 1)[1]}"
            code, said, _ = self.run(*self.inject(where, again, self.chance.randrange(1, 4)))
            if code not in (0, *KILLED):
                wrong.append(f"recovery: it ended with {code}: {said}")
        return wrong + self.finish()

    def failed(self, group, fault, when):
        """What is wrong after a call failed. Without restarts, it may not go on for ever."""
        self.topology.begin_anew()
        restart = self.chance.choice(("none", "fixed:2,20ms"))
        code, said, _ = self.run(*self.inject(group, fault, when), flags=("--restart", restart))
        wrong = [] if 0 <= code < CRASH else [f"crash: it ended with {code}: {said}"]
        if code and "error " not in said:
            wrong.append(f"unsaid: it ended with {code}: {said}")
        return wrong + self.finish()

    def short(self, limit):
        """What is wrong after a write was cut short, as on a full disk, and the next one failed."""
        self.topology.begin_anew()
        code, said, _ = self.run(words=("env", "--ignore-signal=XFSZ", "prlimit",
                                        f"--fsize={limit}"), flags=("--restart", "none"))
        clean = 0 <= code < CRASH and (code == 0 or "error " in said)
        return ([] if clean else [f"it ended with {code}: {said}"]) + self.finish()

    def finish(self):
        """A run that nobody disturbs brings all to its end."""
        code, said, _ = self.run(speed=0)
        if code:
            return [f"the last run ended with {code}: {said}"]
        wrong = self.topology.anomalies(self.truth, complete=True)
        verified = subprocess.run([BIN / "millrace", "checkpoints", "verify", self.topology.state],
                                  capture_output=True, check=False, timeout=PATIENCE_S)
        if verified.returncode:
            wrong.append(f"damage: {verified.stderr.decode()}")
        return wrong + [f"leftover: {path.name}" for path in self.topology.state.glob("*.new")]

    def every_kth(self, fault, step, why, killed):
        """What is wrong with a run of which each `step`-th checkpoint fails; it may be killed."""
        self.topology.begin_anew()
        # The first two calls of a kind are those of the folder's own beginning.
        inject = self.inject("state", fault, f"{self.chance.randrange(2, 5)}+{step}")
        command = [*strace("-o", self.trace, *inject), *self.topology.command(1, SPEED, "--json")]
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, start_new_session=True)
        wrong = self.watch(process, 0.2 + 0.5 * self.chance.random() if killed else PATIENCE_S)
        out, said = process.communicate(timeout=PATIENCE_S)
        said = said.decode()
        failed = said.count("warn epoch-failed")
        if not killed and (failed == 0 or why not in said):
            wrong.append(f"unsaid: {said}")
        if process.returncode == 0:
            wrong += self.unshown(summary_of(out), failed, why)
        elif not killed:
            wrong.append(f"stopped: it ended with {process.returncode}: {said}")
        wrong += self.topology.anomalies(self.truth)
        newest = self.newest()
        code, said, summary = self.run(speed=0)
        restored = summary.get("checkpoints", {}).get("restored_from", newest)
        if code or restored != newest:
            wrong.append(f"restore: epoch {restored} of {newest}, exit code {code}: {said}")
        return wrong + self.finish()

    def watch(self, process, seconds):
        """Once there is a checkpoint there is always one."""
        end = time.monotonic() + seconds
        seen = False
        while process.poll() is None and time.monotonic() < end:
            now = self.newest() is not None
            if seen and not now:
                return ["unkept: no checkpoint is left"]
            seen |= now
            time.sleep(0.005)
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        return []

    def newest(self):
        names = sorted(self.topology.state.glob("epoch-*.ckpt"))
        return int(names[-1].stem.split("-")[1]) if names else None

    @staticmethod
    def unshown(summary, failed, why):
        told = summary.get("checkpoints", {})
        good = told.get("failed") == failed and told.get("completed", 0) > 0
        if failed:
            good &= why in told.get("last_failure", "")
        return [] if good else [f"unshown: {failed} checkpoints failed, and it says {told}"]


def summary_of(out):
    try:
        return json.loads(out)
    except json.JSONDecodeError:
        return {}


def kills(seed, count, unsafe=""):
    return visit(Runs, seed, count, KILLS, unsafe, Runs.killed)


def errors(seed, count, unsafe=""):
    return visit(Runs, seed, count, ERRORS, unsafe, Runs.failed)


def short_writes(seed, count, unsafe=""):
    wrong = []
    with tempfile.TemporaryDirectory(prefix="millrace-rig-") as folder:
        runs = Runs(folder, seed, unsafe)
        for _ in range(count):
            limit = int(100 * 1000 ** runs.chance.random())
            wrong += [f"files of {limit} bytes: {one}" for one in runs.short(limit)]
    return count, wrong, []


def every_kth(seed, count, unsafe=""):
    """`count` runs of which every k-th checkpoint fails; every other one is killed as well."""
    wrong = []
    with tempfile.TemporaryDirectory(prefix="millrace-rig-") as folder:
        runs = Runs(folder, seed, unsafe)
        runs.points(())
        for turn in range(count):
            fault, steps, why = EVERY_K[turn // 2 % len(EVERY_K)]
            step = runs.chance.choice(steps)
            found = runs.every_kth(fault, step, why, killed=turn % 2 == 1)
            wrong += [f"{fault}, each {step}: {one}" for one in found]
    return count, wrong, []
