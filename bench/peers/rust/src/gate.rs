// SPDX-License-Identifier: MIT
//! A latch that opens when enough tasks have run, and a gate that keeps all workers busy.

use crate::Pool;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering::*};
use std::sync::{Condvar, Mutex};

pub struct Switch(Mutex<bool>, Condvar);

impl Switch {
    const fn new() -> Switch {
        Switch(Mutex::new(false), Condvar::new())
    }

    pub fn set(&self, value: bool) {
        *self.0.lock().unwrap() = value;
        self.1.notify_all();
    }

    pub fn wait(&self) {
        let mut is_set = self.0.lock().unwrap();
        while !*is_set {
            is_set = self.1.wait(is_set).unwrap();
        }
    }
}

static LEFT: AtomicI64 = AtomicI64::new(0);
static DONE: Switch = Switch::new();
static GATE: Switch = Switch::new();
static STANDING: AtomicUsize = AtomicUsize::new(0);

pub fn latch_set(count: usize) {
    DONE.set(false);
    LEFT.store(count as i64, Release);
}

/// A task: counts the latch down.
pub fn count_down() {
    if LEFT.fetch_sub(1, AcqRel) == 1 {
        DONE.set(true);
    }
}

pub fn latch_wait() {
    DONE.wait();
}

/// Each worker stands at the gate: what is handed over from now on waits.
pub fn close(pool: &Pool, workers: usize) {
    for _ in 0..workers {
        pool.post(|| {
            STANDING.fetch_add(1, AcqRel);
            GATE.wait();
        });
    }
    while STANDING.load(Acquire) < workers {
        std::thread::yield_now();
    }
}

pub fn open() {
    GATE.set(true);
}
