#!/usr/bin/env python3
# Computes the expected results of the carried Wikipedia day by brute force, apart from the engine.
"""Usage: tools/expected_wikipedia.py [--check] [FOLDER]

Writes data/wikipedia-edits/expected/ (or FOLDER); with --check compares it and exits 1 if a file
differs.
The rules of each file stand in data/wikipedia-edits/README.md.
"""
import collections
import csv
import datetime
import gzip
import hashlib
import io
import json
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent.parent / "data" / "wikipedia-edits"
DATA = HERE / "wikiticker-2015-09-12-sampled.json.gz"
SHA256 = "7257469b475fb6576328acbc911351b21c896322a96925aec3692427437104e1"
MINUTE = 60_000
HOUR = 60 * MINUTE
KINDS = {"people": 20025, "anonymous": 3799, "robots": 15420}


def text_key(*columns):
    """Orders texts as UTF-8 bytes, column by column."""
    return tuple(column.encode() for column in columns)


def kind_of(edit):
    if edit["isRobot"]:
        if edit["isAnonymous"]:
            raise SystemExit("an edit is both robot and anonymous: the kinds are not disjoint")
        return "robots"
    return "anonymous" if edit["isAnonymous"] else "people"


def read_edits():
    packed = DATA.read_bytes()
    if hashlib.sha256(packed).hexdigest() != SHA256:
        raise SystemExit(f"{DATA} is not the file that was published: its sha256 differs")
    edits = []
    epoch = datetime.datetime(1970, 1, 1)
    for line in gzip.decompress(packed).decode().splitlines():
        edit = json.loads(line)
        stamp = datetime.datetime.strptime(edit["time"], "%Y-%m-%dT%H:%M:%S.%fZ")
        edit["ts"] = (stamp - epoch) // datetime.timedelta(milliseconds=1)
        edit["kind"] = kind_of(edit)
        edits.append(edit)
    counts = collections.Counter(edit["kind"] for edit in edits)
    if counts != KINDS:
        raise SystemExit(f"kinds are {dict(counts)}, expected {KINDS}")
    return edits


def tumbling(ts, size):
    return ts // size * size


def sliding(ts, size, slide):
    """Every start s, a multiple of slide, with s <= ts < s + size, ascending."""
    start = ts // slide * slide
    return [s for s in range(start - size, start + slide, slide) if s <= ts < s + size]


def totals_by_channel(edits):
    counts = collections.Counter(edit["channel"] for edit in edits)
    yield ["channel", "edits"]
    for channel, count in sorted(counts.items(), key=lambda x: (-x[1], text_key(x[0]))):
        yield [channel, count]


def top20_channels_5m(edits):
    windows = collections.defaultdict(lambda: collections.defaultdict(lambda: [0, 0, 0]))
    for edit in edits:
        row = windows[tumbling(edit["ts"], 5 * MINUTE)][edit["channel"]]
        row[0] += 1
        row[1] += edit["added"]
        row[2] += edit["deleted"]
    yield ["window_start_ms", "rank", "channel", "edits", "added", "deleted"]
    for start, rows in sorted(windows.items()):
        best = sorted(rows.items(), key=lambda x: (-x[1][0], text_key(x[0])))[:20]
        for rank, (channel, row) in enumerate(best, 1):
            yield [start, rank, channel, *row]


def top10_pages_1h(edits):
    windows = collections.defaultdict(collections.Counter)
    for edit in edits:
        windows[tumbling(edit["ts"], HOUR)][(edit["channel"], edit["page"])] += 1
    yield ["window_start_ms", "rank", "channel", "page", "edits"]
    for start, rows in sorted(windows.items()):
        best = sorted(rows.items(), key=lambda x: (-x[1], text_key(*x[0])))[:10]
        for rank, ((channel, page), count) in enumerate(best, 1):
            yield [start, rank, channel, page, count]


def alerts_big_removal(edits):
    yield ["ts_ms", "channel", "page", "user", "delta"]
    for edit in edits:
        if edit["isAnonymous"] and edit["delta"] <= -200:
            yield [edit[name] for name in ("ts", "channel", "page", "user", "delta")]


def trending_pages_6h_15m(edits):
    windows = collections.defaultdict(collections.Counter)
    for edit in edits:
        if edit["kind"] == "robots" or edit["namespace"] != "Main":
            continue
        for start in sliding(edit["ts"], 6 * HOUR, 15 * MINUTE):
            windows[start][edit["page"]] += 1
    yield ["window_start_ms", "rank", "page", "edits"]
    for start, rows in sorted(windows.items()):
        best = sorted(rows.items(), key=lambda x: (-x[1], text_key(x[0])))[:10]
        for rank, (page, count) in enumerate(best, 1):
            yield [start, rank, page, count]


def busiest_wikis_60m_5m(edits):
    windows = collections.Counter()
    for edit in edits:
        for start in sliding(edit["ts"], HOUR, 5 * MINUTE):
            windows[(start, edit["channel"], edit["kind"])] += 1
    yield ["window_start_ms", "channel", "kind", "edits"]
    order = lambda x: (x[0][0], *text_key(x[0][1], x[0][2]))  # noqa: E731
    for (start, channel, kind), count in sorted(windows.items(), key=order):
        yield [start, channel, kind, count]


FILES = {
    "totals_by_channel.csv": totals_by_channel,
    "top20_channels_5m.csv": top20_channels_5m,
    "top10_pages_1h.csv": top10_pages_1h,
    "alerts_big_removal.csv": alerts_big_removal,
    "trending_pages_6h_15m.csv": trending_pages_6h_15m,
    "busiest_wikis_60m_5m.csv.gz": busiest_wikis_60m_5m,
}


def render(rows):
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue().encode()


def main(arguments):
    check = "--check" in arguments
    folders = [argument for argument in arguments if argument != "--check"]
    folder = pathlib.Path(folders[0]) if folders else HERE / "expected"
    folder.mkdir(parents=True, exist_ok=True)
    edits = read_edits()
    wrong = 0
    for name, compute in FILES.items():
        content = render(compute(edits))
        path = folder / name
        packed = name.endswith(".gz")
        if check:
            held = path.read_bytes() if path.exists() else b""
            same = (gzip.decompress(held) if packed and held else held) == content
            wrong += not same
            print(f"{name}: {'same' if same else 'DIFFERS'}")
        else:
            path.write_bytes(gzip.compress(content, 9, mtime=0) if packed else content)
            print(f"{name}: {content.count(10) - 1} rows")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
