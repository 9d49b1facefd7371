# Spouts of topologies in YAML that no file feeds: sockets, idle ones among them, and the machine.
import json
import socket
import time
import unittest

import harness

LISTENING = """
name: sockets
spouts:
  - {id: busy, type: json_lines, with: {listen: "unix:%(busy)s", fields: {k: text, at: timestamp},
      event_time: {field: at, align_within: 1h}}}
  - {id: quiet, type: json_lines, with: {listen: "unix:%(quiet)s", fields: {k: text, at: timestamp},
      event_time: {field: at, idle_after: 50ms}}}
bolts:
  - {id: counts, type: count, with: {window: tumbling(1min)}}
  - {id: out, type: log, with: {path: "%(out)s"}}
streams:
  - {from: busy, to: counts, grouping: {type: fields, args: [k]}}
  - {from: quiet, to: counts, grouping: {type: fields, args: [k]}}
  - {from: counts, to: out}
"""

MACHINE = """
name: machine
spouts:
  - {id: here, type: machine, with: {every: 10ms}}
bolts:
  - {id: latest, type: aggregate, with: {window: global(), values: {readings: count(),
      last: last(value), at: max(time)}}}
  - {id: out, type: print}
streams:
  - {from: here, to: latest, grouping: {type: fields, args: [metric, instance]}}
  - {from: latest, to: out}
"""


def eventually(condition, what):
    """Waits until condition() holds."""
    end = time.monotonic() + harness.PATIENCE_S
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.01)


class Sources(harness.CliTest):
    def client(self, address):
        peer = socket.socket(socket.AF_UNIX)
        self.addCleanup(peer.close)
        # The path is there a moment before somebody listens.
        eventually(lambda: peer.connect_ex(str(address)) == 0, "nobody listens")
        return peer

    def test_an_idle_socket_holds_no_window(self):
        names = {name: self.folder / name for name in ("busy", "quiet", "out")}
        process = self.start("millrace", "run", self.file("sockets.yaml", LISTENING % names),
                             "--ui", "off", "--parallelism", "2")
        busy, quiet = self.client(names["busy"]), self.client(names["quiet"])
        # By its time the quiet one would hold the first window for ever: its connection stays.
        quiet.sendall(b'{"k":"a","at":"2024-01-01T00:00:05Z"}\n')
        busy.sendall(b'{"k":"a","at":"2024-01-01T00:00:01Z"}\n'
                     b'{"k":"a","at":"2024-01-01T00:05:00Z"}\n')
        out = names["out"]
        eventually(lambda: out.exists() and out.read_text().endswith("\n"), "no window fired")
        row = json.loads(out.read_text().splitlines()[0])
        self.assertEqual((row["k"], row["window_start"]), ("a", "2024-01-01T00:00:00Z"))
        self.assertIn(row["count"], (1, 2))  # 1 where the quiet one was idle before it was read
        self.interrupt(process, 5)

    def test_the_machine(self):
        out, _ = self.run_program("millrace", "run", self.file("machine.yaml", MACHINE),
                                  "--headless", "--limit", "60")
        rows = [json.loads(line) for line in out.splitlines() if line.startswith('{"metric"')]
        self.assertGreaterEqual(sum(row["readings"] for row in rows), 60)
        for row in rows:
            self.assertTrue(row["metric"] and row["at"].startswith("20"), row)


if __name__ == "__main__":
    unittest.main()
