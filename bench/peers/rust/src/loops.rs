// SPDX-License-Identifier: MIT
//! The parallel loop: Rayon's chunks of 8192. Tokio has none.

use crate::{ns_since, Pool, Request};
use rayon::prelude::*;
use std::time::Instant;

const GRAIN: usize = 8192;
const LANES: usize = 32;
const VALUES_WANTED: usize = 200_000_000;

/// Sums in lanes by hand: the compiler may not reorder additions.
fn sum(values: &[f64]) -> f64 {
    let mut sums = [0.0f64; LANES];
    let chunks = values.chunks_exact(LANES);
    let rest: f64 = chunks.remainder().iter().sum();
    for chunk in chunks {
        for lane in 0..LANES {
            sums[lane] += chunk[lane];
        }
    }
    rest + sums.iter().sum::<f64>()
}

pub fn measure(request: &Request, pool: &Pool) {
    let pool = match pool {
        Pool::Rayon(pool) => pool,
        Pool::Tokio(_) => return request.unsupported(),
    };
    let values: Vec<f64> = (0..request.n).map(|i| (i & 7) as f64).collect();
    let wanted = sum(&values);
    let loops = (VALUES_WANTED / request.n).max(1);
    for r in -1..request.repetitions {
        let begin = Instant::now();
        for _ in 0..loops {
            let got = pool.install(|| values.par_chunks(GRAIN).map(sum).sum::<f64>());
            assert_eq!(got, wanted);
        }
        let ns = ns_since(begin);
        if r >= 0 {
            request.report("us_per_loop", ns / 1e3 / loops as f64);
        }
    }
}
