# A running program is paused and resumed over its REST interface, and by its own page alone.
import unittest

from harness import CliTest


class Pause(CliTest):
    def test_sources_rest_until_they_are_resumed(self):
        process = self.start("millrace", "demo", "posts", "--rate", "2000", "--ui", "127.0.0.1:0")
        self.find_page(process)
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
