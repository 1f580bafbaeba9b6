#!/bin/sh
test_description='bench: levels side by side, in forms that others read'
. "${TEST_SRC:-.}/t/lib/test-lib.sh"
T=$TEST_BUILD/tidbit
M=$TIDBIT_PROFILES/stories260K.gguf
cd "$TRASH" || exit 99
fields='build_commit cpu_info model_filename model_type model_size model_n_params n_batch n_threads type_k type_v
	n_prompt n_gen n_depth test_time avg_ns stddev_ns avg_ts stddev_ts'

test_expect_success 'the table: a row a level and test' '
	"$T" bench -m "$M" -q q8_0,Q4_0 -p 32 -n 8 -r 2 -t 1 >md 2>err && cat md &&
	[ "$(grep -c "^| llama 260K Q8_0 .* 0\.26 M | CPU  *|  *1 | int16    |  *\(pp32\|tg8\) |  *[0-9.]* ± [0-9.]* |$" md)" = 2 ] &&
	[ "$(grep -c "^| llama 260K Q4_0 " md)" = 2 ] && head -n 1 md | grep -q "^| model  *|  *size |  *params | backend  *| threads | act  *|  *test |  *t/s |$" &&
	[ "$(sed -n "s,±,+,;/^|/p" md | awk "{ print length(\$0) }" | sort -u | wc -l)" = 1 ]
'
test_expect_success 'behind a depth, with other activations' '
	"$T" bench -m "$M" -q q4_0 -p 16 -n 4 -r 1 -t 1 -d 40 --act int16 >md && grep -q "| int16    |  *pp16 @ d40 |" md && grep -q "| int16    |  *tg4 @ d40 |" md &&
	"$T" bench -m "$M" -p 16 -n 4 -r 1 -t 1 --act int16 | grep -q "| f32      |  *pp16 |" &&
	"$T" bench -m "$M" -q q4_0 -p 16 -n 4 -r 1 -t 1 -d 40 --act int16 -o csv >csv && grep -c "\"int16\"$\|,int16$" csv && grep -q "n_depth" csv &&
	test_code 1 "$T" bench -m "$M" -p 16 -n 4 -r 1 -d 2100 2>err && [ "$(wc -l <err)" = 1 ] && grep -q "context" err
'
test_expect_success 'json has every field and every sample' '
	"$T" bench -m "$M" -p 32 -n 8 -r 3 -t 1 -o json >json && for f in $fields samples_ns samples_ts; do
		[ "$(grep -c "^  \"$f\": " json)" = 2 ] || { echo "$f"; exit 1; }
	done
'
if command -v python3 >/dev/null; then
	test_expect_success 'json is JSON, and its figures agree with each other' '
		python3 - <<-"E"
		import json, statistics as s
		rows = json.load(open("json"))
		assert [(r["n_prompt"], r["n_gen"]) for r in rows] == [(32, 0), (0, 8)]
		for r in rows:
		    n = r["n_prompt"] + r["n_gen"]
		    ts = [n * 1e9 / x for x in r["samples_ns"]]
		    assert len(ts) == 3 and all(abs(a - b) < 1e-3 * a for a, b in zip(ts, r["samples_ts"]))
		    assert abs(s.mean(ts) - r["avg_ts"]) < 1e-3 * r["avg_ts"]
		    assert abs(s.stdev(ts) - r["stddev_ts"]) < 1e-3 * r["avg_ts"]
		    assert r["n_threads"] == 1 and r["model_n_params"] == 260032 and r["type_k"] == "f16"
		E
	'
else
	test_skip 'json is JSON' 'no python3'
fi
test_expect_success 'csv: the same fields, as many values in each row' '
	"$T" bench -m "$M" -p 16 -n 4 -r 2 -t 1 -o csv >csv && [ "$(wc -l <csv)" = 3 ] &&
	for f in $fields; do head -n 1 csv | tr , "\n" | grep -qx "$f" || exit 1; done
	want=$(head -n 1 csv | tr , "\n" | wc -l) && tail -n 2 csv | while read -r row; do
		[ "$(printf "%s\n" "$row" | grep -o "\",\"" | wc -l)" = $((want - 1)) ] || exit 1
	done
'
test_expect_success '-p 0 and -n 0 leave a test out; both are nothing to do' '
	[ "$("$T" bench -m "$M" -p 0 -n 4 -r 1 | grep -c "^| llama")" = 1 ] &&
	[ "$("$T" bench -m "$M" -n 0 -p 4 -r 1 | grep -c "^| llama")" = 1 ] &&
	test_code 2 "$T" bench -m "$M" -p 0 -n 0 && test_code 2 "$T" bench
'
test_expect_success 'a test that its context does not hold: one line, before anything is measured' '
	over () { test_code 1 "$T" bench "$M" "$@" >out 2>err; r=$?; cat err; [ $r = 0 ] && [ ! -s out ] && [ "$(wc -l <err)" = 1 ]; }
	over -p 32 -n 8 -c 31 && grep -q "^tidbit: -p 32 does not fit a context of 31; -c 32 " err &&
	over -p 8 -n 32 -c 31 && grep -q "^tidbit: -n 32 does not fit a context of 31; -c 32 " err &&
	over -p 513 -n 1 && grep -q "^tidbit: -p 513 does not fit a context of 512, .*trained on; -c 513 " err &&
	"$T" bench "$M" -p 513 -n 0 -r 1 -c 513 >out 2>err && grep -q pp513 out && grep -q "context of 513 is more than the 512" err &&
	"$T" bench "$M" -p 32 -n 0 -r 1 -c 32 2>err && [ ! -s err ]
'
test_expect_success 'a wrong list of levels: exit 2, nothing on stdout' '
	for q in q17 q8_0, ,q8_0 "q8_0,,q4_0"; do
		test_code 2 "$T" bench -m "$M" -q "$q" -r 1 -p 4 -n 4 >out 2>err && [ ! -s out ] && grep -q "^tidbit: -q: .*level" err || { cat err; exit 1; }
	done
'
test_done
