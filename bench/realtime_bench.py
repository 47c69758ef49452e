#!/usr/bin/env python3
"""Real-time delivery beside its peers, all in one run: the server on one core, the load on another.

Prints a table: the goal, our figure, the peer's, their ratio, and whether the goal is reached. Medians.
"""
import argparse
import contextlib
import json
import pathlib
import re
import resource
import statistics
import subprocess
import sys

from table import Table, median, say

HERE = pathlib.Path(__file__).parent / "realtime"
SECRET = "the secret of a benchmark, 32 bytes"
SERVER_CORE, LOAD_CORE = "0", "1"

# What each server must be measured for: (name, arguments of sio_load, path of the trigger).
FAN_OUTS = {
    "unique": (["--sockets", "1000", "--users", "1000"], "users=1000&rate=0"),
    "one user": (["--sockets", "1000", "--users", "1"], "users=1&rate=0"),
    "two sockets": (["--sockets", "19800", "--users", "9900"], "users=9900&rate=0"),
    "alone": (["--sockets", "1000", "--users", "1000"], "users=1000&rate=50000"),
    "paced": (["--sockets", "1000", "--users", "1000"], "users=1000&rate=20000"),
    "few": (["--sockets", "100", "--users", "100"], "users=100&rate=50000"),
    "few of many": (["--sockets", "18000", "--users", "18000"], "users=100&rate=50000"),
}


class Server:
    """A program on the server's core, from its `ready` to the end of the block."""

    def __init__(self, command, port):
        self.port = port
        self.process = subprocess.Popen(["taskset", "-c", SERVER_CORE, *command, "--port", str(port)],
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def __enter__(self):
        if self.process.stdout.readline().strip() != "ready":
            raise RuntimeError(f"{self.process.args} did not start: {self.process.stderr.read()[-2000:]}")
        return self

    def __exit__(self, *_):
        self.process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(10)
            return
        self.process.kill()
        self.process.wait()


class Bench:
    def __init__(self, binaries, quick):
        peer = ["node", "--expose-gc", str(HERE / "peers/sio_server.js"), "--secret", SECRET, "--engine"]
        self.servers = {
            "rushes": [str(binaries / "realtime_server"), "--secret", SECRET],
            "ws": [*peer, "ws"],
            "uws": [*peer, "uws"],
            "raw": [str(binaries / "raw_server")],
        }
        self.load = str(binaries / "sio_load")
        self.seconds, self.warmup = (2, 1) if quick else (5, 2)
        self.rounds = 1 if quick else 3
        self.port = 21000
        self.figures = {}

    def drop_missing_peers(self):
        try:
            with self.start("uws"):
                pass
        except RuntimeError:
            print("socket.io on uWebSockets.js: not available for this Node, left out", file=sys.stderr)
            del self.servers["uws"]

    def start(self, name):
        self.port += 10
        return Server(self.servers[name], self.port)

    def sio_load(self, server, mode, *arguments):
        done = subprocess.run(
            ["taskset", "-c", LOAD_CORE, self.load, mode, "--port", str(server.port), "--secret", SECRET,
             "--server-pid", str(server.process.pid), *arguments], capture_output=True, text=True, timeout=300)
        if not done.stdout:
            raise RuntimeError(f"sio_load {mode}: {done.stderr}")
        report = json.loads(done.stdout)
        if report.get("lost") or report.get("first_error"):
            print(f"  {mode} on port {server.port}: {report['lost']} lost, {report.get('first_error')}", file=sys.stderr)
        return report

    def fan_out(self, name, scenario):
        arguments, query = FAN_OUTS[scenario]
        total = self.seconds + self.warmup + 1
        with self.start(name) as server:
            return self.sio_load(server, "fanout", *arguments, "--warmup", str(self.warmup), "--window",
                                 str(self.seconds), "--trigger", f"/start?{query}&secs={total}")

    def storm(self, name, _):
        with self.start(name) as server:
            report = self.sio_load(server, "storm", "--sockets", "5000", "--in-flight", "256", "--rounds", "3")
        return {"connects_per_s": statistics.median(one["connects_per_s"] for one in report["rounds"])}

    def idle(self, name, _):
        with self.start(name) as server:
            collect = ["--trigger", "/gc"] if name in ("ws", "uws") else []
            return self.sio_load(server, "idle", "--sockets", "10000", *collect)

    def http(self, name, _):
        node = ["node", str(HERE / "peers/http_server.js")]
        self.port += 10
        with Server(node if name == "node" else self.servers[name], self.port) as server:
            done = subprocess.run(
                ["taskset", "-c", LOAD_CORE, "wrk", "-t1", "-c64", f"-d{self.seconds}s",
                 f"http://127.0.0.1:{server.port}/health"], capture_output=True, text=True, timeout=120, check=True)
        return {"requests_per_s": float(re.search(r"Requests/sec:\s+([\d.]+)", done.stdout)[1])}

    def measure(self, what, run, names):
        """Each server in turn, round by round, so that a slow minute of the machine meets all."""
        reports = {name: [] for name in names if name in self.servers or name == "node"}
        for turn in range(self.rounds):
            for name in reports:
                say(f"{what}, {name}, {turn + 1} of {self.rounds}")
                reports[name].append(run(name, what))
        say("")
        self.figures[what] = reports
        return reports


PEERS = {"ws": "socket.io on ws", "uws": "socket.io on uWebSockets.js", "raw": "raw send", "node": "Node's http",
         "goal": "the goal", "few": "100 sockets"}


def rates(table, reports, what, unit, key, goals):
    for peer, goal in goals.items():
        if peer in reports:
            table.add(what, unit, median(reports["rushes"], key), peer, median(reports[peer], key), at_least=goal)


def section_fanout(bench, table):
    for scenario, title, goals in (
            ("unique", "(ii) 1000 users × 1 socket, unique messages", {"ws": 10, "uws": 6}),
            ("one user", "(i) 1 user × 1000 sockets", {"ws": 7}),
            ("two sockets", "(iii) 9,900 users × 2 sockets", {"ws": 8})):
        reports = bench.measure(scenario, bench.fan_out, ["rushes", *goals])
        rates(table, reports, title, "events/s", "events_per_s", goals)


def section_cost(bench, table):
    reports = bench.measure("alone", bench.fan_out, ["rushes", "raw"])
    cost = [median(reports[name], "server_cpu_s_per_million") for name in ("rushes", "raw")]
    table.add("CPU a million deliveries, each by itself", "s", cost[0], "raw", cost[1], at_most=1.2)


def section_paced(bench, table):
    reports = bench.measure("paced", bench.fan_out, ["rushes", "raw", "ws"])
    for quantile, peer, goal in (("p50", "raw", 1.3), ("p99", "raw", 1.3), ("p99", "ws", 0.25)):
        ours, theirs = (median(reports[name], "latency_us", quantile) for name in ("rushes", peer))
        table.add(f"20,000 deliveries/s, {quantile}", "µs", ours, peer, theirs, at_most=goal)


def section_connect(bench, table):
    reports = bench.measure("connect", bench.storm, ["rushes", "ws"])
    rates(table, reports, "connect, verify the token, join", "a second", "connects_per_s", {"ws": 8})


def section_idle(bench, table):
    reports = bench.measure("idle", bench.idle, ["rushes", "ws"])
    ours, theirs = (median(reports[name], "bytes_per_connection") for name in ("rushes", "ws"))
    table.add("idle connection, user space", "bytes", ours, "goal", 1000, at_most=1)
    table.add("the same", "bytes", ours, "ws", theirs, at_most=1)


def section_http(bench, table):
    reports = bench.measure("http", bench.http, ["rushes", "node", "raw"])
    rates(table, reports, "HTTP, small JSON, keep-alive", "requests/s", "requests_per_s", {"node": 3, "raw": 0.8})


def section_flat(bench, table):
    few, many = (bench.measure(name, bench.fan_out, ["rushes"])["rushes"] for name in ("few", "few of many"))
    ours, theirs = (median(reports, "server_cpu_s_per_million") for reports in (many, few))
    table.add("CPU a million emits to 100 of 18,000 sockets", "s", ours, "few", theirs, at_most=1.1)


SECTIONS = {"fanout": section_fanout, "cost": section_cost, "paced": section_paced, "connect": section_connect,
            "idle": section_idle, "http": section_http, "flat": section_flat}


def main():
    parser = argparse.ArgumentParser(prog="scripts/bench realtime", description=__doc__)
    parser.add_argument("binaries", type=pathlib.Path, help=argparse.SUPPRESS)
    parser.add_argument("--quick", action="store_true", help="one short run of each instead of three")
    parser.add_argument("--only", choices=SECTIONS, action="append", help="this part (may be repeated)")
    parser.add_argument("--json", type=pathlib.Path, help="write every figure there")
    options = parser.parse_args()

    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    bench, table = Bench(options.binaries, options.quick), Table(PEERS)
    bench.drop_missing_peers()
    for name, section in SECTIONS.items():
        if not options.only or name in options.only:
            section(bench, table)
    table.print()
    if options.json:
        options.json.write_text(json.dumps(bench.figures, indent=1))


if __name__ == "__main__":
    main()
