#!/usr/bin/env bash
# The same rows of an experiment, and the same reports and events of the ready scenarios that take a moment, to the byte, from
# every build of the program that is given, each also where the C library has neither fused multiply-add nor wide vectors, as on
# an older processor. The experiment draws from every distribution that there is.
#
#     tests/sweep/cpus.sh target/debug/chainlab target/release/chainlab target/native/release/chainlab
set -euo pipefail

readonly OLDER=glibc.cpu.hwcaps=-FMA,-FMA4,-AVX2,-AVX2_Usable,-AVX512F
[ "$#" -gt 0 ] || { echo "give the program, as built with the feature cli, or several of it" >&2; exit 2; }
mapfile -t programs < <(realpath -- "$@")

directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
cd "$directory"

cat >draws.json <<'END'
{
    "scenario": {
        "nodes": 12,
        "strategies": [{"nodes": [0], "strategy": "selfish"}],
        "tie_breaks": [{"tie_break": "random"}],
        "transactions": [{"from": 1, "to": 2, "every_seconds": 3000}],
        "faults": [
            {"at_seconds": 3000, "kind": "partition", "groups": [[0, 1, 2, 3]]},
            {"at_seconds": 9000, "kind": "heal"},
            {"at_seconds": 12000, "kind": "set_hash_rate", "nodes": [3], "hash_rate": 12345.678}
        ],
        "link": {"loss": 0.01},
        "stop": {"blocks": 60}
    },
    "grid": {
        "link.latency": [
            {"uniform": {"min_seconds": 0.1, "max_seconds": 30}},
            {"normal": {"mean_seconds": 20, "standard_deviation_seconds": 7}},
            {"log_normal": {"median_seconds": 5, "sigma": 1.1}},
            {"exponential": {"mean_seconds": 15}},
            {"pareto": {"minimum_seconds": 3, "shape": 1.3}}
        ],
        "hash_rates": [{"exponential": {"total": 1e6}}, {"zipf": {"exponent": 0.9, "total": 1e6}}]
    },
    "replicates": 2
}
END

# That the setting does something where it can is seen by a program that asks the C library.
powers() {
    awk 'BEGIN { for (i = 1; i < 20000; i++) printf "%.17g %.17g\n", exp(i * 0.00037), log(i) }' | sha256sum
}
if grep -qw fma /proc/cpuinfo 2>/dev/null; then
    if [ "$(powers)" = "$(GLIBC_TUNABLES=$OLDER powers)" ]; then
        echo "cpus: the C library gives the same powers without fused multiply-add: nothing is shown" >&2
        exit 1
    fi
fi

readonly SCENARIOS=(double_spend forks partition retarget selfish_miner)

# What a program says of all of them, under a setting, into files of these names.
say() {
    rm -f draws.csv
    GLIBC_TUNABLES=$2 "$1" experiment draws.json --figures stale_rate >table
    mv draws.csv rows
    for scenario in "${SCENARIOS[@]}"; do
        GLIBC_TUNABLES=$2 "$1" run "$scenario" --json --events "$scenario.events" >"$scenario.report"
        sha256sum "$scenario.report" "$scenario.events"
    done >digests
}

compared=0
for program in "${programs[@]}"; do
    for setting in "" "$OLDER"; do
        say "$program" "$setting"
        for said in rows table digests; do
            [ -e "expected.$said" ] || cp "$said" "expected.$said"
            if ! diff "expected.$said" "$said"; then
                echo "cpus: $program with GLIBC_TUNABLES=$setting differs in its $said" >&2
                exit 1
            fi
        done
        compared=$((compared + 1))
    done
done
echo "cpus: passed: $(wc -l <rows) lines of an experiment, and the reports and events of ${#SCENARIOS[@]} scenarios, the same" \
    "$compared times, from ${#programs[@]} builds with and without fused multiply-add of the C library; SHA-256" \
    "$(cat rows table digests | sha256sum | head -c 16)"
