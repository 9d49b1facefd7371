# What a journal must hold after any fault: computed from what was sent and what was acknowledged.
"""Generates inputs from a seed, drives `millrace journal`, and names what is wrong.

The oracle lives outside the process that is killed. It knows each line of each input, so it can say
of what is served: lost-write, duplicate, reorder, phantom (nobody wrote that). It places keys by
the format's own words (docs/formats/journal.md), not by the program's code.
"""
import fcntl
import json
import os
import pathlib
import random
import select
import signal
import subprocess
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("MILLRACE_BIN", ROOT / "build/release/bin"))
# Nothing waits for this to pass.
PATIENCE_S = 120
TOPIC = "t"
TRACED_PARTITIONS = 2
DAMAGED = 65  # exit code of "input corrupt"
REFUSED = 74  # exit code of "cannot be written"


def crc32c_table():
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
        table.append(byte)
    return table


TABLE = crc32c_table()


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ TABLE[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFFFFFF


class Input:
    """One producer: lines with keys that nobody else writes, numbered, of random length."""

    def __init__(self, name, chance, lines, partitions):
        self.name = name
        self.values = [[] for _ in range(partitions)]  # by partition, in order
        text = []
        for turn in range(lines):
            key = f"{name}{chance.randrange(20)}"
            value = f"{name}/{turn}/" + "x" * chance.choice((0, 5, 9, 40, 40, 200))
            self.values[crc32c(key.encode()) % partitions].append(value)
            text.append(f"{key}={value}\n")
        self.text = "".join(text).encode()


class Feeder:
    """Writes an input into a named pipe in pieces of random size, until told to stop.

    `known`: so many bytes were sent before, and need no small pieces any more. `small`: the pipe
    holds little, so that the input comes in many appends.
    """

    def __init__(self, path, text, chance, known=0, small=False):
        self.stopped = False
        self.text = text
        self.known = known
        self.sizes = [chance.choice((20, 300, 1000, 8000)) for _ in range(64)]
        if not path.exists():
            os.mkfifo(path)
        self.pipe = os.open(path, os.O_RDWR | os.O_NONBLOCK)
        if small:
            fcntl.fcntl(self.pipe, fcntl.F_SETPIPE_SZ, 4096)
        self.thread = threading.Thread(target=self.feed)
        self.thread.start()

    def feed(self):
        at = turn = 0
        while at < len(self.text) and not self.stopped:
            if select.select([], [self.pipe], [], 0.02)[1]:
                size = 1 << 16 if at < self.known else self.sizes[turn % len(self.sizes)]
                piece = self.text[at:at + size]
                try:
                    at += os.write(self.pipe, piece)
                except BlockingIOError:
                    time.sleep(0.001)
                turn += 1

    def ended(self):
        return not self.thread.is_alive()

    def stop(self):
        self.stopped = True
        self.thread.join()
        os.close(self.pipe)


class Journal:
    """A journal's folder, one topic of it, and the commands of the program on it."""

    def __init__(self, folder, unsafe="", topic=TOPIC):
        self.folder = pathlib.Path(folder)
        self.unsafe = unsafe
        self.topic = topic

    def command(self, name, *words):
        flags = []
        applies = {"consume": ("no-checksum",), "produce": ("no-fsync", "no-dedup", "no-fence")}
        if self.unsafe in applies.get(name, ()):
            flags = ["--unsafe", self.unsafe]
        return [str(BIN / "millrace"), "journal", name, str(self.folder), *map(str, words), *flags]

    def run(self, name, *words):
        return self.execute(self.command(name, *words))

    @staticmethod
    def execute(command):
        return subprocess.run(command, capture_output=True, check=False, timeout=PATIENCE_S,
                              stdin=subprocess.DEVNULL)

    def produce(self, *words):
        return self.command("produce", TOPIC, "--key-separator", "=", "--producer", "rig", *words)

    def served(self, *words):
        """What is read: a list of (offset, value) for each partition, and the exit code."""
        done = self.run("consume", self.topic, "--json", *words)
        found = {}
        for line in done.stdout.splitlines():
            record = json.loads(line)
            found.setdefault(record["partition"], []).append((record["offset"], record["value"]))
        return found, done.returncode


class Life:
    """One run of `produce`: its acknowledgements, as somebody outside sees them."""

    def __init__(self, command, trace=()):
        self.acks = []  # (partition, offset, name), in order
        self.came = threading.Condition()
        self.started = time.monotonic()
        self.first_ack_s = None
        self.process = subprocess.Popen([*trace, *command], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.reader = threading.Thread(target=self.read)
        self.reader.start()

    def read(self):
        for line in self.process.stdout:
            if not line.endswith(b"\n"):
                break  # it was cut off by the kill: nobody was told
            partition, offset, *name = line.decode().split(" ", 2)
            ack = (int(partition), int(offset), pathlib.Path(name[0].strip()).name if name else "")
            with self.came:
                if not self.acks:
                    self.first_ack_s = time.monotonic() - self.started
                self.acks.append(ack)
                self.came.notify_all()
        with self.came:
            self.process.stdout.close()
            self.came.notify_all()

    def wait_for_acks(self, count, given_up=lambda: False):
        """Until so many came, or the process ended, or nothing more is sent to it."""
        end = time.monotonic() + PATIENCE_S
        with self.came:
            while len(self.acks) < count and not self.process.stdout.closed:
                if given_up() or time.monotonic() > end:
                    return
                self.came.wait(0.05)

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        return self.end()

    def end(self):
        """The exit code and what it said on stderr."""
        said = self.process.stderr.read().decode()
        code = self.process.wait(PATIENCE_S)
        self.reader.join()
        self.process.stderr.close()
        return code, said


class Follower:
    """A reader in a process of its own that goes on while writers are killed and come back."""

    def __init__(self, journal):
        self.seen = {}  # as Journal.served() gives it
        self.count = 0
        self.ended = False
        command = journal.command("consume", journal.topic, "--json", "--follow")
        self.process = subprocess.Popen(command,
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE)
        self.thread = threading.Thread(target=self.read)
        self.thread.start()

    def read(self):
        for line in self.process.stdout:
            record = json.loads(line)
            place = self.seen.setdefault(record["partition"], [])
            place.append((record["offset"], record["value"]))
            self.count += 1
        self.ended = True

    def anomalies(self, served):
        """It must come to see exactly what is served in the end, and nothing else."""
        total = sum(map(len, served.values()))
        end = time.monotonic() + PATIENCE_S
        while self.count < total and not self.ended and time.monotonic() < end:
            time.sleep(0.01)
        if self.count < total:
            return [f"unseen: a follower misses {total - self.count} records"]
        return [f"aborted-read: a follower saw in partition {partition} what is not served"
                for partition, seen in self.seen.items() if seen != served.get(partition)]

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        self.process.wait(PATIENCE_S)
        self.thread.join()
        self.process.stdout.close()
        self.process.stderr.close()


class Oracle:
    """Compares what a journal serves with what was sent and acknowledged.

    `retains`: the topic forgets its oldest records, so that each partition may begin later.
    """

    def __init__(self, inputs, retains=False):
        self.retains = retains
        self.inputs = {one.name: one for one in inputs}
        self.acknowledged = {}  # (partition, offset): name

    def note(self, acks):
        for partition, offset, name in acks:
            self.acknowledged[partition, offset] = name

    def anomalies(self, served, complete=False):
        """`complete`: all inputs were sent to their ends, so all must be there."""
        found = []
        places = {}
        for partition, records in served.items():
            found += self.of_partition(partition, records, complete, places)
        first = {partition: records[0][0] for partition, records in served.items()}
        for place, name in self.acknowledged.items():
            forgotten = self.retains and place[1] < first.get(place[0], 0)
            if places.get(place) != name and not forgotten:
                found.append(f"lost-write: {place} of {name} was acknowledged")
        if complete and not served:
            found.append("lost-write: nothing is served")
        return found

    def of_partition(self, partition, records, complete, places):
        found = []
        seen = {name: 0 for name in self.inputs}
        if self.retains:
            seen = {name: self.begin(one.values[partition], records)
                    for name, one in self.inputs.items()}
        last = -1
        for offset, value in records:
            name = value.split("/", 1)[0]
            if offset <= last:
                found.append(f"reorder: offset {offset} of {partition} comes after {last}")
            last = offset
            if name not in self.inputs:
                found.append(f"phantom: {value[:40]!r} at {partition}:{offset}")
                continue
            places[partition, offset] = name
            wanted = self.inputs[name].values[partition]
            if seen[name] < len(wanted) and wanted[seen[name]] == value:
                seen[name] += 1
                continue
            found.append(self.name_of(wanted, seen[name], value) + f" at {partition}:{offset}")
        if complete:
            for name, count in seen.items():
                missing = len(self.inputs[name].values[partition]) - count
                if missing > 0:
                    found.append(f"lost-write: {missing} of {name} in partition {partition}")
        return found

    @staticmethod
    def begin(wanted, records):
        """Where a producer's values begin in a partition that has forgotten some."""
        own = set(wanted)
        first = next((value for _, value in records if value in own), None)
        return 0 if first is None else wanted.index(first)

    @staticmethod
    def name_of(wanted, at, value):
        if value in wanted[:at]:
            return f"duplicate: {value[:40]!r}"
        if value in wanted[at:]:
            return f"reorder: {value[:40]!r} before its turn"
        return f"phantom: {value[:40]!r}"


def strace(*words):
    """The command that runs another one under strace."""
    # The filter stops a thread at the calls that are traced, and not at all of them: a quarter of
    # the time. With it strace 6.1 sends no signals.
    sends = any(":signal=" in str(word) for word in words)
    return ("strace", "-f", *(() if sends else ("--seccomp-bpf",)), "-e", "signal=none", *words)


def make_inputs(seed, names, lines, partitions):
    chance = random.Random(seed)
    return [Input(name, chance, lines, partitions) for name in names]


def run_traced(journal, path, one, chance, strace, flags=()):
    """One run of `produce` under strace over an input in many small appends: (life, code, said).

    It ends by itself, or by what strace does to it. Then the input lies at `path`, to be sent
    again.
    """
    path.unlink(missing_ok=True)
    feeder = Feeder(path, one.text, chance, small=True)
    life = Life(journal.produce("--acks", "--partitions", TRACED_PARTITIONS, "--segment-bytes",
                                "4K", *flags, path), strace)
    # The pipe holds less than the input: who has taken that has opened it, and may see its end.
    while life.reader.is_alive() and not feeder.ended():
        feeder.thread.join(0.02)
    feeder.stop()
    code, said = life.end()
    path.unlink()
    path.write_bytes(one.text)
    return life, code, said


def after_fault(journal, oracle, path):
    """What is wrong with a journal: after recovery, and after the input was sent again."""
    opened = journal.run("produce", TOPIC, "--partitions", TRACED_PARTITIONS)
    if opened.returncode:
        return [f"unopened: {opened.stderr.decode()}"]
    served, code = journal.served()
    wrong = oracle.anomalies(served)
    again = journal.execute(journal.produce(path))
    if again.returncode:
        return [*wrong, f"the input again: {again.stderr.decode()}"]
    served, code = journal.served()
    wrong += oracle.anomalies(served, complete=True)
    verified = journal.run("verify")
    if code or verified.returncode:
        wrong.append(f"consume {code}, verify {verified.returncode}: {verified.stderr.decode()}")
    return wrong
