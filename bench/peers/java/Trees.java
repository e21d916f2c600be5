// SPDX-License-Identifier: MIT
// Fork-join: fib, one fork and one call at each node, and n queens, a task for each child but the
// last.

import java.util.concurrent.RecursiveAction;

final class Trees {
    private static final int WARM_UPS = 3;
    private static final int MAX_QUEENS = 16;
    private static final int FIRST_QUEENS = 4;
    private static final long[] QUEENS_RESULT = {
        2, 10, 4, 40, 92, 352, 724, 2680, 14200, 73712, 365596
    };
    private static final long[] QUEENS_NODES = {
        17, 54, 153, 552, 2057, 8394, 35539, 166926, 856189, 4674890, 27358553
    };

    private Trees() {}

    private static final class Fib extends RecursiveAction {
        private final int n;
        private long result;

        Fib(int n) {
            this.n = n;
        }

        @Override
        protected void compute() {
            result = fib(n);
        }
    }

    private static long fib(int n) {
        if (n < 2) {
            return n;
        }
        Fib a = new Fib(n - 1);
        a.fork();
        long b = fib(n - 2);
        a.join();
        return a.result + b;
    }

    static void forkJoin(Bench bench) {
        long result = 0;
        long next = 1;
        for (int i = 0; i < bench.n; i++) {
            long sum = result + next;
            result = next;
            next = sum;
        }
        long calls = 2 * next - 1;
        for (int r = -WARM_UPS; r < bench.repetitions; r++) {
            Fib root = new Fib(bench.n);
            long begin = System.nanoTime();
            bench.pool.invoke(root);
            long ns = System.nanoTime() - begin;
            check(root.result, result);
            if (r >= 0) {
                bench.report("ns_per_call", (double) ns / calls);
            }
        }
    }

    private static final class Queens extends RecursiveAction {
        private final int all;
        private final int columns;
        private final int left;
        private final int right;
        private long found;

        Queens(int all, int columns, int left, int right) {
            this.all = all;
            this.columns = columns;
            this.left = left;
            this.right = right;
        }

        @Override
        protected void compute() {
            found = queens(all, columns, left, right);
        }
    }

    private static long queens(int all, int columns, int left, int right) {
        int free = all & ~(columns | left | right);
        if (free == 0) {
            return columns == all ? 1 : 0;
        }
        if ((free & (free - 1)) == 0) {
            return queens(all, columns | free, (left | free) << 1, (right | free) >>> 1);
        }
        Queens[] children = new Queens[MAX_QUEENS];
        int forked = 0;
        for (; (free & (free - 1)) != 0; free &= free - 1) {
            int bit = free & -free;
            Queens child = new Queens(all, columns | bit, (left | bit) << 1, (right | bit) >>> 1);
            children[forked++] = child;
            child.fork();
        }
        long found = queens(all, columns | free, (left | free) << 1, (right | free) >>> 1);
        while (forked > 0) {
            Queens child = children[--forked];
            child.join();
            found += child.found;
        }
        return found;
    }

    static void nQueens(Bench bench) {
        int index = bench.n - FIRST_QUEENS;
        for (int r = -WARM_UPS; r < bench.repetitions; r++) {
            Queens root = new Queens((1 << bench.n) - 1, 0, 0, 0);
            long begin = System.nanoTime();
            bench.pool.invoke(root);
            long ns = System.nanoTime() - begin;
            check(root.found, QUEENS_RESULT[index]);
            if (r >= 0) {
                bench.report("ns_per_call", (double) ns / QUEENS_NODES[index]);
            }
        }
    }

    private static void check(long got, long wanted) {
        if (got != wanted) {
            throw new AssertionError("wrong result " + got + ", not " + wanted);
        }
    }
}
