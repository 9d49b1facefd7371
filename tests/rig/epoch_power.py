# R4 of epochs: what a loss of power may leave of a state folder, of journals and of files.
"""strace records one run of the oracle's topology, to its journals and a file. At random moments
there are two disks: what everybody saw then, and what a loss of power leaves. The next run begins
on the second one. It must take the newest epoch that was complete, or a later one, and bring all to
its end, each update once; and what was seen on the first disk must still be there, at its place.
"""
import os
import pathlib
import random
import shutil
import tempfile

from epoch_faults import INTERVAL, RECORDS, SPEED, Runs
from journal_oracle import BIN
from power_images import Disk, strace_to, threads_events_in
from topology_kills import OUTPUTS, Topology, Truth

FILES = "files"
LOG = """\
  - id: lines
    type: log
    with: {{path: {folder}/files/sums.jsonl}}
streams:
  - {{from: running, to: lines}}
"""
KEPT = ("state", FILES, *sorted(set(OUTPUTS.values())))


class PoweredTopology(Topology):
    """The oracle's topology with a file as one more output; what it writes can be put in place."""

    def __init__(self, folder, truth, unsafe):
        super().__init__(folder, truth, INTERVAL, unsafe)
        (self.folder / FILES).mkdir()
        self.lines = self.folder / FILES / "sums.jsonl"
        log = LOG.format(folder=self.folder)
        self.file.write_text(self.file.read_text().replace("streams:\n", log))

    def take(self, image):
        """What it has written is now what lies in the folder `image`."""
        for name in KEPT:
            shutil.rmtree(self.folder / name, ignore_errors=True)
            if (image / name).is_dir():
                (image / name).rename(self.folder / name)

    def shown(self):
        """What readers see: by output a list of (offset, value) for each partition."""
        seen = {name: journal.served()[0] for name, journal in self.outputs.items()}
        text = self.lines.read_text() if self.lines.exists() else ""
        whole = text[:text.rfind("\n") + 1].splitlines()
        return {**seen, FILES: {0: list(enumerate(whole))}}


def unshown(before, now):
    """What somebody had seen, and is not there any more."""
    found = []
    for name, partitions in before.items():
        for partition, seen in partitions.items():
            if now[name].get(partition, [])[:len(seen)] != seen:
                found.append(f"lost-write: {name}, partition {partition}: readers had seen more")
    return found


class Outages:
    """One run, and the disks that a loss of power makes of it."""

    def __init__(self, folder, seed, unsafe):
        self.chance = random.Random(seed)
        self.truth = Truth(self.chance.randrange(1 << 30), RECORDS)
        self.topology = PoweredTopology(folder, self.truth, unsafe)
        trace = self.topology.folder / "trace"
        tasks = self.chance.choice((1, 2))
        code, said, _ = Runs.execute([*strace_to(trace), *self.topology.command(tasks, SPEED)])
        assert code == 0, said
        self.events = list(threads_events_in(trace))
        self.disk = Disk(str(self.topology.folder))
        for names in (self.disk.names, self.disk.device):
            names[str(self.topology.folder / FILES)] = None

    def complete(self):
        """The newest epoch that a loss of power leaves; 0: none."""
        names = map(pathlib.PurePath, self.disk.device)
        epochs = [int(name.stem.split("-")[1]) for name in names if name.suffix == ".ckpt"]
        return max(epochs, default=0)

    def outage(self):
        """What is wrong after the power was lost now."""
        image = self.topology.folder / "image"
        self.disk.image(image)
        self.topology.take(image)
        before = self.topology.shown()
        self.disk.image(image, self.chance)
        self.topology.take(image)
        code, said, summary = Runs.execute(
            self.topology.command(self.chance.choice((1, 2, 3)), 0, "--json"))
        if code:
            return [f"the next run ended with {code}: {said}"]
        wrong = self.epoch_lost(summary)
        wrong += self.topology.anomalies(self.truth, complete=True)
        now = self.topology.shown()
        wrong += [f"file: {one}" for one in self.truth.anomalies("sums", now[FILES], True)]
        wrong += unshown(before, now)
        code, said, _ = Runs.execute([BIN / "millrace", "checkpoints", "verify",
                                      self.topology.state])
        return wrong + ([f"damage: {said}"] if code else [])

    def epoch_lost(self, summary):
        wanted = self.complete()
        # Where the input had ended there is no summary.
        taken = summary.get("checkpoints", {}).get("restored_from") if summary else wanted
        return [f"lost-epoch: {taken} of {wanted}"] if (taken or 0) < wanted else []

    def at_moments(self, count):
        """`count` losses of power, some of them after the end; what was wrong."""
        at = 0
        last = len(self.events)
        moments = [self.chance.randrange(last + 1) if turn % 8 else last for turn in range(count)]
        wrong = []
        for moment in sorted(moments):
            for event in self.events[at:moment]:
                self.disk.play(event)
            at = moment
            wrong += [f"power lost at event {moment} of {last}: {one}" for one in self.outage()]
        return wrong


def power(seed, count, unsafe=""):
    """`count` disks of one run."""
    with tempfile.TemporaryDirectory(prefix="millrace-rig-") as folder:
        return count, Outages(os.path.realpath(folder), seed, unsafe).at_moments(count), []
