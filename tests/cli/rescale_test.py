# Components of a running topology get other numbers of tasks, and a reader outside sees no trace.
import json
import signal
import subprocess
import sys
import unittest

from harness import PATIENCE_S, ROOT, CliTest

sys.path.insert(0, str(ROOT / "tests/rig"))
from journal_oracle import Journal  # noqa: E402
from topology_kills import Topology, Truth  # noqa: E402

PIECES = 6
RECORDS = 12_000
ALL = ("running", "windowed", "in_order")


class Followed(Topology):
    """The oracle's topology, whose input comes in pieces and does not end."""

    def __init__(self, folder, truth):
        lines = truth.lines
        truth.lines = []
        super().__init__(folder, truth, "50ms", "")
        self.text = self.file.read_text()
        size = len(lines) // PIECES
        self.pieces = [lines[at:at + size] for at in range(0, len(lines), size)]

    def append_piece(self):
        path = self.folder / "piece"
        path.write_text("".join(f"{json.loads(line)['k']}={line}\n" for line in self.pieces.pop(0)))
        done = Journal(self.folder / "in").run("produce", "t", "--key-separator", "=", path)
        assert done.returncode == 0, done.stderr

    def follow(self, follows):
        word = "true" if follows else "false"
        self.file.write_text(self.text.replace("follow: false", f"follow: {word}"))


class Rescale(CliTest):
    def setUp(self):
        super().setUp()
        self.truth = Truth(7, RECORDS)
        self.topology = Followed(self.folder, self.truth)

    def run_topology(self, parallelism, *words):
        self.topology.follow(True)
        command = self.topology.command(parallelism, 0, "--json", *words)
        command[command.index("off")] = "127.0.0.1:0"
        process = self.start(*command)
        self.find_page(process)
        return process

    def ask(self, method, path, headers=None):
        return super().ask(method, path, headers or {"X-Millrace": "1"})

    @staticmethod
    def tasks_in(report, name):
        return next(one["tasks"] for one in report["components"] if one["name"] == name)

    def rescale(self, *changes, code=0):
        return self.run_program("millrace", "rescale", self.address, *changes, code=code)

    def rescale_all(self, tasks):
        out, _ = self.rescale(*(f"{name}={tasks}" for name in ALL))
        return out

    def finish(self, parallelism=2):
        """All input is read to its end, and what came of it is complete."""
        while self.topology.pieces:
            self.topology.append_piece()
        self.topology.follow(False)
        done = subprocess.run(self.topology.command(parallelism), capture_output=True,
                              timeout=PATIENCE_S, check=False, stdin=subprocess.DEVNULL)
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        self.assertEqual(self.topology.anomalies(self.truth, complete=True), [])

    def test_nothing_is_lost_or_doubled_and_keys_keep_their_order(self):
        self.topology.append_piece()
        process = self.run_topology(2)
        for before, tasks in ((2, 5), (5, 1), (1, 8)):
            self.topology.append_piece()
            out = self.rescale_all(tasks)
            for name in ALL:
                self.assertIn(f'rescaled "{name}" from {before} to {tasks} tasks', out)
            self.assertEqual(self.topology.anomalies(self.truth), [])
        out, _ = self.interrupt(process, 5)
        told = json.loads(out.splitlines()[-1])["rescaled"]
        self.assertEqual((told["times"], told["failed"]), (3, 0))
        self.assertLess(told["longest_stop_ms"], 2000)
        self.finish()

    def test_killed_in_the_middle_it_comes_back_right(self):
        for turn in range(4):
            self.topology.append_piece()
            process = self.run_topology(2)
            asked = self.start("millrace", "rescale", self.address, f"running={3 + turn}",
                               "windowed=7")
            if turn % 2 == 1:  # the answer comes from within the run, so some of it has begun
                asked.wait(PATIENCE_S)
            process.send_signal(signal.SIGKILL)
            process.wait(PATIENCE_S)
            self.assertEqual(self.topology.anomalies(self.truth), [])
        self.finish(1)

    def test_what_is_paused_stays_so(self):
        self.topology.append_piece()
        process = self.run_topology(1)
        piece = RECORDS // PIECES
        self.report_when(lambda report: report["records_in"] == piece)
        self.ask("POST", "/api/v1/deactivate")
        self.report_when(lambda report: report["active"] is False)
        self.rescale("running=3", "windowed=2")
        self.topology.append_piece()
        after = self.report_when(lambda report: self.tasks_in(report, "running") == 3)
        self.assertEqual((after["active"], after["records_in"]), (False, piece))
        self.assertEqual(self.tasks_in(after, "windowed"), 2)
        self.ask("POST", "/api/v1/activate")
        self.report_when(lambda report: report["records_in"] == 2 * piece)
        self.interrupt(process, 5)
        self.finish()

    def test_refusals(self):
        process = self.run_topology(2)
        for changes, parts in (
                (["runing=3"], ['there is no component "runing"', 'did you mean "running"?']),
                (["running=0"], ["give a number of 1 to 128"]),
                (["running=129"], ["give a number of 1 to 128"]),
                (["in=2"], ['"in" cannot have another number of tasks', "a source"]),
                (["running"], ["running is no COMPONENT=TASKS"]),
                ([], ["give COMPONENT=TASKS behind the address"])):
            _, err = self.rescale(*changes, code=64)
            self.assert_error(err, 1002, *parts)
        out, _ = self.run_program("millrace", "rebalance", f"http://{self.address}/", "running=2")
        self.assertIn("nothing changes", out)
        out, _ = self.interrupt(process, 5)
        self.assertNotIn("rescaled", json.loads(out.splitlines()[-1]))
        _, err = self.rescale("running=3", code=66)
        self.assert_error(err, 4001, self.address)

    def test_without_a_state_folder(self):
        process = self.start("millrace", "demo", "posts", "--rate", "100", "--ui", "127.0.0.1:0")
        self.find_page(process)
        component = self.report_when(lambda report: report["components"])["components"][1]["name"]
        _, err = self.rescale(f"{component}=3", code=64)
        self.assert_error(err, 1002, "start it with --state-dir DIR")


if __name__ == "__main__":
    unittest.main()
