# SPDX-License-Identifier: MIT
"""Python's event loops: loops.py LOOP QUESTION N WORKERS [REPETITIONS]

LOOP is asyncio or uvloop. The questions are those of bench/questions. WORKERS are the threads of
the executor.
"""

import asyncio
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

LIMIT_S = 1.0
SLEEPS = 20


class Request:
    def __init__(self, args):
        self.name = args[0]
        self.question = args[1]
        self.n = int(args[2])
        self.workers = int(args[3])
        self.repetitions = int(args[4]) if len(args) > 4 else 5

    def report(self, metric, value):
        print(f"{self.name},{self.question},{self.workers},{metric},{value:.5g}", flush=True)


async def give_way(n):
    for _ in range(n // 2):
        await asyncio.sleep(0)


async def yields(n):
    await asyncio.gather(give_way(n), give_way(n))


async def nothing():
    pass


async def starts(n):
    for _ in range(n):
        await asyncio.create_task(nothing())


async def receive(queue):
    return await queue.get()


async def receive_in_scope(queue):
    async with asyncio.timeout(LIMIT_S):
        return await queue.get()


async def receive_wait_for(queue):
    return await asyncio.wait_for(queue.get(), LIMIT_S)


async def answer(n, receiver, to, fro):
    for _ in range(n // 2):
        await fro.put(await receiver(to))


async def messages(n, receiver):
    to, fro = asyncio.Queue(1), asyncio.Queue(1)
    other = asyncio.create_task(answer(n, receiver, to, fro))
    for i in range(n // 2):
        await to.put(i)
        if await receiver(fro) != i:
            sys.exit("wrong result")
    await other


def turns(*args):
    what, *rest = args

    async def question(request):
        await what(request.n // 10 + 2, *rest)
        for _ in range(request.repetitions):
            begin = time.perf_counter_ns()
            await what(request.n, *rest)
            request.report("ns", (time.perf_counter_ns() - begin) / request.n)

    return question


def peak_bytes():
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


async def asleep(request):
    before = peak_bytes()
    begin = time.perf_counter()
    await asyncio.gather(*(asyncio.sleep(1) for _ in range(request.n)))
    request.report("over_ms", (time.perf_counter() - begin - 1) * 1e3)
    request.report("bytes", (peak_bytes() - before) / request.n)


async def beside(request):
    stop = False

    async def give_way_until_stopped():
        while not stop:
            await asyncio.sleep(0)

    others = [asyncio.create_task(give_way_until_stopped()) for _ in range(request.n)]
    for _ in range(request.repetitions):
        times = []
        for _ in range(SLEEPS):
            begin = time.perf_counter()
            await asyncio.sleep(0.01)
            times.append((time.perf_counter() - begin) * 1e3)
        times.sort()
        request.report("worst_ms", times[-1])
        request.report("p50_ms", times[SLEEPS // 2])
    stop = True
    await asyncio.gather(*others)


def do_nothing():
    pass


async def offload(request):
    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor(request.workers) as pool:
        for repetition in range(request.repetitions + 1):
            times = []
            cpu, wall = time.process_time(), time.perf_counter()
            for _ in range(request.n if repetition else 500):
                begin = time.perf_counter_ns()
                await loop.run_in_executor(pool, do_nothing)
                times.append(time.perf_counter_ns() - begin)
            used = (time.process_time() - cpu) / (time.perf_counter() - wall)
            times.sort()
            if repetition:
                request.report("cpu_fraction", used)
                request.report("p50_ns", times[len(times) // 2])
                request.report("p99_ns", times[len(times) * 99 // 100])


QUESTIONS = {
    "yield": turns(yields),
    "go": turns(starts),
    "message": turns(messages, receive),
    "message_limit": turns(messages, receive_in_scope),
    "message_wait_for": turns(messages, receive_wait_for),
    "asleep": asleep,
    "beside": beside,
    "offload": offload,
}


def main(args):
    if len(args) < 4 or args[0] not in ("asyncio", "uvloop"):
        sys.exit("usage: loops.py asyncio|uvloop QUESTION N WORKERS [REPETITIONS]")
    request = Request(args)
    if request.name == "uvloop":
        import uvloop  # not wanted by the other

        uvloop.install()
    question = QUESTIONS.get(request.question)
    if question is None:
        request.report("unsupported", 0)
        return
    asyncio.run(question(request))


if __name__ == "__main__":
    main(sys.argv[1:])
