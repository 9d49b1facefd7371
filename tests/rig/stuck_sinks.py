# R13: a sink that takes nothing more, and clients of the page that never read.
"""Two sources of one topology go at the speed of event time, each to a socket of this process.
After a while one socket is not read any more, and clients open the live feed and never read it.
The other source must lose at most 1 % of its records' speed, and the report must name the stuck
sink within seconds.
"""
import base64
import json
import os
import pathlib
import re
import subprocess
import tempfile
import threading
import time
import urllib.request

from journal_oracle import BIN, PATIENCE_S
from slow_sinks import Reader, socket

CLIENTS = 50
LOSS_MAX = 0.01
SLACK = 1000  # records: batches and this process come a moment sooner or later
NAMED_S = 5
PER_S = 20_000  # records of each source
SETTLED_S = 0.5
NEVER_STUCK = "never-stuck"  # of --unsafe: the sink is read on, so nothing can be named
TOPOLOGY = """
name: stuck
spouts:
  - id: first
    type: generate
    with: {{fields: &fields {{n: index(), pad: choice(x), at: "time(2024-01-01T00:00:00Z, 1ms)"}},
           event_time: {{field: at}}}}
  - id: second
    type: generate
    with: {{fields: *fields, event_time: {{field: at}}}}
bolts:
  - {{id: pick first, type: select, with: {{fields: [n, pad]}}}}
  - {{id: pick second, type: select, with: {{fields: [n, pad]}}}}
  - {{id: good, type: log, with: {{connect: "unix:{folder}/good"}}}}
  - {{id: bad, type: log, with: {{connect: "unix:{folder}/bad"}}}}
streams:
  - {{from: first, to: pick first}}
  - {{from: second, to: pick second}}
  - {{from: pick first, to: good}}
  - {{from: pick second, to: bad}}
"""


class Page:
    """The program's page, and clients that ask for the live feed and never read."""

    def __init__(self, process):
        self.said = []
        for line in process.stderr:
            self.said.append(line)
            if found := re.search(rb"the page is at http://([\d.]+):(\d+)", line):
                self.address = (found[1].decode(), int(found[2]))
                break
        self.clients = []

    def insights(self):
        url = f"http://{self.address[0]}:{self.address[1]}/api/v1/report"
        with urllib.request.urlopen(url, timeout=PATIENCE_S) as answer:
            return json.load(answer)["insights"]

    def open_clients(self, count):
        for _ in range(count):
            client = socket.socket()
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.connect(self.address)
            key = base64.b64encode(os.urandom(16)).decode()
            client.sendall((f"GET /api/v1/live HTTP/1.1\r\nHost: {self.address[0]}\r\n"
                            "Upgrade: websocket\r\nConnection: Upgrade\r\n"
                            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n")
                           .encode())
            self.clients.append(client)

    def close(self):
        for client in self.clients:
            client.close()


class Drain:
    """Reads a socket on a thread of its own until told to stop."""

    def __init__(self, reader):
        self.reader = reader
        self.going = True
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        while self.going:
            self.reader.read(0.05)

    def stop(self):
        self.going = False
        self.thread.join()


def named_s(page, component):
    """How long it takes until the report names it; None: it does not."""
    start = time.monotonic()
    while time.monotonic() < start + NAMED_S:
        if any(one["component"] == component and one["kind"] in ("stuck", "busy")
               for one in page.insights()):
            return time.monotonic() - start
        time.sleep(0.05)
    return None


def missed(lines, seconds):
    """What share of the records that were due meanwhile did not come."""
    count, start = lines.count, time.monotonic()
    time.sleep(seconds)
    due = PER_S * (time.monotonic() - start)
    return max(due - (lines.count - count) - SLACK, 0) / due


class Stuck:
    """One run."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        (self.folder / "t.yaml").write_text(TOPOLOGY.format(folder=folder))
        self.good = Reader(self.folder / "good")
        self.bad = Reader(self.folder / "bad")
        self.process = subprocess.Popen(
            [BIN / "millrace", "run", self.folder / "t.yaml", "--ui", "127.0.0.1:0", "--speed",
             str(PER_S / 1000)], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE)
        for reader in (self.good, self.bad):
            reader.accept()
        self.page = Page(self.process)
        self.drains = [Drain(self.good), Drain(self.bad)]

    def anomalies(self, seconds, sticks):
        time.sleep(SETTLED_S)
        if sticks:
            self.drains[1].stop()
        self.page.open_clients(CLIENTS)
        took_s = named_s(self.page, "bad")
        wrong = []
        if took_s is None:
            wrong.append(f"unnamed: nothing of the stuck sink in {NAMED_S} s: "
                         f"{self.page.insights()}")
        time.sleep(SETTLED_S)
        share = missed(self.good.lines, seconds)
        if share > LOSS_MAX:
            wrong.append(f"lost-speed: {share:.1%} of the records beside did not come in time")
        return wrong + self.good.lines.wrong, took_s

    def end(self):
        """It is told to end; the stuck sink is let go, and nothing may be missing there either."""
        self.process.terminate()
        for drain in self.drains:
            drain.stop()
        reading = [threading.Thread(target=reader.read_all) for reader in (self.good, self.bad)]
        for thread in reading:
            thread.start()
        said = b"".join(self.page.said) + self.process.communicate(timeout=PATIENCE_S)[1]
        for thread in reading:
            thread.join()
        self.page.close()
        if self.process.returncode:
            return [f"it ended with {self.process.returncode}: {said.decode()}"]
        told = int(re.search(rb"(\d+) records in", said)[1])
        came = self.good.lines.count + self.bad.lines.count
        lost = [f"lost-write: {told} were read, {came} came"] if told != came else []
        return self.good.lines.wrong + self.bad.lines.wrong + lost


def stuck_sinks(_seed, count, unsafe=""):
    """`count`: seconds in which the speed is measured. The time is that until it was named."""
    with tempfile.TemporaryDirectory(prefix="millrace-rig-") as folder:
        stuck = Stuck(os.path.realpath(folder))
        wrong, took_s = stuck.anomalies(count, sticks=unsafe != NEVER_STUCK)
        wrong += stuck.end()
        return 1, wrong, [took_s] if took_s is not None else []
