#!/bin/sh
test_description='show --machine: measured once, a table and JSON of the same figures'
. "${TEST_SRC:-.}/t/lib/test-lib.sh"
T=$TEST_BUILD/tidbit
# little memory makes it quicker; a build with sanitizers does not start with it
(ulimit -v 700000 && "$T" --version) >/dev/null 2>&1 && ulimit -v 700000

test_expect_success 'a wrong call is told' '
	test_code 2 "$T" show --again && test_code 2 "$T" show --machine "$TIDBIT_PROFILES/stories260K.gguf"
'
test_expect_success 'Ctrl-C and its like: it ends, and keeps nothing' '
	"$T" show --machine >"$TRASH/out" 2>"$TRASH/err" & p=$!
	sleep 1; kill -TERM $p; wait $p; code=$?
	cat "$TRASH/err"
	[ $code -eq 143 ] && [ ! -s "$TRASH/out" ] && ! ls "$HOME/.cache/tidbit/"machine-* 2>/dev/null
'
test_expect_success 'a table, no wider than 80 columns with two counts of threads' '
	"$T" show --machine >"$TRASH/out" 2>"$TRASH/err" && [ ! -s "$TRASH/err" ] && cat "$TRASH/out" &&
	grep -q "^  16.0 KiB  *[0-9]" "$TRASH/out" && grep -q "^  int8 scalar  *[0-9]" "$TRASH/out" &&
	grep -q "^  f32 scalar  *[0-9]" "$TRASH/out" && sed -n 3p "$TRASH/out" | grep -q "^measured 20"
'
test_expect_success 'again from what was kept: the same bytes' '
	"$T" show --machine >"$TRASH/again" && cmp "$TRASH/out" "$TRASH/again" && ls "$HOME"/.cache/tidbit/machine-*.json
'
test_expect_success 'JSON: the fields that --help names, and no others; the figures of the table' '
	"$T" show --machine -o json >"$TRASH/json" && cat "$TRASH/json" && "$T" show --help | tr ",:;." "    " >"$TRASH/help" &&
	for f in $(sed -n "s/^ *\"\([a-z_0-9]*\)\":.*/\1/p" "$TRASH/json" | sort -u); do
		grep -q -w -e "$f" "$TRASH/help" || { echo "$f is not told"; exit 1; }
	done &&
	n=$(grep -c "\"gb_per_s\": [0-9.]*" "$TRASH/json") && m=$(grep -c "\"gop_per_s\": [0-9.]*" "$TRASH/json") &&
	[ "$n" -ge 4 ] && [ "$m" -ge 2 ]
'
test_expect_success 'bench --profile holds each kind of work against them; the parts are the whole' '
	"$T" bench --profile -m "$TIDBIT_PROFILES/stories260K.gguf" -p 32 -n 4 -r 1 >"$TRASH/works" && cat "$TRASH/works" &&
	grep -q "^limits: [0-9.]* GB/s, [0-9]* int8 and [0-9]* f32 Gop/s" "$TRASH/works" &&
	[ "$(grep -c "^| attention  *|" "$TRASH/works")" = 2 ] && [ "$(grep -c "^| output matrix  *|" "$TRASH/works")" = 2 ] &&
	awk -F"|" "/^\\| all/ { n++; if (sum < 99 || sum > 101) bad = 1; sum = 0; next } /^\\| [a-z]/ { sum += \$4 } END { exit bad || n != 2 }" "$TRASH/works"
'
test_expect_success 'a folder that cannot be written to: told, and the figures are shown' '
	XDG_CACHE_HOME=/dev/null "$T" show --machine >"$TRASH/out" 2>"$TRASH/err" && cat "$TRASH/err" &&
	grep -q "not kept: .*/dev/null" "$TRASH/err" && grep -q "int8 scalar" "$TRASH/out"
'
test_done
