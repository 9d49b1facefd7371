#!/usr/bin/env python3
# Makes release-VERSION.tar.gz: what a killed run of this release's program leaves in its folders.
"""Usage: make_release.py    with $MILLRACE_BIN; once for each release, tests/cli reads all of them

In it: a topology, the journal that it reads, its state folder, its outputs (journals and a file),
all as a kill left them, with windows and order buffers open; and what must come of all in the end.
"""
import json
import pathlib
import re
import subprocess
import sys
import tarfile
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "rig"))
from epoch_faults import SPEED  # noqa: E402
from epoch_power import KEPT, PoweredTopology  # noqa: E402
from journal_oracle import BIN, PATIENCE_S  # noqa: E402
from topology_kills import OUTPUTS, Truth  # noqa: E402

RECORDS = 1500
SEED = 16
EPOCHS = 8  # so many are made before the kill


def main():
    version = subprocess.run([BIN / "millrace", "version"], capture_output=True, check=True,
                             text=True).stdout.split()[1]
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        truth = Truth(SEED, RECORDS)
        topology = PoweredTopology(folder, truth, "")
        process = subprocess.Popen(topology.command(2, SPEED), stderr=subprocess.DEVNULL)
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end and not list(topology.state.glob(f"*{EPOCHS}.ckpt")):
            time.sleep(0.001)
        process.kill()
        process.wait()
        assert not topology.anomalies(truth)
        text = re.sub(f"{folder}(/[a-z./]+)", r'"${folder}\1"', topology.file.read_text())
        topology.file.write_text(text)
        (folder / "expected.json").write_text(
            json.dumps({output: truth.expected(output) for output in OUTPUTS}))
        with tarfile.open(HERE / f"release-{version}.tar.gz", "w:gz") as packed:
            for kept in (*KEPT, "in", topology.file.name, "expected.json"):
                packed.add(folder / kept, kept)


if __name__ == "__main__":
    main()
