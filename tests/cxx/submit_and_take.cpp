// SPDX-License-Identifier: MIT
// A C++ program uses the library through the public headers alone: it submits a function, takes
// the results, and sees a failure's code and message.
#include <cstdio>
#include <cstring>
#include <vector>

#include <sillon/sillon.h>

namespace
{
constexpr int TOO_LARGE = 7;

int square(void *arg, void *result)
{
    int n = *static_cast<int *>(arg);
    if (n > 46340)
        return sil_fail(TOO_LARGE, "%d squared does not fit an int", n);
    *static_cast<int *>(result) = n * n;
    return 0;
}

bool expect(bool holds, const char *what)
{
    if (!holds)
        std::fprintf(stderr, "not so: %s\n", what);
    return holds;
}

sil_future *submit_square(sil_executor *pool, int n)
{
    return sil_submit(pool, square, &n, sizeof n, sizeof(int));
}

bool takes_results(sil_executor *pool)
{
    std::vector<sil_future *> futures;
    for (int n = 0; n < 100; n++)
        futures.push_back(submit_square(pool, n));

    long sum = 0;
    for (sil_future *future : futures) {
        int squared = 0;
        if (!expect(sil_take(future, &squared, SIL_FOREVER) == 0, "a square is taken"))
            return false;
        sum += squared;
    }
    return expect(sum == 328350, "the sum of the squares below 100");
}

bool sees_failure(sil_executor *pool)
{
    sil_future *future = submit_square(pool, 50000);
    int code = sil_await(future, SIL_FOREVER);
    const char *message = sil_error_message(sil_future_error(future));
    bool good =
        expect(code == TOO_LARGE, "the task's own code") &&
        expect(std::strcmp(message, "50000 squared does not fit an int") == 0, "its message");
    sil_future_release(future);
    return good;
}
} // namespace

int main()
{
    sil_thread_pool_options options = {};
    options.workers = 2;
    sil_executor *pool = sil_thread_pool(&options);
    bool good = takes_results(pool) && sees_failure(pool);
    return expect(sil_executor_close(pool) == 0, "the pool closes") && good ? 0 : 1;
}
