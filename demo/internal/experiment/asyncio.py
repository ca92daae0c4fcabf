"""The post's two policies under asyncio, with nothing but the standard library.

Reads what to do as JSON from standard input and writes what happened as JSON to
standard output. One task makes three sleeps, or one GET on a connection of its
own; all of them start at once, or in batches that wait for the one before.
"""

import asyncio
import gc
import json
import sys
import time

SUCCEEDED, TIMED_OUT, REFUSED, FAILED = 1, 2, 4, 5  # experiment.End
SAMPLE_EVERY = 0.01
MOST_POINTS = 400


class Trial:
    def __init__(self, job):
        self.job = job
        n = job["n"]
        self.start, self.end, self.ends = [0] * n, [0] * n, [FAILED] * n
        self.in_flight = self.peak = self.completed = 0
        self.timeline = []

    def now(self):
        return time.perf_counter_ns() - self.begin

    async def task(self, i, call):
        self.start[i] = self.now()
        self.in_flight += 1
        self.peak = max(self.peak, self.in_flight)
        try:
            self.ends[i] = await call(i)
        except (asyncio.TimeoutError, TimeoutError):
            self.ends[i] = TIMED_OUT
        except ConnectionRefusedError:
            self.ends[i] = REFUSED
        except OSError:
            self.ends[i] = FAILED
        self.in_flight -= 1
        self.completed += 1
        self.end[i] = self.now()

    async def nap(self, i):
        naps = self.job.get("naps")
        for seconds in naps[i] if naps else self.job["nap"]:
            await asyncio.sleep(seconds)
        return SUCCEEDED

    async def get(self, i):
        return await asyncio.wait_for(self.get_now(i), self.job["timeout"])

    async def get_now(self, i):
        reader, writer = await asyncio.open_connection(self.job["host"], self.job["port"])
        try:
            writer.write(
                b"GET /task/%d HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n"
                % (i, self.job["host"].encode())
            )
            await writer.drain()
            answer = await reader.read()
        finally:
            writer.close()
        status = answer.split(b" ", 2)[1:2]
        if status == [b"200"]:
            return SUCCEEDED
        return REFUSED if status in ([b"503"], [b"429"]) else FAILED

    async def sample(self):
        while True:
            self.point()
            await asyncio.sleep(SAMPLE_EVERY)

    def point(self):
        self.timeline.append((self.now() / 1e9, self.in_flight, self.completed))

    async def run(self):
        n, size = self.job["n"], self.job["batch"] or self.job["n"]
        call = self.nap if "nap" in self.job else self.get
        self.begin = time.perf_counter_ns()
        sampler = asyncio.create_task(self.sample())
        for first in range(0, n, size):
            await asyncio.gather(*(self.task(i, call) for i in range(first, min(n, first + size))))
        wall = self.now()
        sampler.cancel()
        self.point()
        return wall


def peak_memory():
    try:  # on Linux ru_maxrss begins with what the parent had
        with open("/proc/self/status") as status:
            for line in status:
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass
    try:
        import resource  # not on Windows
    except ImportError:
        return 0
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return used if sys.platform == "darwin" else used * 1024


def main():
    trial = Trial(json.load(sys.stdin))
    before = peak_memory()
    gc.collect()
    wall = asyncio.run(trial.run())
    every = 1 + len(trial.timeline) // MOST_POINTS
    json.dump(
        {
            "wall": wall,
            "start": trial.start,
            "end": trial.end,
            "ends": trial.ends,
            "peak": trial.peak,
            "timeline": trial.timeline[:-1:every] + trial.timeline[-1:],
            "memory_before": before,
            "memory": peak_memory(),
        },
        sys.stdout,
        separators=(",", ":"),
    )


main()
