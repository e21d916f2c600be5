/* SPDX-License-Identifier: MIT */
/*
 * Coroutines that wait inside a catch block, in turns: each still has its own exception afterwards.
 */
#include <sillon/sillon.h>

#include <stdexcept>
#include <string>

static int throw_and_wait(void *arg, void *)
{
    const std::string name = *static_cast<const char *const *>(arg);
    for (int i = 0; i < 100; i++) {
        const std::string expected = name + std::to_string(i);
        try {
            throw std::runtime_error(expected);
        } catch (const std::exception &) {
            try {
                sil_yield();
                throw;
            } catch (const std::runtime_error &again) {
                sil_yield();
                if (again.what() != expected)
                    return 1;
            }
        }
    }
    return 0;
}

static int run(void *, void *)
{
    sil_future *futures[3];
    const char *const names[] = {"first", "second", "a third one, too long to be kept in place"};
    for (int i = 0; i < 3; i++)
        futures[i] = sil_go(throw_and_wait, &names[i], sizeof names[i], 0);
    int failed = 0;
    for (sil_future *future : futures)
        failed |= sil_take(future, nullptr, SIL_FOREVER);
    return failed;
}

int main()
{
    return sil_run(run, nullptr, 0, nullptr, 0);
}
