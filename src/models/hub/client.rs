//! Requests to the hub: addresses, token, redirects, what a status means, and when to try again.
//!
//! Writes no files. Invariants: the token goes to the hub's own address and nowhere else, and every failure is either final or worth
//! another try after a wait.

use std::cell::Cell;
use std::io::{ErrorKind, Read};
use std::time::{Duration, Instant};

use ureq::http::{HeaderMap, Method, Request, Response, StatusCode, Uri};
use ureq::{Agent, Body};

use super::error::HubError;
use super::names::quoted;
use super::options::HubOptions;
use super::wire;
use crate::progress::{Cancelled, Progress};

/// Tries without any progress before it is given up.
const TRIES: u32 = 5;
/// Longest wait before another try, where the hub asks for one.
const LONGEST_WAIT: Duration = Duration::from_secs(300);
/// Redirects followed.
const HOPS: usize = 8;

/// Asks the hub about one model.
pub(super) struct Client<'a> {
    pub(super) id: &'a str,
    pub(super) options: &'a HubOptions,
    pub(super) progress: &'a Progress,
    agent: Agent,
    /// Whether anything has been answered: before that a connection that fails means that there is no network.
    reached: Cell<bool>,
}

/// What a request is about, to say what a status means.
#[derive(Clone, Copy, Debug)]
pub(super) enum About<'a> {
    /// The model at a revision.
    Model(&'a str),
    /// One of its files.
    File(&'a str),
}

/// What went wrong, and whether it may help to try again.
#[derive(Debug)]
pub(super) enum Trouble {
    /// Another try may help, after this wait if the hub asked for one.
    Passing(HubError, Option<Duration>),
    /// It will not go away.
    Lasting(HubError),
}

impl<E: Into<HubError>> From<E> for Trouble {
    fn from(error: E) -> Self {
        Self::Lasting(error.into())
    }
}

/// Counts tries.
#[derive(Debug, Default)]
pub(super) struct Patience {
    tries: u32,
}

impl Patience {
    /// Something has come since: the count begins again.
    pub(super) fn renew(&mut self) {
        self.tries = 0;
    }
}

impl<'a> Client<'a> {
    pub(super) fn new(id: &'a str, options: &'a HubOptions, progress: &'a Progress) -> Self {
        Self { id, options, progress, agent: wire::agent(progress, options.timeout), reached: Cell::new(false) }
    }

    /// Where the hub tells what the model holds at `revision`.
    pub(super) fn info_address(&self, revision: &str) -> String {
        format!("{}/api/models/{}/revision/{}?blobs=true", self.options.endpoint, self.id, quoted(revision, ""))
    }

    /// Where a file of the model is.
    pub(super) fn file_address(&self, commit: &str, name: &str) -> String {
        format!("{}/{}/resolve/{}/{}", self.options.endpoint, self.id, quoted(commit, ""), quoted(name, "/"))
    }

    /// The model's page for people.
    pub(super) fn page(&self) -> String {
        format!("{}/{}", self.options.endpoint, self.id)
    }

    /// The hub's host, for messages.
    pub(super) fn host(&self) -> &str {
        let endpoint = &self.options.endpoint;
        endpoint.split_once("://").map_or(endpoint.as_str(), |(_, rest)| rest)
    }

    /// Asks for the head of a file: the first answer that names the content. Other hosts are not asked where the hub has told it all.
    pub(super) fn head(&self, address: &str, about: About<'_>) -> Result<HeaderMap, HubError> {
        self.patiently(|| {
            let answer = self.send(&Method::HEAD, address, 0, true)?;
            if !answer.status().is_success() && !answer.status().is_redirection() {
                return Err(self.refusal(&answer, about));
            }
            Ok(answer.into_parts().0.headers)
        })
    }

    /// Gets something small.
    pub(super) fn small(&self, address: &str, about: About<'_>, limit: u64) -> Result<Vec<u8>, HubError> {
        self.patiently(|| {
            let answer = self.get(address, 0, about)?;
            let announced = length(answer.headers());
            let mut bytes = Vec::new();
            let read = answer.into_body().into_reader().take(limit + 1).read_to_end(&mut bytes);
            read.map_err(|error| self.broken(&error.into()))?;
            let (got, whole) = (bytes.len() as u64, announced.unwrap_or(bytes.len() as u64));
            if got > limit {
                return Err(Trouble::Lasting(self.answer("more than it should")));
            }
            if got < whole { Err(self.broken(&ureq::Error::Io(ErrorKind::UnexpectedEof.into()))) } else { Ok(bytes) }
        })
    }

    /// Gets what stands at `address` from byte `from` on; the answer may be partial or whole.
    pub(super) fn get(&self, address: &str, from: u64, about: About<'_>) -> Result<Response<Body>, Trouble> {
        let answer = self.send(&Method::GET, address, from, false)?;
        let fine = answer.status().is_success() || answer.status() == StatusCode::RANGE_NOT_SATISFIABLE;
        if fine { Ok(answer) } else { Err(self.refusal(&answer, about)) }
    }

    /// Does `work` until it gives something, waiting in between, as long as another try may help.
    fn patiently<T>(&self, mut work: impl FnMut() -> Result<T, Trouble>) -> Result<T, HubError> {
        let mut patience = Patience::default();
        loop {
            match work() {
                Ok(got) => return Ok(got),
                Err(trouble) => self.wait(&mut patience, trouble)?,
            }
        }
    }

    /// Waits before another try.
    ///
    /// # Errors
    /// The trouble itself where no other try helps; cancellation.
    pub(super) fn wait(&self, patience: &mut Patience, trouble: Trouble) -> Result<(), HubError> {
        self.progress.check()?;
        let (error, asked) = match trouble {
            Trouble::Lasting(error) => return Err(error),
            Trouble::Passing(error, asked) => (error, asked),
        };
        patience.tries += 1;
        if patience.tries >= TRIES || asked.is_some_and(|asked| asked > LONGEST_WAIT) {
            return Err(error);
        }
        let wait = asked.unwrap_or(self.options.first_wait * 2u32.pow(patience.tries - 1));
        let begun = Instant::now();
        while let Some(left) = wait.checked_sub(begun.elapsed()).filter(|left| !left.is_zero()) {
            self.progress.check()?;
            self.progress.detail(format!("waiting {} s for {}", left.as_secs() + 1, self.host()));
            std::thread::sleep(left.min(Duration::from_millis(50)));
        }
        Ok(())
    }

    /// Sends a request and follows redirects; the token leaves out every other host. `stay`: an answer that points to another host is
    /// the answer.
    fn send(&self, method: &Method, address: &str, from: u64, stay: bool) -> Result<Response<Body>, Trouble> {
        let home: Uri = self.parsed(address)?;
        let mut at = home.clone();
        for _ in 0..HOPS {
            let mut request = Request::builder().method(method.clone()).uri(at.clone());
            if from > 0 {
                request = request.header("range", format!("bytes={from}-"));
            }
            if let Some(token) = self.options.token.as_ref().filter(|_| same_origin(&home, &at)) {
                if !token.is_sound() {
                    return Err(Trouble::Lasting(HubError::BadToken { endpoint: self.options.endpoint.clone() }));
                }
                request = request.header("authorization", token.header());
            }
            let request = request.body(()).map_err(|_| self.answer("an address that makes no sense"))?;
            let answer = self.agent.run(request).map_err(|error| self.broken(&error))?;
            self.reached.set(true);
            let to = answer.headers().get("location").and_then(|to| to.to_str().ok());
            let (true, Some(to)) = (answer.status().is_redirection(), to) else { return Ok(answer) };
            let next = self.parsed(&joined(&at, to))?;
            if stay && !same_origin(&at, &next) && etag(answer.headers()).is_some() {
                return Ok(answer);
            }
            if at.scheme_str() == Some("https") && next.scheme_str() != Some("https") {
                return Err(Trouble::Lasting(self.answer("a redirect to an address that is not encrypted")));
            }
            at = next;
        }
        Err(Trouble::Lasting(self.answer("one redirect after another")))
    }

    fn parsed(&self, address: &str) -> Result<Uri, HubError> {
        let uri = address.parse::<Uri>().ok();
        let web = |uri: &Uri| matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some();
        uri.filter(web).ok_or_else(|| HubError::Name {
            name: address.to_owned(),
            what: "an address of the web: set HF_ENDPOINT to one like https://huggingface.co",
        })
    }

    pub(super) fn answer(&self, what: impl Into<String>) -> HubError {
        HubError::Answer { host: self.host().to_owned(), what: what.into() }
    }

    /// What a connection that failed means.
    pub(super) fn broken(&self, error: &ureq::Error) -> Trouble {
        if self.progress.is_cancelled() {
            return Trouble::Lasting(Cancelled.into());
        }
        let why = match error {
            ureq::Error::Io(error) => error.to_string(),
            ureq::Error::Timeout(_) => format!("no answer for {} s", self.options.timeout.as_secs()),
            other => other.to_string(),
        };
        let lasting = matches!(error, ureq::Error::Rustls(_) | ureq::Error::Tls(_) | ureq::Error::InvalidProxyUrl);
        let error_here = HubError::Unreachable { host: self.host().to_owned(), why };
        let passing = self.reached.get() || wire::is_silence(error);
        if lasting || !passing { Trouble::Lasting(error_here) } else { Trouble::Passing(error_here, None) }
    }

    /// What an answer means that is not what was asked for.
    fn refusal(&self, answer: &Response<Body>, about: About<'_>) -> Trouble {
        let (status, headers) = (answer.status(), answer.headers());
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let code = text("x-error-code").unwrap_or_default();
        let (id, endpoint) = (self.id.to_owned(), self.options.endpoint.clone());
        let has_token = self.options.token.is_some();
        let no_model = |id, endpoint| HubError::NoModel { id, endpoint, has_token };
        let gated = |id| HubError::Gated { id, page: self.page(), has_token };
        Trouble::Lasting(match (code, status.as_u16(), about) {
            ("GatedRepo", _, _) => gated(id),
            ("RepoNotFound", _, _) => no_model(id, endpoint),
            ("RevisionNotFound", _, About::Model(revision)) => self.no_revision(revision),
            ("EntryNotFound", _, About::File(file)) => HubError::NoFile { id, file: file.to_owned(), endpoint },
            (_, 401, _) if has_token => HubError::BadToken { endpoint },
            (_, 401, About::Model(_)) => no_model(id, endpoint),
            (_, 401 | 403, _) => gated(id),
            (_, 404, About::Model("main")) => no_model(id, endpoint),
            (_, 404, About::Model(revision)) => self.no_revision(revision),
            (_, 404 | 410, About::File(file)) => HubError::NoFile { id, file: file.to_owned(), endpoint },
            (_, 408 | 429 | 500..=599, _) => {
                return Trouble::Passing(self.answer(status.to_string()), asked_wait(headers));
            }
            _ => {
                let words = text("x-error-message").unwrap_or_default();
                let words: String = words.chars().filter(|c| !c.is_control()).take(200).collect();
                self.answer(format!("{status} {words}").trim_end().to_owned())
            }
        })
    }

    fn no_revision(&self, revision: &str) -> HubError {
        let page = format!("{}/tree/main", self.page());
        HubError::NoRevision { id: self.id.to_owned(), revision: revision.to_owned(), page }
    }
}

/// The name of a file's content: of the file itself where the answer is a redirect to it.
pub(super) fn etag(headers: &HeaderMap) -> Option<String> {
    let value = headers.get("x-linked-etag").or_else(|| headers.get("etag"))?.to_str().ok()?;
    Some(value.trim().trim_start_matches("W/").trim_matches('"').to_owned())
}

/// Bytes of a file as its head tells; of a redirect only what it says of the file itself.
pub(super) fn size(headers: &HeaderMap) -> Option<u64> {
    let linked = headers.get("x-linked-size").and_then(|size| size.to_str().ok()?.trim().parse().ok());
    linked.or_else(|| if headers.contains_key("location") { None } else { length(headers) })
}

/// How long the hub asks to wait: `Retry-After`, or the end of its window (`RateLimit: "api";r=0;t=55`).
fn asked_wait(headers: &HeaderMap) -> Option<Duration> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let after = text("retry-after").and_then(|text| text.trim().parse().ok());
    let window = || text("ratelimit")?.split(';').find_map(|part| part.trim().strip_prefix("t=")?.parse().ok());
    after.or_else(window).map(Duration::from_secs)
}

/// Bytes of an answer's body.
fn length(headers: &HeaderMap) -> Option<u64> {
    headers.get("content-length")?.to_str().ok()?.trim().parse().ok()
}

/// Whether two addresses are of one server: scheme, host and port.
fn same_origin(a: &Uri, b: &Uri) -> bool {
    let port = |uri: &Uri| uri.port_u16().unwrap_or(if uri.scheme_str() == Some("https") { 443 } else { 80 });
    let host = |uri: &Uri| uri.host().map(str::to_ascii_lowercase);
    a.scheme_str() == b.scheme_str() && host(a) == host(b) && port(a) == port(b)
}

/// Where `to` leads from `at`.
fn joined(at: &Uri, to: &str) -> String {
    let (scheme, authority) = (at.scheme_str().unwrap_or("https"), at.authority().map_or("", |a| a.as_str()));
    if to.contains("://") && !to.starts_with('/') {
        to.to_owned()
    } else if to.starts_with("//") {
        format!("{scheme}:{to}")
    } else if to.starts_with('/') {
        format!("{scheme}://{authority}{to}")
    } else {
        let folder = at.path().rsplit_once('/').map_or("", |(folder, _)| folder);
        format!("{scheme}://{authority}{folder}/{to}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redirects_are_joined_and_told_apart() {
        let at: Uri = "http://hub:80/a/b?c".parse().unwrap();
        for (to, expected) in [
            ("/x/y", "http://hub:80/x/y"),
            ("z", "http://hub:80/a/z"),
            ("//other/x", "http://other/x"),
            ("https://cdn/x?u=http://y", "https://cdn/x?u=http://y"),
            ("/x?u=http://y", "http://hub:80/x?u=http://y"),
        ] {
            assert_eq!(joined(&at, to), expected);
        }
        let same = |other: &str| same_origin(&at, &other.parse().unwrap());
        assert!(
            same("http://HUB/other") && !same("https://hub/") && !same("http://hub:81/") && !same("http://hub.evil/")
        );
    }

    #[test]
    fn heads_tell_name_and_size() {
        let mut headers = HeaderMap::new();
        headers.insert("etag", "W/\"abc\"".parse().unwrap());
        headers.insert("content-length", "7".parse().unwrap());
        assert_eq!((etag(&headers).unwrap().as_str(), size(&headers)), ("abc", Some(7)));
        headers.insert("location", "/x".parse().unwrap());
        assert_eq!(size(&headers), None);
        headers.insert("x-linked-etag", "\"def\"".parse().unwrap());
        headers.insert("x-linked-size", "9".parse().unwrap());
        assert_eq!((etag(&headers).unwrap().as_str(), size(&headers)), ("def", Some(9)));
        assert_eq!(asked_wait(&headers), None);
        headers.insert("ratelimit", "\"api\";r=0;t=55".parse().unwrap());
        assert_eq!(asked_wait(&headers), Some(Duration::from_secs(55)));
        headers.insert("retry-after", "3".parse().unwrap());
        assert_eq!(asked_wait(&headers), Some(Duration::from_secs(3)));
    }
}
