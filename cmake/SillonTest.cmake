# SPDX-License-Identifier: MIT
# sillon_add_test(NAME LABEL label [PROCESSORS n] [ENVIRONMENT var=value...] COMMAND command...)
#
# One CTest test with what all ours share: a time limit, a label, and sanitizers that report
# everything and end the program at the first finding.

# ThreadSanitizer of gcc 12 cannot start where the kernel spreads addresses widely
# (vm.mmap_rnd_bits > 28); without address randomisation it always can. Some containers forbid
# switching it off, and then tests run as they are.
set(sillon_test_launcher)
if(SILLON_SANITIZE MATCHES thread)
  set(no_aslr setarch ${CMAKE_HOST_SYSTEM_PROCESSOR} -R)
  execute_process(COMMAND ${no_aslr} true RESULT_VARIABLE refused OUTPUT_QUIET ERROR_QUIET)
  if(NOT refused)
    set(sillon_test_launcher ${no_aslr})
  endif()
endif()

set(sillon_test_environment
  "ASAN_OPTIONS=detect_leaks=1:allocator_may_return_null=1:detect_stack_use_after_return=1"
  "UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1"
  "TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1:allocator_may_return_null=1")

function(sillon_add_test name)
  if(NOT SILLON_TESTS)
    return()
  endif()
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "LABEL;PROCESSORS" "ENVIRONMENT;COMMAND")
  add_test(NAME ${name} COMMAND ${sillon_test_launcher} ${arg_COMMAND})
  set_tests_properties(${name} PROPERTIES
    TIMEOUT 120 LABELS ${arg_LABEL} ENVIRONMENT "${sillon_test_environment};${arg_ENVIRONMENT}")
  if(arg_PROCESSORS)
    set_tests_properties(${name} PROPERTIES PROCESSORS ${arg_PROCESSORS})
  endif()
endfunction()
