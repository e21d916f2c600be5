// SPDX-License-Identifier: MIT
//! What this process has used, from /proc.

use std::fs::{read_dir, read_to_string};

const PAGE_BYTES: i64 = 4096;

pub fn resident_bytes() -> i64 {
    let text = read_to_string("/proc/self/statm").unwrap();
    text.split(' ').nth(1).unwrap().parse::<i64>().unwrap() * PAGE_BYTES
}

/// Processor time of all threads: the first field of each one's schedstat, in nanoseconds.
pub fn cpu_seconds() -> f64 {
    let threads = read_dir("/proc/self/task").unwrap();
    let texts =
        threads.filter_map(|entry| read_to_string(entry.ok()?.path().join("schedstat")).ok());
    texts.map(|text| text.split(' ').next().unwrap().parse::<f64>().unwrap()).sum::<f64>() / 1e9
}
