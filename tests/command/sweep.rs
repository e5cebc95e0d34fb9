//! `chainlab sweep`: however its runs are spread, the file that comes out is the experiment's.

use std::{
    env, fs,
    io::{self, Write},
    path::Path,
    process::{Command, Stdio},
};

use crate::{
    killed::{Random, kill},
    program::{chainlab, directory, fail, read, succeed, whole},
};

fn plan(directory: &Path) {
    succeed(directory, &["sweep", "plan", "delays.json", "-o", "plan", "--pilots", "2"]);
}

fn shard(directory: &Path, shard: &str, rows: &str) {
    succeed(directory, &["sweep", "run", "plan", "--shard", shard, "-o", rows, "--threads", "1"]);
}

#[track_caller]
fn assert_merged(directory: &Path, rows: &[&str]) {
    let arguments = [&["sweep", "merge"], rows, &["plan", "-o", "merged.csv"]].concat();
    assert_eq!(succeed(directory, &arguments), "120 rows are in merged.csv\n");
    assert_eq!(read(directory, "merged.csv"), whole());
}

#[test]
fn any_number_of_shards_gives_the_experiments_file() {
    for count in [1, 7, 64] {
        let directory = directory();
        plan(directory.path());
        for number in (1..=count).rev() {
            shard(directory.path(), &format!("{number}/{count}"), "rows");
        }
        assert_merged(directory.path(), &["rows"]);
    }
}

#[test]
fn shards_are_killed_and_run_twice_in_two_directories() {
    let directory = directory();
    plan(directory.path());
    let mut random = Random(7);
    for number in 1..=4 {
        let rows = if number % 2 == 0 { "here" } else { "there" };
        let name = format!("{number}/4");
        let part = directory.path().join(format!("{rows}/shard-{number}-of-4.csv.part"));
        let arguments = ["sweep", "run", "plan", "--shard", &name, "-o", rows, "--threads", "2"];
        kill(|| chainlab(directory.path(), &arguments), &part, 10, &mut random);
        shard(directory.path(), &name, rows);
        shard(directory.path(), &name, rows);
    }
    // What another count of shards has made is welcome, too.
    shard(directory.path(), "2/3", "here");
    assert_merged(directory.path(), &["here", "there"]);
}

#[test]
fn tasks_of_an_array_are_shards() {
    let directory = directory();
    plan(directory.path());
    for task in ["10", "11", "12"] {
        let mut command = chainlab(directory.path(), &["sweep", "run", "plan", "-o", "rows"]);
        command.env("SLURM_ARRAY_TASK_ID", task);
        command.env("SLURM_ARRAY_TASK_COUNT", "3").env("SLURM_ARRAY_TASK_MIN", "10");
        assert!(command.status().unwrap().success());
    }
    assert_merged(directory.path(), &["rows"]);
    let error = fail(directory.path(), &["sweep", "run", "plan", "-o", "rows"], 2);
    assert!(error.contains("--shard K/N is needed"), "{error}");
}

#[test]
fn missing_rows_are_counted_and_named() {
    let directory = directory();
    plan(directory.path());
    for number in 1..=5 {
        shard(directory.path(), &format!("{number}/6"), "rows");
    }
    let merge = ["sweep", "merge", "rows", "plan", "-o", "merged.csv"];
    // What an experiment keeps beside that file is not the merge's.
    let kept = directory.path().join("merged.csv.part");
    fs::write(&kept, "kept").unwrap();
    let error = fail(directory.path(), &merge, 1);
    assert_eq!(fs::read_to_string(&kept).unwrap(), "kept");
    let held = |line: &&str| u64::from_str_radix(&line[..16], 16).unwrap() % 6 != 5;
    let (there, missing): (Vec<_>, Vec<_>) = whole().lines().skip(1).partition(held);
    assert!(error.starts_with(&format!("error: {} of 120 runs have no row: ", missing.len())), "{error}");
    assert!(missing.iter().take(20).all(|line| error.contains(&line[..32])), "{error}");
    assert!(!directory.path().join("merged.csv").exists());
    for arguments in [
        ["sweep", "merge", "rows", "plan", "-o", "plan"],
        ["sweep", "merge", "rows", "plan", "-o", "./rows/shard-1-of-6.csv"],
        ["sweep", "plan", "delays.json", "-o", "delays.json", "--pilots=0"],
    ] {
        let error = fail(directory.path(), &arguments, 1);
        assert!(error.ends_with(": it is read, and would be written over\n"), "{error}");
    }

    let printed = succeed(directory.path(), &[&merge[..], &["--partial"]].concat());
    assert_eq!(printed, format!("{} rows are in merged.csv; {} are missing\n", there.len(), missing.len()));
    let merged = read(directory.path(), "merged.csv");
    let lines: Vec<_> = merged.lines().collect();
    assert_eq!(lines[0], format!("# partial: {} of 120 runs; {} are missing", there.len(), missing.len()));
    assert_eq!(lines[2..], there);

    // A shard that was cut off counts with what it has.
    fs::write(
        directory.path().join("rows/shard-6-of-6.csv.part"),
        format!("{}\n{}\n{}", lines[1], missing[1], missing[0]),
    )
    .unwrap();
    let printed = succeed(directory.path(), &[&merge[..], &["--partial"]].concat());
    assert!(printed.starts_with(&format!("{} rows", there.len() + 1)), "{printed}");
    shard(directory.path(), "6/6", "rows");
    assert_merged(directory.path(), &["rows"]);
}

#[test]
fn rows_that_do_not_belong_are_refused() {
    let directory = directory();
    plan(directory.path());
    shard(directory.path(), "1/1", "rows");
    let (header, row) = (whole().lines().next().unwrap(), whole().lines().nth(1).unwrap());
    let of_other_run = format!("0000{}", &row[4..]);
    let cells: Vec<_> = row.splitn(5, ',').collect();
    let of_other_model = format!("{},{},{},3,{}", &of_other_run[..32], cells[1], cells[2], cells[4]);
    let changed = format!("{row}9");
    let (id, zeros) = (&row[..32], &of_other_run[..32]);
    for (text, expected) in [
        (
            format!("{header}\n{changed}\n"),
            format!("run {id} is in rows/shard-1-of-1.csv and in rows/shard-9-of-9.csv, and its rows differ"),
        ),
        (
            format!("{header}\n{of_other_run}\n"),
            format!("rows/shard-9-of-9.csv: run {zeros} is not in the plan"),
        ),
        (
            format!("{header}\n{of_other_model}\n"),
            format!(
                "rows/shard-9-of-9.csv: run {zeros} was made by version 3 of the model, and this is version 2"
            ),
        ),
        (
            "run,replicate\n".into(),
            "rows/shard-9-of-9.csv: its columns are not those of this experiment".into(),
        ),
        (format!("{header}\n{row}\n{row}\n"), "rows/shard-9-of-9.csv: line 3 is out of order".into()),
        (format!("{header}\n{row}"), "rows/shard-9-of-9.csv: line 2 is no row of a run".into()),
        // Of which a part was lost, or the end was changed.
        (format!("{header}\n{id},0\n"), "rows/shard-9-of-9.csv: line 2 is no row of a run".into()),
        (format!("{header}\n{row}\r\n"), "rows/shard-9-of-9.csv: line 2 is no row of a run".into()),
    ] {
        fs::write(directory.path().join("rows/shard-9-of-9.csv"), text).unwrap();
        let error = fail(directory.path(), &["sweep", "merge", "rows", "plan", "-o", "merged.csv"], 1);
        assert_eq!(error, format!("error: {expected}\n"));
        assert!(!directory.path().join("merged.csv").exists());
    }
}

/// Nothing but what is merged is written, and that whole.
#[test]
fn a_merge_leaves_what_lies_beside_its_file() {
    let directory = directory();
    plan(directory.path());
    shard(directory.path(), "1/1", "rows");
    fs::write(directory.path().join("merged.csv.new"), "somebody's").unwrap();
    assert_merged(directory.path(), &["rows"]);
    assert_eq!(read(directory.path(), "merged.csv.new"), "somebody's");
    assert!(!directory.path().join("merged.csv.new-1").exists());
    let error = fail(directory.path(), &["sweep", "merge", "rows", "plan", "-o", "merged.jsonl"], 1);
    assert_eq!(error, "error: merged.jsonl: what is merged are comma-separated values: name it .csv\n");
    let cut = read(directory.path(), "plan").rsplit_once("{\"run\"").unwrap().0.to_owned();
    fs::write(directory.path().join("plan"), cut).unwrap();
    let error = fail(directory.path(), &["sweep", "merge", "rows", "plan", "-o", "merged.csv"], 1);
    assert_eq!(error, "error: plan: there are 119 runs, and 120 were planned\n");
}

#[test]
fn plans_of_other_versions_and_halves_of_plans_are_refused() {
    let directory = directory();
    plan(directory.path());
    let whole = read(directory.path(), "plan");
    let cut = whole.rsplit_once("{\"run\"").unwrap().0;
    let mut run = whole.lines().nth(1).unwrap().to_owned();
    run.replace_range(8..12, "0000");
    for (text, expected) in [
        (
            whole.replacen("\"model\":2", "\"model\":3", 1),
            "the plan is for version 3 of the model, and this is version 2",
        ),
        (cut.into(), "there are 119 runs, and 120 were planned"),
        (
            whole.replacen("chainlab plan", "plan", 1),
            "the first line does not name the format \"chainlab plan\"",
        ),
        (whole.replacen("\"point\":", "\"point\":9", 1), "line 2: point 9"),
    ] {
        fs::write(directory.path().join("plan"), text).unwrap();
        let error = fail(directory.path(), &["sweep", "run", "plan", "--shard", "1/1", "-o", "rows"], 1);
        assert!(error.starts_with(&format!("error: plan: {expected}")), "{error}");
    }
    fs::write(directory.path().join("plan"), whole.replacen(whole.lines().nth(1).unwrap(), &run, 1)).unwrap();
    let error = fail(directory.path(), &["sweep", "run", "plan", "--shard", "1/1", "-o", "rows"], 1);
    assert!(error.ends_with("here: it was planned by another version\n"), "{error}");
}

#[test]
fn the_batch_script_is_a_script() {
    let directory = directory();
    plan(directory.path());
    let script = succeed(directory.path(), &["sweep", "slurm", "plan", "--tasks", "64", "-o", "my rows"]);
    for line in ["#SBATCH --array=1-64", "#SBATCH --time=10", "#SBATCH --requeue", "#SBATCH --signal=TERM@60"]
    {
        assert!(script.lines().any(|other| other == line), "{line}: {script}");
    }
    assert!(script.ends_with("# chainlab sweep merge 'my rows' plan -o results.csv\n"), "{script}");
    // However many tasks and cores there are, a task takes as long as a run: here an hour.
    let planned = read(directory.path(), "plan");
    let (before, after) = planned.split_once("\"seconds\":").unwrap();
    let after = &after[after.find(['}', ',']).unwrap()..];
    let pilots: u32 = planned
        .split_once("\"pilots\":{\"runs\":")
        .unwrap()
        .1
        .split([',', '}'])
        .next()
        .unwrap()
        .parse()
        .unwrap();
    fs::write(directory.path().join("plan"), format!("{before}\"seconds\":{}.0{after}", pilots * 3600))
        .unwrap();
    for (tasks, cores, minutes) in [("500", "8", 180), ("120", "1", 180), ("40", "1", 540), ("10", "5", 540)]
    {
        let arguments = ["sweep", "slurm", "plan", "--tasks", tasks, "--cores", cores];
        let script = succeed(directory.path(), &arguments);
        assert!(script.contains(&format!("#SBATCH --time={minutes}\n")), "{tasks} {cores}: {script}");
    }
    let mut shell = Command::new("sh").arg("-n").stdin(Stdio::piped()).spawn().unwrap();
    shell.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
    assert!(shell.wait().unwrap().success());
}

/// As its manual has it: jobs that were under way when it was killed are run again.
#[test]
fn parallel_resumes_after_a_kill() {
    let is_gnus = Command::new("parallel").arg("--version").output();
    if !is_gnus.is_ok_and(|output| output.stdout.starts_with(b"GNU parallel")) {
        let why = "GNU parallel is missing";
        assert!(env::var_os("CHAINLAB_REQUIRE_TOOLS").is_none(), "{why}");
        let _ = writeln!(io::stderr(), "skipped: parallel_resumes_after_a_kill: {why}");
        return;
    }
    let directory = directory();
    plan(directory.path());
    let program = chainlab(directory.path(), &[]).get_program().to_owned();
    let program = program.to_str().unwrap();
    let make = || {
        // In a session of its own, so that its jobs can be killed with it: one that lived on would hold its file.
        let mut parallel = Command::new("setsid");
        parallel.args(["parallel", "--will-cite", "-j2", "--resume", "--joblog", "log"]);
        parallel.args([program, "sweep", "run", "plan"]);
        parallel.args(["--shard", "{}/16", "--threads", "1", "-o", "rows", ":::"]);
        parallel.args((1..=16).map(|number| number.to_string()));
        parallel.current_dir(directory.path()).env("HOME", directory.path());
        parallel
    };
    let log = directory.path().join("log");
    let mut child = crate::killed::start_until(&mut make(), &log, 300);
    // First itself: it would start others meanwhile.
    let _ = child.kill();
    child.wait().unwrap();
    Command::new("pkill").args(["-KILL", "--session", &child.id().to_string()]).status().unwrap();
    let done = fs::read_to_string(&log).unwrap().lines().count() - 1;
    assert!(done < 16, "it was killed before its end");
    assert!(make().stdout(Stdio::null()).status().unwrap().success());
    assert_merged(directory.path(), &["rows"]);
}
