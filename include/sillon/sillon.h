/* SPDX-License-Identifier: MIT */
/*
 * All of sillon: include this one.
 */
#ifndef SILLON_SILLON_H
#define SILLON_SILLON_H

#include <sillon/address.h>
#include <sillon/combine.h>
#include <sillon/coro.h>
#include <sillon/datagram.h>
#include <sillon/deadline.h>
#include <sillon/dump.h>
#include <sillon/error.h>
#include <sillon/executor.h>
#include <sillon/file.h>
#include <sillon/fork.h>
#include <sillon/future.h>
#include <sillon/group.h>
#include <sillon/loop.h>
#include <sillon/map.h>
#include <sillon/parallel.h>
#include <sillon/process.h>
#include <sillon/process_pool.h>
#include <sillon/program.h>
#include <sillon/promise.h>
#include <sillon/readiness.h>
#include <sillon/server.h>
#include <sillon/shared.h>
#include <sillon/signals.h>
#include <sillon/status.h>
#include <sillon/stream.h>
#include <sillon/sync.h>
#include <sillon/task.h>
#include <sillon/terminal.h>
#include <sillon/thread.h>
#include <sillon/thread_pool.h>
#include <sillon/trace.h>
#include <sillon/version.h>
#include <sillon/wait.h>

#endif
