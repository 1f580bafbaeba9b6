#!/bin/sh
# peers.sh [--tidbit PATH] [--llama-bench PATH] [--ik-llama-bench PATH] [--rounds N] [--threads N]
#          [-p N] [-n N] [-d N] [--act KIND] [--kv TYPE] MODEL...
# Prefill and decode of each model by tidbit and by the peers that are named, in rounds: everyone once, then
# everyone again, so that what the machine does meanwhile falls on all. A peer is run at each of its settings
# (-fa 0 and 1; ik_llama.cpp also -rtr 0 and 1; behind -d tokens it can only decode). --act is tidbit's own
# (bench's default; peers round to 8 bits). Told are medians, how tidbit stands to the best of a peer's
# settings, and to the limit of the instruction set in use (bench --profile, after the rounds); the machine's
# limits are measured before and after all models.
set -u
tidbit=tidbit llama= ik= rounds=3 threads=$(getconf _NPROCESSORS_ONLN) p=512 n=128 d=0 act=int8 kv=f16
die () { echo "peers.sh: $*" >&2; exit 2; }
while [ $# -gt 0 ]; do
	case $1 in
	--help) sed -n '2,/^set/s/^# \{0,1\}//p' "$0"; exit ;;
	--rounds|--threads|-p|-n|-d) case ${2-} in ''|*[!0-9]*) die "$1 wants a number" ;; esac ;;
	--tidbit|--llama-bench|--ik-llama-bench|--act|--kv) [ $# -gt 1 ] || die "$1 wants a value" ;;
	-*) die "unknown option $1" ;;
	*) break ;;
	esac
	case $1 in
	--tidbit) tidbit=$2 ;;
	--llama-bench) llama=$2 ;;
	--ik-llama-bench) ik=$2 ;;
	--rounds) rounds=$2 ;;
	--threads) threads=$2 ;;
	--act) act=$2 ;;
	--kv) kv=$2 ;;
	-p) p=$2 ;;
	-n) n=$2 ;;
	-d) d=$2 ;;
	esac
	shift 2
done
[ $# -gt 0 ] || die "no model"
[ "$rounds" -gt 0 ] || die "--rounds wants at least 1"
[ "$threads" -gt 0 ] || die "--threads wants at least 1"
[ $((p + n)) -gt 0 ] || die "-p and -n are both 0: nothing to measure"
command -v "$tidbit" >/dev/null || die "$tidbit cannot be run"
for m; do [ -r "$m" ] || die "$m cannot be read"; done
for x in "$llama" "$ik"; do [ -z "$x" ] || [ -x "$x" ] || die "$x cannot be run"; done
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
trap 'exit 130' INT TERM

case $kv in q*) fas=1 ;; *) fas="0 1" ;; esac

# csv of one run → lines "who test tokens/s"; a quoted value may hold a comma
rates () {
	awk -v who="$1" '
		{ quoted = /^"/; gsub(/^"|"$/, ""); n = split($0, v, quoted ? "\",\"" : ",") }
		NR == 1 { for (i = 1; i <= n; i++) at[v[i]] = i; next }
		{ gen = v[at["n_gen"]]; print who, (gen > 0 ? "tg" gen : "pp" v[at["n_prompt"]]), v[at["avg_ts"]] }'
}

# one run of a peer: name, program, what it is to do and its own options
peer () {
	name=$1 prog=$2
	shift 2
	if "$prog" -m "$model" -t "$threads" -r 1 -o csv "$@" >"$tmp/out" 2>"$tmp/err"; then
		rates "$name" <"$tmp/out"
	else
		failed "$prog"
	fi
}

# A program that fails is told with its own last words, but for where to find help; the others go on.
failed () {
	echo "peers.sh: $1: $(grep -v ': see .*--help' "$tmp/err" | tail -n 1)" >&2
	echo 1 >"$tmp/failed"
}

tidbit_bench () { "$tidbit" bench "$@"; }

round () {
	peer tidbit tidbit_bench -p "$p" -n "$n" -d "$d" --act "$act" --kv "$kv"
	work="-p $p -n $n" ikwork="-p $p -n $n"
	[ "$d" -eq 0 ] || { work="$work -d $d" ikwork="-p 0 -n 0 -gp $d,$n"; }
	if [ -n "$llama" ]; then
		for fa in $fas; do peer "llama.cpp_fa$fa" "$llama" $work -fa $fa -ctk "$kv" -ctv "$kv"; done
	fi
	if [ -n "$ik" ]; then
		for fa in $fas; do for rtr in 0 1; do
			peer "ik_llama.cpp_fa${fa}_rtr$rtr" "$ik" $ikwork -fa $fa -rtr $rtr -ctk "$kv" -ctv "$kv"
		done; done
	fi
}

# The share of the limit that prefill and decode reach, of a profile's last rows.
shares () {
	"$tidbit" bench --profile -m "$model" -t "$threads" -r 1 -p "$p" -n "$n" -d "$d" --act "$act" --kv "$kv" 2>/dev/null |
	awk -F'|' '/tokens\/s/ { test = $0; sub(/^[^,]*, /, "", test); sub(/:.*/, "", test) }
		$2 ~ /^ all / { gsub(/ /, "", $7); print "  " test ": " $7 " % of the limit" }'
}

limits () {
	"$tidbit" show --machine --again 2>/dev/null | awk '/GB\/s|4.00 GiB|int8|f32|measured/'
}

limits
for model; do
	: >"$tmp/rates"
	i=0
	while [ $i -lt "$rounds" ]; do round >>"$tmp/rates"; i=$((i + 1)); done
	echo "${model##*/}"
	sort -k2,2 -k1,1 -k3,3n "$tmp/rates" | awk -v d="$d" '
		function flush() {
			if (n) {
				m = n % 2 ? v[(n + 1) / 2] : (v[n / 2] + v[n / 2 + 1]) / 2
				printf "  %-24s %-12s %9.2f tokens/s  (%d rounds, %.2f to %.2f)\n", who, test (d > 0 ? " @ d" d : ""), m, n, v[1], v[n]
				if (who == "tidbit") ours[test] = m
				else { peer = who; sub(/_.*/, "", peer); if (who ~ /^ik_/) peer = "ik_llama.cpp"
				       if (m > best[test, peer]) best[test, peer] = m
				       if (!(peer in met)) { met[peer]; known[++peers] = peer } }
				if (!(test in had)) { had[test]; tested[++tests] = test }
			}
			n = 0
		}
		{ if ($1 != who || $2 != test) flush(); who = $1; test = $2; v[++n] = $3 }
		END {
			flush()
			for (i = 1; i <= tests; i++)
				for (j = 1; j <= peers; j++)
					if (ours[tested[i]] && best[tested[i], known[j]])
						printf "  %s: %.2f times %s\n", tested[i], ours[tested[i]] / best[tested[i], known[j]], known[j]
		}'
	grep -q '^tidbit ' "$tmp/rates" && shares
done
limits
[ ! -e "$tmp/failed" ]
