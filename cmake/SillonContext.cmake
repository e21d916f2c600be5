# SPDX-License-Identifier: MIT
# How coroutines switch stacks (src/coro/fiber.h):
#   boost     jump_fcontext and make_fcontext of the static libboost_context, 5 ns
#   ucontext  the C library's, 220 ns
#   auto      boost if it is there and works
# Sets SILLON_CONTEXT_BOOST, and has the imported target sillon_boost_context then.
set(SILLON_CONTEXT auto CACHE STRING "Context switch of coroutines: auto, boost or ucontext")
set_property(CACHE SILLON_CONTEXT PROPERTY STRINGS auto boost ucontext)

# Their header is C++, so we declare the functions ourselves: it is worth running them once.
set(sillon_context_check [[
#include <stddef.h>
struct transfer { void *context; void *data; };
struct transfer jump_fcontext(void *to, void *data);
void *make_fcontext(void *top, size_t size, void (*begin)(struct transfer));
static _Alignas(16) char stack[65536];
static void begin(struct transfer from) { jump_fcontext(from.context, (char *)from.data + 1); }
int main(void)
{
    struct transfer back =
        jump_fcontext(make_fcontext(stack + sizeof stack, sizeof stack, begin), stack);
    return back.data != stack + 1;
}
]])

set(SILLON_CONTEXT_BOOST OFF)
if(SILLON_CONTEXT MATCHES "^(auto|boost)$")
  find_library(SILLON_BOOST_CONTEXT NAMES libboost_context.a)
  mark_as_advanced(SILLON_BOOST_CONTEXT)
  if(SILLON_BOOST_CONTEXT AND NOT DEFINED SILLON_BOOST_CONTEXT_WORKS)
    if(CMAKE_CROSSCOMPILING)
      try_compile(works SOURCE_FROM_VAR context.c sillon_context_check
                  LINK_LIBRARIES "${SILLON_BOOST_CONTEXT}")
    else()
      try_run(exit_code compiled SOURCE_FROM_VAR context.c sillon_context_check
              LINK_LIBRARIES "${SILLON_BOOST_CONTEXT}")
      if(compiled AND exit_code STREQUAL 0)
        set(works ON)
      endif()
    endif()
    set(SILLON_BOOST_CONTEXT_WORKS "${works}" CACHE INTERNAL "libboost_context.a can be used from C")
  endif()
  if(SILLON_BOOST_CONTEXT AND SILLON_BOOST_CONTEXT_WORKS)
    set(SILLON_CONTEXT_BOOST ON)
    add_library(sillon_boost_context STATIC IMPORTED)
    set_target_properties(sillon_boost_context PROPERTIES
      IMPORTED_LOCATION "${SILLON_BOOST_CONTEXT}")
  elseif(SILLON_CONTEXT STREQUAL boost)
    message(FATAL_ERROR "SILLON_CONTEXT is boost, but there is no libboost_context.a that works "
                        "(Debian: libboost-context-dev)")
  endif()
elseif(NOT SILLON_CONTEXT STREQUAL ucontext)
  message(FATAL_ERROR "SILLON_CONTEXT is ${SILLON_CONTEXT}: it may be auto, boost or ucontext")
endif()
if(SILLON_CONTEXT_BOOST)
  message(STATUS "Context switch: ${SILLON_BOOST_CONTEXT}")
else()
  message(STATUS "Context switch: ucontext")
endif()
