/* SPDX-License-Identifier: MIT */
/*
 * What C++ has without any library: std::async(std::launch::async), a thread for each task.
 */
#include <future>

#include "harness/adapter.h"

namespace
{

using handle = std::future<void>;

void start(int)
{
}

void submit(void *memory, task_fn fn, void *arg)
{
    new (memory) handle(std::async(std::launch::async, fn, arg));
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
    a.name = "std-async";
    a.start = start;
    a.handle_size = sizeof(handle);
    a.submit = submit;
    a.get = get;
    return a;
}

} // namespace

extern "C" const adapter bench_adapter = make_adapter();
