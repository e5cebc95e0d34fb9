#!/usr/bin/env bash
# The guide's sweep as an array of 200 tasks under a real Slurm, one node on the loopback: its file is that of
# `chainlab experiment`, to the byte, though one task fails in the middle of a row and another is told that its time is up.
#
# Give it the program; the commands are those of src/guide/sweeps.md, with fewer tasks and fewer runs. Slurm's daemons run
# without munge (auth/none, cred/none, both among Debian's packages) and without systemd or control groups
# (proctrack/linuxproc, task/none), on a directory of their own that goes with them.
#
#     cargo build --release --features cli && tests/sweep/slurm.sh target/release/chainlab
set -euo pipefail

readonly TASKS=200
source "$(dirname "${BASH_SOURCE[0]}")/guide.sh"
program=$(realpath "${1:?give the program, as built with the feature cli}")

PATH=$PATH:/usr/sbin:/sbin
for tool in slurmctld slurmd sbatch srun squeue scontrol; do
    if ! command -v "$tool" >/dev/null; then
        echo "slurm: SKIPPED: $tool is missing; Debian has it in slurmctld, slurmd and slurm-client"
        exit 0
    fi
done

directory=$(mktemp -d)
export SLURM_CONF=$directory/slurm.conf

# Whatever has this configuration in its environment was started here: daemons, the tasks' keepers, and what they run.
ours() {
    grep -lzsx "SLURM_CONF=$SLURM_CONF" /proc/[0-9]*/environ | cut -d / -f 3 | grep -vx -e "$$" -e "$BASHPID" || true
}

clean_up() {
    local code=$?
    trap - EXIT
    if [ "$code" -ne 0 ]; then
        echo "slurm: FAILED" >&2
        tail -n 30 "$directory"/{*.log,sweep/task-"${full:-}"*,sweep/task-"${interrupted:-}"*} 2>/dev/null >&2 || true
    fi
    # None of them starts others for long, once the daemons are gone.
    for _ in 1 2 3; do
        # shellcheck disable=SC2046 # They are numbers.
        kill -KILL $(ours) 2>/dev/null || true
    done
    rm -rf "$directory"
    exit "$code"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

fail() {
    echo "slurm: $*" >&2
    exit 1
}

# Asks every tenth of a second whether something holds by now, for so many seconds at most.
within() {
    local seconds=$1
    local until=$((SECONDS + seconds))
    shift
    until "$@"; do
        [ "$SECONDS" -lt "$until" ] || fail "after $seconds s still not so: $*"
        sleep 0.1
    done
}

free_port() {
    local port
    while port=$((20000 + RANDOM % 10000)); (: >"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do :; done
    echo "$port"
}

mkdir "$directory"/{bin,spool,state,sweep}
cat >"$SLURM_CONF" <<END
ClusterName=chainlab
SlurmctldHost=$(hostname -s)(127.0.0.1)
SlurmctldPort=$(free_port)
SlurmdPort=$(free_port)
SlurmUser=$(id -un)
SlurmdUser=$(id -un)
AuthType=auth/none
CredType=cred/none
# So long a task waits that is queued again.
AuthInfo=cred_expire=5
StateSaveLocation=$directory/state
SlurmdSpoolDir=$directory/spool
SlurmctldPidFile=$directory/slurmctld.pid
SlurmdPidFile=$directory/slurmd.pid
SlurmctldLogFile=$directory/slurmctld.log
SlurmdLogFile=$directory/slurmd.log
MpiDefault=none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/filetxt
JobCompLoc=$directory/ended
SchedulerParameters=batch_sched_delay=0,sched_interval=1,sched_min_interval=10000,bf_interval=1
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
# More than there are: most of a task is waiting for Slurm.
SlurmdParameters=config_overrides
NodeName=node NodeHostname=$(hostname -s) NodeAddr=127.0.0.1 CPUs=16
PartitionName=all Nodes=node Default=YES MaxTime=INFINITE State=UP
END

cd "$directory/sweep"
fenced json 1 | changed 's/"replicates": 2500/"replicates": 250/' >delays.json
fenced sh 1 | changed "s/--tasks 1000/--tasks $TASKS/" >commands
[ "$(wc -l <commands)" -eq 5 ] || fail "the guide has other than five commands"

# What the tasks know as `chainlab`: the program, and what becomes of two of them when they start for the first time.
cat >"$directory/bin/chainlab" <<END
#!/usr/bin/env bash
[ "\${SLURM_ARRAY_TASK_ID:-}" ] && [ "\${SLURM_RESTART_COUNT:-0}" -eq 0 ] || exec "$program" "\$@"
read -r fails interrupted <"$directory/troubled"
rows=\$(printf 'rows/shard-%0${#TASKS}d-of-$TASKS.csv' "\$SLURM_ARRAY_TASK_ID")
[ -e "\$rows" ] && exec "$program" "\$@"
case \$SLURM_ARRAY_TASK_ID in
"\$fails")
    # Two kilobytes are all that a file may have, so that it ends in the middle of its second row.
    ulimit -c 0 -f 2
    exec "$program" "\$@"
    ;;
"\$interrupted")
    # Slurm tells all processes of a task.
    trap : TERM
    while true; do
        "$program" "\$@" &
        until [ "\$(wc -l <"\$rows.part")" -ge 2 ] || [ -e "\$rows" ]; do :; done 2>/dev/null
        kill -STOP \$!
        [ -e "\$rows" ] || break
        # It was faster than that: once more, from the start.
        kill -CONT \$!
        wait
        rm "\$rows"
    done
    scancel --signal=TERM "\${SLURM_ARRAY_JOB_ID}_\$SLURM_ARRAY_TASK_ID"
    # Slurm signals a little after it has been asked to: what stands still keeps the signal, number 15, until it goes on.
    is_told() { (((0x\$(sed -n 's/^ShdPnd://p' "/proc/\$1/status" | tr -d '[:space:]') & 1 << 14) != 0)); }
    until is_told \$!; do :; done
    kill -CONT \$!
    wait \$!
    code=\$?
    # It was the trap that the wait ended for, if the program is still there.
    while kill -0 \$! 2>/dev/null; do
        wait \$!
        code=\$?
    done
    exit "\$code"
    ;;
*) exec "$program" "\$@" ;;
esac
END
chmod +x "$directory/bin/chainlab"
PATH=$directory/bin:$PATH

slurmctld -D >/dev/null 2>&1 &
slurmd -D -N node >/dev/null 2>&1 &
disown -a
is_idle() { [ "$(sinfo --noheader --format %T 2>/dev/null)" = idle ]; }
# A machine may forbid what they ask of it. Whatever else goes wrong is a failure.
started=$SECONDS
until is_idle; do
    if [ $((SECONDS - started)) -ge 60 ]; then
        echo "slurm: SKIPPED: its daemons do not run here: $(tail -qn 1 "$directory"/slurm{ctld,d}.log 2>/dev/null | tr '\n' ' ')"
        exit 0
    fi
    sleep 0.1
done

# All but the last of them; what is submitted has its tasks' words in files of our own.
export SBATCH_OUTPUT=task-%a
while read -r command; do
    echo "\$ $command"
    if [[ $command == sbatch* ]]; then
        # Which runs a shard holds is computed here by what the library says of it: by the first 64 bits of their names.
        # The two with the most runs have trouble.
        sed -nE 's/^\{"run":"(.{8})(.{8}).*/\1 \2/p' delays.plan | while read -r high low; do
            echo $((((0x$high % TASKS) * ((1 << 32) % TASKS) + 0x$low) % TASKS + 1))
        done | sort | uniq -c | sort -k1,1nr -k2,2n >sizes
        read -r runs fails < <(sed -n 1p sizes)
        read -r _ interrupted < <(sed -n 2p sizes)
        echo "$fails $interrupted" >"$directory/troubled"
    fi
    begun=$SECONDS
    bash -euc "$command" </dev/null | tee printed
    [[ $command != sbatch* ]] || job=$(grep -oE '[0-9]+$' printed)
done < <(head -n 4 commands)
merge=$(tail -n 1 commands)

has_ended() { [ -z "$(squeue --noheader --jobs "$job" --format %i 2>/dev/null)" ]; }
within 300 has_ended
took=$((SECONDS - begun))
ended() { grep -cE "JobState=$1 .*ArrayTaskId=$2 .*ExitCode=$3 *\$" "$directory/ended" || true; }

# What was told that its time is up has gone to the queue by itself, and was finished.
grep -q "^interrupted: [1-9][0-9]* of " "task-$interrupted" || fail "task $interrupted kept nothing"
grep -q "exit code 75" "task-$interrupted" || fail "task $interrupted had another exit code"
[ "$(ended COMPLETED "$interrupted" 0:0)" -eq 1 ] || fail "task $interrupted did not go on"
[ "$(ended COMPLETED '[0-9]+' 0:0)" -eq $((TASKS - 1)) ] || fail "not all others went well"

# What failed has left a row and a half, and what is missing is told.
[ "$(ended FAILED "$fails" 153:0)" -eq 1 ] || fail "task $fails did not fail"
part=$(printf "rows/shard-%0${#TASKS}d-of-$TASKS.csv.part" "$fails")
[ "$(wc -l <"$part")" -eq 2 ] && [ "$(tail -c 1 "$part" | wc -l)" -eq 0 ] || fail "task $fails has not left a row and a half"
missing=$((runs - 1))
if bash -euc "$merge" 2>refused; then fail "rows are missing, and nobody tells"; fi
grep -q "^error: $missing of 1000 runs have no row: " refused || fail "expected $missing missing: $(cat refused)"

scontrol requeue "${job}_$fails"
within 60 has_ended
[ "$(ended COMPLETED "$fails" 0:0)" -eq 1 ] || fail "task $fails did not go on"
echo "\$ $merge"
bash -euc "$merge"
cmp delays.csv results.csv

# Once more, when Slurm has forgotten of it; and by the line at the end of the batch script.
job=$(sbatch --parsable "--array=$fails,$interrupted" delays.sh)
within 60 has_ended
rm results.csv
sed -n 's/^# \(chainlab sweep merge \)/\1/p' delays.sh | bash -eu
cmp delays.csv results.csv

echo "slurm: passed: $TASKS tasks under $(sinfo --version) in $took s, one failed in the middle of a row and queued again, one told" \
    "that its time is up; $(wc -l <results.csv) lines, to the byte those of one machine"
