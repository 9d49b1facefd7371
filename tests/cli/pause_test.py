# A running program is paused and resumed over its REST interface, and by its own page alone.
import http.client
import json
import re
import time
import unittest

from harness import PATIENCE_S, CliTest


class Pause(CliTest):
    def ask(self, method, path, headers=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
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
            time.sleep(0.05)
        self.fail("no report pleased")

    def test_sources_rest_until_they_are_resumed(self):
        process = self.start("millrace", "demo", "posts", "--rate", "2000", "--ui", "127.0.0.1:0")
        for line in process.stderr:
            found = re.search(rb"http://127\.0\.0\.1:(\d+)", line)
            if found:
                self.port = int(found.group(1))
                break
        self.report_when(lambda report: report["active"] and report["records_in"] > 0)
        self.assertEqual(self.ask("POST", "/api/v1/deactivate")[0], 403)
        own = {"X-Millrace": "1"}
        self.assertEqual(self.ask("POST", "/api/v1/deactivate", own), (200, {"active": False}))
        paused = self.report_when(lambda report: report["active"] is False
                                  and report["queued"] == 0
                                  and report["records_in_per_second"] == 0)
        self.assertIn("paused", [insight["kind"] for insight in paused["insights"]])
        self.assertEqual(self.ask("POST", "/api/v1/activate", own), (200, {"active": True}))
        self.report_when(lambda report: report["active"]
                         and report["records_in"] > paused["records_in"])


if __name__ == "__main__":
    unittest.main()
