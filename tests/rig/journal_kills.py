# R1 of the journal: several producers, killed at random moments, and started on the same inputs.
import collections
import contextlib
import pathlib
import random
import signal
import tempfile

from journal_oracle import REFUSED, Feeder, Follower, Journal, Life, Oracle, make_inputs

PARTITIONS = 3
NAMES = ("a", "b", "c")
LINES = 20_000


def one_life(journal, inputs, pipes, chance, oracle):
    """Starts, kills at a random moment of recovery or work; says what was wrong with it."""
    before = collections.Counter(oracle.acknowledged.values())
    feeders = [Feeder(path, one.text, chance, len(one.text) * before[one.name] // LINES)
               for path, one in zip(pipes, inputs)]
    mode = chance.choice(("sync", "async"))  # a kill takes nothing in either
    life = Life(journal.produce("--acks", "--partitions", PARTITIONS, "--segment-bytes", "64K",
                                "--mode", mode, *pipes))
    if chance.random() < 0.3:
        life.reader.join(chance.random() * 0.03)  # while it recovers
    else:
        life.wait_for_acks(chance.randrange(1, 300),
                           lambda: all(feeder.ended() for feeder in feeders))
    code, said = life.kill()
    for feeder in feeders:
        feeder.stop()
    oracle.note(life.acks)
    wrong = [] if code == -signal.SIGKILL else [f"it ended by itself with {code}: {said}"]
    return wrong, life.first_ack_s


def kills(seed, count, unsafe=""):
    """`count` kills; the anomalies, and the times from start to the first acknowledgement."""
    chance = random.Random(seed)
    inputs = make_inputs(seed, NAMES, LINES, PARTITIONS)
    oracle = Oracle(inputs)
    restarts_s = []
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="millrace-rig-"))
        journal = Journal(pathlib.Path(folder) / "j", unsafe)
        pipes = [pathlib.Path(folder) / name for name in NAMES]
        follower = None
        for turn in range(count):
            wrong, first_ack_s = one_life(journal, inputs, pipes, chance, oracle)
            if first_ack_s is not None:
                restarts_s.append(first_ack_s)
            if follower is None and oracle.acknowledged:
                follower = Follower(journal)
                stack.callback(follower.stop)
            if not wrong and (turn % 8 == 7 or turn == count - 1):
                wrong = check(journal, oracle)
            if wrong:
                return turn + 1, [f"after kill {turn + 1}: {one}" for one in wrong], restarts_s
        return count, finish(journal, inputs, oracle, follower), restarts_s


def check(journal, oracle):
    """What a reader sees before anybody has recovered."""
    served, code = journal.served()
    if code == 66 and not oracle.acknowledged:
        return []  # killed before the topic was made
    return [f"consume ended with {code}"] if code else oracle.anomalies(served)


def finish(journal, inputs, oracle, follower):
    """The inputs whole, as files under the names of the pipes: all is there, once, in order."""
    files = [journal.folder.with_name(one.name) for one in inputs]
    for path, one in zip(files, inputs):
        path.unlink(missing_ok=True)
        path.write_bytes(one.text)
    done = journal.execute(journal.produce("--partitions", PARTITIONS, *files))
    if done.returncode:
        return [f"the last run ended with {done.returncode}: {done.stderr.decode()}"]
    served, code = journal.served()
    wrong = oracle.anomalies(served, complete=True)
    if follower is not None:
        wrong += follower.anomalies(served)
    verified = journal.run("verify")
    if code or verified.returncode:
        wrong.append(f"consume {code}, verify {verified.returncode}: {verified.stderr.decode()}")
    return wrong


def fence(seed, _count=1, unsafe=""):
    """A process that was stopped and goes on: nobody may have written meanwhile."""
    inputs = make_inputs(seed, NAMES[:2], 300, 1)
    oracle = Oracle(inputs)
    with tempfile.TemporaryDirectory(prefix="millrace-rig-") as folder:
        journal = Journal(pathlib.Path(folder) / "j", unsafe)
        pipe = pathlib.Path(folder) / "a"
        second = pathlib.Path(folder) / "b"
        second.write_bytes(inputs[1].text)
        some = inputs[0].text.index(b"\n", 5000) + 1
        feeder = Feeder(pipe, inputs[0].text[:some], random.Random(seed))
        life = Life(journal.produce("--acks", pipe))
        life.wait_for_acks(10)
        life.process.send_signal(signal.SIGSTOP)
        other = Life(journal.produce("--acks", second))
        code, said = other.end()
        feeder.stop()
        life.process.send_signal(signal.SIGCONT)
        ended, complaint = life.end()
        oracle.note(life.acks)
        oracle.note(other.acks)
        wrong = []
        if code != REFUSED or "another process writes there" not in said:
            wrong.append(f"two-writers: the second one ended with {code}")
        if ended:
            wrong.append(f"the first one ended with {ended}: {complaint}")
        served, read = journal.served()
        if read:
            wrong.append(f"consume ended with {read}")
        return 1, wrong + oracle.anomalies(served), []
