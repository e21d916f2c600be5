// SPDX-License-Identifier: MIT
// The same program as consumer.c, in C++.
#include <iostream>

#include <sillon/sillon.h>

static int square(void *arg, void *result)
{
    int n = *static_cast<int *>(arg);
    *static_cast<int *>(result) = n * n;
    return 0;
}

int main()
{
    sil_executor *pool = sil_thread_pool(nullptr);
    int n = 12;
    int squared = 0;
    int code =
        sil_take(sil_submit(pool, square, &n, sizeof n, sizeof squared), &squared, SIL_FOREVER);
    std::cout << (code == 0 ? std::to_string(squared) : sil_strerror(code)) << '\n';
    return sil_executor_close(pool) != 0 || code != 0;
}
