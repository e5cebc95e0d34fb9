#!/usr/bin/env bash
# The guide's sweep under GNU parallel, which is killed with all that it runs, resumed, and disturbed once more; and the same
# sweep in two directories, as if on two machines. Each time its file is that of `chainlab experiment`, to the byte.
#
#     cargo build --release --features cli && tests/sweep/parallel.sh target/release/chainlab
set -euo pipefail

source "$(dirname "${BASH_SOURCE[0]}")/guide.sh"
program=$(realpath "${1:?give the program, as built with the feature cli}")

if [[ $(parallel --version 2>/dev/null) != "GNU parallel"* ]]; then
    echo "parallel: SKIPPED: GNU parallel is missing; Debian has it in parallel"
    exit 0
fi
directory=$(mktemp -d)
session=
clean_up() {
    local code=$?
    trap - EXIT
    kill_session
    [ "$code" -eq 0 ] || echo "parallel: FAILED" >&2
    rm -rf "$directory"
    exit "$code"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

fail() {
    echo "parallel: $*" >&2
    exit 1
}

# Kills parallel and all that it has started, at once, as when the machine ends.
kill_session() {
    [ -z "$session" ] || pkill -KILL --session "$session" || true
}

# The sweep's own files and settings, and the program under its name.
export HOME=$directory/home
mkdir -p "$HOME/.parallel" "$directory"/{bin,sweep}
touch "$HOME/.parallel/will-cite"
ln -s "$program" "$directory/bin/chainlab"
PATH=$directory/bin:$PATH
cd "$directory/sweep"

fenced json 1 | changed 's/"replicates": 2500/"replicates": 600/' >delays.json
chainlab experiment delays.json -o delays.csv --figures stale_rate >/dev/null
chainlab sweep plan delays.json -o delays.plan
fenced sh 2 >resume
cat resume
# As the manual has it: without the runs that failed.
changed s/--resume-failed/--resume/ <resume >begin

# Killed in the midst of it, when some shards are whole and others are under way.
setsid bash begin >/dev/null 2>&1 &
session=$!
disown
is_in_the_midst() {
    [ "$(wc -l <log)" -gt 10 ] && [ "$(wc -l <"$(echo rows/*.part | cut -d ' ' -f 1)")" -ge 2 ]
}
until is_in_the_midst 2>/dev/null; do
    kill -0 "$session" 2>/dev/null || fail "it was over before it was killed"
done
kill_session
whole=$(find rows -name '*.csv' | wc -l)
[ "$whole" -lt 64 ] || fail "it was over before it was killed"
if chainlab sweep merge rows delays.plan -o results.csv 2>refused; then fail "rows are missing, and nobody tells"; fi
grep -q "of 2400 runs have no row" refused

# Goes on, and shards are told to end, until one has: it is not whole, and parallel knows it for a failure.
setsid bash begin >/dev/null 2>&1 &
session=$!
disown
until awk 'NR > 1 && ($7 || $8) { failed = 1 } END { exit !failed }' log; do
    kill -0 "$session" 2>/dev/null || fail "all shards were over before they were told to end"
    pkill -TERM --session "$session" --exact chainlab || true
done
while kill -0 "$session" 2>/dev/null; do sleep 0.1; done
session=
[ "$(wc -l <log)" -eq 65 ] || fail "it did not go on to the end"
if chainlab sweep merge rows delays.plan -o results.csv 2>refused; then fail "a shard that was told to end is whole"; fi

bash resume >/dev/null
chainlab sweep merge rows delays.plan -o results.csv
cmp delays.csv results.csv

rm results.csv
fenced sh 3 | tee two
bash -eu two
cmp delays.csv results.csv

echo "parallel: passed: 64 shards, killed when $whole were whole, resumed, some told to end, resumed; and in two directories;" \
    "$(wc -l <results.csv) lines, to the byte those of one process"
