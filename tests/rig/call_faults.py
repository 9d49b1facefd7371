# R2 and R3 of the journal: the N-th system call is the last one, or fails.
import collections
import pathlib
import random
import re
import shutil
import signal
import tempfile

from journal_oracle import (TRACED_PARTITIONS, Journal, Oracle, after_fault, make_inputs,
                            run_traced, strace)

CALLS = ("pwrite64", "fdatasync", "fsync", "rename", "mkdir", "unlink")
RETENTION = ("--retention-bytes", "5K")  # looked at as a process begins: the second run unlinks
KILLS = ("signal=KILL",)
ERRORS = ("error=EIO", "error=ENOSPC", "error=EINTR")
ONCE = "error=EINTR"  # for ever, it would be tried again for ever
CRASH = 128  # exit codes from here on, and negative ones, are no clean end


class Runs:
    """Runs of one input over a journal, one after another, each on a folder of its own."""

    def __init__(self, folder, seed, unsafe):
        self.folder = pathlib.Path(folder)
        self.chance = random.Random(seed)
        self.one = make_inputs(seed, ("a",), 300, TRACED_PARTITIONS)[0]
        self.path = self.folder / self.one.name
        self.trace = self.folder / "trace"
        self.journal = Journal(self.folder / "j", unsafe)
        self.retains = False

    def run(self, *inject, anew=True):
        return self.run_under(
            strace("-e", f"trace={','.join(CALLS)}", *inject, "-o", self.trace), anew)

    def run_under(self, words, anew=True):
        if anew:
            shutil.rmtree(self.journal.folder, ignore_errors=True)
        return run_traced(self.journal, self.path, self.one, self.chance, words,
                          RETENTION if self.retains else ())

    def points(self, faults):
        """Each fault at each call of an undisturbed run; errors once, and from there on."""
        self.run()
        names = re.findall(r"^\d+ +(\w+)\(", self.trace.read_text(), re.MULTILINE)
        counts = collections.Counter(names).items()
        once = [(fault, name, str(at)) for name, count in counts for at in range(1, count + 1)
                for fault in faults]
        return once + [(fault, name, f"{at}+") for fault, name, at in once
                       if fault in ERRORS and fault != ONCE]

    def short(self, limit):
        """What is wrong after a write was cut short, as on a full disk, and the next one failed."""
        life, code, said = self.run_under(
            ("env", "--ignore-signal=XFSZ", "prlimit", f"--fsize={limit}"))
        oracle = Oracle([self.one])
        oracle.note(life.acks)
        clean = 0 <= code < CRASH and (code == 0 or "error 4" in said)
        wrong = [] if clean else [f"it ended with {code}: {said}"]
        return wrong + after_fault(self.journal, oracle, self.path)

    def fault(self, fault, name, when):
        """What is wrong after one fault."""
        self.retains = fault in KILLS and self.chance.random() < 0.5
        life, code, said = self.run("-e", f"inject={name}:{fault}:when={when}")
        wrong = []
        if fault in KILLS and code not in (0, -signal.SIGKILL, CRASH + signal.SIGKILL):
            wrong.append(f"it ended with {code}: {said}")
        if fault in ERRORS and (code < 0 or code >= CRASH):
            wrong.append(f"crash: it ended with {code}: {said}")
        if code == 0 and when.endswith("+") and "(INJECTED)" in self.trace.read_text():
            wrong.append("unseen: calls failed for ever, and it ended as if all were well")
        if fault in ERRORS and code > 0 and "error 4" not in said:
            wrong.append(f"unsaid: it ended with {code}: {said}")
        oracle = Oracle([self.one], self.retains)
        oracle.note(life.acks)
        if fault in KILLS and self.chance.random() < 0.7:  # and again, while it recovers
            last = "unlink" if self.retains else self.chance.choice(CALLS)
            again = f"inject={last}:{fault}:when={self.chance.randrange(1, 4)}"
            life, _, _ = self.run("-e", again, anew=False)
            oracle.note(life.acks)
        return wrong + after_fault(self.journal, oracle, self.path)


def visit(runs_of, seed, count, faults, unsafe, harm):
    """`count` of the points, or all when there are fewer; `harm` says what is wrong at one."""
    wrong = []
    with tempfile.TemporaryDirectory(prefix="millrace-rig-") as folder:
        runs = runs_of(folder, seed, unsafe)
        points = runs.points(faults)
        chosen = runs.chance.sample(points, min(count, len(points)))
        for point in chosen:
            wrong += [f"{' '.join(point)}: {one}" for one in harm(runs, *point)]
    return len(chosen), wrong, []


def kills(seed, count, unsafe=""):
    return visit(Runs, seed, count, KILLS, unsafe, Runs.fault)


def errors(seed, count, unsafe=""):
    return visit(Runs, seed, count, ERRORS, unsafe, Runs.fault)


def short_writes(seed, count, unsafe=""):
    wrong = []
    with tempfile.TemporaryDirectory(prefix="millrace-rig-") as folder:
        runs = Runs(folder, seed, unsafe)
        for _ in range(count):
            limit = runs.chance.randrange(1, 4096)
            wrong += [f"files of {limit} bytes: {one}" for one in runs.short(limit)]
    return count, wrong, []
