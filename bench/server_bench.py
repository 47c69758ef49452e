#!/usr/bin/env python3
"""Memory and speed of the whole server, printed, not judged: start, idle memory, a 2 GiB upload, an hour of speech.

usage: server_bench.py BINARY [--long]     --long adds the hour-long file, which takes about ten minutes
"""
import http.client
import json
import os
import pathlib
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time

MIB = 1 << 20
UPLOAD_BYTES = 2 << 30


def status_kib(pid, field):
    found = re.search(rf"^{field}:\s+(\d+) kB", pathlib.Path(f"/proc/{pid}/status").read_text(), re.M)
    return int(found[1]) if found else 0


class Server:
    def __init__(self, binary, folder, **environment):
        self.started = time.perf_counter()
        clean = {name: value for name, value in os.environ.items() if not name.startswith("RUSHES_")}
        if os.geteuid() == 0:
            clean["RUSHES_ALLOW_ROOT"] = "true"
        self.process = subprocess.Popen(
            [binary, "serve", "--port", "0", "--data-dir", folder],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            env=clean | {"JWT_SECRET": "the secret of a benchmark, 32 bytes"} | environment)
        self.port = int(self.process.stdout.readline().rsplit(":", 1)[1])
        self.ready = time.perf_counter() - self.started
        self.token = subprocess.run(
            [binary, "token", "--sub", "bench", "--ttl", "1h"], capture_output=True, text=True, check=True,
            env=clean | {"JWT_SECRET": "the secret of a benchmark, 32 bytes"}).stdout.strip()

    def get(self, path):
        connection = http.client.HTTPConnection("127.0.0.1", self.port)
        connection.request("GET", path, headers={"Authorization": f"Bearer {self.token}"})
        return json.loads(connection.getresponse().read())

    def upload(self, path):
        answer = subprocess.run(
            ["curl", "-sS", "-F", f"video=@{path}", "-H", f"Authorization: Bearer {self.token}", "-H", "Expect:",
             f"http://127.0.0.1:{self.port}/analyze/upload"], capture_output=True, text=True, check=True)
        return json.loads(answer.stdout)

    def wait_for_end(self, job, watch=lambda: None):
        while True:
            status = self.get(f"/analyze/job/{job}/status")
            if status["status"] in ("completed", "failed", "cancelled"):
                return status
            watch()
            time.sleep(0.5)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()


def children(pid):
    return [int(child) for child in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()] + [
        int(child)
        for task in pathlib.Path(f"/proc/{pid}/task").iterdir() if int(task.name) != pid
        for child in (task / "children").read_text().split()]


def bench_start(binary):
    ready, resident = [], []
    for _ in range(5):
        with tempfile.TemporaryDirectory() as folder:
            server = Server(binary, folder)
            ready.append(server.ready * 1000)
            server.get("/health")
            resident.append(status_kib(server.process.pid, "VmRSS") / 1024)
            server.stop()
    print(f"start to ready, median of 5:        {statistics.median(ready):8.0f} ms")
    print(f"resident when idle, median of 5:    {statistics.median(resident):8.1f} MiB")


def bench_upload(binary, work):
    source = work / "large.bin"
    block = os.urandom(64 * MIB)
    with source.open("wb") as out:
        for _ in range(UPLOAD_BYTES // len(block)):
            out.write(block)
    copy_rates, upload_rates, growths = [], [], []
    for _ in range(3):
        os.sync()
        began = time.perf_counter()
        subprocess.run(["cp", source, work / "copy.bin"], check=True)
        copy_rates.append(UPLOAD_BYTES / MIB / (time.perf_counter() - began))
        (work / "copy.bin").unlink()
        os.sync()
        with tempfile.TemporaryDirectory(dir=work) as folder:
            server = Server(binary, folder)
            server.get("/health")
            before = status_kib(server.process.pid, "VmRSS")
            began = time.perf_counter()
            answer = server.upload(source)
            upload_rates.append(UPLOAD_BYTES / MIB / (time.perf_counter() - began))
            growths.append((status_kib(server.process.pid, "VmHWM") - before) / 1024)
            assert "jobId" in answer, answer
            server.stop()
    copied, uploaded = statistics.median(copy_rates), statistics.median(upload_rates)
    print(f"cp of 2 GiB, median of 3:           {copied:8.0f} MiB/s")
    print(f"upload of 2 GiB, synced, median:    {uploaded:8.0f} MiB/s   {uploaded / copied:.2f} x cp")
    print(f"resident growth of the server:      {max(growths):8.1f} MiB")


def bench_hour(binary, work):
    speech, hour = work / "speech.wav", work / "hour.m4a"
    text = (pathlib.Path(__file__).parent.parent / "scripts/sample-narration.txt").read_text()
    subprocess.run(["flite", "-voice", "slt", "-t", text, "-o", speech], check=True)
    subprocess.run(["ffmpeg", "-v", "error", "-stream_loop", "-1", "-i", speech, "-t", "3600", "-c:a", "aac", "-y", hour],
                   check=True)
    with tempfile.TemporaryDirectory(dir=work) as folder:
        server = Server(binary, folder)
        began = time.perf_counter()
        job = server.upload(hour)["jobId"]
        peak = 0

        def watch():
            nonlocal peak
            for child in children(server.process.pid):
                try:
                    peak = max(peak, status_kib(child, "VmHWM"))
                except OSError:
                    pass

        status = server.wait_for_end(job, watch)
        print(f"an hour of speech:                  {time.perf_counter() - began:8.0f} s, {status['status']}")
        print(f"largest worker:                     {peak / 1024:8.1f} MiB")
        server.stop()


def main():
    if len(sys.argv) < 2 or sys.argv[1].startswith("-"):
        sys.exit(__doc__)
    binary = str(pathlib.Path(sys.argv[1]).resolve())
    bench_start(binary)
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR", "/var/tmp")) as work:
        bench_upload(binary, pathlib.Path(work))
        if "--long" in sys.argv[2:]:
            bench_hour(binary, pathlib.Path(work))


main()
