#!/usr/bin/env python3
"""The queue beside BullMQ, all in one run, on the same disk and the same two cores, durable on both sides.

Prints a table: the goal, our figure, the peer's, their ratio, and whether the goal is reached. Medians.
"""
import argparse
import base64
import contextlib
import hashlib
import hmac
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time

from table import Table, median, say

HERE = pathlib.Path(__file__).parent / "queue"
SECRET = "the secret of a benchmark, 32 bytes"
USERS = 1000
PEERS = {"always": "BullMQ, fsync always", "everysec": "BullMQ, fsync each second", "few": "10,000 jobs"}
IN_MEMORY = ("tmpfs", "ramfs")
BYTES_A_JOB = 1500  # of the large database, on disk

# What can be set on either side: the best of a first try is what is measured. Arguments of the program, by its mode.
ENQUEUE, ONE = ["enqueue"], ["enqueue", "--in-flight", "1"]
BULK, NOOP, PROGRESS = ["bulk"], ["noop"], ["progress"]
TUNINGS = {
    "rushes": {"noop": [["--claimers", "2"], ["--claimers", "4"], ["--claimers", "2", "--in-flight", "200"]]},
    "bullmq": {"noop": [["--in-flight", "50"], ["--in-flight", "100"], ["--in-flight", "200"]]},
}


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def token(claims):
    def text(part):
        return base64.urlsafe_b64encode(part).rstrip(b"=")

    claims = {"exp": int(time.time()) + 86400} | claims
    signed = text(b'{"alg":"HS256","typ":"JWT"}') + b"." + text(json.dumps(claims).encode())
    return (signed + b"." + text(hmac.digest(SECRET.encode(), signed, hashlib.sha256))).decode()


def run(*command, timeout=600, **options):
    """The one line of JSON that the program prints. What it says on the way is shown where it takes long."""
    done = subprocess.run([str(part) for part in command], stdout=subprocess.PIPE, text=True, timeout=timeout,
                          stderr=options.pop("stderr", subprocess.PIPE), **options)
    if done.returncode != 0:
        raise RuntimeError(f"{pathlib.Path(command[0]).name} {command[1]}: {done.stderr or ''}")
    return done.stdout


@contextlib.contextmanager
def started(*command, is_ready, **options):
    """A program, from the moment it is ready to the end of the block."""
    process = subprocess.Popen([str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                               text=True, **options)
    try:
        yield is_ready(process)
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def first_line(process):
    line = process.stdout.readline()
    if not line:
        raise RuntimeError(f"{process.args[0]} did not start")
    return line.strip()


class Bench:
    def __init__(self, binaries, folder, quick, body, flat_jobs):
        self.binaries = binaries
        self.folder = folder
        self.body = body
        self.quick = quick
        self.flat_jobs = flat_jobs
        self.rounds = 1 if quick else 3
        self.seconds = 1 if quick else 3
        self.load = ["--seconds", self.seconds, "--body", body]
        self.figures = {}

    @contextlib.contextmanager
    def scratch(self):
        with tempfile.TemporaryDirectory(dir=self.folder) as name:
            yield pathlib.Path(name)

    @contextlib.contextmanager
    def redis(self, fsync):
        def answers(process):
            for _ in range(100):
                with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)) as client:
                    client.sendall(b"PING\r\n")
                    if client.recv(100).startswith(b"+PONG"):
                        return port
                if process.poll() is not None:
                    break
                time.sleep(0.05)
            raise RuntimeError("redis-server did not start")

        port = free_port()
        with self.scratch() as folder, started(
                "redis-server", "--port", port, "--bind", "127.0.0.1", "--dir", folder, "--save", "", "--appendonly",
                "yes", "--appendfsync", fsync, "--auto-aof-rewrite-percentage", "0", "--maxmemory-policy",
                "noeviction", is_ready=answers) as ready:
            yield ready

    def store(self, arguments):
        with self.scratch() as folder:
            return json.loads(run(self.binaries / "store_bench", "--folder", folder, *self.load, *arguments))

    def bullmq(self, fsync, arguments):
        with self.redis(fsync) as port:
            return json.loads(run("node", HERE / "peers/bullmq.mjs", "--port", port, *self.load, *arguments))

    def tuned(self, side, arguments, once):
        """The arguments with the settings that are best for them here."""
        tried = []
        for tuning in TUNINGS[side].get(arguments[0], []):
            say(f"tuning {side} {' '.join(arguments + tuning)}")
            tried.append((once(arguments + tuning)["per_s"], arguments + tuning))
        return max(tried)[1] if tried else arguments

    def measure(self, what, sides):
        """Each side in turn, round by round, so that a slow minute of the machine meets all."""
        reports = {name: [] for name in sides}
        for turn in range(self.rounds):
            for name, side in sides.items():
                say(f"{what}, {name}, {turn + 1} of {self.rounds}")
                reports[name].append(side())
        say("")
        self.figures[what] = reports
        return reports

    def beside_bullmq(self, what, arguments):
        ours = self.tuned("rushes", arguments, self.store)
        theirs = self.tuned("bullmq", arguments, lambda tried: self.bullmq("always", tried))
        return self.measure(what, {
            "rushes": lambda: self.store(ours),
            "always": lambda: self.bullmq("always", theirs),
            "everysec": lambda: self.bullmq("everysec", theirs),
        })

    @contextlib.contextmanager
    def server(self, *options):
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("RUSHES_", "JWT_"))}
        environment = clean | {"RUSHES_JWT_SECRET": SECRET}
        if os.geteuid() == 0:
            environment["RUSHES_ALLOW_ROOT"] = "true"
        with self.scratch() as folder, started(
                self.binaries / "rushes", "serve", "--port", "0", "--data-dir", folder, *options,
                is_ready=lambda process: int(first_line(process).rsplit(":", 1)[1]), env=environment) as port:
            yield port, environment

    def post(self):
        """POST /analyze/transcript over 100 connections, of 1000 users, to a server whose transcripts wait."""
        words = "A queue that people can watch, where each job says where it stands. "
        transcript = (words * (self.body // len(words) + 1))[:self.body]
        body = json.dumps({"transcript": transcript, "configuration": {"language": "en", "tone": "dry"}})
        with self.server("--max-queued-per-user", "100000") as (port, environment), self.scratch() as folder:
            address = f"http://127.0.0.1:{port}"
            run(self.binaries / "rushes", "queue", "pause", "transcript", "--server", address,
                env=environment | {"RUSHES_TOKEN": token({"sub": "operator", "role": "admin"})})
            tokens = folder / "tokens"
            tokens.write_text("".join(token({"sub": f"user{i}"}) + "\n" for i in range(USERS)))
            for seconds in (1, self.seconds):  # a warm-up, and what counts
                told = run("wrk", "-t1", "-c100", f"-d{seconds}s", "--latency", "-s", HERE / "post.lua", address, "--",
                           tokens, body)
            refused = re.search(r"Non-2xx or 3xx responses: (\d+)|Socket errors: .*", told)
            if refused:
                raise RuntimeError(f"POST /analyze/transcript: {refused[0]}")
        return {"per_s": float(re.search(r"Requests/sec:\s+([\d.]+)", told)[1])}

    def started_latency(self):
        with self.server() as (port, _):
            return json.loads(run(self.binaries / "queue_latency", "started", "--port", port, "--secret", SECRET,
                                  "--count", 40 if self.quick else 200))

    def commit_latency(self):
        port = free_port()
        with self.scratch() as folder, started(self.binaries / "event_server", "--folder", folder, "--port", port,
                                               "--secret", SECRET, is_ready=first_line):
            return json.loads(run(self.binaries / "queue_latency", "commits", "--port", port, "--secret", SECRET,
                                  "--count", 200 if self.quick else 1000))


def rate_rows(table, reports, title, goal):
    ours = median(reports["rushes"], "per_s")
    table.add(title, "a second", ours, "always", median(reports["always"], "per_s"), at_least=goal)
    table.add("the same", "a second", ours, "everysec", median(reports["everysec"], "per_s"))


def section_enqueue(bench, table):
    rate_rows(table, bench.beside_bullmq("enqueue", ENQUEUE), "enqueue, 100 in flight", 4)
    rate_rows(table, bench.beside_bullmq("enqueue one", ONE), "enqueue, one at a time", 2)


def section_bulk(bench, table):
    rate_rows(table, bench.beside_bullmq("bulk", BULK), "enqueue, bulk of 1000", 6)


def section_noop(bench, table):
    rate_rows(table, bench.beside_bullmq("noop", NOOP), "no-op jobs of a backlog of 20,000", 4)


def section_progress(bench, table):
    rate_rows(table, bench.beside_bullmq("progress", PROGRESS), "progress, 100 in flight", 3)


def section_http(bench, table):
    reports = bench.measure("http", {"rushes": bench.post, "always": lambda: bench.bullmq("always", ENQUEUE)})
    table.add("POST /analyze/transcript, 100 connections", "a second", median(reports["rushes"], "per_s"), "always",
              median(reports["always"], "per_s"), at_least=1.5)


def section_latency(bench, table):
    for what, run_once, title, goals in (
            ("started", bench.started_latency, "POST answered → job-started at the socket", (2, 10)),
            ("commits", bench.commit_latency, "commit → queue-update at the socket", (0.5, 3))):
        reports = bench.measure(what, {"rushes": run_once})["rushes"]
        for quantile, goal in zip(("p50", "p99"), goals):
            table.add_alone(f"{title}, {quantile}", "ms", median(reports, f"{quantile}_ms"), at_most=goal)


def section_flat(bench, table):
    needed = bench.flat_jobs * BYTES_A_JOB
    if shutil.disk_usage(bench.folder).free < needed:
        sys.exit(f"bench: {bench.folder} has less than the {needed >> 30} GiB free that {bench.flat_jobs:,} jobs need; "
                 "name another --folder or fewer --flat-jobs")
    say("")
    with bench.scratch() as folder:
        report = json.loads(run(bench.binaries / "store_bench", "flat", "--folder", folder, "--body", bench.body,
                                "--jobs", bench.flat_jobs, "--rounds", 3 if bench.quick else 9, stderr=None,
                                timeout=3600))
    bench.figures["flat"] = report
    for what, key, goal in (("enqueue", "enqueue", 1.5), ("claim", "claim", 1.5), ("position", "position", 1.5),
                            ("the same, 100 at a time", "position_batched", None)):
        each = [1e6 / report[side][f"{key}_per_s"] for side in ("with_many", "with_few")]
        table.add(f"{what} at {bench.flat_jobs:,} jobs", "µs", each[0], "few", each[1], at_most=goal)
    table.add_alone("opening that database", "s", report["open_s"])
    table.add_alone("memory of its waiting jobs", "MiB", report["memory_mib"])


SECTIONS = {"enqueue": section_enqueue, "bulk": section_bulk, "noop": section_noop, "progress": section_progress,
            "http": section_http, "latency": section_latency, "flat": section_flat}


def file_system_of(folder):
    """Its type, by the longest mount point that holds it."""
    mounts = [line.split() for line in pathlib.Path("/proc/mounts").read_text().splitlines()]
    holding = [(len(mount[1]), mount[2]) for mount in mounts if folder.is_relative_to(mount[1])]
    return max(holding)[1]


def main():
    parser = argparse.ArgumentParser(prog="scripts/bench queue", description=__doc__)
    parser.add_argument("binaries", type=pathlib.Path, help=argparse.SUPPRESS)
    parser.add_argument("--quick", action="store_true", help="one short run of each instead of three")
    parser.add_argument("--only", choices=SECTIONS, action="append", help="this part (may be repeated)")
    parser.add_argument("--folder", type=pathlib.Path, default="build",
                        help="on the disk that both sides write to (default: build)")
    parser.add_argument("--body", type=int, default=960, metavar="BYTES", help="of a job's transcript (default: 960)")
    parser.add_argument("--flat-jobs", type=int, metavar="N",
                        help="jobs in the large database (default: 10,000,000; 1,000,000 with --quick)")
    parser.add_argument("--json", type=pathlib.Path, help="write every figure there")
    options = parser.parse_args()

    folder = options.folder.resolve()
    if not folder.is_dir():
        parser.error(f"--folder: {folder} is not a folder")
    if file_system_of(folder) in IN_MEMORY:
        parser.error(f"--folder: {folder} is kept in memory, where nothing is durable; name a folder on a disk")
    # All of a side on the same two cores, however many there are: programs that are started inherit this.
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:2])
    flat_jobs = options.flat_jobs or (1_000_000 if options.quick else 10_000_000)
    bench = Bench(options.binaries.resolve(), folder, options.quick, options.body, flat_jobs)
    table = Table(PEERS)
    try:
        for name, section in SECTIONS.items():
            if not options.only or name in options.only:
                section(bench, table)
    finally:  # what was measured until then
        say("")
        table.print()
    if options.json:
        options.json.write_text(json.dumps(bench.figures, indent=1))


if __name__ == "__main__":
    main()
