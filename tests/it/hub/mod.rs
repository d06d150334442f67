//! Fetching models from a hub on this computer that speaks the hub's protocol and fails on demand.

#![allow(clippy::unwrap_used)] // helpers of tests

mod commands;
pub mod server;
#[cfg(feature = "gui")]
mod window;

use std::path::{Path, PathBuf};
use std::time::Duration;

use embedlens::models::{Downloaded, HubError, HubOptions, Token, download};
use embedlens::progress::Progress;

use self::server::{COMMIT, Fault, Hub, etag, weights};

const ID: &str = "org/small";
/// The weights, where they are stored.
const STORE: &str = "elsewhere /org/small/resolve/0123456789abcdef0123456789abcdef01234567/model.safetensors";
const SIZE: usize = 900_000;

/// A hub with a model, a cache of its own, and what was asked of both.
struct Rig {
    hub: Hub,
    dir: tempfile::TempDir,
    options: HubOptions,
}

impl Rig {
    fn new() -> Self {
        let (hub, dir) = (Hub::with_model(ID, SIZE), tempfile::tempdir().unwrap());
        let options = HubOptions {
            cache: Some(dir.path().join("hub")),
            endpoint: hub.endpoint.clone(),
            first_wait: Duration::from_millis(1),
            ..HubOptions::read(|_| None)
        };
        Self { hub, dir, options }
    }

    fn download(&self) -> Result<Downloaded, HubError> {
        download(ID, None, &self.options, &Progress::new())
    }

    fn message(&self) -> String {
        self.download().unwrap_err().to_string()
    }

    fn repo(&self) -> PathBuf {
        self.dir.path().join("hub/models--org--small")
    }

    fn weights_blob(&self) -> PathBuf {
        self.repo().join("blobs").join(etag("model.safetensors", &weights(SIZE)))
    }

    /// The ranges that the weights were asked for by.
    fn ranges(&self) -> Vec<Option<String>> {
        let asked = self.hub.asked_for("GET", "model.safetensors");
        asked.into_iter().filter(|asked| asked.elsewhere).map(|asked| asked.range).collect()
    }

    fn has_sound_weights(&self) {
        let file = self.repo().join("snapshots").join(COMMIT).join("model.safetensors");
        assert!(fs_err::read(file).unwrap() == weights(SIZE), "the weights came whole");
        assert!(!part_of(&self.weights_blob()).exists(), "nothing unfinished is left");
    }
}

fn part_of(blob: &Path) -> PathBuf {
    let name = format!("{}.incomplete", blob.file_name().unwrap().to_string_lossy());
    blob.with_file_name(name)
}

#[test]
fn a_model_comes_in_the_layout_of_pythons_client() {
    let rig = Rig::new();
    let progress = Progress::new();
    let got = download(ID, None, &rig.options, &progress).unwrap();
    assert_eq!((got.id.as_str(), got.commit.as_str()), (ID, COMMIT));
    assert_eq!(got.folder, rig.repo().join("snapshots").join(COMMIT));
    let names: Vec<_> = got.files.iter().map(|(name, _)| name.as_str()).collect();
    let wanted =
        ["1_Pooling/config.json", "README.md", "config.json", "model.safetensors", "modules.json", "tokenizer.json"];
    assert_eq!(names, wanted);
    assert_eq!(got.files.iter().map(|(_, size)| size).sum::<u64>(), got.fetched);
    assert_eq!(fs_err::read_to_string(rig.repo().join("refs/main")).unwrap(), COMMIT);
    rig.has_sound_weights();
    #[cfg(unix)]
    {
        let link = |name: &str| fs_err::read_link(got.folder.join(name)).unwrap();
        assert_eq!(link("model.safetensors"), Path::new("../../blobs").join(rig.weights_blob().file_name().unwrap()));
        let pooling = etag("config.json", br#"{"pooling_mode_mean_tokens":true}"#);
        assert_eq!(link("1_Pooling/config.json"), Path::new("../../../blobs").join(pooling));
    }
    let view = progress.view();
    assert_eq!((view.unit, view.done, view.fraction()), ("bytes", view.total, Some(1.0)));
    // What is there is not asked for again.
    rig.hub.forget();
    assert_eq!(rig.download().unwrap().fetched, 0);
    assert_eq!(rig.hub.asked().len(), 1, "{:?}", rig.hub.asked());
}

#[test]
fn the_token_goes_to_the_hub_alone() {
    let mut rig = Rig::new();
    rig.options.token = Token::of("hf_secret");
    rig.download().unwrap();
    let asked = rig.hub.asked();
    assert!(asked.iter().any(|asked| asked.elsewhere));
    for asked in asked {
        assert_eq!(asked.token.as_deref(), (!asked.elsewhere).then_some("Bearer hf_secret"), "{asked:?}");
    }
    rig.options.token = Token::of("hf_bad\u{7f}token");
    assert!(download(ID, Some("other"), &rig.options, &Progress::new()).unwrap_err().to_string().contains("HF_TOKEN"));
}

#[test]
fn a_cut_connection_is_gone_on_with() {
    let rig = Rig::new();
    // More cuts than tries: each brings something, so each is forgiven.
    for at in [300_000, 200_000, 100_000, 50_000, 10, 100_000] {
        rig.hub.fault(STORE, Fault::CutAfter(at));
    }
    let got = rig.download().unwrap();
    rig.has_sound_weights();
    let range = |from: usize| Some(format!("bytes={from}-"));
    let expected =
        [None, range(300_000), range(500_000), range(600_000), range(650_000), range(650_010), range(750_010)];
    assert_eq!(rig.ranges(), expected);
    assert_eq!(got.files.iter().map(|(_, size)| size).sum::<u64>(), got.fetched, "nothing came twice");
}

#[test]
fn what_an_earlier_run_left_is_gone_on_with() {
    let rig = Rig::new();
    fs_err::create_dir_all(rig.repo().join("blobs")).unwrap();
    fs_err::write(part_of(&rig.weights_blob()), &weights(SIZE)[..123_456]).unwrap();
    rig.download().unwrap();
    rig.has_sound_weights();
    assert_eq!(rig.ranges(), [Some("bytes=123456-".to_owned())]);
}

#[test]
fn a_server_that_ignores_ranges_sends_all_again() {
    let rig = Rig::new();
    rig.hub.fault(STORE, Fault::CutAfter(400_000));
    rig.hub.fault(STORE, Fault::IgnoreRange);
    rig.download().unwrap();
    rig.has_sound_weights();
    assert_eq!(rig.ranges(), [None, Some("bytes=400000-".to_owned())]);
}

#[test]
fn an_overlong_rest_of_an_earlier_run_is_begun_again() {
    let rig = Rig::new();
    fs_err::create_dir_all(rig.repo().join("blobs")).unwrap();
    fs_err::write(part_of(&rig.weights_blob()), vec![0; SIZE + 1]).unwrap();
    rig.download().unwrap();
    rig.has_sound_weights();
    // As long as it should be, and something else: told by the checksum, and gone the next time.
    fs_err::remove_dir_all(rig.repo()).unwrap();
    fs_err::create_dir_all(rig.repo().join("blobs")).unwrap();
    fs_err::write(part_of(&rig.weights_blob()), vec![0; SIZE]).unwrap();
    assert!(rig.message().contains("checksum"));
    rig.download().unwrap();
    rig.has_sound_weights();
}

#[test]
fn a_busy_hub_is_asked_again() {
    let rig = Rig::new();
    rig.hub.fault("?blobs=true", Fault::Status(429, "Retry-After: 0\r\n"));
    rig.hub
        .fault("HEAD /org/small/resolve/0123456789abcdef0123456789abcdef01234567/config.json", Fault::Status(503, ""));
    rig.hub.fault(STORE, Fault::Status(500, ""));
    rig.download().unwrap();
    rig.has_sound_weights();
    let rig = Rig::new();
    for _ in 0..5 {
        rig.hub.fault("?blobs=true", Fault::Status(503, ""));
    }
    assert!(rig.message().contains("503"));
    assert_eq!(rig.hub.asked_for("GET", "/api/").len(), 5);
    rig.hub.fault("?blobs=true", Fault::Status(429, "Retry-After: 86400\r\n"));
    assert!(rig.message().contains("429"));
}

#[test]
fn refusals_say_what_to_do() {
    let told = |ending: &str, status: u16, headers: &'static str, token: Option<&str>| {
        let mut rig = Rig::new();
        rig.options.token = token.and_then(Token::of);
        rig.hub.fault(ending, Fault::Status(status, headers));
        let message = rig.message();
        assert!(!rig.repo().join("refs").exists(), "{message}");
        message
    };
    let info = "?blobs=true";
    let file = "HEAD /org/small/resolve/0123456789abcdef0123456789abcdef01234567/model.safetensors";
    let gated = "X-Error-Code: GatedRepo\r\n";
    for (message, words) in [
        (told(info, 401, "", None), vec!["no model org/small", "ORG/NAME", "HF_TOKEN"]),
        (told(info, 404, "", None), vec!["no model org/small", "ORG/NAME"]),
        (told(info, 404, "X-Error-Code: RepoNotFound\r\n", Some("hf_x")), vec!["no model org/small", "let in"]),
        (told(info, 401, "", Some("hf_x")), vec!["does not accept the token", "/settings/tokens"]),
        (told(info, 404, "X-Error-Code: RevisionNotFound\r\n", None), vec!["no revision \"main\""]),
        (told(file, 401, gated, None), vec!["accept", "/org/small", "HF_TOKEN"]),
        (told(file, 403, gated, Some("hf_x")), vec!["accept", "/org/small", "account of your token"]),
        (told(file, 404, "", None), vec!["model.safetensors", "does not have it"]),
        (told(info, 418, "X-Error-Message: short and stout\r\n", None), vec!["418", "short and stout"]),
    ] {
        for word in words {
            assert!(message.contains(word), "{message}");
        }
    }
}

#[test]
fn damaged_weights_are_deleted_and_can_be_fetched_again() {
    let rig = Rig::new();
    rig.hub.fault("GET /org/small/resolve/0123456789abcdef0123456789abcdef01234567/tokenizer.json", Fault::Corrupt);
    assert!(rig.message().contains("tokenizer.json"));
    rig.hub.fault(STORE, Fault::Corrupt);
    let message = rig.message();
    assert!(message.contains("model.safetensors") && message.contains("checksum") && message.contains("try again"));
    assert!(
        !rig.weights_blob().exists() && !part_of(&rig.weights_blob()).exists() && !rig.repo().join("refs").exists()
    );
    rig.download().unwrap();
    rig.has_sound_weights();
}

#[test]
fn names_that_lead_out_of_the_folder_are_refused() {
    for trick in ["../../../escaped.txt", "/escaped.txt", "a/../../escaped.txt", "..\\escaped.txt", "C:escaped.txt"] {
        let rig = Rig::new();
        rig.hub.file(ID, trick, b"escaped");
        assert!(rig.message().contains("outside its folder"), "{trick}");
        assert!(!rig.dir.path().join("hub").exists());
    }
    let rig = Rig::new();
    rig.hub.file(ID, "modules.json", br#"[{"path":"../../x"}]"#);
    assert!(rig.message().contains("outside its folder"));
    for (id, revision) in [("../x", None), ("org", None), ("org/a/b", None), (ID, Some("../../main")), (ID, Some("-x"))]
    {
        let asked = download(id, revision, &rig.options, &Progress::new());
        assert!(matches!(asked, Err(HubError::Name { .. })), "{id} {revision:?}");
    }
}

#[test]
fn a_server_that_falls_silent_can_be_left_at_once() {
    let mut rig = Rig::new();
    // Without cancelling, the test would wait for an hour.
    rig.options.timeout = Duration::from_secs(3600);
    rig.hub.fault(STORE, Fault::StallAfter(100_000));
    let progress = Progress::new();
    std::thread::scope(|scope| {
        let work = scope.spawn(|| download(ID, None, &rig.options, &progress));
        while progress.view().done < 100_000 || progress.view().unit != "bytes" {
            std::thread::sleep(Duration::from_millis(5));
        }
        progress.cancel();
        assert!(matches!(work.join().unwrap(), Err(HubError::Cancelled(_))));
    });
    assert!(!rig.repo().join("refs").exists());
    // What had come is not lost.
    rig.download().unwrap();
    rig.has_sound_weights();
    assert_eq!(rig.ranges(), [None, Some("bytes=100000-".to_owned())]);
}

#[test]
fn a_silent_server_counts_as_a_cut_connection() {
    let mut rig = Rig::new();
    rig.options.timeout = Duration::from_millis(300);
    rig.hub.fault(STORE, Fault::StallAfter(200_000));
    rig.download().unwrap();
    rig.has_sound_weights();
    assert_eq!(rig.ranges(), [None, Some("bytes=200000-".to_owned())]);
}

#[test]
fn without_a_network_it_says_so() {
    let mut rig = Rig::new();
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    rig.options.endpoint = format!("http://{free}");
    let message = rig.message();
    assert!(message.contains(&free.to_string()) && message.contains("check the network"), "{message}");
    rig.options.endpoint = "http://no-such-host.invalid".to_owned();
    assert!(rig.message().contains("no-such-host.invalid cannot be reached"), "{}", rig.message());
    rig.options.endpoint = "ftp://x".to_owned();
    assert!(rig.message().contains("HF_ENDPOINT"));
    rig.options.cache = None;
    assert!(rig.message().contains("HF_HUB_CACHE"));
}

#[test]
fn offline_reads_the_cache_and_names_what_is_missing() {
    let mut rig = Rig::new();
    let set = |name: &str| (name == "HF_HUB_OFFLINE").then(|| "1".into());
    rig.options.offline = HubOptions::read(set).offline;
    let message = rig.message();
    for word in ["main", "HF_HUB_OFFLINE", "embedlens models download org/small"] {
        assert!(message.contains(word), "{message}");
    }
    assert!(rig.hub.asked().is_empty());
    rig.options.offline = None;
    let fetched = rig.download().unwrap();
    rig.options.offline = Some("--offline was given".to_owned());
    rig.hub.forget();
    let found = rig.download().unwrap();
    assert_eq!((&found.folder, &found.files, found.fetched), (&fetched.folder, &fetched.files, 0));
    fs_err::remove_file(fetched.folder.join("config.json")).unwrap();
    fs_err::remove_file(fetched.folder.join("modules.json")).unwrap();
    assert!(rig.message().contains("the file config.json"), "{}", rig.message());
    assert!(rig.hub.asked().is_empty());
}

#[test]
fn two_at_once_do_not_harm_each_other() {
    let rig = Rig::new();
    std::thread::scope(|scope| {
        let all: Vec<_> = (0..4).map(|_| scope.spawn(|| rig.download().unwrap())).collect();
        let fetched: u64 = all.into_iter().map(|one| one.join().unwrap().fetched).sum();
        let whole: u64 = rig.download().unwrap().files.iter().map(|(_, size)| size).sum();
        assert_eq!(fetched, whole, "each file came once");
    });
    rig.has_sound_weights();
}

#[test]
fn a_full_disk_is_told_before_anything_comes() {
    let rig = Rig::new();
    rig.hub.tell_size(ID, "model.safetensors", 1 << 60);
    let message = rig.message();
    assert!(message.contains("needs 1152921504.6 GB more") && message.contains("HF_HUB_CACHE"), "{message}");
    assert!(rig.hub.asked_for("GET", "model.safetensors").is_empty());
}

#[test]
fn weights_in_several_files_and_pickled_ones() {
    let rig = Rig::new();
    let id = "org/sharded";
    rig.hub.file(id, "config.json", b"{}");
    rig.hub.file(id, "model.safetensors.index.json", br#"{"weight_map":{"a":"a.safetensors","b":"b.safetensors"}}"#);
    rig.hub.file(id, "a.safetensors", b"first");
    rig.hub.file(id, "other.safetensors", b"not named");
    let get = |id: &str, options: &HubOptions| download(id, None, options, &Progress::new());
    assert!(get(id, &rig.options).unwrap_err().to_string().contains("b.safetensors"));
    rig.hub.file(id, "b.safetensors", b"second");
    let names: Vec<_> = get(id, &rig.options).unwrap().files.into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["a.safetensors", "b.safetensors", "config.json", "model.safetensors.index.json"]);
    rig.hub.file("org/pickled", "config.json", b"{}");
    rig.hub.file("org/pickled", "pytorch_model.bin", b"pickled");
    assert!(get("org/pickled", &rig.options).unwrap_err().to_string().contains("--pickle"));
    let names = get("org/pickled", &HubOptions { pickle: true, ..rig.options.clone() }).unwrap().files;
    assert_eq!(names.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["config.json", "pytorch_model.bin"]);
}

#[test]
fn a_revision_has_a_name_of_its_own() {
    let rig = Rig::new();
    let get = |revision| download(ID, Some(revision), &rig.options, &Progress::new()).unwrap();
    get("refs/pr/1");
    assert!(rig.hub.asked()[0].path.contains("/revision/refs%2Fpr%2F1?"), "{:?}", rig.hub.asked()[0]);
    assert_eq!(fs_err::read_to_string(rig.repo().join("refs/refs/pr/1")).unwrap(), COMMIT);
    assert!(!rig.repo().join("refs/main").exists());
    assert_eq!(get(COMMIT).folder, get("v1").folder);
    assert!(!rig.repo().join("refs").join(COMMIT).exists());
}
