//! Runs that are killed or interrupted. Only where there are signals.

#![cfg(unix)]
#![allow(clippy::unwrap_used)] // helpers of tests

use std::process::Child;

use super::rig::Rig;

/// Whether any committed row is in the cache yet.
fn committed(rig: &Rig) -> bool {
    let Ok(entries) = fs_err::read_dir(rig.path("cache/vectors")) else { return false };
    let mut sizes = entries.flatten().filter(|entry| entry.path().extension().is_some_and(|end| end == "seg"));
    sizes.any(|entry| entry.metadata().is_ok_and(|meta| meta.len() > 64 + 384 * 4))
}

fn wait_until(child: &mut Child, done: impl Fn() -> bool) {
    while !done() && child.try_wait().unwrap().is_none() {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}

#[test]
fn work_done_before_a_kill_is_not_done_again() {
    let rig = Rig::new();
    for number in 0..200 {
        let text = format!("Note {number}: ")
            + &format!("the {number}th soup simmers beside the {number}th star. ").repeat(12);
        rig.file(&format!("many/{number:03}.txt"), text);
    }
    let args = ["embed", "many", "--out", "out.npy", "--json"];
    let mut child = rig.command(&args).spawn().unwrap();
    wait_until(&mut child, || committed(&rig));
    // The index follows the segment at once; a moment makes sure of it.
    std::thread::sleep(std::time::Duration::from_millis(300));
    let was_running = child.try_wait().unwrap().is_none();
    child.kill().unwrap();
    child.wait().unwrap();
    let told = rig.run(&args).succeeded().json();
    let (cached, embedded) = (told["cached"].as_u64().unwrap(), told["embedded"].as_u64().unwrap());
    assert!(cached > 0, "{cached} of {} came from the cache", cached + embedded);
    assert_eq!(cached + embedded, told["chunks"].as_u64().unwrap());
    assert!(!was_running || embedded > 0 || cached == told["chunks"].as_u64().unwrap());
    assert_eq!(rig.run(&args).succeeded().json()["embedded"], 0);
}

#[test]
fn an_interrupt_ends_with_130_and_keeps_what_was_done() {
    let rig = Rig::new();
    for number in 0..400 {
        rig.file(
            &format!("many/{number:03}.txt"),
            format!("Note {number}: ") + &"soup and stars and bread. ".repeat(30),
        );
    }
    let mut child = rig.command(&["embed", "many", "--out", "out.npy"]).spawn().unwrap();
    wait_until(&mut child, || committed(&rig));
    let asked = std::time::Instant::now();
    rustix::process::kill_process(rustix::process::Pid::from_child(&child), rustix::process::Signal::INT).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(130), "{said}");
    assert!(said.contains("Interrupted") && asked.elapsed().as_secs() < 5, "{said}");
    assert!(!rig.path("out.npy").exists());
}
