/* SPDX-License-Identifier: MIT */
/*
 * oneTBB has no future; the nearest thing that one can wait for is a task_group for each task.
 */
#include <memory>
#include <tbb/tbb.h>

#include "harness/adapter.h"

namespace
{

std::unique_ptr<tbb::global_control> control;
std::unique_ptr<tbb::task_arena> arena;

void start(int workers)
{
    auto limit = tbb::global_control::max_allowed_parallelism;
    control = std::make_unique<tbb::global_control>(limit, static_cast<size_t>(workers) + 1);
    arena = std::make_unique<tbb::task_arena>(workers, 0u);
}

void submit(void *handle, task_fn fn, void *arg)
{
    auto *group = new tbb::task_group;
    *static_cast<tbb::task_group **>(handle) = group;
    arena->enqueue(group->defer([=] { fn(arg); }));
}

void get(void *handle)
{
    tbb::task_group *group = *static_cast<tbb::task_group **>(handle);
    arena->execute([=] { group->wait(); });
    delete group;
}

adapter make_adapter()
{
    adapter a{};
    a.name = "onetbb-groups";
    a.start = start;
    a.handle_size = sizeof(tbb::task_group *);
    a.submit = submit;
    a.get = get;
    return a;
}

} // namespace

extern "C" const adapter bench_adapter = make_adapter();
