// SPDX-License-Identifier: MIT
// Tasks from one outside thread, with and without a future, and what they take while they wait.

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ForkJoinTask;
import java.util.concurrent.atomic.AtomicLong;

final class Tasks {
    private static final int WARM_UPS = 3;

    private Tasks() {}

    /** Opens a latch when it has run as often as it was told. */
    private static final class CountDown implements Runnable {
        private final AtomicLong left;
        private final CountDownLatch done = new CountDownLatch(1);

        CountDown(long count) {
            left = new AtomicLong(count);
        }

        @Override
        public void run() {
            if (left.decrementAndGet() == 0) {
                done.countDown();
            }
        }
    }

    static void post(Bench bench) throws InterruptedException {
        for (int r = -WARM_UPS; r < bench.repetitions; r++) {
            CountDown task = new CountDown(bench.n);
            long begin = System.nanoTime();
            for (int i = 0; i < bench.n; i++) {
                bench.pool.execute(task);
            }
            long posted = System.nanoTime() - begin;
            task.done.await();
            long ns = System.nanoTime() - begin;
            if (r >= 0) {
                reportRate(bench, ns, posted);
            }
        }
    }

    static void submit(Bench bench) throws Exception {
        AtomicLong count = new AtomicLong();
        Runnable task = count::incrementAndGet;
        ForkJoinTask<?>[] handles = new ForkJoinTask<?>[bench.n];
        for (int r = -WARM_UPS; r < bench.repetitions; r++) {
            long begin = System.nanoTime();
            for (int i = 0; i < bench.n; i++) {
                handles[i] = bench.pool.submit(task);
            }
            long submitted = System.nanoTime() - begin;
            for (int i = 0; i < bench.n; i++) {
                handles[i].get();
            }
            long ns = System.nanoTime() - begin;
            if (r >= 0) {
                reportRate(bench, ns, submitted);
            }
        }
    }

    private static void reportRate(Bench bench, long ns, long submitNs) {
        bench.report("mtasks_per_s", bench.n * 1e3 / ns);
        bench.report("submit_ns", (double) submitNs / bench.n);
    }

    private static long heapUsed() {
        System.gc();
        Runtime runtime = Runtime.getRuntime();
        return runtime.totalMemory() - runtime.freeMemory();
    }

    /** Each worker stands at a gate, so that what is handed over waits. */
    private static void closeGate(Bench bench, CountDownLatch gate) throws InterruptedException {
        CountDownLatch standing = new CountDownLatch(bench.workers);
        for (int i = 0; i < bench.workers; i++) {
            bench.pool.execute(
                    () -> {
                        standing.countDown();
                        try {
                            gate.await();
                        } catch (InterruptedException e) {
                            Thread.currentThread().interrupt();
                        }
                    });
        }
        standing.await();
    }

    static void memory(Bench bench, boolean futures) throws InterruptedException {
        CountDownLatch gate = new CountDownLatch(1);
        closeGate(bench, gate);
        CountDown task = new CountDown(bench.n);
        ForkJoinTask<?>[] handles = new ForkJoinTask<?>[futures ? bench.n : 0];
        long before = heapUsed();
        long begin = System.nanoTime();
        for (int i = 0; i < bench.n; i++) {
            if (futures) {
                handles[i] = bench.pool.submit(task);
            } else {
                bench.pool.execute(task);
            }
        }
        long submitted = System.nanoTime() - begin;
        long after = heapUsed();
        gate.countDown();
        task.done.await();
        double handle = futures ? 4 : 0; // a reference in our array, made before
        bench.report("bytes_per_task", (double) (after - before) / bench.n + handle);
        bench.report("submit_ns", (double) submitted / bench.n);
    }
}
