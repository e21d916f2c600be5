// SPDX-License-Identifier: MIT
//! Rayon and Tokio: bench_rust rayon|tokio QUESTION N WORKERS [REPETITIONS]
//! The questions are those of bench/questions. Written for the Rust of Debian 12 (1.63).

mod gate;
mod loops;
mod tasks;
mod trees;
mod usage;

use std::time::Instant;

/// The pool that a question is put to.
pub enum Pool {
    Rayon(rayon::ThreadPool),
    Tokio(tokio::runtime::Runtime),
}

impl Pool {
    fn new(name: &str, workers: usize) -> Pool {
        if name == "rayon" {
            let builder = rayon::ThreadPoolBuilder::new().num_threads(workers);
            return Pool::Rayon(builder.build().expect("a pool"));
        }
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        Pool::Tokio(builder.worker_threads(workers).build().expect("a runtime"))
    }

    /// Fire and forget.
    pub fn post<F: FnOnce() + Send + 'static>(&self, task: F) {
        match self {
            Pool::Rayon(pool) => pool.spawn(task),
            Pool::Tokio(runtime) => {
                runtime.spawn(async move { task() });
            }
        }
    }
}

pub struct Request {
    pub peer: String,
    pub question: String,
    pub n: usize,
    pub workers: usize,
    pub repetitions: i32,
}

impl Request {
    fn from_args() -> Option<Request> {
        let args: Vec<String> = std::env::args().collect();
        Some(Request {
            peer: args.get(1)?.clone(),
            question: args.get(2)?.clone(),
            n: args.get(3)?.parse().ok()?,
            workers: args.get(4)?.parse().ok()?,
            repetitions: args.get(5).map_or(Some(5), |text| text.parse().ok())?,
        })
    }

    pub fn report(&self, metric: &str, value: f64) {
        let (peer, question) = (&self.peer, &self.question);
        println!("{peer},{question},{},{metric},{value:.5}", self.workers);
    }

    pub fn unsupported(&self) {
        self.report("unsupported", 0.0);
    }
}

pub fn ns_since(begin: Instant) -> f64 {
    begin.elapsed().as_nanos() as f64
}

fn main() {
    let request = Request::from_args().unwrap_or_else(|| {
        eprintln!("usage: bench_rust rayon|tokio QUESTION N WORKERS [REPETITIONS]");
        std::process::exit(2);
    });
    let pool = Pool::new(&request.peer, request.workers);
    match request.question.as_str() {
        "fork_join" => trees::fork_join(&request, &pool),
        "n_queens" => trees::n_queens(&request, &pool),
        "loop" => loops::measure(&request, &pool),
        "post" => tasks::post(&request, &pool),
        "submit" => tasks::submit(&request, &pool),
        "round_trip" => tasks::round_trip(&request, &pool, false),
        "round_trip_idle" => tasks::round_trip(&request, &pool, true),
        "trickle" => tasks::trickle(&request, &pool),
        "memory" => tasks::memory(&request, &pool, false),
        "memory_futures" => tasks::memory(&request, &pool, true),
        _ => request.unsupported(),
    }
}
