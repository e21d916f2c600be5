// SPDX-License-Identifier: MIT
//! Fork-join: fib, one spawn and one call at each node, and n queens, a task for each child but the
//! last.

use crate::{ns_since, Pool, Request};
use std::future::Future;
use std::pin::Pin;
use std::time::Instant;

const FIRST_QUEENS: usize = 4;
const MAX_QUEENS: usize = 16;
const QUEENS_RESULT: [i64; 11] = [2, 10, 4, 40, 92, 352, 724, 2680, 14200, 73712, 365596];
const QUEENS_NODES: [i64; 11] =
    [17, 54, 153, 552, 2057, 8394, 35539, 166926, 856189, 4674890, 27358553];

type Later = Pin<Box<dyn Future<Output = i64> + Send>>;

/// A row of the board: which columns and diagonals are taken.
#[derive(Clone, Copy)]
struct Row {
    all: u32,
    columns: u32,
    left: u32,
    right: u32,
}

impl Row {
    fn first(n: usize) -> Row {
        Row { all: (1 << n) - 1, columns: 0, left: 0, right: 0 }
    }

    fn free(self) -> u32 {
        self.all & !(self.columns | self.left | self.right)
    }

    fn place(self, bit: u32) -> Row {
        Row {
            all: self.all,
            columns: self.columns | bit,
            left: (self.left | bit) << 1,
            right: (self.right | bit) >> 1,
        }
    }
}

fn lowest(bits: u32) -> u32 {
    bits & bits.wrapping_neg()
}

fn single(bits: u32) -> bool {
    bits & (bits - 1) == 0
}

fn rayon_fib(n: usize) -> i64 {
    if n < 2 {
        return n as i64;
    }
    let (a, b) = rayon::join(|| rayon_fib(n - 1), || rayon_fib(n - 2));
    a + b
}

fn rayon_queens(row: Row) -> i64 {
    let mut free = row.free();
    if free == 0 {
        return (row.columns == row.all) as i64;
    }
    if single(free) {
        return rayon_queens(row.place(free));
    }
    let mut found = [0i64; MAX_QUEENS];
    let mut total = 0;
    rayon::scope(|scope| {
        let mut outs = found.iter_mut();
        while !single(free) {
            let child = row.place(lowest(free));
            let out = outs.next().unwrap();
            scope.spawn(move |_| *out = rayon_queens(child));
            free &= free - 1;
        }
        total = rayon_queens(row.place(free));
    });
    total + found.iter().sum::<i64>()
}

fn tokio_fib(n: usize) -> Later {
    Box::pin(async move {
        if n < 2 {
            return n as i64;
        }
        let a = tokio::spawn(tokio_fib(n - 1));
        let b = tokio_fib(n - 2).await;
        a.await.unwrap() + b
    })
}

fn tokio_queens(row: Row) -> Later {
    Box::pin(async move {
        let mut free = row.free();
        if free == 0 {
            return (row.columns == row.all) as i64;
        }
        let mut handles = Vec::new();
        while !single(free) {
            handles.push(tokio::spawn(tokio_queens(row.place(lowest(free)))));
            free &= free - 1;
        }
        let mut total = tokio_queens(row.place(free)).await;
        for handle in handles {
            total += handle.await.unwrap();
        }
        total
    })
}

fn measure(request: &Request, walk: impl Fn() -> i64, result: i64, nodes: i64) {
    for r in -1..request.repetitions {
        let begin = Instant::now();
        let got = walk();
        let ns = ns_since(begin);
        assert_eq!(got, result);
        if r >= 0 {
            request.report("ns_per_call", ns / nodes as f64);
        }
    }
}

pub fn fork_join(request: &Request, pool: &Pool) {
    let n = request.n;
    let (mut a, mut b) = (0i64, 1i64);
    for _ in 0..n {
        (a, b) = (b, a + b);
    }
    let walk = || match pool {
        Pool::Rayon(pool) => pool.install(|| rayon_fib(n)),
        Pool::Tokio(runtime) => runtime.block_on(runtime.spawn(tokio_fib(n))).unwrap(),
    };
    measure(request, walk, a, 2 * b - 1);
}

pub fn n_queens(request: &Request, pool: &Pool) {
    let first = Row::first(request.n);
    let index = request.n - FIRST_QUEENS;
    let walk = || match pool {
        Pool::Rayon(pool) => pool.install(|| rayon_queens(first)),
        Pool::Tokio(runtime) => runtime.block_on(runtime.spawn(tokio_queens(first))).unwrap(),
    };
    measure(request, walk, QUEENS_RESULT[index], QUEENS_NODES[index]);
}
