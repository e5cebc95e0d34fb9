#!/usr/bin/env bash
# The same rows, to the byte, from every build of the program that is given, each also where the C library has neither fused
# multiply-add nor wide vectors, as on an older processor. The experiment draws from every distribution that there is.
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

compared=0
for program in "${programs[@]}"; do
    for setting in "" "$OLDER"; do
        rm -f draws.csv
        GLIBC_TUNABLES=$setting "$program" experiment draws.json --figures stale_rate >table
        [ -e expected.csv ] || { mv draws.csv expected.csv; mv table expected; continue; }
        if ! cmp expected.csv draws.csv || ! diff expected table; then
            echo "cpus: $program with GLIBC_TUNABLES=$setting differs" >&2
            exit 1
        fi
        compared=$((compared + 1))
    done
done
echo "cpus: passed: $(wc -l <expected.csv) lines of ${#programs[@]} builds, with and without fused multiply-add of the C library," \
    "$compared comparisons; SHA-256 $(sha256sum <expected.csv | head -c 16)"
