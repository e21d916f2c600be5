// SPDX-License-Identifier: MIT
// How long a thread outside waits for one task, and what a pool burns with hardly anything to do.

import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicLong;

final class Trips {
    private static final int WARM_UP = 50000;
    private static final int WARM_UP_IDLE = 200;

    private Trips() {}

    static void roundTrip(Bench bench, boolean idle) throws Exception {
        AtomicLong count = new AtomicLong();
        Runnable task = count::incrementAndGet;
        long[] times = new long[bench.n];
        for (int i = idle ? -WARM_UP_IDLE : -WARM_UP; i < 0; i++) {
            trip(bench, task, idle);
        }
        for (int r = 0; r < bench.repetitions; r++) {
            for (int i = 0; i < bench.n; i++) {
                times[i] = trip(bench, task, idle);
            }
            Arrays.sort(times);
            bench.report("p50_ns", times[bench.n / 2]);
            bench.report("p99_ns", times[(int) (bench.n * 99L / 100)]);
        }
    }

    private static long trip(Bench bench, Runnable task, boolean idle) throws Exception {
        if (idle) {
            Thread.sleep(1);
        }
        long begin = System.nanoTime();
        bench.pool.submit(task).get();
        return System.nanoTime() - begin;
    }

    // Of all threads: the first field of each one's schedstat is its processor time.
    private static double cpuSeconds() throws Exception {
        long ns = 0;
        try (DirectoryStream<Path> threads = Files.newDirectoryStream(Path.of("/proc/self/task"))) {
            for (Path thread : threads) {
                String text = Files.readString(thread.resolve("schedstat"));
                ns += Long.parseLong(text.split(" ")[0]);
            }
        }
        return ns / 1e9;
    }

    static void trickle(Bench bench) throws Exception {
        AtomicLong count = new AtomicLong();
        Runnable task = count::incrementAndGet;
        for (int i = 0; i < WARM_UP; i++) {
            bench.pool.execute(task);
        }
        Thread.sleep(100);
        for (int r = 0; r < bench.repetitions; r++) {
            double cpu = cpuSeconds();
            long begin = System.nanoTime();
            for (int i = 0; i < bench.n; i++) {
                Thread.sleep(1);
                bench.pool.execute(task);
            }
            double seconds = (System.nanoTime() - begin) / 1e9;
            bench.report("cpu_fraction", (cpuSeconds() - cpu) / seconds);
        }
    }
}
