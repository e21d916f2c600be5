// SPDX-License-Identifier: MIT
// Java's ForkJoinPool: java -cp DIR Bench QUESTION N WORKERS [REPETITIONS]
// The questions are those of bench/questions; what is special here is that code is compiled while
// it runs, so each is warmed up by whole repetitions, which are not printed.

import java.util.Locale;
import java.util.concurrent.ForkJoinPool;

public final class Bench {
    final String question;
    final int n;
    final int workers;
    final int repetitions;
    final ForkJoinPool pool;

    private Bench(String[] args) {
        question = args[0];
        n = Integer.parseInt(args[1]);
        workers = Integer.parseInt(args[2]);
        repetitions = args.length > 3 ? Integer.parseInt(args[3]) : 5;
        pool = new ForkJoinPool(workers);
    }

    void report(String metric, double value) {
        System.out.printf(Locale.ROOT, "java,%s,%d,%s,%.5g%n", question, workers, metric, value);
    }

    private void run() throws Exception {
        switch (question) {
            case "fork_join" -> Trees.forkJoin(this);
            case "n_queens" -> Trees.nQueens(this);
            case "loop" -> Loops.loop(this);
            case "post" -> Tasks.post(this);
            case "submit" -> Tasks.submit(this);
            case "memory" -> Tasks.memory(this, false);
            case "memory_futures" -> Tasks.memory(this, true);
            case "round_trip" -> Trips.roundTrip(this, false);
            case "round_trip_idle" -> Trips.roundTrip(this, true);
            case "trickle" -> Trips.trickle(this);
            default -> report("unsupported", 0);
        }
    }

    public static void main(String[] args) throws Exception {
        if (args.length < 3) {
            System.err.println("usage: java Bench QUESTION N WORKERS [REPETITIONS]");
            System.exit(2);
        }
        new Bench(args).run();
        System.exit(0);
    }
}
