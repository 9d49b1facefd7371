# R5 of the journal: one flipped bit or one cut file, found by verify, and never served as a record.
import os
import pathlib
import random
import tempfile

from journal_oracle import DAMAGED, TOPIC, Journal, make_inputs

PARTITIONS = 2
NAMES = ("a", "b")


def make_journal(folder, seed, unsafe):
    """A journal with sealed and active segments, indexes and decided transactions; closed."""
    journal = Journal(pathlib.Path(folder) / "j", unsafe)
    for one in make_inputs(seed, NAMES, 150, PARTITIONS):
        path = pathlib.Path(folder) / one.name
        path.write_bytes(one.text)
        words = ("--partitions", PARTITIONS, "--segment-bytes", "4K", path)
        done = journal.execute(journal.produce(*words))
        assert done.returncode == 0, done.stderr
    lines = pathlib.Path(folder) / "lines"
    lines.write_text("k=of one\nl=transaction\n" * 20)
    done = journal.run("produce", TOPIC, "--key-separator", "=", "--transaction", lines)
    assert done.returncode == 0, done.stderr
    return journal


def files_of(journal):
    """All but the lock, which holds nothing; larger ones more often."""
    paths = [path for path in sorted(journal.folder.rglob("*")) if path.is_file()]
    return [path for path in paths if path.stat().st_size > 0]


def served_wrongly(journal, clean):
    """What consume gives must be what was there, as far as it goes, and an error where it ends."""
    served, code = journal.served()
    for partition, records in served.items():
        if records != clean[partition][:len(records)]:
            return [f"served: partition {partition} differs from what was written"]
    whole = sum(map(len, served.values())) == sum(map(len, clean.values()))
    if code not in (0, DAMAGED) or (code == 0 and not whole):
        return [f"served: consume ended with {code} and {'all' if whole else 'a part'}"]
    return []


def unseen(journal, path, at):
    """What verify says must name the file, and in a segment a byte that is not behind the damage.

    The small files have one checksum each, so that any of their bytes stands for all.
    """
    done = journal.run("verify")
    said = done.stderr.decode(errors="replace")
    if done.returncode != DAMAGED:
        return [f"unseen: verify ended with {done.returncode}"]
    mark = f'"{path}" is damaged at byte '
    if mark not in said:
        return [f"unnamed: verify said {said[:300]!r}"]
    named = int(said.split(mark, 1)[1].split(":", 1)[0])
    last = at if path.suffix == ".log" else path.stat().st_size
    return [f"unnamed: verify named byte {named}"] if named > last else []


def harm(content, chance, cuts):
    """The content with one bit flipped, or cut; and where."""
    if cuts:
        at = chance.randrange(len(content))
        return content[:at], at
    at = chance.randrange(len(content))
    changed = bytearray(content)
    changed[at] ^= 1 << chance.randrange(8)
    return bytes(changed), at


def damage(seed, count, unsafe=""):
    """`count` damages, one at a time, of which every 11th cuts; what was not found, or served."""
    chance = random.Random(seed)
    wrong = []
    with tempfile.TemporaryDirectory(prefix="millrace-rig-") as folder:
        journal = make_journal(folder, seed, unsafe)
        clean, code = journal.served()
        assert code == 0 and journal.run("verify").returncode == 0
        paths = files_of(journal)
        weights = [50 + path.stat().st_size for path in paths]
        for turn in range(count):
            cuts = turn % 11 == 10
            path = chance.choices(paths, weights)[0]
            content = path.read_bytes()
            changed, at = harm(content, chance, cuts)
            path.write_bytes(changed)
            here = f"{os.path.relpath(path, journal.folder)} {'cut' if cuts else 'flipped'} at {at}"
            found = unseen(journal, path, at) + served_wrongly(journal, clean)
            wrong += [f"{here}: {one}" for one in found]
            path.write_bytes(content)
    return count, wrong, []

