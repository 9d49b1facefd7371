# What the tests of the command line share: running programs, and input files that go away.
"""Tests derive from CliTest; MILLRACE_BIN names the folder of the built programs."""
import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("MILLRACE_BIN", ROOT / "build/dev/bin"))
# Long enough for a sanitizer on a busy machine; nothing waits for it to pass.
PATIENCE_S = 60
# How much slower everything may be under a sanitizer.
SLOWNESS = 10 if "san" in BIN.parent.name else 1


class CliTest(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="millrace-cli-"))
        self.addCleanup(shutil.rmtree, self.folder)

    def file(self, name, content):
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def run_program(self, program, *arguments, code=0, **more):
        """Runs to the end and returns (stdout, stderr); the exit code must be `code`."""
        done = subprocess.run([BIN / program, *map(str, arguments)], capture_output=True,
                              timeout=PATIENCE_S, check=False,
                              **{"stdin": subprocess.DEVNULL, **more})
        out, err = done.stdout.decode(), done.stderr.decode()
        self.assertEqual(done.returncode, code, f"{arguments}\n{out[-2000:]}\n{err[-4000:]}")
        return out, err

    def summary(self, program, *arguments, code=0, **more):
        """Runs headless with --json; returns the summary and stderr."""
        out, err = self.run_program(program, *arguments, "--headless", "--json", code=code, **more)
        return json.loads(out.splitlines()[-1]), err

    def start(self, program, *arguments, **more):
        """Starts a program; its pipes are closed and it is ended with the test."""
        process = subprocess.Popen([BIN / program, *map(str, arguments)], **{
            "stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE,
            **more})
        self.addCleanup(self.end, process)
        return process

    @staticmethod
    def end(process):
        if process.poll() is None:
            process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout, process.stderr):
            if pipe:
                pipe.close()

    def start_unhurried(self, program, *arguments):
        """Starts one of the programs with take_time(): it still runs when it is met."""
        return self.start(program, *arguments, env={**os.environ, "UNHURRIED": "1"})

    def find_page(self, process):
        """Where the program's page is, into `address`."""
        for line in process.stderr:
            found = re.search(rb"http://(127\.0\.0\.1:\d+)", line)
            if found:
                self.address = found.group(1).decode()
                return
        self.fail("it does not tell its page")

    def ask(self, method, path, headers=None):
        """(status, JSON) of the program's page."""
        connection = http.client.HTTPConnection(self.address, timeout=PATIENCE_S)
        try:
            connection.request(method, path, headers=headers or {})
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()

    def report_when(self, pleases):
        give_up = time.monotonic() + PATIENCE_S
        while time.monotonic() < give_up:
            status, report = self.ask("GET", "/api/v1/report")
            if status == 200 and pleases(report):
                return report
            time.sleep(0.02)
        self.fail("no report pleased")

    def interrupt(self, process, seconds=1.0):
        """Sends Ctrl-C; the process must end well within `seconds`. Returns (stdout, stderr)."""
        process.send_signal(signal.SIGINT)
        sent = time.monotonic()
        out, err = process.communicate(timeout=PATIENCE_S)
        took = time.monotonic() - sent
        self.assertEqual(process.returncode, 0, err.decode())
        self.assertLess(took, seconds * SLOWNESS, "Ctrl-C took too long")
        return out.decode(), err.decode()

    def assert_error(self, err, number, *parts):
        """stderr has one line "error NUMBER ..." that holds each of `parts`."""
        lines = [line for line in err.splitlines() if line.startswith("error ")]
        self.assertEqual(len(lines), 1, err)
        self.assertTrue(lines[0].startswith(f"error {number} "), lines[0])
        for part in parts:
            self.assertIn(str(part), lines[0])

    def assert_counted(self, summary):
        """The identity of every component: each input is counted once."""
        for name, counts in summary["components"].items():
            parts = ("processed", "filtered", "late", "dead_lettered", "in_flight")
            self.assertEqual(counts["received"], sum(counts[part] for part in parts), name)


def taken_port():
    """A socket that listens on a free port of this machine, and the port."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    return listener, listener.getsockname()[1]
