#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# How many at once, how fast, and until when: counted by the server, not timed.
# shellcheck source=tests/cli/lib/get.sh
. "$(dirname "$0")/lib/get.sh"
set -euo pipefail
start_server 0

# Requests that never end are in flight together, or not at all: six at a host by default.
begin -d hang --if-exists=rename "$url/hang?"{1..40}
wait_until in_flight_is 6
kill -TERM "$get"
ended_by 15
[[ $(stat_of max_in_flight) == 6 ]] || fail "more than 6 at once"
says err "40 stopped"
wait_until in_flight_is 0
begin -j 40 --per-host 30 --if-exists=rename -d hang "$url/hang?"{1..64}
wait_until in_flight_is 30
kill -TERM "$get"
ended_by 15
[[ $(stat_of max_in_flight) == 30 ]] || fail "more than 30 at once"
wait_until in_flight_is 0

# A host that is slow does not keep others waiting: all 20 of the other come while its 6 hang.
start_other second
begin --if-exists=rename -d mixed "$url/hang?"{1..10} "http://$other/as/f"{1..20}
wait_until in_flight_is 6
all_are_there() { [[ $(find mixed -name 'f*' ! -name '*.part*' | wc -l) == 20 ]]; }
wait_until all_are_there
# USR1: one more, USR2: one less; of all, not of the host.
kill -USR1 "$get"
kill -USR2 "$get"
kill -TERM "$get"
ended_by 15
wait_until in_flight_is 0
begin -j 1 --if-exists=rename -d more "$url/hang?"{1..10}
wait_until in_flight_is 1
kill -USR1 "$get"
wait_until in_flight_is 2
kill -USR1 "$get"
wait_until in_flight_is 3
kill -TERM "$get"
ended_by 15
wait_until in_flight_is 0

# A rate of starts, and of bytes: no faster than that.
run 0 "$SILLON" get --rate 20/s -d rate --json=json "$url"/size/{1..11}
[[ $(json 'select(.type == "summary") | .wall >= 0.5') == true ]] || fail "11 starts at 20/s"
run 0 "$SILLON" get --rate-host 20/s -d rate2 --json=json "$url"/size/{1..11} \
    "http://$other/as/"{a..k}
[[ $(json 'select(.type == "summary") | .wall >= 0.5') == true ]] || fail "11 starts at 20/s a host"
run 0 "$SILLON" get --limit-rate 400K -d slow --json=json "$url"/size/{100000..100002}
[[ $(json 'select(.type == "summary") | .wall >= 0.6') == true ]] || fail "300 KB at 400K/s"
run 0 "$SILLON" get --limit-rate-each 200K -d slow2 --json=json "$url"/size/{100000..100002}
[[ $(json 'select(.type == "summary") | .wall >= 0.4') == true ]] || fail "100 KB at 200K/s each"
same slow/100001 /size/100001

# --halt soon: what runs may end; now: not.
run 3 "$SILLON" get -j 1 --halt soon,fail=2 -d soon "$url/file/1" "$url/status/404" \
    "$url/status/403" "$url/file/2"
says err "1 ok, 2 failed, 0 skipped, 1 stopped"
only soon 1
run 3 "$SILLON" get -j 2 --halt now,fail=1 -d now "$url/hang" "$url/status/404" "$url/file/2"
says err "0 ok, 1 failed, 0 skipped, 2 stopped"
run 0 "$SILLON" get -j 1 --halt now,success=1 -d success "$url/file/1" "$url/file/2"
only success 1
run 3 "$SILLON" get -j 1 --halt soon,fail=50% -d share "$url/file/1" \
    "$url"/status/{404,403,410,405} "$url/file/2"
only share 1
# --deadline: what is not there by then is stopped, with what it has kept.
run 3 "$SILLON" get --deadline 1s -d deadline "$url/file/7" "$url/slow/3000000/1"
says err "stopped at the deadline"
says err "1 ok, 0 failed, 0 skipped, 1 stopped"
only deadline 7 1.part 1.part.meta
# A Retry-After that asks for more than one is ready to wait.
run 1 "$SILLON" get -d after "$url/busyfirst/1/100/a?after=1000"
says err "(1 try)"
run 0 "$SILLON" get -d after --retry-wait 10ms --json=json "$url/busyfirst/1/100/b?after=1"
[[ $(json 'select(.type == "summary") | .wall >= 1') == true ]] || fail "Retry-After is not obeyed"
# After three in a row it is the host that is left in peace, not only these files.
run 0 "$SILLON" get -j 1 -d peace --retry-wait 10ms --json=json \
    "$url/busyfirst/1/100/"{c,d,e}"?after=1" "$url/size/5"
[[ $(json 'select(.name == "5") | .t.queue >= 0.9') == true ]] ||
    fail "a host that asked for peace is asked for more"
# A host that takes two at a time gets less to do, so that all comes through.
start_other narrow --most 2
run 0 "$SILLON" get -d narrow.d --retry-wait 50ms "http://$other/slow/2000/"{1..40}
ended_well 40
