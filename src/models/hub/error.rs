//! What can go wrong with the hub. Invariant: each message names the thing and the next step.

use std::path::PathBuf;

use crate::progress::Cancelled;

/// What can go wrong when a model is fetched.
#[derive(Debug, thiserror::Error)]
pub enum HubError {
    /// Stopped at the user's wish.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
    /// Not a name of a model on the hub, or not a revision.
    #[error("{name:?} is not {what}")]
    Name {
        /// What was given.
        name: String,
        /// "a model's name on the hub: give ORG/NAME, …".
        what: &'static str,
    },
    /// Nothing may be asked of the network.
    #[error(
        "{missing} of {id} is not in the hub's cache {}, and the network must not be asked: {why}. Take that away and run \
         `embedlens models download {id}`, or copy the folder models--{} from another computer's cache", .cache.display(), .id.replace('/', "--")
    )]
    Offline {
        /// The model.
        id: String,
        /// The file that is missing.
        missing: String,
        /// The cache folder.
        cache: PathBuf,
        /// Why the network must not be asked.
        why: String,
    },
    /// There is no home folder and no variable names a cache.
    #[error("there is no folder to put {id} into: set HF_HUB_CACHE to a folder for the hub's cache")]
    NoCache {
        /// The model.
        id: String,
    },
    /// The licence must be accepted first.
    #[error("{id} is given only to those who accepted its conditions: {}", gated_steps(.page, *.has_token))]
    Gated {
        /// The model.
        id: String,
        /// Where to accept them.
        page: String,
        /// Whether a token was sent.
        has_token: bool,
    },
    /// The token is not known to the hub.
    #[error(
        "the hub does not accept the token in HF_TOKEN or its token file: make a new one at {endpoint}/settings/tokens, or take it away"
    )]
    BadToken {
        /// The hub.
        endpoint: String,
    },
    /// No such model, or a private one.
    #[error("{endpoint} has no model {id}, or it is private: check the name (ORG/NAME, capitals count){}", private_steps(*.has_token))]
    NoModel {
        /// The model.
        id: String,
        /// The hub.
        endpoint: String,
        /// Whether a token was sent.
        has_token: bool,
    },
    /// The model has no such revision.
    #[error("{id} has no revision {revision:?}: give a branch, a tag or a commit that {page} lists")]
    NoRevision {
        /// The model.
        id: String,
        /// The revision.
        revision: String,
        /// Where they are listed.
        page: String,
    },
    /// A file that was listed is not there.
    #[error("{id} lists {file}, but {endpoint} does not have it: try again later, or another revision")]
    NoFile {
        /// The model.
        id: String,
        /// The file.
        file: String,
        /// The hub.
        endpoint: String,
    },
    /// Only weights that this program does not take without being asked.
    #[error(
        "{id} has no safetensors weights, only pickled ones ({file}), which may carry programs: add --pickle to fetch them; they are read, never run"
    )]
    OnlyPickle {
        /// The model.
        id: String,
        /// The pickled weights.
        file: String,
    },
    /// No weights at all.
    #[error(
        "{id} holds no weights that can be read (no model.safetensors): it may be made for another program; look at {page}"
    )]
    NoWeights {
        /// The model.
        id: String,
        /// The model's page.
        page: String,
    },
    /// A file's name leads out of the model's folder.
    #[error(
        "{id} holds a file called {file:?}, which would be written outside its folder; nothing was fetched. Tell the model's owner"
    )]
    BadName {
        /// The model.
        id: String,
        /// The name.
        file: String,
    },
    /// What came is not what was announced.
    #[error("{file} of {id} came damaged ({what}) and was deleted: try again")]
    Checksum {
        /// The model.
        id: String,
        /// The file.
        file: String,
        /// What differs.
        what: String,
    },
    /// The disk is too full.
    #[error("{id} needs {} more, and {} has {} free: make room, or set HF_HUB_CACHE to a folder on another disk", size(*.needed), .folder.display(), size(*.free))]
    NoSpace {
        /// The model.
        id: String,
        /// Bytes to fetch.
        needed: u64,
        /// Bytes free.
        free: u64,
        /// The cache folder.
        folder: PathBuf,
    },
    /// The hub cannot be reached.
    #[error(
        "{host} cannot be reached ({why}): check the network and the proxy (HTTPS_PROXY), or set HF_ENDPOINT to a mirror, and try again; what has come is kept"
    )]
    Unreachable {
        /// The host.
        host: String,
        /// Why.
        why: String,
    },
    /// The hub answered something that makes no sense or that it cannot help.
    #[error("{host} answered {what}: try again later; what has come is kept")]
    Answer {
        /// The host.
        host: String,
        /// "503 Service Unavailable".
        what: String,
    },
    /// A file of the cache could not be read or written; the cause names it.
    #[error("the hub's cache could not be used: {0}. Set HF_HUB_CACHE to a folder you may write to")]
    File(std::io::Error),
}

impl From<std::io::Error> for HubError {
    fn from(error: std::io::Error) -> Self {
        Self::File(error)
    }
}

fn gated_steps(page: &str, has_token: bool) -> String {
    if has_token {
        format!(
            "open {page}, accept them with the account of your token (or wait for its owner to let you in), and try again"
        )
    } else {
        format!("open {page}, log in and accept them, then set HF_TOKEN to a token of that account and try again")
    }
}

fn private_steps(has_token: bool) -> &'static str {
    if has_token {
        "; for a private one the token's account must be let in"
    } else {
        "; for a private one set HF_TOKEN"
    }
}

/// "91 MB".
fn size(bytes: u64) -> String {
    let bytes = bytes as f64;
    match bytes {
        b if b >= 1e9 => format!("{:.1} GB", b / 1e9),
        b if b >= 1e6 => format!("{:.1} MB", b / 1e6),
        b => format!("{b} bytes"),
    }
}
