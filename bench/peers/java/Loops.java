// SPDX-License-Identifier: MIT
// The parallel loop: the sum of an array, halved down to pieces of 8192.

import java.util.concurrent.RecursiveTask;

final class Loops {
    private static final int WARM_UPS = 3;
    private static final int GRAIN = 8192;
    private static final long VALUES_WANTED = 200000000L;

    private Loops() {}

    private static final class Sum extends RecursiveTask<Double> {
        private final double[] values;
        private final int begin;
        private final int end;

        Sum(double[] values, int begin, int end) {
            this.values = values;
            this.begin = begin;
            this.end = end;
        }

        @Override
        protected Double compute() {
            if (end - begin <= GRAIN) {
                return sum(values, begin, end);
            }
            int middle = begin + (end - begin) / 2;
            Sum later = new Sum(values, middle, end);
            later.fork();
            double earlier = new Sum(values, begin, middle).compute();
            return earlier + later.join();
        }
    }

    // Eight sums by hand: the compiler may not reorder additions of doubles.
    private static double sum(double[] v, int begin, int end) {
        double s0 = 0, s1 = 0, s2 = 0, s3 = 0, s4 = 0, s5 = 0, s6 = 0, s7 = 0;
        int i = begin;
        for (; i + 8 <= end; i += 8) {
            s0 += v[i];
            s1 += v[i + 1];
            s2 += v[i + 2];
            s3 += v[i + 3];
            s4 += v[i + 4];
            s5 += v[i + 5];
            s6 += v[i + 6];
            s7 += v[i + 7];
        }
        for (; i < end; i++) {
            s0 += v[i];
        }
        return s0 + s1 + s2 + s3 + s4 + s5 + s6 + s7;
    }

    static void loop(Bench bench) {
        double[] values = new double[bench.n];
        for (int i = 0; i < bench.n; i++) {
            values[i] = i & 7;
        }
        double wanted = sum(values, 0, bench.n);
        long loops = Math.max(1, VALUES_WANTED / bench.n);
        for (int r = -WARM_UPS; r < bench.repetitions; r++) {
            double got = 0;
            long begin = System.nanoTime();
            for (long k = 0; k < loops; k++) {
                got = bench.pool.invoke(new Sum(values, 0, bench.n));
            }
            long ns = System.nanoTime() - begin;
            if (got != wanted) {
                throw new AssertionError("wrong sum " + got);
            }
            if (r >= 0) {
                bench.report("us_per_loop", ns / 1e3 / loops);
            }
        }
    }
}
