#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What is asked for: redirects, headers, log-ins, TLS. No secret is shown, or given to others.
# shellcheck source=tests/cli/lib/get.sh
. "$(dirname "$0")/lib/get.sh"
set -euo pipefail
start_server 0
start_other other_port
secret=s3cr3t

# Redirects: followed, named after the URL that was asked for, and not for ever.
run 0 "$SILLON" get -d redirect --json=json "$url/redirect/3" "$url/goto?url=/file/1"
same redirect/goto /file/1
says redirect/3 "The end of the redirects."
[[ $(json 'select(.name == "goto") | .final_url') == "$url/file/1" ]] || fail "not the final URL"
run 1 "$SILLON" get -d redirect2 --max-redirs 2 "$url/redirect/3"
run 1 "$SILLON" get -d redirect2 --max-redirs 0 "$url/redirect/1"
run 1 "$SILLON" get -d redirect2 "$url/goto?url=file:///etc/passwd"
only redirect2

# Headers and the name we go by.
run 0 "$SILLON" get -o - -H "X-One: 1" -H "X-Two: 2" -A "somebody/1" "$url/echo"
says out "X-One: 1"
says out "X-Two: 2"
says out "User-Agent: somebody/1"
run 0 "$SILLON" get -o - "$url/echo"
grep -q '^User-Agent: sillon/[0-9]' out || fail "not our name"
# --compressed: unpacked; else it is not asked for.
run 0 "$SILLON" get --compressed -d packed "$url/gzip/50000"
same packed/50000 /gzip/50000
run 0 "$SILLON" get -d plain "$url/gzip/50000"
same plain/50000 /gzip/50000

# Log-ins: sent to the host, not to where it leads, and shown nowhere.
printf '%s\n' "$secret" >token
run 0 "$SILLON" get -o - --bearer-file token "$url/echo"
says out "Authorization: Bearer $secret"
run 0 "$SILLON" get -o - -u "me:$secret" "$url/private"
says out "Authorization: Basic $(printf 'me:%s' "$secret" | base64)"
run 1 "$SILLON" get -d nobody "$url/private"
says err "HTTP 401"
run 0 "$SILLON" get -o - --bearer-file <(echo "$secret") "$url/goto?url=http://$other/echo"
no_words out "$secret"
run 0 "$SILLON" get -o - -u "me:$secret" -H "Cookie: $secret" "$url/goto?url=http://$other/echo"
no_words out Authorization
no_words out "$secret"
run 1 "$SILLON" get -d nobody -u "me:$secret" "$url/goto?url=http://$other/private"
only nobody
mkdir home
printf 'machine 127.0.0.1 login me password %s\n' "$secret" >home/.netrc
chmod 600 home/.netrc
run 0 env HOME="$PWD/home" "$SILLON" get -o - --netrc "$url/private"
says out "Authorization: Basic"
run 1 env HOME="$PWD/home" "$SILLON" get -d nobody "$url/private"
with=http://me:$secret@${url#http://}
run 1 "$SILLON" get -vv -d masked --json=json --log log --trace trace "$with/file/1" \
    "$with/status/404"
for file in err out json log trace; do
    no_words "$file" "$secret"
done
says err "http://me:***@"
begin -d masked2 --bearer-file token "$url/slow/100000/10"
wait_until is_under_way masked2/10
! tr '\0' ' ' <"/proc/$get/cmdline" | grep -qF "$secret" || fail "the token is on the command line"
kill -TERM "$get"
ended_by 15
no_words masked2/10.part.meta "$secret"

# A proxy: the environment's, or another; no_proxy.
run 0 env http_proxy="http://$other" "$SILLON" get -d proxied http://nowhere.invalid/file/1
same proxied/1 /file/1
run 0 env http_proxy=http://127.0.0.1:1 no_proxy=127.0.0.1 "$SILLON" get -d proxied "$url/file/2"
run 0 "$SILLON" get -x "http://$other" -d proxied http://nowhere.invalid/file/3
run 0 "$SILLON" get --resolve "nowhere.invalid:${url##*:}:127.0.0.1" -d resolved \
    "http://nowhere.invalid:${url##*:}/file/1"
same resolved/1 /file/1
run 1 "$SILLON" get -6 --retries 0 -d v6 "$url/file/1"

# TLS: who is not verified gives nothing; https does not lead to http, unless that is allowed.
command -v openssl >/dev/null || exit 0
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout key.pem \
    -out cert.pem -days 2 -subj /CN=localhost -addext 'subjectAltName=IP:127.0.0.1' 2>/dev/null
cat cert.pem key.pem >both.pem
plain=$other
start_other tls_port --tls both.pem
secure=https://$other
run 1 "$SILLON" get --retries 0 -d tls --json=json "$secure/file/1"
[[ $(json 'select(.type == "file") | .error_kind') == tls ]] || fail "not told as tls"
only tls
run 0 "$SILLON" get --cacert cert.pem -d tls "$secure/file/1"
same tls/1 /file/1
run 0 "$SILLON" get --insecure -q -d tls "$secure/file/2"
says err "not verified"
run 1 "$SILLON" get --cacert cert.pem -d down "$secure/goto?url=http://$plain/file/1"
only down
run 0 "$SILLON" get --cacert cert.pem --allow-downgrade -d down "$secure/goto?url=http://$plain/file/1"
same down/goto /file/1
run 1 "$SILLON" get --cacert cert.pem --retries 0 --pin sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA= \
    -d pinned "$secure/file/1"
only pinned
