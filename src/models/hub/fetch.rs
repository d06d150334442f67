//! One file: from the hub into the cache, on from where an earlier try ended, and checked before it counts as there.
//!
//! Invariant: a blob has the content that its name says, or it does not exist.

use std::io::{ErrorKind, Read, Write};
use std::path::Path;

use fs_err as fs;
use ring::digest::{Context, SHA1_FOR_LEGACY_USE_ONLY, SHA256};
use ureq::http::{HeaderMap, StatusCode};

use super::cache::Repo;
use super::client::{About, Client, Patience, Trouble, etag, size};
use super::error::HubError;
use super::listing::Listed;
use super::names::is_etag;

/// Bytes read at a time.
const CHUNK: usize = 256 << 10;

/// A file to fetch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) name: String,
    /// Name of its content.
    pub(super) etag: String,
    /// Bytes, where the hub tells.
    pub(super) size: Option<u64>,
}

/// Fetches the files of one commit of a model.
pub(super) struct Fetcher<'a> {
    pub(super) client: &'a Client<'a>,
    pub(super) repo: &'a Repo,
    pub(super) commit: &'a str,
}

impl Fetcher<'_> {
    /// Whether the snapshot has a file already.
    pub(super) fn has(&self, name: &str) -> bool {
        self.repo.pointer(self.commit, name).is_file()
    }

    /// Asks the hub for the name and size of a file's content.
    pub(super) fn ask(&self, listed: &Listed) -> Result<Wanted, HubError> {
        let address = self.client.file_address(self.commit, &listed.name);
        let head = self.client.head(&address, About::File(&listed.name))?;
        let commit = head.get("x-repo-commit").and_then(|commit| commit.to_str().ok());
        if commit.is_some_and(|commit| commit != self.commit) {
            return Err(self.client.answer(format!("with {} of another revision", listed.name)));
        }
        Ok(Wanted { name: listed.name.clone(), etag: content_name(&head, listed), size: size(&head).or(listed.size) })
    }

    /// Bytes of a file that are still to come.
    pub(super) fn left(&self, wanted: &Wanted) -> u64 {
        let whole = wanted.size.unwrap_or(0);
        if self.is_whole(wanted) {
            return 0;
        }
        let part = fs::metadata(self.repo.blob(&format!("{}.incomplete", wanted.etag)));
        whole.saturating_sub(part.map_or(0, |part| part.len()))
    }

    /// Whether the content is there with as many bytes as it should have.
    fn is_whole(&self, wanted: &Wanted) -> bool {
        let there = fs::metadata(self.repo.blob(&wanted.etag)).ok().filter(fs_is_file);
        there.is_some_and(|there| wanted.size.is_none_or(|size| size == there.len()))
    }

    /// Fetches a file and makes it a part of the snapshot; gives the bytes that came over the network.
    pub(super) fn fetch(&self, wanted: &Wanted) -> Result<u64, HubError> {
        let mut came = 0;
        if !self.is_whole(wanted) {
            let lock = self.repo.lock(&wanted.etag, self.client.progress)?;
            // Another process may have brought it meanwhile.
            if !self.is_whole(wanted) {
                let part = self.repo.part(&wanted.etag, &lock);
                came = self.stream_all(wanted, &part)?;
                self.check(wanted, &part)?;
                fs::rename(&part, self.repo.blob(&wanted.etag))?;
            }
        }
        self.repo.link(self.commit, &wanted.name, &wanted.etag)?;
        Ok(came)
    }

    /// Streams into `part` until all is there, trying again where a connection breaks.
    fn stream_all(&self, wanted: &Wanted, part: &Path) -> Result<u64, HubError> {
        let (mut patience, mut came) = (Patience::default(), 0);
        loop {
            self.client.progress.check()?;
            self.client.progress.detail(wanted.name.as_str());
            let have = fs::metadata(part).map_or(0, |part| part.len());
            match wanted.size {
                Some(size) if have == size && have > 0 => return Ok(came),
                // Longer than it should be, or of unknown length and thus perhaps already whole: not to be gone on with.
                Some(size) if have > size => fs::remove_file(part)?,
                None if have > 0 && came == 0 => fs::remove_file(part)?,
                _ => {}
            }
            let before = came;
            match self.stream(wanted, part, &mut came) {
                Ok(()) => return Ok(came),
                Err(trouble) => {
                    if came > before {
                        patience.renew();
                    }
                    self.client.wait(&mut patience, trouble)?;
                }
            }
        }
    }

    /// One try: adds to `part` what the hub sends.
    fn stream(&self, wanted: &Wanted, part: &Path, came: &mut u64) -> Result<(), Trouble> {
        let (client, progress) = (self.client, self.client.progress);
        let have = fs::metadata(part).map_or(0, |part| part.len());
        let answer = client.get(&client.file_address(self.commit, &wanted.name), have, About::File(&wanted.name))?;
        let goes_on = answer.status() == StatusCode::PARTIAL_CONTENT && begins_at(answer.headers(), have);
        if answer.status() == StatusCode::RANGE_NOT_SATISFIABLE {
            fs::remove_file(part)?;
            return Err(Trouble::Passing(client.answer("that the file ends earlier"), None));
        }
        let mut file = fs::OpenOptions::new().create(true).append(goes_on).write(true).truncate(!goes_on).open(part)?;
        if !goes_on && have > 0 {
            // The server does not go on from the middle: all comes again.
            progress.set_total(progress.view().total + have);
        }
        let mut got = if goes_on { have } else { 0 };
        let mut body = answer.into_body().into_reader();
        let mut buffer = vec![0; CHUNK];
        loop {
            progress.check()?;
            let read = match body.read(&mut buffer) {
                Ok(0) => break,
                Ok(read) => read,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(client.broken(&error.into())),
            };
            file.write_all(&buffer[..read])?;
            (got, *came) = (got + read as u64, *came + read as u64);
            progress.advance(read as u64);
            if wanted.size.is_some_and(|size| got > size) {
                drop(file);
                fs::remove_file(part)?;
                return Err(self.damaged(wanted, "more bytes than announced").into());
            }
        }
        file.sync_all()?;
        if wanted.size.is_some_and(|size| got < size) {
            return Err(client.broken(&ureq::Error::Io(ErrorKind::UnexpectedEof.into())));
        }
        Ok(())
    }

    /// Checks that `part` has the content that its name says; deletes it where it has not.
    fn check(&self, wanted: &Wanted, part: &Path) -> Result<(), HubError> {
        let progress = self.client.progress;
        let bytes = fs::metadata(part)?.len();
        let mut digest = match wanted.etag.len() {
            64 => Context::new(&SHA256),
            40 => {
                let mut git = Context::new(&SHA1_FOR_LEGACY_USE_ONLY);
                git.update(format!("blob {bytes}\0").as_bytes());
                git
            }
            // A mirror that names contents in its own way.
            _ => return Ok(()),
        };
        progress.detail(format!("checking {}", wanted.name));
        let (mut file, mut buffer) = (fs::File::open(part)?, vec![0; 4 * CHUNK]);
        loop {
            progress.check()?;
            match file.read(&mut buffer)? {
                0 => break,
                read => digest.update(&buffer[..read]),
            }
        }
        let hex: String = digest.finish().as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        if hex == wanted.etag.to_ascii_lowercase() {
            return Ok(());
        }
        fs::remove_file(part)?;
        Err(self.damaged(wanted, "its checksum differs"))
    }

    fn damaged(&self, wanted: &Wanted, what: &str) -> HubError {
        HubError::Checksum { id: self.client.id.to_owned(), file: wanted.name.clone(), what: what.to_owned() }
    }
}

fn fs_is_file(there: &std::fs::Metadata) -> bool {
    there.is_file()
}

/// The name of a file's content: what the head says, else what the listing says, else a name made of either.
fn content_name(head: &HeaderMap, listed: &Listed) -> String {
    let said = etag(head);
    let fit = |name: &&String| is_etag(name);
    if let Some(name) = said.as_ref().filter(fit).or_else(|| listed.etag.as_ref().filter(fit)) {
        return name.clone();
    }
    // Not as long as a checksum, so that it is not taken for one.
    let of = format!("{} {}", listed.name, said.unwrap_or_default());
    blake3::hash(of.as_bytes()).to_hex()[..48].to_owned()
}

/// Whether a partial answer begins where it was asked to.
fn begins_at(headers: &HeaderMap, at: u64) -> bool {
    let range = headers.get("content-range").and_then(|range| range.to_str().ok());
    let begin = range.and_then(|range| range.strip_prefix("bytes ")?.split_once('-')?.0.trim().parse().ok());
    begin == Some(at)
}
