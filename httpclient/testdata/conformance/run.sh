#!/usr/bin/env bash
# Runs Go's own net/http tests (read from GOROOT at run time, never copied into
# this repository) with every client transport wrapped by a RoundTripper under
# test. Works through `go test -overlay`: GOROOT itself is not modified.
#
#   run.sh [-m client|transport|none] [-w WRAP.go] [-d MODDIR] [-p PKG]
#          [-k SKIP_REGEX] [-r RUN_REGEX] [-t SECONDS] [-n HANG_ROUNDS] [-L] [-R] [-o OUTDIR]
#
#   -m client     wrap what http.Client calls  (Client.transport() in client.go);
#                 net/http then sees an unknown RoundTripper, as in production
#   -m transport  wrap inside (*http.Transport).RoundTrip; also covers tests and
#                 packages which call a Transport directly (httputil.ReverseProxy)
#                 (the default)
#   -m none       control run, hook compiled in but unused
#   -w  Go file holding `func conformanceWrap(http.RoundTripper) http.RoundTripper`
#       (any package clause; imports resolve from the module in -d); default wrap.go
#   -d  module directory in which `go test` is started; default this one
#   -p  package to test: net/http (default), net/http/httputil, net/http/httptest,
#       or any package the module in -d can build tests for
#   -L  long mode (no -test.short): adds net/http's goroutine-leak check
#   -R  race detector
#   -t  whole-run timeout per round; a hung test is named, skipped and the rest re-run
set -u
here=$(cd "$(dirname "$0")" && pwd)
mode=transport wrap=$here/wrap.go moddir=$(cd "$here/../../.." && pwd) pkg=net/http skip= run= secs=150 rounds=12 short=-test.short race= out=
while getopts m:w:d:p:k:r:t:n:LRo: o; do
  case $o in
    m) mode=$OPTARG ;; w) wrap=$OPTARG ;; d) moddir=$OPTARG ;; p) pkg=$OPTARG ;;
    k) skip=$OPTARG ;; r) run=$OPTARG ;; t) secs=$OPTARG ;; n) rounds=$OPTARG ;;
    L) short= ;; R) race=-race ;; o) out=$OPTARG ;; *) exit 2 ;;
  esac
done
wrap=$(cd "$(dirname "$wrap")" && pwd)/$(basename "$wrap")
out=${out:-$(mktemp -d)}; mkdir -p "$out"
goroot=$(cd "$moddir" && go env GOROOT); src=$goroot/src/net/http
pkgdir=$(cd "$moddir" && go list -f '{{.Dir}}' "$pkg") || exit 2
pkgname=$(cd "$moddir" && go list -f '{{.Name}}' "$pkg")

# --- overlay files, derived from the installed toolchain on every run --------
sed 's/^func (c \*Client) transport() RoundTripper {$/func (c *Client) transport() RoundTripper {\
	if h := ConformanceWrapClient; h != nil {\
		return h(c.transportUnwrapped())\
	}\
	return c.transportUnwrapped()\
}\
\
func (c *Client) transportUnwrapped() RoundTripper {/' "$src/client.go" >"$out/client.go"
sed 's/^	return t\.roundTrip(req)$/	if h := ConformanceWrapTransport; h != nil {\
		return h(t, conformanceInner{t}).RoundTrip(req)\
	}\
	return t.roundTrip(req)/' "$src/roundtrip.go" >"$out/roundtrip.go"
cmp -s "$src/client.go" "$out/client.go" && { echo "client.go: injection point not found in this Go version"; exit 2; }
cmp -s "$src/roundtrip.go" "$out/roundtrip.go" && { echo "roundtrip.go: injection point not found"; exit 2; }
cat >"$out/hook.go" <<'G'
package http

var (
	ConformanceWrapClient    func(RoundTripper) RoundTripper
	ConformanceWrapTransport func(*Transport, RoundTripper) RoundTripper
)

type conformanceInner struct{ t *Transport }

func (c conformanceInner) RoundTrip(r *Request) (*Response, error) { return c.t.roundTrip(r) }
func (c conformanceInner) CloseIdleConnections()                   { c.t.CloseIdleConnections() }
G
sed "0,/^package .*/s//package ${pkgname}_test/" "$wrap" >"$out/wrap_test.go"
cat >"$out/install_test.go" <<G
package ${pkgname}_test

import (
	"net/http"
	"os"
	"reflect"
	"sync"
)

// One wrapper per inner transport, so that limiter state lives as long as the
// transport does; uncomparable RoundTrippers (func types) get a fresh one.
func init() {
	var (
		mu    sync.Mutex
		cache = map[http.RoundTripper]http.RoundTripper{}
		calls *os.File
	)
	if f := os.Getenv("CONF_CALLS"); f != "" {
		calls, _ = os.OpenFile(f, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	}
	get := func(key, next http.RoundTripper) http.RoundTripper {
		if calls != nil {
			calls.Write([]byte{'.'})
		}
		if key == nil {
			return nil
		}
		if !reflect.TypeOf(key).Comparable() {
			return conformanceWrap(next)
		}
		mu.Lock()
		defer mu.Unlock()
		w := cache[key]
		if w == nil {
			w = conformanceWrap(next)
			cache[key] = w
		}
		return w
	}
	switch os.Getenv("CONF_MODE") {
	case "client":
		http.ConformanceWrapClient = func(rt http.RoundTripper) http.RoundTripper { return get(rt, rt) }
	case "transport":
		http.ConformanceWrapTransport = func(t *http.Transport, rt http.RoundTripper) http.RoundTripper { return get(t, rt) }
	}
}
G
cat >"$out/overlay.json" <<G
{"Replace":{
"$src/client.go":"$out/client.go",
"$src/roundtrip.go":"$out/roundtrip.go",
"$src/zz_conformance_hook.go":"$out/hook.go",
"$pkgdir/zz_conformance_wrap_test.go":"$out/wrap_test.go",
"$pkgdir/zz_conformance_install_test.go":"$out/install_test.go"
}}
G
(cd "$moddir" && go test -overlay "$out/overlay.json" $race -vet=off -c -o "$out/conf.test" "$pkg") || exit 2

# --- run, skipping hung tests until the suite completes ----------------------
hung= crashed= r=1
while :; do
  log=$out/round$r.log; : >"$out/calls"
  (cd "$pkgdir" && CONF_MODE=$mode CONF_CALLS=$out/calls timeout -k 5 $((secs + 30)) "$out/conf.test" \
     $short -test.v -test.timeout "${secs}s" ${skip:+-test.skip "$skip"} ${run:+-test.run "$run"}) >"$log" 2>&1
  rc=$?
  if grep -q '^panic: test timed out' "$log"; then
    h=$(sed -n '/^\trunning tests:$/,/^$/p' "$log" | sed -n 's/^\t\t\(Test[^ /]*\).*/\1/p' | sort -u)
    hung="$hung $(echo $h)"
  elif grep -qE '^(panic|fatal error): ' "$log"; then   # one test took the process down: name it by its stack
    h=$(grep -nE '^(panic|fatal error): ' "$log" | head -1 | cut -d: -f1)
    h=$(tail -n +"$h" "$log" | grep -oE '_test\.[tT]est[A-Za-z0-9_]+' | head -1 | sed 's/^_test\.[tT]/T/')
    [ -z "$h" ] && h=$(grep -E '^--- FAIL' "$log" | tail -1 | awk '{print $3}')
    crashed="$crashed $h"
  else break; fi
  [ -z "$h" ] && break
  for t in $h; do skip="${skip:+$skip|}^$t\$"; done
  r=$((r + 1)); [ $r -gt "$rounds" ] && break
done
fails=$(grep -E '^--- FAIL' "$log" | awk '{print $3}' | sort -u)
flaky= hard=
for t in $fails; do   # five more tries alone: told apart from a deterministic failure
  ok=0
  for _ in 1 2 3 4 5; do
    (cd "$pkgdir" && CONF_MODE=$mode timeout 60 "$out/conf.test" $short -test.timeout 50s -test.run "^$t\$" >/dev/null 2>&1) && ok=$((ok + 1))
  done
  if [ $ok -gt 0 ]; then flaky="$flaky $t($ok/5)"; else hard="$hard $t"; fi
done
p=$(grep -cE '^ *--- PASS' "$log"); f=$(grep -cE '^ *--- FAIL' "$log"); s=$(grep -cE '^ *--- SKIP' "$log")
echo "mode=$mode pkg=$pkg wrap=$(basename "$wrap") rc=$rc rounds=$r wrapped_calls=$(stat -c %s "$out/calls") out=$out"
grep -E '^panic:|^fatal error:|WARNING: DATA RACE|^Too many goroutines' "$log" | sort | uniq -c | head -5
echo "failing:${hard:- none}"
echo "flaky when alone:${flaky:- none}"
echo "hung (skipped):${hung:- none}"
echo "crashed the process (skipped):${crashed:- none}"
echo "$p passed, $f failed, $s skipped"
[ "$rc" = 0 ] && [ -z "$hung$crashed" ]
