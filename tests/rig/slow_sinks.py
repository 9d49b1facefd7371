# R12: a source that is ten times as fast as the sink, in bounded memory.
"""The sink is a socket that this process reads, first as fast as it can, then at a tenth of that
speed, then fast again. The program must stay inside the memory limit, nothing may be missing or
doubled, and the records must come fast again within a second.
"""
import os
import pathlib
import re
import select
import signal
import socket
import subprocess
import tempfile
import time

from journal_oracle import BIN, PATIENCE_S

LIMIT_MB = 512
MEMORY = "512M"  # what the program is told to stay in
LITTLE = "little-room"  # of --unsafe: a limit that is lower than what the program needs
LITTLE_MB = 4
SLOWER = 10
RECOVERED_S = 1
FAST_S = 0.7  # before and after
AGAIN_SHARE = 0.3  # of the speed before
PAD = 1000  # bytes of a record, about
NUMBER = re.compile(rb'^\{"n":(\d+),"pad":"x+"\}$')
TOPOLOGY = """
name: pressed
spouts:
  - id: in
    type: generate
    with: {{fields: {{n: index(), pad: choice({pad})}}}}
bolts:
  - {{id: out, type: log, with: {{connect: "unix:{folder}/socket"}}}}
streams:
  - {{from: in, to: out}}
"""


class Lines:
    """Numbered lines as they come, in order and each once."""

    def __init__(self):
        self.count = 0
        self.bytes = 0
        self.rest = b""
        self.wrong = []

    def take(self, piece):
        self.bytes += len(piece)
        *lines, self.rest = (self.rest + piece).split(b"\n")
        for line in lines:
            found = NUMBER.match(line)
            if (not found or int(found[1]) != self.count) and not self.wrong:
                self.wrong.append(f"lost-write: {line[:40]!r} came when {self.count} was due")
            self.count += 1


class Reader:
    """The end of the sink, and the speed at which it takes."""

    def __init__(self, path):
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(path))
        self.listener.listen()
        self.listener.settimeout(PATIENCE_S)
        self.peer = None
        self.lines = Lines()

    def accept(self):
        self.peer, _ = self.listener.accept()
        self.peer.setblocking(False)

    def read(self, seconds, bytes_per_s=0):
        """Bytes that came meanwhile; 0: as many as there are."""
        began = self.lines.bytes
        start = time.monotonic()
        end = start + seconds
        while (now := time.monotonic()) < end:
            left = 1 << 18
            if bytes_per_s:
                left = int((now - start) * bytes_per_s) - (self.lines.bytes - began)
                if left < 1:
                    time.sleep(0.002)
                    continue
            if not select.select([self.peer], [], [], max(end - now, 0))[0]:
                break
            piece = self.peer.recv(min(left, 1 << 18))
            if not piece:
                break
            self.lines.take(piece)
        return self.lines.bytes - began

    def read_all(self):
        self.peer.settimeout(PATIENCE_S)
        while piece := self.peer.recv(1 << 18):
            self.lines.take(piece)
        self.peer.close()
        self.listener.close()


def memory_peak_mb(process):
    status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
    return int(re.search(r"^VmHWM:\s+(\d+) kB$", status, re.MULTILINE)[1]) / 1024


def unrecovered(reader, fast):
    """What is wrong where the records do not come fast again soon."""
    start = time.monotonic()
    step_s = 0.1
    while time.monotonic() < start + RECOVERED_S:
        if reader.read(step_s) >= fast * step_s * AGAIN_SHARE:
            return []
    return [f"slow: {RECOVERED_S} s after the sink was fast again the records were not"]


def press(folder, slow_s, limit_mb):
    """One run; what is wrong with it."""
    folder = pathlib.Path(folder)
    (folder / "t.yaml").write_text(TOPOLOGY.format(folder=folder, pad="x" * PAD))
    reader = Reader(folder / "socket")
    process = subprocess.Popen([BIN / "millrace", "run", folder / "t.yaml", "--headless",
                                "--memory", MEMORY], stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    reader.accept()
    reader.read(0.2)
    fast = reader.read(FAST_S) / FAST_S
    slow = reader.read(slow_s, fast / SLOWER) / slow_s
    wrong = unrecovered(reader, fast)
    reader.read(FAST_S)
    peak = memory_peak_mb(process)
    process.send_signal(signal.SIGTERM)
    reader.read_all()
    said = process.communicate(timeout=PATIENCE_S)[1].decode()
    if process.returncode:
        wrong.append(f"it ended with {process.returncode}: {said}")
    told = int(re.search(r"(\d+) records in", said)[1])
    if told != reader.lines.count:
        wrong.append(f"lost-write: {told} were read, {reader.lines.count} came")
    if slow > fast / SLOWER * 1.2:
        wrong.append("unpressed: the sink was not slow")
    if peak > limit_mb:
        wrong.append(f"memory: {peak:.0f} MB of {limit_mb}")
    return wrong + reader.lines.wrong


def slow_sinks(_seed, count, unsafe=""):
    """`count`: seconds at the slow speed."""
    with tempfile.TemporaryDirectory(prefix="millrace-rig-") as folder:
        limit_mb = LITTLE_MB if unsafe == LITTLE else LIMIT_MB
        return count, press(os.path.realpath(folder), count, limit_mb), []
