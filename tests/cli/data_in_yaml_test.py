# Topologies in YAML over real data give what plain scripts computed, at any parallelism.
import csv
import datetime
import gzip
import json
import math
import random
import re
import unittest

import harness

SHARED = harness.ROOT.parent / "shared" / "data"
BOUND_S = 45  # how far arrivals are shuffled

# One bolt after another: the last one is written to out.csv.
TOPOLOGY = """
name: over real data
spouts:
  - {id: in, type: %s, with: {%s}}
bolts:
%s
  - {id: out, type: write_csv, with: {path: out.csv}}
streams:
%s
"""


def opened(path):
    return (gzip.open if path.name.endswith(".gz") else open)(path, "rt", encoding="utf-8")


def expected(folder, name):
    with opened(SHARED / folder / "expected" / name) as file:
        return list(csv.DictReader(file))


def micros(text):
    stamp = datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
    return round(stamp.timestamp() * 1e6)


def same(found, wanted, places):
    """Numbers of a file are rounded to some places; integers and texts are exact."""
    if wanted == "" or found == "" or not places:
        return found == wanted
    return abs(float(found) - float(wanted)) <= 1e-6 * abs(float(wanted)) + 10.0 ** -places


def shuffled(rows, seconds_of, seed):
    """Rows in an order in which none comes later than BOUND_S after one that is newer."""
    draw = random.Random(seed)
    delayed = [(seconds_of(row) + draw.uniform(0, BOUND_S), at) for at, row in enumerate(rows)]
    return [rows[at] for _, at in sorted(delayed)]


@unittest.skipUnless(SHARED.exists(), "there is no folder shared/ beside the clone")
class DataInYaml(harness.CliTest):
    def rows_of(self, spout, settings, bolts, parallelism):
        """Runs a chain of (id, type, settings, grouping) and returns its rows."""
        streams = [("in", bolts[0])] + list(zip([bolt[0] for bolt in bolts], bolts[1:]))
        text = TOPOLOGY % (
            spout, settings,
            "\n".join(f"  - {{id: {name}, type: {kind}, with: {{{given}}}}}"
                      for name, kind, given, _ in bolts),
            "\n".join([f"  - {{from: {before}, to: {bolt[0]}, grouping: {bolt[3]}}}"
                       for before, bolt in streams] + [f"  - {{from: {bolts[-1][0]}, to: out}}"]))
        path = self.file("topology.yaml", text)
        summary, _ = self.summary("millrace", "run", path, "--parallelism", parallelism,
                                  cwd=self.folder)
        self.assert_counted(summary)
        self.assertEqual(summary["dead_letters"], 0)
        with open(self.folder / "out.csv", encoding="utf-8") as file:
            return list(csv.DictReader(file))

    def check(self, folder, name, spout, settings, bolts, columns, every=(1, 2, 3, 4, 5, 6, 7, 8),
              unit_us=1000):
        """`columns`: of the expected file to (column found, places; 0: exact)."""
        wanted = expected(folder, name)
        start = [column for column in wanted[0] if column.startswith("window_start")]
        key = start + [column for column in columns if columns[column][1] == 0]
        order = [tuple(row[column] for column in key) for row in wanted]
        wanted = [row for _, row in sorted(zip(order, wanted), key=lambda pair: pair[0])]
        for parallelism in every:
            with self.subTest(file=name, parallelism=parallelism):
                found = self.rows_of(spout, settings, bolts, parallelism)
                for row in found:
                    if start:
                        row[start[0]] = str(micros(row["window_start"]) // unit_us)
                found.sort(key=lambda row: tuple(
                    row[columns[column][0] if column in columns else column] for column in key))
                self.assertEqual(len(found), len(wanted))
                for row, right in zip(found, wanted):
                    for column in start:
                        self.assertEqual(row[column], right[column], (row, right))
                    for column, (of_ours, places) in columns.items():
                        self.assertTrue(same(row[of_ours], right[column], places), (row, right))

    def table(self, name, header, rows):
        lines = [",".join(header)] + [",".join(map(str, row)) for row in rows]
        self.file(name, "\n".join(lines) + "\n")

    def test_reports_of_aircraft_by_minute(self):
        source = SHARED / "adsb-paris/positions.csv.gz"
        self.check(
            "adsb-paris", "per_minute.csv", "csv",
            f"path: {source}, event_time: {{field: timestamp}}, fields: "
            "{timestamp: timestamp, icao24: text, groundspeed: double or null, "
            "altitude: double or null}",
            [("all", "aggregate", "window: tumbling(1min), values: {reports: count(), "
              "aircraft: distinct(icao24), speed: mean(groundspeed), top: max(altitude)}",
              "global")],
            {"reports": ("reports", 0), "aircraft": ("aircraft", 0),
             "mean_groundspeed_6": ("speed", 6), "max_altitude_3": ("top", 3)}, every=(1, 4))

    def test_means_of_a_drive_by_second(self):
        def first(values):
            return values.split(";")[0]

        with opened(SHARED / "vehicle-minute/vehicle.csv.gz") as file:
            samples = [(row["t"], row["channel"], first(row["values"]))
                       for row in csv.DictReader(file)]
        rows = [(t, value if channel == "accel" else "", value if channel == "speed" else "",
                 abs(float(value)) if channel == "steer" else "")
                for t, channel, value in samples if channel in ("accel", "speed", "steer")]
        for seed in (None, 1, 2):
            arrived = rows if seed is None else shuffled(rows, lambda row: float(row[0]), seed)
            self.table("drive.csv", ("t", "accel", "speed", "steer"), arrived)
            self.check(
                "vehicle-minute", "per_second.csv", "csv",
                "path: drive.csv, time_unit: seconds, fields: {t: timestamp, accel: double or "
                "null, speed: double or null, steer: double or null}, "
                f"event_time: {{field: t, out_of_order: {BOUND_S}s}}",
                [("all", "aggregate", "window: tumbling(1s), values: {samples: "
                  "count(accel is not null), accel: mean(accel), speed: mean(speed), "
                  "steer: max(steer)}", "global")],
                {"accel_samples": ("samples", 0), "mean_accel_x_6": ("accel", 6),
                 "mean_speed_6": ("speed", 6), "max_abs_steer_6": ("steer", 6)},
                every=(1, 2, 3, 4, 5, 6, 7, 8) if seed is None else (3,), unit_us=1)

    def cells(self, seed):
        """Reports of taxis with the cell of a grid that they lie in, in the order of time."""
        with opened(SHARED / "taxi-gps/taxi-traces.csv.gz") as file:
            rows = [(row[2], row[1], math.floor(100 * float(row[3]) + 1e-9),
                     math.floor(100 * float(row[4]) + 1e-9)) for row in csv.reader(file)]
        rows.sort(key=lambda row: row[0])
        if seed is not None:
            rows = shuffled(rows, lambda row: micros(row[0] + "Z") / 1e6, seed)
        self.table("taxis.csv", ("time", "car", "lat", "lon"), rows)
        return (f"path: taxis.csv, event_time: {{field: time, out_of_order: {BOUND_S}s}}, fields: "
                "{time: timestamp, car: int, lat: int, lon: int}")

    def test_the_busiest_cells_of_a_city(self):
        for seed, every in ((None, (1, 2, 3, 4, 5, 6, 7, 8)), (7, (2,))):
            self.check(
                "taxi-gps", "top10_cells_10m.csv", "csv", self.cells(seed),
                [("counts", "count", "window: tumbling(10min), as: reports",
                  "{type: fields, args: [lat, lon]}"), ("best", "top", "n: 10", "none")],
                {"rank": ("rank", 0), "lat_cell": ("lat", 0), "lon_cell": ("lon", 0),
                 "reports": ("reports", 0)}, every)

    def test_the_busiest_cells_of_places(self):
        with opened(SHARED / "taxi-gps/taxi-traces.csv.gz") as file:
            rows = sorted((row[2], row[3], row[4]) for row in csv.reader(file))
        self.table("places.csv", ("time", "latitude", "longitude"), rows)
        self.check(
            "taxi-gps", "top10_cells_10m.csv", "csv",
            "path: places.csv, event_time: {field: time}, fields: "
            "{time: timestamp, latitude: double, longitude: double}",
            [("cells", "grid_cell", "latitude: latitude, longitude: longitude, as: cell", "none"),
             ("counts", "count", "window: tumbling(10min), as: reports",
              "{type: fields, args: [cell_latitude, cell_longitude]}"),
             ("best", "top", "n: 10", "none")],
            {"rank": ("rank", 0), "lat_cell": ("cell_latitude", 0),
             "lon_cell": ("cell_longitude", 0), "reports": ("reports", 0)}, every=(1, 8))

    def check_aircraft(self, source, bound, parallelisms):
        """Positions at most `bound` seconds out of order."""
        wanted = [(int(row["ts_ms"]), row["icao24"], row["event"], row["distance_km_6"])
                  for row in expected("adsb-paris", "geofence_30km.csv")]
        for parallelism in parallelisms:
            found = self.rows_of(
                "csv", f"path: {source}, event_time: {{field: timestamp, out_of_order: {bound}s}}, "
                "fields: {timestamp: timestamp, icao24: text, latitude: double or null, "
                "longitude: double or null}",
                [("fence", "geofence", "latitude: latitude, longitude: longitude, "
                  "circle: [49.0097, 2.5479, 30000]", "{type: fields, args: [icao24]}"),
                 ("far", "distance", "latitude: latitude, longitude: longitude, "
                  "to: [49.0097, 2.5479]", "none")], parallelism)
            found.sort(key=lambda row: (row["time"], row["icao24"]))
            self.assertEqual(
                [(micros(row["time"]) // 1000, row["icao24"],
                  {"entered": "ENTER", "left": "EXIT"}[row["event"]]) for row in found],
                [row[:3] for row in wanted])
            for row, right in zip(found, wanted):
                self.assertTrue(same(str(float(row["distance_m"]) / 1000), right[3], 6), row)

    def test_aircraft_that_cross_a_fence(self):
        self.check_aircraft(SHARED / "adsb-paris/positions.csv.gz", 0, range(1, 9))

    def test_aircraft_whose_positions_come_out_of_order(self):
        head, *lines = opened(SHARED / "adsb-paris/positions.csv.gz").read().splitlines()
        stamp = head.split(",").index("timestamp")
        arrived = shuffled(lines, lambda line: int(line.split(",")[stamp]) / 1000, 3)
        self.assertNotEqual(arrived, lines)
        source = self.file("positions.csv", "\n".join([head, *arrived]) + "\n")
        self.check_aircraft(source, BOUND_S, (1, 3, 8))

    def test_taxis_on_the_road(self):
        self.check(
            "taxi-gps", "cars_10m.csv", "csv", self.cells(11),
            [("cars", "distinct", "of: [car], window: tumbling(10min)", "global")],
            {"cars": ("distinct", 0)}, every=(1, 5))

    def test_trips_by_borough_in_sliding_hours(self):
        source = SHARED / "taxi-trips/taxis.csv.gz"
        self.check(
            "taxi-trips", "borough_hopping_1h_15m.csv", "csv",
            f"path: {source}, event_time: {{field: dropoff, out_of_order: 60d}}, fields: "
            "{dropoff: timestamp, pickup_borough: text, total: double}",
            [("trips", "aggregate", 'window: "sliding(1h, 15min)", '
              "values: {trips: count(), total: sum(total)}",
              "{type: fields, args: [pickup_borough]}")],
            {"pickup_borough": ("pickup_borough", 0), "trips": ("trips", 0),
             "total_2": ("total", 2)})

    def test_payments_by_hour(self):
        source = SHARED / "card-fraud/tx-2018-0*.csv.gz"
        self.check(
            "card-fraud", "per_hour.csv", "csv",
            f'path: "{source}", time_unit: seconds, event_time: {{field: ts}}, ordered_by: ts, '
            "fields: {ts: timestamp, amount: double, fraud: int}",
            [("hours", "aggregate", "window: tumbling(1h), values: {transactions: count(), "
              "amount: exact_sum(amount), frauds: sum(fraud)}", "global")],
            {"transactions": ("transactions", 0), "amount_2": ("amount", 2),
             "frauds": ("frauds", 0)}, every=(1, 4))

    def test_the_busiest_authors_by_week(self):
        source = SHARED / "commits-storm/commits.tsv.gz"
        self.check(
            "commits-storm", "top10_authors_7d.csv", "tsv",
            f"path: {source}, time_unit: seconds, event_time: {{field: author_ts, "
            "out_of_order: 9000d}, fields: {author_ts: timestamp, author: text}",
            [("commits", "count", "window: tumbling(7d), as: commits",
              "{type: fields, args: [author]}"), ("best", "top", "n: 10", "none")],
            {"rank": ("rank", 0), "author": ("author", 0), "commits": ("commits", 0)})

    def test_sessions_of_users(self):
        source = SHARED / "wikipedia-edits/wikiticker-2015-09-12-sampled.json.gz"
        wanted = sorted((row["user"], row["start_ms"], row["end_ms"], row["edits"], row["added"])
                        for row in expected("wikipedia-edits", "sessions_user_30m.csv"))
        for parallelism in (1, 8):
            found = self.rows_of(
                "json_lines", f"path: {source}, event_time: {{field: time}}, fields: "
                "{time: timestamp, user: text, added: int}",
                [("visits", "aggregate", "window: session(30min), values: {edits: count(), "
                  "added: sum(added), last: last(time)}", "{type: fields, args: [user]}")],
                parallelism)
            self.assertEqual(sorted((row["user"], str(micros(row["window_start"]) // 1000),
                                     str(micros(row["last"]) // 1000), row["edits"], row["added"])
                                    for row in found), wanted)

    def requests(self):
        """Lines of a web server, which arrive up to a minute out of order, as CSV."""
        line = re.compile(r'^(\S+) \S+ \S+ \[([^]]+)\] "(?:\S+ (\S+)[^"]*|[^"]*)" (\d+) (\S+)')
        rows = []
        with opened(SHARED / "web-access-log/apache_logs.gz") as file:
            for text in file:
                host, at, url, status, size = line.match(text).groups()
                at = datetime.datetime.strptime(at, "%d/%b/%Y:%H:%M:%S %z")
                rows.append({"host": host, "at": at.isoformat(), "url": url,
                             "class": status[0] + "xx", "bytes": int(size) if size != "-" else 0,
                             "wrong": int(status >= "400")})
        self.file("requests.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
        return ("path: requests.jsonl, event_time: {field: at, out_of_order: 1min}, fields: "
                "{at: timestamp, url: text or null, class: text, bytes: int, wrong: int}")

    def test_requests_of_a_web_server(self):
        self.check(
            "web-access-log", "status_1h.csv", "json_lines", self.requests(),
            [("hours", "aggregate", "window: tumbling(1h), values: {requests: count(), "
              "bytes: sum(bytes)}", "{type: fields, args: [class]}")],
            {"status_class": ("class", 0), "requests": ("requests", 0), "bytes": ("bytes", 0)})
        self.check(
            "web-access-log", "top10_urls_1h.csv", "json_lines", self.requests(),
            [("named", "filter", "where: url is not null", "none"),
             ("counts", "count", "window: tumbling(1h), as: requests",
              "{type: fields, args: [url]}"), ("best", "top", "n: 10", "none")],
            {"rank": ("rank", 0), "url": ("url", 0), "requests": ("requests", 0)}, every=(1, 8))
        self.check(
            "web-access-log", "alerts_error_rate_5m.csv", "json_lines", self.requests(),
            [("rates", "aggregate", "window: tumbling(5min), values: {requests: count(), "
              "errors: sum(wrong), rate: mean(wrong)}", "global"),
             ("alerts", "filter", "where: requests >= 20 and rate >= 0.1", "none")],
            {"requests": ("requests", 0), "errors": ("errors", 0)}, every=(1, 8))


if __name__ == "__main__":
    unittest.main()
