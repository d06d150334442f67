//! `embedlens models download`, as a user meets it, and the models it brings.

use std::path::Path;
use std::process::Output;

use serde_json::Value;

use super::server::{COMMIT, Fault, Hub};
use crate::cli::rig::Rig;

const ID: &str = "org/tiny-bert";

/// A hub that holds a tiny model of random weights.
pub fn tiny_hub() -> Hub {
    let hub = Hub::new();
    hub.folder(ID, &Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/encoders/bert"));
    hub
}

/// Runs the program with its hub cache in the rig's folder.
fn run(rig: &Rig, hub: &Hub, args: &[&str], set: &[(&str, &str)]) -> Output {
    let mut command = rig.command(args);
    for name in
        ["HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_TOKEN", "HF_TOKEN_PATH", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"]
    {
        command.env_remove(name);
    }
    command.env("HF_HOME", rig.path("hf")).env("HF_ENDPOINT", &hub.endpoint).envs(set.iter().copied());
    command.output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn a_model_is_fetched_listed_and_used_without_a_network() {
    let (rig, hub) = (Rig::with_notes(), tiny_hub());
    let missing = run(&rig, &hub, &["embed", "notes", "--model", ID, "--out", "v.npy"], &[]);
    assert!(text(&missing.stderr).contains("embedlens models download org/tiny-bert"), "{}", text(&missing.stderr));
    assert!(hub.asked().is_empty(), "nothing is fetched without being asked for");

    let fetched = run(&rig, &hub, &["models", "download", ID, "--json"], &[("HF_TOKEN", "hf_x")]);
    assert!(fetched.status.success(), "{}", text(&fetched.stderr));
    let json: Value = serde_json::from_slice(&fetched.stdout).unwrap();
    let snapshot = rig.path("hf/hub/models--org--tiny-bert/snapshots").join(COMMIT);
    assert_eq!((json["id"].as_str(), json["commit"].as_str()), (Some(ID), Some(COMMIT)));
    assert_eq!(json["path"].as_str().unwrap(), snapshot.to_str().unwrap());
    let sizes = json["files"].as_array().unwrap().iter().map(|file| file["bytes"].as_u64().unwrap());
    assert_eq!(json["bytes"].as_u64().unwrap(), sizes.sum::<u64>());
    assert_eq!(json["fetched_bytes"], json["bytes"]);
    assert!(json["seconds"].as_f64().is_some());
    assert!(hub.asked().iter().all(|asked| asked.token.is_some() != asked.elsewhere));

    hub.forget();
    let offline = ["--offline"];
    let again = run(&rig, &hub, &[&["models", "download", ID][..], &offline].concat(), &[]);
    assert!(
        text(&again.stdout).contains("all of it was there") && text(&again.stdout).contains("--model org/tiny-bert")
    );
    let listed = run(&rig, &hub, &["models", "--json"], &[]);
    assert!(text(&listed.stdout).contains(ID));
    let used = run(&rig, &hub, &[&["embed", "notes", "--model", ID, "--out", "v.npy"][..], &offline].concat(), &[]);
    assert!(used.status.success() && rig.path("v.npy").is_file(), "{}", text(&used.stderr));
    assert!(hub.asked().is_empty());
}

#[test]
fn what_cannot_be_fetched_is_told_in_words() {
    let (rig, hub) = (Rig::new(), tiny_hub());
    let refused = |args: &[&str], set: &[(&str, &str)], words: &[&str]| {
        let ran = run(&rig, &hub, &[&["models", "download"], args].concat(), set);
        assert_eq!(ran.status.code(), Some(1), "{}", text(&ran.stderr));
        for word in words {
            assert!(text(&ran.stderr).contains(word), "{word}: {}", text(&ran.stderr));
        }
    };
    refused(&["org/other"], &[], &["could not download org/other", "no model org/other", "HF_TOKEN"]);
    refused(&["tiny-bert"], &[], &["ORG/NAME"]);
    refused(&[ID, "--offline"], &[], &["--offline was given", "not in the hub's cache"]);
    refused(&[ID], &[("HF_HUB_OFFLINE", "1")], &["HF_HUB_OFFLINE", "not in the hub's cache"]);
    refused(&[ID], &[("HF_ENDPOINT", "http://127.0.0.1:9")], &["127.0.0.1:9 cannot be reached"]);
    hub.fault("?blobs=true", Fault::Status(403, "X-Error-Code: GatedRepo\r\n"));
    refused(&[ID, "--json"], &[], &["accept", "org/tiny-bert", "HF_TOKEN"]);
    assert!(!rig.path("hf/hub/models--org--tiny-bert/refs").exists());
    let usage = run(&rig, &hub, &["models", "download"], &[]);
    assert_eq!(usage.status.code(), Some(2));
}
