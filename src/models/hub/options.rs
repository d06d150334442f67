//! What the environment says of the hub: cache folder, address, token, whether the network may be asked.
//!
//! The same variables in the same order as Python's `huggingface_hub`, read once. Invariant: the token is never printed.

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Where the hub is when nothing else is said.
const ENDPOINT: &str = "https://huggingface.co";
/// How long a server may say nothing before the connection counts as lost.
const TIMEOUT: Duration = Duration::from_secs(10);

/// How to reach the hub, and where its cache is.
#[derive(Clone, PartialEq, Eq)]
pub struct HubOptions {
    /// The cache folder; `None` where there is not even a home folder.
    pub cache: Option<PathBuf>,
    /// Address of the hub without a slash at its end: `HF_ENDPOINT`, or the usual one.
    pub endpoint: String,
    /// The token of the user's account.
    pub token: Option<Token>,
    /// Why the network must not be asked ("`HF_HUB_OFFLINE` is set"); `None` where it may.
    pub offline: Option<String>,
    /// How long a server may say nothing before the connection counts as lost.
    pub timeout: Duration,
    /// The first wait before something is tried again; each further one is twice as long.
    pub first_wait: Duration,
    /// Whether pickled weights may be fetched where there are no others.
    pub pickle: bool,
}

/// A secret that is sent to the hub and shown nowhere.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// The token that `text` holds, without white space around it; `None` for nothing.
    pub fn of(text: &str) -> Option<Self> {
        let text = text.trim();
        (!text.is_empty()).then(|| Self(text.to_owned()))
    }

    /// What goes into the request's header.
    pub(super) fn header(&self) -> String {
        format!("Bearer {}", self.0)
    }

    /// Whether it can stand in a header at all.
    pub(super) fn is_sound(&self) -> bool {
        self.0.bytes().all(|byte| byte.is_ascii_graphic())
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

impl fmt::Debug for HubOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HubOptions")
            .field("cache", &self.cache)
            .field("endpoint", &self.endpoint)
            .field("token", &self.token)
            .field("offline", &self.offline)
            .finish_non_exhaustive()
    }
}

impl Default for HubOptions {
    /// What this process's environment says.
    fn default() -> Self {
        Self::read(|name| std::env::var_os(name))
    }
}

impl HubOptions {
    /// Reads the variables through `var`, and the token's file where one is meant. Empty variables count as not set.
    pub fn read(var: impl Fn(&str) -> Option<OsString>) -> Self {
        let var = |name: &str| var(name).filter(|value| !value.is_empty());
        let text = |name: &str| var(name).and_then(|value| value.into_string().ok());
        let home = var("HOME").or_else(|| var("USERPROFILE")).map(PathBuf::from);
        let path = |name: &str| Some(expanded(Path::new(&var(name)?), home.as_deref()));
        let hub_home = path("HF_HOME")
            .or_else(|| Some(path("XDG_CACHE_HOME")?.join("huggingface")))
            .or_else(|| Some(home.clone()?.join(".cache/huggingface")));
        let cache = path("HF_HUB_CACHE")
            .or_else(|| path("HUGGINGFACE_HUB_CACHE"))
            .or_else(|| Some(hub_home.clone()?.join("hub")));
        let on = |name: &str| text(name).is_some_and(|value| is_on(&value));
        let token = || {
            let file = || path("HF_TOKEN_PATH").or_else(|| Some(hub_home.clone()?.join("token")));
            text("HF_TOKEN").or_else(|| fs_err::read_to_string(file()?).ok()).and_then(|text| Token::of(&text))
        };
        let offline = ["HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"].into_iter().find(|name| on(name));
        let endpoint = text("HF_ENDPOINT").unwrap_or_else(|| ENDPOINT.to_owned());
        let seconds = text("HF_HUB_DOWNLOAD_TIMEOUT").and_then(|text| text.trim().parse::<u64>().ok());
        Self {
            cache,
            endpoint: endpoint.trim().trim_end_matches('/').to_owned(),
            token: if on("HF_HUB_DISABLE_IMPLICIT_TOKEN") { None } else { token() },
            offline: offline.map(|name| format!("the variable {name} is set")),
            timeout: seconds.filter(|&s| s > 0).map_or(TIMEOUT, |s| Duration::from_secs(s.min(3600))),
            first_wait: Duration::from_secs(1),
            pickle: false,
        }
    }

    /// The same, told not to ask the network where `offline` says so.
    #[must_use]
    pub fn kept_offline(mut self, offline: bool) -> Self {
        if offline && self.offline.is_none() {
            self.offline = Some("--offline was given".to_owned());
        }
        self
    }
}

/// The values that switch a variable on, as the hub's own client has them.
fn is_on(value: &str) -> bool {
    ["1", "ON", "YES", "TRUE"].contains(&value.trim().to_ascii_uppercase().as_str())
}

/// `~/x` as a path in the home folder.
fn expanded(path: &Path, home: Option<&Path>) -> PathBuf {
    match (path.strip_prefix("~"), home) {
        (Ok(rest), Some(home)) => home.join(rest),
        _ => path.to_path_buf(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(set: &[(&str, &str)]) -> HubOptions {
        HubOptions::read(|key| set.iter().find(|s| s.0 == key).map(|s| OsString::from(s.1)))
    }

    #[test]
    fn cache_folder_follows_the_order() {
        let all = [
            ("HF_HUB_CACHE", "a", "a"),
            ("HUGGINGFACE_HUB_CACHE", "b", "b"),
            ("HF_HOME", "c", "c/hub"),
            ("XDG_CACHE_HOME", "d", "d/huggingface/hub"),
            ("HOME", "e", "e/.cache/huggingface/hub"),
        ];
        for skip in 0..all.len() {
            let set: Vec<_> = all[skip..].iter().map(|(name, value, _)| (*name, *value)).collect();
            assert_eq!(read(&set).cache.unwrap(), PathBuf::from(all[skip].2));
        }
        assert_eq!(read(&[]).cache, None);
        assert_eq!(read(&[("HF_HOME", "~/x"), ("HOME", "/h")]).cache, Some(PathBuf::from("/h/x/hub")));
        assert_eq!(read(&[("HF_HUB_CACHE", ""), ("HF_HOME", "c")]).cache, Some(PathBuf::from("c/hub")));
    }

    #[test]
    fn address_time_and_offline() {
        let plain = read(&[]);
        assert_eq!((plain.endpoint.as_str(), plain.timeout, plain.offline), (ENDPOINT, TIMEOUT, None));
        let set = [("HF_ENDPOINT", "http://mirror:8080/hub/"), ("HF_HUB_DOWNLOAD_TIMEOUT", "30")];
        assert_eq!(read(&set).endpoint, "http://mirror:8080/hub");
        assert_eq!(read(&set).timeout, Duration::from_secs(30));
        for (name, value, expected) in [
            ("HF_HUB_OFFLINE", "1", true),
            ("HF_HUB_OFFLINE", "on", true),
            ("TRANSFORMERS_OFFLINE", "Yes", true),
            ("TRANSFORMERS_OFFLINE", "TRUE", true),
            ("HF_HUB_OFFLINE", "0", false),
            ("HF_HUB_OFFLINE", "no", false),
        ] {
            let why = read(&[(name, value)]).offline;
            assert_eq!(why.is_some_and(|why| why.contains(name)), expected, "{name}={value}");
        }
        assert!(read(&[]).kept_offline(true).offline.unwrap().contains("--offline"));
    }

    #[test]
    fn the_token_comes_from_variable_or_file_and_is_not_shown() {
        let dir = tempfile::tempdir().unwrap();
        let home = dir.path().to_str().unwrap();
        fs_err::write(dir.path().join("token"), "hf_of_home\n").unwrap();
        fs_err::write(dir.path().join("other"), "hf_of_file\n").unwrap();
        let other = dir.path().join("other");
        let header = |set: &[(&str, &str)]| read(set).token.map(|token| token.header());
        let all = [("HF_TOKEN", " hf_var "), ("HF_TOKEN_PATH", other.to_str().unwrap()), ("HF_HOME", home)];
        assert_eq!(header(&all).unwrap(), "Bearer hf_var");
        assert_eq!(header(&all[1..]).unwrap(), "Bearer hf_of_file");
        assert_eq!(header(&all[2..]).unwrap(), "Bearer hf_of_home");
        assert_eq!(header(&[]), None);
        assert_eq!(header(&[all[0], ("HF_HUB_DISABLE_IMPLICIT_TOKEN", "1")]), None);
        assert!(!format!("{:?}", read(&all)).contains("hf_var"));
    }
}
