/* SPDX-License-Identifier: MIT */
/*
 * Boost.Asio's thread_pool, with std::future as the handle.
 */
#include <boost/asio.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_future.hpp>
#include <future>
#include <memory>

#include "harness/adapter.h"

namespace
{

using handle = std::future<void>;

std::unique_ptr<boost::asio::thread_pool> pool;

void start(int workers)
{
    pool = std::make_unique<boost::asio::thread_pool>(static_cast<size_t>(workers));
}

void stop()
{
    pool.reset();
}

void post(task_fn fn, void *arg)
{
    boost::asio::post(*pool, [=] { fn(arg); });
}

void submit(void *memory, task_fn fn, void *arg)
{
    auto task = boost::asio::use_future([=] { fn(arg); });
    new (memory) handle(boost::asio::post(*pool, std::move(task)));
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
    a.name = "asio";
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
