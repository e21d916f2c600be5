/* SPDX-License-Identifier: MIT */
/*
 * How each of our programs begins and ends, whatever it does in between.
 */
#ifndef CLI_SYNTAX_PROGRAM_START_H
#define CLI_SYNTAX_PROGRAM_START_H

/** First of all: sees that descriptors 0, 1 and 2 are taken. */
void program_start(void);

/**
 * Last of all: writes out what stdio still has for standard output.
 *
 * @param name  for the message if that fails: "sillon get".
 * @return what main returns: status, or worse if it could not be written. Does not return if nobody
 *         reads it: dies of SIGPIPE, as any other program there.
 */
int program_end(const char *name, int status);

#endif
