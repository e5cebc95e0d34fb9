#!/usr/bin/env bash
# Merges the rows of a thousand shards and tells the time and the memory: time in proportion to the rows, memory not.
#
# Give it the program and how many rows. The rows are made up, as long as real ones, under the names of planned runs.
#
#     cargo build --release --features cli && tests/sweep/merge.sh target/release/chainlab 10000000
set -euo pipefail

readonly SHARDS=1000 MEGABYTES_MAX=64
program=$(realpath "${1:?give the program, as built with the feature cli}")
rows=${2:-100000}

if [ ! -x /usr/bin/time ]; then
    echo "merge: SKIPPED: /usr/bin/time is missing; Debian has it in time"
    exit 0
fi
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
cd "$directory"

experiment() {
    cat <<END
{
    "scenario": {"nodes": 20, "stop": {"blocks": $1}},
    "grid": {"link.latency.fixed.seconds": [1, 10, 30, 60]},
    "replicates": $2
}
END
}

# Of one real run, what follows its name, replicate, seed and model.
experiment 1000 1 >real.json
"$program" experiment real.json --figures stale_rate >/dev/null
figures=$(sed -n 2p real.csv | cut -d , -f 5-)

experiment 1 $((rows / 4)) >many.json
/usr/bin/time -f '%e s and %M KB: planning' "$program" sweep plan many.json -o plan --pilots 0
mkdir rows
# Each file is in the order of the plan, as a shard leaves it.
ulimit -n $((SHARDS + 100))
awk -F '[^0-9a-z]+' -v header="$(head -n 1 real.csv)" -v figures="$figures" -v shards="$SHARDS" '
    function digit(place) { return index("0123456789abcdef", substr($3, place, 1)) - 1 }
    BEGIN { print header | "sha256sum >expected" }
    NR > 1 {
        file = sprintf("rows/shard-%04d-of-%d.csv", ((digit(1) * 16 + digit(2)) * 16 + digit(3)) % shards + 1, shards)
        if (!(file in begun)) { begun[file]; print header >file }
        row = $3 "," $7 ",1234567890123456,1," figures
        print row >file
        print row | "sha256sum >expected"
    }' plan
/usr/bin/time -f '%e s and %M KB: one task reading the plan' \
    "$program" sweep run plan --shard 1/4000000000 -o rows >/dev/null
rm rows/*-4000000000.csv
/usr/bin/time -f '%e %M' -o cost "$program" sweep merge rows plan -o merged.csv
read -r seconds kilobytes <cost

[ "$(sha256sum <merged.csv)" = "$(cat expected)" ] || { echo "merge: the rows are not those that were made" >&2; exit 1; }
megabytes=$((kilobytes / 1000 + 1))
[ "$megabytes" -le "$MEGABYTES_MAX" ] || { echo "merge: it took $megabytes MB" >&2; exit 1; }
echo "merge: passed: $rows rows, $(($(stat -c %s merged.csv) / 1000000)) MB, of $SHARDS files" \
    "in $seconds s and $megabytes MB of memory; the plan has $(($(stat -c %s plan) / 1000000)) MB"
