/* SPDX-License-Identifier: MIT */
/*
 * rvaser/thread_pool 4.0 (libthread-pool-dev): a queue for each thread, stealing by try_lock.
 */
#include <condition_variable>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <thread_pool/thread_pool.hpp>

#include "harness/adapter.h"

namespace
{

using handle = std::future<void>;

std::unique_ptr<thread_pool::ThreadPool> pool;

void start(int workers)
{
    pool = std::make_unique<thread_pool::ThreadPool>(static_cast<size_t>(workers));
}

void stop()
{
    pool.reset();
}

void post(task_fn fn, void *arg)
{
    pool->Submit(fn, arg);
}

void submit(void *memory, task_fn fn, void *arg)
{
    new (memory) handle(pool->Submit(fn, arg));
}

void get(void *memory)
{
    auto *future = static_cast<handle *>(memory);
    future->get();
    future->~handle();
}

adapter make_adapter()
{
    adapter a{};
    a.name = "rvaser";
    a.start = start;
    a.stop = stop;
    a.post = post;
    a.handle_size = sizeof(handle);
    a.submit = submit;
    a.get = get;
    return a;
}

} // namespace

extern "C" const adapter bench_adapter = make_adapter();
