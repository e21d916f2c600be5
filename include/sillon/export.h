/* SPDX-License-Identifier: MIT */
/*
 * The marks a public declaration carries, and nothing else.
 *
 * SIL_API        exported from the shared library; everything without it is hidden.
 * SIL_PRINTF     lets the compiler check a format against its arguments.
 * SIL_BEGIN_DECLS, SIL_END_DECLS   C linkage when a C++ program includes us.
 */
#ifndef SILLON_EXPORT_H
#define SILLON_EXPORT_H

#define SIL_API __attribute__((__visibility__("default")))
#define SIL_PRINTF(fmt, first) __attribute__((__format__(__printf__, fmt, first)))

#ifdef __cplusplus
#define SIL_BEGIN_DECLS extern "C" {
#define SIL_END_DECLS }
#else
#define SIL_BEGIN_DECLS
#define SIL_END_DECLS
#endif

#endif
