//! What cannot be done, and how it is told.

#![allow(clippy::unwrap_used)] // helpers of tests

use std::process::Command;

use super::rig::{Rig, STATIC};

#[test]
fn a_folder_of_bad_files_fails_with_everything_it_knows() {
    let rig = Rig::new();
    for number in 0..30 {
        // Thirty different reasons.
        rig.file(&format!("bad/{number}.txt"), vec![b'x'; (number + 3) * 1_000_000]);
    }
    rig.file("bad/empty.txt", "");
    for args in [
        &["embed", "bad", "--out", "x.npy"][..],
        &["project", "bad", "--out", "x.csv"],
        &["search", "bad", "--query", "x"],
    ] {
        let ran = rig.run(&[args, &["--json", "--max-text-mb", "2"]].concat()).exits(1);
        let told = ran.json();
        assert!(told["error"]["summary"].is_string(), "{told}");
        assert_eq!(
            (&told["items"], &told["chunks"], told["skipped"].as_array().unwrap().len()),
            (&0.into(), &0.into(), 31)
        );
        assert!(ran.stderr().contains("Left out 31 files") && ran.stderr().contains("or in Reading options"));
        assert!(ran.stderr().contains("and 19 more reasons"), "{}", ran.stderr());
    }
}

#[test]
fn wrong_usage_exits_2_and_failures_exit_1() {
    let rig = Rig::with_notes();
    for wrong in [
        &["embed", "notes"][..],
        &["embed", "notes", "--out", "x.doc"],
        &["embed", "notes", "--out", "x.npy", "--chunk-tokens", "10", "--overlap-tokens", "10"],
        &["search", "notes"],
        &["search", "notes", "--query", " "],
        &["compare", "notes", "--model", "static"],
        &["project", "notes", "--out", "x.csv", "--method", "isomap"],
        &["project", "notes", "--out", "x.csv", "--perplexity", "-3"],
        &["embed", "notes", "--out", "x.npy", "--chunk-tokens", "18446744073709551615"],
        &["render", "notes", "--out", "x.png", "--width", "10"],
        &["render", "notes", "--out", "x.png", "--height", "99999"],
        &["--perspective", "exploer"],
        &["nonsense"],
    ] {
        let ran = rig.run(wrong).exits(2);
        assert!(ran.stdout().is_empty() && ran.stderr().contains("--help"), "{wrong:?}: {}", ran.stderr());
    }
    let ran = rig.run(&["embed", "nowhere", "--out", "x.npy", "--json"]).exits(1);
    assert!(ran.json()["error"]["summary"].as_str().unwrap().contains("nowhere"));
    let ran = rig.run(&["embed", "notes", "--out", "x.npy", "--model", "no-such-model"]).exits(1);
    assert!(ran.stderr().contains("no-such-model") && ran.stderr().contains("embedlens models"), "{}", ran.stderr());
    rig.file("bad.npy", "not an array");
    rig.run(&["project", "bad.npy", "--out", "x.csv"]).exits(1);
    let ran = rig.run(&[]).exits(1);
    assert!(ran.stderr().contains("embedlens models"), "{}", ran.stderr());
}

#[test]
fn quiet_says_nothing_and_help_says_how() {
    let rig = Rig::with_notes();
    let ran = rig.run(&[&["embed", "notes", "--out", "x.npy", "--quiet"], STATIC].concat()).succeeded();
    assert_eq!(ran.stderr(), "");
    for command in
        ["models", "embed", "project", "search", "compare", "inspect", "render", "neighbours", "cluster", "bench"]
    {
        let help = rig.run(&[command, "--help"]).succeeded().stdout();
        assert!(help.contains("Example") && help.contains("--json"), "{help}");
    }
}

/// A folder of files that make no sense in every way there is.
#[cfg(unix)]
fn hostile(rig: &Rig) -> Vec<(&'static str, &'static str)> {
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::{PermissionsExt, symlink};
    let mut png = std::io::Cursor::new(Vec::new());
    image::RgbImage::new(60, 60).write_to(&mut png, image::ImageFormat::Png).unwrap();
    let png = png.into_inner();
    let mut noise: Vec<u8> = (0..3000u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    noise.iter_mut().filter(|byte| **byte == 0).for_each(|byte| *byte = 0x81);
    rig.file("odd/good.md", "# Good\n\nWords.");
    rig.file("odd/empty.txt", "");
    rig.file("odd/zeros.txt", b"abc\0\0def");
    rig.file("odd/noise.txt", noise);
    rig.file("odd/cut.png", &png[..png.len() / 2]);
    rig.file("odd/bomb.png", crate::corpus::png_header(30_000, 30_000));
    fs_err::write(rig.path("odd").join(std::ffi::OsStr::from_bytes(b"caf\xe9.txt")), "a name that is no UTF-8")
        .unwrap();
    rig.file("odd/long.txt", "word ".repeat(300_000));
    rig.file("odd/v.npy", b"\x93NUMPY\x01\0\0\0");
    rig.file("odd/v.metadata.jsonl", "{}");
    rig.file("odd/deep/locked.txt", "locked");
    fs_err::set_permissions(rig.path("odd/deep/locked.txt"), std::fs::Permissions::from_mode(0o000)).unwrap();
    symlink("nowhere", rig.path("odd/dangling.txt")).unwrap();
    symlink("..", rig.path("odd/deep/up")).unwrap();
    symlink("/", rig.path("odd/disk")).unwrap();
    let mut listed = vec![
        ("empty.txt", "empty"),
        ("zeros.txt", "binary"),
        ("noise.txt", "not readable as text"),
        ("cut.png", ""),
        ("bomb.png", "raise with --max-megapixels"),
        ("long.txt", "raise with --max-text-mb"),
        ("v.npy", "binary"),
        ("v.metadata.jsonl", "written by Embedlens"),
        ("dangling.txt", "link to nothing"),
        ("deep/up", "link loop"),
        ("disk", "link loop"),
        ("pipe", "not a regular file"),
    ];
    if fs_err::File::open(rig.path("odd/deep/locked.txt")).is_err() {
        listed.push(("deep/locked.txt", "no permission"));
    }
    assert!(Command::new("mkfifo").arg(rig.path("odd/pipe")).status().unwrap().success());
    listed
}

#[cfg(unix)]
#[test]
fn a_hostile_folder_is_embedded_with_one_entry_for_each_file_left_out() {
    let rig = Rig::new();
    let listed = hostile(&rig);
    let told = rig.json(&["embed", "odd", "nowhere", "--out", "out.npy", "--max-text-mb", "1"]);
    let skipped = told["skipped"].as_array().unwrap();
    for (path, reason) in &listed {
        let path = format!("odd/{path}");
        let entries: Vec<&str> = skipped
            .iter()
            .filter(|entry| entry["path"] == *path)
            .map(|entry| entry["reason"].as_str().unwrap())
            .collect();
        assert!(entries.len() == 1 && entries[0].contains(reason), "{path}: {entries:?}");
    }
    assert!(skipped.iter().any(|entry| entry["path"] == "nowhere"));
    assert_eq!(skipped.len(), listed.len() + 1, "{skipped:#?}");
    let good = if listed.iter().any(|(path, _)| *path == "deep/locked.txt") { 2 } else { 3 };
    assert_eq!(told["items"], good);
}
