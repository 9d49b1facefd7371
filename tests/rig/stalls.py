# The longest gap that a consumer outside of the process sees while epochs are made.
"""A generated stream, counted by key, goes to a socket of this process: first as fast as it can,
which is its capacity, then at half of that. The time told is the longest one without a byte. It is
a figure, and no bar: what is required is that epochs were made meanwhile.
"""
import json
import os
import pathlib
import select
import subprocess
import tempfile
import time

from journal_oracle import BIN, PATIENCE_S
from slow_sinks import socket

KEYS = 100_000
CAPACITY_S = 1
WARM_S = 0.6
NO_EPOCHS = "no-epochs"  # of --unsafe
INTERVAL_S = 10  # the default
TOPOLOGY = """
name: stalled
spouts:
  - id: in
    type: generate
    with: {{fields: {{k: modulo({keys}), at: "time(2024-01-01T00:00:00Z, 1ms)"}},
           event_time: {{field: at}}}}
bolts:
  - {{id: counts, type: count, with: {{as: n}}}}
  - {{id: out, type: log, with: {{connect: "unix:{folder}/{socket}"}}}}
streams:
  - {{from: in, to: counts, grouping: {{type: fields, args: [k]}}}}
  - {{from: counts, to: out}}
"""


class Consumed:
    """One run, and what comes of it."""

    def __init__(self, folder, name, *flags):
        folder = pathlib.Path(folder)
        file = folder / f"{name}.yaml"
        file.write_text(TOPOLOGY.format(folder=folder, socket=name, keys=KEYS))
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(folder / name))
        listener.listen()
        listener.settimeout(PATIENCE_S)
        self.process = subprocess.Popen(
            [BIN / "millrace", "run", file, "--headless", "--json", *flags],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.peer, _ = listener.accept()
        listener.close()

    def read(self, seconds):
        """Lines that came meanwhile, and the longest time without any."""
        end = time.monotonic() + seconds
        last = time.monotonic()
        lines = 0
        longest_s = 0
        while (now := time.monotonic()) < end:
            if not select.select([self.peer], [], [], end - now)[0]:
                break
            lines += self.peer.recv(1 << 18).count(b"\n")
            now = time.monotonic()
            longest_s = max(longest_s, now - last)
            last = now
        return lines, longest_s

    def end(self):
        self.process.terminate()
        while self.peer.recv(1 << 18):
            pass
        self.peer.close()
        out, said = self.process.communicate(timeout=PATIENCE_S)
        assert self.process.returncode == 0, said
        return json.loads(out)


def stalls(_seed, count, unsafe=""):
    """`count`: seconds that are looked at; where they are few, epochs come more often."""
    interval_s = 3600 if unsafe == NO_EPOCHS else min(INTERVAL_S, count / 4)
    with tempfile.TemporaryDirectory(prefix="millrace-rig-") as folder:
        folder = os.path.realpath(folder)
        fast = Consumed(folder, "fast")
        fast.read(WARM_S / 2)
        capacity = fast.read(CAPACITY_S)[0] / CAPACITY_S
        fast.end()
        half = Consumed(folder, "half", "--speed", str(capacity / 2 / 1000), "--state-dir",
                        f"{folder}/state", "--checkpoint-interval", f"{int(interval_s * 1000)}ms")
        half.read(WARM_S)
        _, longest_s = half.read(count)
        epochs = half.end()["checkpoints"]["completed"] - 1  # the last one is that of the end
        wrong = [] if epochs >= 2 else [f"unmeasured: {epochs} epochs were made"]
        return max(epochs, 0), wrong, [longest_s]
