# R4 of the journal: what a loss of power may leave, rebuilt from the system calls of a real run.
"""strace records every write, sync and change of names of one `produce`. From the record come
images of the disk: at a random moment, what was synced is there, and of the rest any part. Each
sector of a write survives or not, and of the changes of names in a folder the first few.
Acknowledgements are in the same record, so an image knows what had been promised by then.
"""
import dataclasses
import pathlib
import random
import re
import shutil
import tempfile

from journal_oracle import (TOPIC, TRACED_PARTITIONS, Journal, Oracle, after_fault, make_inputs,
                            run_traced, strace)

SECTOR = 512
CALLS = "openat,pwrite64,ftruncate,fdatasync,fsync,rename,unlink,mkdir,write"
LINE = re.compile(r"^\d+ +(\w+)\((.*)\) += (\d+)(.*)$")
BEGUN = re.compile(r"^(\d+) +((\w+)\(.*) <unfinished \.\.\.>$")
RESUMED = re.compile(r"^(\d+) +<\.\.\. \w+ resumed>(.*)$")
FD = re.compile(r"^(\d+)<([^>]*)>")
TEXT = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')


def bytes_of(text):
    return bytes.fromhex(text.replace("\\x", "")) if text.startswith("\\x") else text.encode()


@dataclasses.dataclass
class Event:
    call: str
    path: str = ""
    other: str = ""
    at: int = 0
    data: bytes = b""
    thread: str = ""  # of a sync while which others did something


def event_of(line):
    """An event of the record that matters; None for others, and for calls that failed."""
    matched = LINE.match(line)
    if not matched:
        return None
    call, words, result, opened = matched.groups()
    texts = [bytes_of(text) for text in TEXT.findall(words)]
    fd = FD.match(words)
    path = bytes_of(fd.group(2)).decode() if fd else ""
    if call == "openat":
        made = FD.match(result + opened)
        return Event("make", bytes_of(made.group(2)).decode()) if "O_CREAT" in words else None
    if call == "write":
        return Event({"1": "ack", "2": "told"}.get(fd.group(1), "other"), data=texts[0])
    if call == "pwrite64":
        return Event("write", path, at=int(words.rsplit(", ", 1)[1]), data=texts[0][:int(result)])
    if call == "ftruncate":
        return Event("cut", path, at=int(words.rsplit(", ", 1)[1]))
    if call in ("rename", "unlink", "mkdir"):
        names = [text.decode() for text in texts]
        return Event(call, *names)
    return Event("sync", path)


class File:
    """As the device has it, and what of it is not synced."""

    def __init__(self):
        self.device = bytearray()
        self.unsynced = []

    @staticmethod
    def put(content, at, data):
        content.extend(bytes(max(0, at - len(content))))
        content[at:at + len(data)] = data

    def apply(self, content, event, chance):
        if event.call == "cut":
            if chance is None or chance.random() < 0.5:
                del content[event.at:]
            return
        for start in range(0, len(event.data), SECTOR):
            if chance is None or chance.random() < 0.5:
                self.put(content, event.at + start, event.data[start:start + SECTOR])

    def sync(self, covered=None):
        """`covered`: what was written before the sync began, or all."""
        done = self.unsynced if covered is None else covered
        for event in done:
            self.apply(self.device, event, None)
        gone = set(map(id, done))
        self.unsynced = [event for event in self.unsynced if id(event) not in gone]

    def survivor(self, chance):
        content = bytearray(self.device)
        lucky = chance.random() if chance else 0
        for event in self.unsynced:
            self.apply(content, event, None if lucky < 0.2 else chance)
        return bytes(content)


class Disk:
    """Names and files, as far as the events have come."""

    def __init__(self, root):
        self.root = root
        self.names = {}  # now: path to File, or None for a folder
        self.device = {}  # the same, as synced
        self.unsynced = {}  # by folder: changes, each a list of (path, File or None or False)
        self.begun = {}  # by thread: what a sync covers that has begun and not ended

    def change(self, *changes):
        folder = str(pathlib.PurePath(changes[0][0]).parent)
        self.unsynced.setdefault(folder, []).append(changes)
        self.settle(self.names, changes)

    @staticmethod
    def settle(names, changes):
        for path, node in changes:
            if node is False:
                names.pop(path, None)
            else:
                names[path] = node

    def play(self, event):
        if not event.path.startswith(self.root):
            return
        if event.call == "make" and event.path not in self.names:
            self.change((event.path, File()))
        elif event.call == "make":
            # Opened to be written anew: O_TRUNC, or the lock, which is empty.
            self.names[event.path].unsynced.append(Event("cut", event.path))
        elif event.call == "mkdir" and event.path not in self.names:
            self.change((event.path, None))
        elif event.call == "rename":
            self.change((event.path, False), (event.other, self.names[event.path]))
        elif event.call == "unlink":
            self.change((event.path, False))
        elif event.call in ("write", "cut"):
            self.names[event.path].unsynced.append(event)
        elif event.call == "sync begins":
            file = self.names.get(event.path)
            self.begun[event.thread] = list(file.unsynced if file else
                                            self.unsynced.get(event.path, []))
        elif event.call == "sync" and self.names.get(event.path):
            self.names[event.path].sync(self.begun.pop(event.thread, None))
        elif event.call == "sync":
            self.sync_names(event.path, self.begun.pop(event.thread, None))

    def sync_names(self, folder, covered):
        all_changes = self.unsynced.pop(folder, [])
        count = len(all_changes if covered is None else covered)
        for changes in all_changes[:count]:
            self.settle(self.device, changes)
        self.unsynced[folder] = all_changes[count:]

    def image(self, target, chance=None):
        """Writes what a loss of power leaves now; without `chance` what everybody sees now."""
        names = dict(self.device if chance else self.names)
        for folder, all_changes in self.unsynced.items() if chance else ():
            for changes in all_changes[:chance.randrange(len(all_changes) + 1)]:
                self.settle(names, changes)
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir()
        for path in sorted(names):
            place = target / pathlib.PurePath(path).relative_to(self.root)
            if not place.parent.is_dir() or path == self.root:
                continue  # its folder's name did not survive
            if names[path] is None:
                place.mkdir(exist_ok=True)
            else:
                place.write_bytes(names[path].survivor(chance))


def strace_to(trace):
    return strace("-y", "-xx", "-s", "1000000", "-e", f"trace={CALLS}", "-o", trace)


def events_in(trace):
    return list(filter(None, map(event_of, trace.read_text().splitlines())))


def threads_events_in(trace):
    """The same of a process with several threads, whose calls lie in each other.

    A call counts when it ends; what a sync covers was there when it began.
    """
    begun = {}
    for line in trace.read_text().splitlines():
        if found := BEGUN.match(line):
            thread, words, call = found.groups()
            begun[thread] = f"{thread} {words}"
            if call in ("fsync", "fdatasync"):
                path = bytes_of(FD.match(words.split("(", 1)[1]).group(2)).decode()
                yield Event("sync begins", path, thread=thread)
        elif found := RESUMED.match(line):
            thread, rest = found.groups()
            event = event_of(begun.pop(thread, "") + rest)
            if event and event.call == "sync":
                event.thread = thread
            if event:
                yield event
        elif event := event_of(line):
            yield event


def whole_acks(said, name):
    """The acknowledgements in what was printed; the last line may still be on its way."""
    lines = (line.split(b" ") for line in said[:said.rfind(b"\n") + 1].splitlines())
    return [(int(words[0]), int(words[1]), name) for words in lines]


def at_moments(journal, events, count, chance):
    """Makes an image at each of `count` moments; gives (where, what had happened).

    Some come after the end, when everything had been promised.
    """
    disk = Disk(str(journal.folder))
    journal.folder = journal.folder.with_name("image")
    at = 0
    moments = [chance.randrange(len(events) + 1) if turn % 8 else len(events)
               for turn in range(count)]
    for moment in sorted(moments):
        for event in events[at:moment]:
            disk.play(event)
        at = moment
        disk.image(journal.folder, chance)
        yield f"power lost at event {moment} of {len(events)}", events[:moment]


def power(seed, count, unsafe=""):
    """`count` images of one run; what was wrong with each."""
    chance = random.Random(seed)
    wrong = []
    with tempfile.TemporaryDirectory(prefix="millrace-rig-") as folder:
        one = make_inputs(seed, ("a",), 1500, TRACED_PARTITIONS)[0]
        path = pathlib.Path(folder) / one.name
        trace = pathlib.Path(folder) / "trace"
        journal = Journal(pathlib.Path(folder) / "j", unsafe)
        _, code, said = run_traced(journal, path, one, chance, strace_to(trace))
        assert code == 0, said
        oracle = Oracle([one])
        for where, before in at_moments(journal, events_in(trace), count, chance):
            acks = b"".join(event.data for event in before if event.call == "ack")
            oracle.note(whole_acks(acks, one.name))
            wrong += [f"{where}: {found}" for found in after_fault(journal, oracle, path)]
    return count, wrong, []


def atomic(seed, count, unsafe=""):
    """The same of a run that is one transaction: all of it, or nothing."""
    chance = random.Random(seed)
    wrong = []
    with tempfile.TemporaryDirectory(prefix="millrace-rig-") as folder:
        one = make_inputs(seed, ("a",), 9000, TRACED_PARTITIONS)[0]
        path = pathlib.Path(folder) / one.name
        path.write_bytes(one.text)
        trace = pathlib.Path(folder) / "trace"
        journal = Journal(pathlib.Path(folder) / "j", unsafe)
        done = journal.execute((*strace_to(trace), *journal.command(
            "produce", TOPIC, "--key-separator", "=", "--partitions", TRACED_PARTITIONS,
            "--transaction", "--segment-bytes", "64K", path)))
        assert done.returncode == 0, done.stderr
        for where, before in at_moments(journal, events_in(trace), count, chance):
            told = any(event.call == "told" and b"appended" in event.data for event in before)
            wrong += [f"{where}: {found}" for found in torn(journal, Oracle([one]), told)]
    return count, wrong, []


def torn(journal, oracle, told):
    """What is wrong with the image of a transaction; `told`: its producer knew of the commit."""
    opened = journal.run("produce", TOPIC, "--partitions", TRACED_PARTITIONS)
    if opened.returncode:
        return [f"{'lost-write: ' if told else ''}unopened: {opened.stderr.decode()}"]
    served, code = journal.served()
    wrong = [f"consume ended with {code}"] if code else []
    found = oracle.anomalies(served, complete=True)
    if told and found:
        wrong.append(f"lost-write: the transaction was committed, and now: {found[0]}")
    if not told and served and found:
        wrong.append(f"torn-transaction: {found[0]}")
    verified = journal.run("verify")
    if verified.returncode:
        wrong.append(f"verify {verified.returncode}: {verified.stderr.decode()}")
    return wrong
