// SPDX-License-Identifier: MIT
//! Tasks from one outside thread: many, one at a time, a trickle, and what they take while they
//! wait. Rayon has no handle to a task that was spawned; its round trip is install.

use crate::{gate, ns_since, usage, Pool, Request};
use std::sync::atomic::{AtomicI64, Ordering::*};
use std::time::{Duration, Instant};

const WARM_UP: usize = 2000;
const WARM_UP_IDLE: usize = 50;
const MILLISECOND: Duration = Duration::from_millis(1);

static COUNT: AtomicI64 = AtomicI64::new(0);

fn nothing() {
    COUNT.fetch_add(1, Relaxed);
}

fn report_rate(request: &Request, total_ns: f64, submit_ns: f64) {
    let n = request.n as f64;
    request.report("mtasks_per_s", n * 1e3 / total_ns);
    request.report("submit_ns", submit_ns / n);
}

pub fn post(request: &Request, pool: &Pool) {
    for r in -1..request.repetitions {
        gate::latch_set(request.n);
        let begin = Instant::now();
        for _ in 0..request.n {
            pool.post(gate::count_down);
        }
        let posted = ns_since(begin);
        gate::latch_wait();
        let total = ns_since(begin);
        if r >= 0 {
            report_rate(request, total, posted);
        }
    }
}

pub fn submit(request: &Request, pool: &Pool) {
    let runtime = match pool {
        Pool::Tokio(runtime) => runtime,
        Pool::Rayon(_) => return request.unsupported(),
    };
    for r in -1..request.repetitions {
        let begin = Instant::now();
        let spawn = |_| runtime.spawn(async { nothing() });
        let handles: Vec<_> = (0..request.n).map(spawn).collect();
        let submitted = ns_since(begin);
        runtime.block_on(async {
            for handle in handles {
                handle.await.unwrap();
            }
        });
        let total = ns_since(begin);
        if r >= 0 {
            report_rate(request, total, submitted);
        }
    }
}

fn trip(pool: &Pool, idle: bool) -> u64 {
    if idle {
        std::thread::sleep(MILLISECOND);
    }
    let begin = Instant::now();
    match pool {
        Pool::Rayon(pool) => pool.install(nothing),
        Pool::Tokio(runtime) => {
            let handle = runtime.spawn(async { nothing() });
            runtime.block_on(handle).unwrap();
        }
    }
    begin.elapsed().as_nanos() as u64
}

pub fn round_trip(request: &Request, pool: &Pool, idle: bool) {
    for _ in 0..if idle { WARM_UP_IDLE } else { WARM_UP } {
        trip(pool, idle);
    }
    for _ in 0..request.repetitions {
        let mut times: Vec<u64> = (0..request.n).map(|_| trip(pool, idle)).collect();
        times.sort_unstable();
        request.report("p50_ns", times[request.n / 2] as f64);
        request.report("p99_ns", times[request.n * 99 / 100] as f64);
    }
}

pub fn trickle(request: &Request, pool: &Pool) {
    trip(pool, false);
    for _ in 0..request.repetitions {
        let cpu = usage::cpu_seconds();
        let begin = Instant::now();
        for _ in 0..request.n {
            std::thread::sleep(MILLISECOND);
            pool.post(nothing);
        }
        let seconds = begin.elapsed().as_secs_f64();
        request.report("cpu_fraction", (usage::cpu_seconds() - cpu) / seconds);
    }
}

pub fn memory(request: &Request, pool: &Pool, futures: bool) {
    let n = request.n;
    let mut handles = Vec::with_capacity(if futures { n } else { 0 });
    gate::close(pool, request.workers);
    gate::latch_set(n);
    let before = usage::resident_bytes();
    let begin = Instant::now();
    match pool {
        Pool::Rayon(_) if futures => return request.unsupported(),
        Pool::Tokio(runtime) if futures => {
            handles.extend((0..n).map(|_| runtime.spawn(async { gate::count_down() })));
        }
        _ => (0..n).for_each(|_| pool.post(gate::count_down)),
    }
    let submitted = ns_since(begin);
    let after = usage::resident_bytes();
    gate::open();
    gate::latch_wait();
    request.report("bytes_per_task", (after - before) as f64 / n as f64);
    request.report("submit_ns", submitted / n as f64);
    drop(handles);
}
