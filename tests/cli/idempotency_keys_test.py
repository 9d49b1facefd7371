# A receiver behind a socket that keeps idempotency keys, while the program is killed.
import json
import random
import signal
import socket
import threading
import time
import unittest

from harness import CliTest, PATIENCE_S

RECORDS = 60_000

TOPOLOGY = """
name: keys
spouts:
  - {id: in, type: json_lines, with: {path: "%s", %sfields: {n: int}}}
bolts:
  - {id: big, type: filter, with: {where: "n >= 10"}}
  - {id: out, type: log, with: {connect: "unix:%s", idempotency_key: true}}
streams:
  - {from: in, to: big}
  - {from: big, to: out}
"""


class Receiver:
    """Keeps the first row that comes under each key. A line without its end was never sent."""

    def __init__(self, path):
        self.rows, self.lines, self.again, self.problems = {}, 0, 0, []
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(path))
        self.listener.listen()
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            client, _ = self.listener.accept()
            with client, client.makefile("rb") as lines:
                for line in lines:
                    if line.endswith(b"\n"):
                        self.take(json.loads(line))

    def take(self, row):
        key = row.pop("idempotency_key")
        if key in self.rows:
            self.again += 1
        if self.rows.setdefault(key, row) != row:
            self.problems.append((key, row))
        self.lines += 1

    def wait_for(self, more):
        """Until so many lines more have come, or all that there are."""
        until, give_up = self.lines + more, time.monotonic() + PATIENCE_S
        while self.lines < until and not self.has_all() and time.monotonic() < give_up:
            time.sleep(0.001)

    def has_all(self):
        return len(self.rows) >= RECORDS - 10


class IdempotencyKeys(CliTest):
    def setUp(self):
        super().setUp()
        self.input = self.file("in.jsonl", "".join(f'{{"n":{n}}}\n' for n in range(RECORDS)))
        self.socket = self.folder / "out.sock"

    def words(self, follow):
        topology = self.file(f"keys-{follow}.yaml", TOPOLOGY % (
            self.input, "follow: true, " if follow else "", self.socket))
        return ("run", topology, "--headless", "--state-dir", self.folder / "state",
                "--checkpoint-interval", "10ms")

    def test_killed_again_and_again_a_receiver_that_keeps_keys_has_each_row_once(self):
        receiver = Receiver(self.socket)
        chance = random.Random(5)
        for _ in range(12):
            process = self.start("millrace", *self.words(True))
            receiver.wait_for(chance.randrange(1, RECORDS // 6))
            process.send_signal(signal.SIGKILL)
            self.assertEqual(process.wait(PATIENCE_S), -signal.SIGKILL)
        self.run_program("millrace", *self.words(False))
        receiver.wait_for(RECORDS)
        self.assertEqual(receiver.problems, [])
        self.assertEqual(sorted(row["n"] for row in receiver.rows.values()),
                         list(range(10, RECORDS)))
        self.assertGreater(receiver.again, 0, "the kills told nothing")

    def test_where_they_are_not_stable_they_are_refused(self):
        text = self.words(False)[1].read_text().replace(f'path: "{self.input}"', 'exec: "true"')
        _, err = self.run_program("millrace", "validate", self.file("wrong.yaml", text), code=78)
        self.assertIn('log "out" asks for idempotency keys, but "in" cannot give again', err)


if __name__ == "__main__":
    unittest.main()
