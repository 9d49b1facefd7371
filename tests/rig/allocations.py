# R6: an allocation of a topology with epochs fails, once or for ever, or its memory has a limit.
"""A library that is loaded before the C library makes the N-th allocation of the process fail. The
program must go on as if nothing had been, or end with a sentence; it must not crash. Then the next
run brings all to its end, each update once. What a process needs before it begins is left out.
"""
import os
import pathlib
import subprocess
import tempfile

from epoch_faults import CRASH, Runs
from journal_oracle import BIN

SOURCE = pathlib.Path(__file__).with_name("nth_allocation.c")
LIMITED_EACH = 5  # so often it is the address space that has a limit
SPEEDS = (0, 1000)  # as fast as it can; or in a second, with epochs
SPACE_MB = (40, 400)  # of the address space, where the code alone takes most of it


def missing():
    try:
        done = subprocess.run(["cc", "--version"], capture_output=True, check=False)
    except FileNotFoundError:
        return "there is no C compiler"
    return "" if done.returncode == 0 else "the C compiler does not run"


class Starved(Runs):
    def __init__(self, folder, seed, unsafe):
        super().__init__(folder, seed, unsafe)
        self.library = pathlib.Path(folder) / "nth_allocation.so"
        self.told = pathlib.Path(folder) / "told"
        subprocess.run(["cc", "-O2", "-shared", "-fPIC", "-o", self.library, SOURCE], check=True)
        self.begins = self.count([BIN / "millrace", "version"])
        self.counts = {}
        for speed in SPEEDS:
            self.topology.begin_anew()
            self.counts[speed] = self.count(self.topology.command(1, speed)) - self.begins

    def count(self, command):
        """The allocations of an undisturbed process."""
        code, said, _ = self.starve(command, NTH_ALLOCATION_TOLD=str(self.told))
        assert code == 0, said
        return int(self.told.read_text())

    def starve(self, command, **settings):
        words = [f"{name}={value}" for name, value in settings.items()]
        return self.execute(["env", f"LD_PRELOAD={self.library}", *words, *command])

    def turn(self, number):
        """One fault; what is wrong."""
        self.topology.begin_anew()
        speed = self.chance.choice(SPEEDS)
        if number % LIMITED_EACH == LIMITED_EACH - 1:
            space = self.chance.randrange(*SPACE_MB) << 20
            where = f"{space >> 20} MB of address space"
            code, said, _ = self.execute(["prlimit", f"--as={space}",
                                          *self.topology.command(2, speed)])
        else:
            count = self.counts[speed]
            # Half of them early, where options, files and the first threads are made.
            at = int(count ** self.chance.random()) if number % 2 else self.chance.randrange(count)
            at += self.begins
            lasts = {"NTH_ALLOCATION_FOR_EVER": "1"} if self.chance.random() < 0.5 else {}
            where = f"allocation {at}{' and all behind it' if lasts else ''}"
            command = self.topology.command(self.chance.choice((1, 2)), speed)
            code, said, _ = self.starve(command, NTH_ALLOCATION=str(at), **lasts)
        wrong = []
        if not 0 <= code < CRASH:
            wrong.append(f"crash: it ended with {code}: {said}")
        elif code and "error " not in said and "cannot " not in said:
            wrong.append(f"unsaid: it ended with {code}: {said}")
        if "dead-letter" in said:
            wrong.append(f"blamed: a record was set aside: {said}")
        wrong += self.topology.anomalies(self.truth)
        return [f"{where}: {one}" for one in wrong + self.finish()]


def allocations(seed, count, unsafe=""):
    """`count` faults, each in a run of its own."""
    wrong = []
    with tempfile.TemporaryDirectory(prefix="millrace-rig-") as folder:
        starved = Starved(os.path.realpath(folder), seed, unsafe)
        for number in range(count):
            wrong += starved.turn(number)
    return count, wrong, []
