# Places as a person meets them: patterns, logs that grow, sockets and commands.
import os
import resource
import shutil
import signal
import socket
import subprocess
import time
import unittest
from pathlib import Path

from harness import PATIENCE_S, SLOWNESS, CliTest


def eventually(condition, what):
    """Waits until condition() holds."""
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.01)


def connect(client, address):
    """Connects as soon as somebody listens: the path is there a moment before."""
    eventually(lambda: client.connect_ex(str(address)) == 0, "nobody listens")


class Ends(CliTest):
    def copy(self, source, *flags, code=0, **more):
        return self.run_program("ends", source, "-", "--ui", "off", *flags, code=code, **more)

    def start_ends(self, source, target):
        return self.start("ends", source, target, "--ui", "off")

    def lines_of(self, path, wanted):
        eventually(lambda: path.exists() and len(path.read_bytes().splitlines()) >= wanted,
                   f"{path} has not {wanted} lines")
        return path.read_text().splitlines()


class Files(Ends):
    def test_pattern(self):
        for name in ("b.txt", "a.txt", "c.log"):
            self.file(name, f"{name}\n")
        out, _ = self.copy(self.folder / "*.txt")
        self.assertEqual(sorted(out.split()), ["a.txt", "b.txt"])
        _, err = self.copy(self.folder / "*.none", code=66)
        self.assert_error(err, 4001, "*.none", "matches no file", "check the folder")

    @unittest.skipUnless(shutil.which("zstd"), "there is no zstd here")
    def test_zstd(self):
        path = self.file("a.txt", "line\n" * 1000)
        subprocess.run(["zstd", "-q", path, "-o", f"{path}.zst"], check=True)
        self.assertEqual(self.copy(f"{path}.zst")[0], "line\n" * 1000)
        packed = self.file("cut.zst", (self.folder / "a.txt.zst").read_bytes()[:-3])
        self.assert_error(self.copy(packed, code=65)[1], 4004, packed, "zstd -t")

    def test_same_place_twice(self):
        path = self.file("a.txt", "line\n")
        _, err = self.run_program("ends", path, path, "--ui", "off", code=78)
        self.assert_error(err, 2010, path, "reads", "a place of its own")
        self.assertEqual(path.read_text(), "line\n")

    def test_a_full_file_system(self):
        path, out = self.file("a.txt", "0123456789\n" * 100_000), self.folder / "out.txt"

        def limit():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))

        _, err = self.run_program("ends", path, out, "--ui", "off", code=74, preexec_fn=limit)
        self.assert_error(err, 4002, out, "File too large", "records were written before")
        self.assertEqual(out.stat().st_size, 200_000)

    def test_follow_through_a_rotation(self):
        path, out = self.file("app.log", "1\n"), self.folder / "out.txt"
        process = self.start_ends(f"follow:{path}", out)
        self.lines_of(out, 1)
        with open(path, "a") as late:
            os.rename(path, f"{path}.1")
            self.file("app.log", "4444\n")
            for line in ("2\n", "3\n"):
                late.write(line)
                late.flush()
        self.assertEqual(self.lines_of(out, 4), ["1", "2", "3", "4444"])
        self.file("app.log", "5\n")  # emptied in place, and shorter than before
        self.lines_of(out, 5)
        self.interrupt(process)
        self.assertEqual(out.read_text().split(), ["1", "2", "3", "4444", "5"])


class Sockets(Ends):
    def test_many_clients_that_come_and_go(self):
        address, out = str(self.folder / "socket"), self.folder / "out.txt"
        process = self.start_ends(f"listen:unix:{address}", out)
        clients = []
        for number in range(20):
            client = socket.socket(socket.AF_UNIX)
            self.addCleanup(client.close)
            connect(client, address)
            client.sendall(b"begin-%d " % number)
            clients.append(client)
        for client in clients:
            client.sendall(b"end\nlast")
            client.close()
        self.assertEqual(sorted(self.lines_of(out, 40)),
                         sorted([f"begin-{n} end" for n in range(20)] + ["last"] * 20))
        self.interrupt(process)
        self.assertFalse(os.path.exists(address))

    def test_each_client_of_csv_has_its_own_header(self):
        address, out = str(self.folder / "socket"), self.folder / "out.csv"
        process = self.start("columns", f"listen:unix:{address}", out, "--ui", "off")
        for content in (b"name,times,at\na,1,2024-01-01\n", b"at,times,name\n2024-01-02,2,b\n"):
            with socket.socket(socket.AF_UNIX) as client:
                connect(client, address)
                client.sendall(content)
        self.assertEqual(sorted(self.lines_of(out, 3)), ["a,1,,2024-01-01T00:00:00Z",
                                                         "b,2,,2024-01-02T00:00:00Z",
                                                         "name,times,price,at"])
        self.interrupt(process)

    def test_a_client_of_a_server_over_tcp(self):
        server = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(server.close)
        process = self.start_ends(f"connect:127.0.0.1:{server.getsockname()[1]}", "-")
        peer, _ = server.accept()
        peer.sendall(b"a\nb\n")
        peer.close()
        out, err = process.communicate(timeout=PATIENCE_S)
        self.assertEqual((out, process.returncode), (b"a\nb\n", 0), err)

    def test_a_server_of_lines(self):
        address = str(self.folder / "socket")
        process = self.start("ends", "-", f"listen:unix:{address}", "--ui", "off",
                             stdin=subprocess.PIPE)
        readers = [socket.socket(socket.AF_UNIX) for _ in range(2)]
        for reader in readers:
            self.addCleanup(reader.close)
            reader.settimeout(PATIENCE_S)
            connect(reader, address)
        process.stdin.write(b"line\n")
        process.stdin.close()
        process.stdin = None
        for reader in readers:
            self.assertEqual(reader.makefile("rb").read(), b"line\n")
        self.assertEqual(process.wait(PATIENCE_S), 0)

    def test_nobody_listens(self):
        _, err = self.copy(f"connect:unix:{self.folder / 'none'}", code=66)
        self.assert_error(err, 4001, "none", "start the program that listens there")
        _, err = self.copy("connect:nonsense", code=66)
        self.assert_error(err, 4001, "nonsense", "HOST:PORT")
        for port in ("65536", "99999", "-1", "1e3"):
            for place in ("connect", "listen"):
                _, err = self.copy(f"{place}:127.0.0.1:{port}", code=66)
                self.assert_error(err, 4001, f'"{port}" is no port', "from 1 to 65535")
        _, err = self.copy("listen:192.0.2.1:9000", code=66)
        self.assert_error(err, 4001, "192.0.2.1", "an address of this machine")
        _, err = self.copy(f"listen:unix:{self.folder}/none/socket", code=66)
        self.assert_error(err, 4001, "none/socket", "make the folder first")
        path = self.file("a.txt", "line\n")
        _, err = self.run_program("ends", path, f"connect:unix:{self.folder / 'none'}", "--ui",
                                  "off", code=73)
        self.assert_error(err, 4002, "none", "start the program")


class Commands(Ends):
    def test_in_and_out(self):
        out = self.folder / "out.txt"
        self.run_program("ends", "exec:seq 5; echo noise >&2", f"exec:tac > {out}", "--ui", "off")
        self.assertEqual(out.read_text().split(), ["5", "4", "3", "2", "1"])

    def test_its_exit_code_counts(self):
        out, err = self.copy("exec:echo a; echo why >&2; exit 3", code=66)
        self.assertEqual(out, "a\n")
        self.assertIn("why", err)
        self.assert_error(err, 4001, "exit code 3")
        path = self.file("a.txt", "line\n")
        _, err = self.run_program("ends", path, "exec:cat >/dev/null; exit 4", "--ui", "off",
                                  code=74)
        self.assert_error(err, 4002, "exit code 4")

    def test_ctrl_c_ends_the_command_too(self):
        marker, out = self.folder / "ended", self.folder / "out.txt"
        command = f"trap 'touch {marker}; exit' TERM; echo up; while :; do sleep 0.05; done"
        process = self.start_ends(f"exec:{command}", out)
        self.lines_of(out, 1)
        self.interrupt(process, seconds=PATIENCE_S)
        self.assertTrue(marker.exists())

    def test_ctrl_c_ends_a_run_whose_command_does_not_read(self):
        started = self.folder / "started"
        process = self.start_ends(self.many_lines(), f"exec:touch {started}; exec sleep 1000")
        eventually(started.exists, "the command does not start")
        self.interrupt_stuck(process, "sleep 1000", "nobody reads it")

    def test_ctrl_c_ends_a_run_whose_command_does_not_end(self):
        started = self.folder / "started"
        process = self.start_ends("-", f"exec:touch {started}; cat >/dev/null; exec sleep 1000")
        eventually(started.exists, "the command does not start")
        self.interrupt_stuck(process, "sleep 1000", "it must end when its input does")

    def test_ctrl_c_ends_a_run_whose_peer_does_not_read(self):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            address = f"127.0.0.1:{listener.getsockname()[1]}"
            process = self.start_ends(self.many_lines(), f"connect:{address}")
            peer, _ = listener.accept()
            with peer:
                self.interrupt_stuck(process, address, "nobody reads it")

    def many_lines(self):
        return self.file("lines", "a line that somebody should read\n" * 500_000)

    def interrupt_stuck(self, process, *parts):
        seen = []

        def reads_no_more():
            seen.append(Path(f"/proc/{process.pid}/io").read_text().split()[1])
            return len(seen) > 20 and len(set(seen[-20:])) == 1

        eventually(reads_no_more, "its output never stands still")
        process.send_signal(signal.SIGINT)
        sent = time.monotonic()
        _, err = process.communicate(timeout=PATIENCE_S)
        took = time.monotonic() - sent
        self.assertEqual(process.returncode, 74, err.decode())
        self.assert_error(err.decode(), 4002, *parts)
        self.assertLess(took, 1.0 * SLOWNESS, "Ctrl-C took too long")

    def test_a_pipe_that_ends(self):
        process = self.start("ends", "-", "-", "--ui", "off", stdin=subprocess.PIPE)
        out, err = process.communicate(b"a\nb", timeout=PATIENCE_S)
        self.assertEqual((out, process.returncode), (b"a\nb\n", 0), err)


if __name__ == "__main__":
    unittest.main()
