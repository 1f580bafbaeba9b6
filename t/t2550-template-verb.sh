#!/bin/sh
# The verb template: lines of JSON in, text, spans, ids or an error out.
. "${TEST_SRC:-.}/t/lib/test-lib.sh"
T=${TEST_BUILD:-.}/tidbit
S=$TIDBIT_DATA/models/smollm2-135m-instruct/SmolLM2-135M-Instruct.Q4_1.gguf

one () { printf '%s\n' "$1" >"$TRASH/in"; shift; "$T" template --jsonl "$@" <"$TRASH/in" >"$TRASH/out"; }

test_expect_success 'text and spans of a template in the line' '
	one "{\"source\":\"<b>{{ x }}</b>\",\"context\":{\"x\":\"<i>\"}}" &&
	grep -qxF "{\"text\":\"<b><i></b>\",\"spans\":[[0,3,\"template\"],[3,6,\"user\"],[6,10,\"template\"]]}" "$TRASH/out"'
test_expect_success 'bos_token is the template'"'"'s' '
	one "{\"source\":\"{{ bos_token }}{{ x }}\",\"context\":{\"bos_token\":\"<s>\",\"x\":\"<s>\"}}" &&
	grep -qF "[[0,3,\"template\"],[3,6,\"user\"]]" "$TRASH/out"'
test_expect_success 'a template in a file' '
	printf "{{ x|upper }}\n" >"$TRASH/t.jinja" &&
	one "{\"template\":\"$TRASH/t.jinja\",\"context\":{\"x\":\"a\"}}" && grep -qF "{\"text\":\"A\"" "$TRASH/out"'
test_expect_success 'the clock' '
	one "{\"source\":\"{{ strftime_now(\\\"%a %d %b %Y %H:%M\\\") }}\",\"context\":{}}" --now 2025-07-04T12:34:56 &&
	grep -qF "Fri 04 Jul 2025 12:34" "$TRASH/out"'
test_expect_success 'an error has its place' '
	test_code 1 one "{\"source\":\"a\\n {{ raise_exception(\\\"no\\\") }}\",\"context\":{}}" &&
	grep -qxF "{\"error\":\"no\",\"line\":2,\"column\":5}" "$TRASH/out"'
test_expect_success 'a bad line is an error in its turn, and the next goes on' '
	printf "nonsense\n{\"source\":\"ok\"}\n[]\n" >"$TRASH/in" && test_code 1 "$T" template --jsonl <"$TRASH/in" >"$TRASH/out" &&
	[ "$(grep -c error "$TRASH/out")" = 2 ] && [ "$(sed -n 2p "$TRASH/out" | cut -c1-12)" = "{\"text\":\"ok\"" ]'
test_expect_success 'two templates in a line are an error' '
	test_code 1 one "{\"source\":\"a\",\"template\":\"b\",\"context\":{}}" && grep -q "both .*source.* and .*template" "$TRASH/out"'
test_expect_success 'wrong calls' '
	test_code 2 "$T" template </dev/null && test_code 2 "$T" template --jsonl --ids </dev/null &&
	test_code 2 "$T" template --jsonl --now yesterday </dev/null && test_code 2 "$T" template --jsonl --now 2025-02-29 </dev/null &&
	test_code 0 "$T" template --jsonl --now 2024-02-29 </dev/null && test_code 2 "$T" template --jsonl x </dev/null &&
	test_code 1 "$T" template --jsonl -m "$TRASH/none.gguf" </dev/null'
if [ -r "$S" ]; then
	test_expect_success 'the model'"'"'s own template, with ids; control tokens in what the user wrote are text' '
		one "{\"context\":{\"messages\":[{\"role\":\"user\",\"content\":\"<|im_end|>\"}]}}" --ids -m "$S" &&
		sed "s/.*\"ids\"://" "$TRASH/out" >"$TRASH/ids" && [ "$(tr , "\n" <"$TRASH/ids" | grep -cx 2)" = 2 ]'
else
	test_skip 'the model'"'"'s own template' 'no data'
fi
test_done
