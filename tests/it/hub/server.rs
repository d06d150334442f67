//! A hub on this computer: the parts of the hub's protocol that fetching a model needs, and faults on demand.
//!
//! Large files are redirected to a second server, as the hub does. Every request is remembered.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ring::digest::{Context, SHA1_FOR_LEGACY_USE_ONLY, SHA256};
use serde_json::{Value, json};

/// The commit that every model stands at.
pub const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

/// What goes wrong with the next answer.
#[derive(Clone, Debug)]
pub enum Fault {
    /// An answer of this status with these header lines.
    Status(u16, &'static str),
    /// The body ends after so many bytes, and the connection with it.
    CutAfter(usize),
    /// The body stops after so many bytes, and nothing more is said.
    StallAfter(usize),
    /// All is sent whatever was asked for.
    IgnoreRange,
    /// A byte of the body is another.
    Corrupt,
}

/// One request as it came.
#[derive(Clone, Debug)]
pub struct Asked {
    pub method: String,
    pub path: String,
    /// Whether the second server was asked.
    pub elsewhere: bool,
    pub token: Option<String>,
    pub range: Option<String>,
}

#[derive(Default)]
struct State {
    /// Files by "ORG/NAME/FILE".
    files: BTreeMap<String, Vec<u8>>,
    /// Sizes that are told instead of the true ones.
    told: BTreeMap<String, u64>,
    faults: Vec<(String, Fault)>,
    asked: Vec<Asked>,
}

/// The two servers; gone when dropped.
pub struct Hub {
    pub endpoint: String,
    state: Arc<Mutex<State>>,
    stop: Arc<AtomicBool>,
}

impl Hub {
    pub fn new() -> Self {
        let (state, stop) = (Arc::new(Mutex::new(State::default())), Arc::new(AtomicBool::new(false)));
        let bind = || TcpListener::bind("127.0.0.1:0").unwrap();
        let (front, store) = (bind(), bind());
        let address = |listener: &TcpListener| format!("http://{}", listener.local_addr().unwrap());
        let (endpoint, elsewhere) = (address(&front), address(&store));
        for (listener, own) in [(front, false), (store, true)] {
            let (state, stop, elsewhere) = (state.clone(), stop.clone(), elsewhere.clone());
            spawn(move || {
                for stream in listener.incoming() {
                    if stop.load(Ordering::Relaxed) {
                        break;
                    }
                    let (state, stop, elsewhere) = (state.clone(), stop.clone(), elsewhere.clone());
                    let served = Served { state, stop, elsewhere, own };
                    spawn(move || served.serve(&stream.unwrap()));
                }
            });
        }
        Self { endpoint, state, stop }
    }

    /// A hub with one small sentence-transformers model, its weights `weight_bytes` long.
    pub fn with_model(id: &str, weight_bytes: usize) -> Self {
        let hub = Self::new();
        hub.file(id, "config.json", br#"{"model_type":"bert"}"#);
        hub.file(id, "tokenizer.json", b"{}");
        hub.file(id, "README.md", b"---\nlicense: mit\n---\n");
        hub.file(id, "modules.json", br#"[{"idx":0,"path":"","type":"t.Transformer"},{"idx":1,"path":"1_Pooling"}]"#);
        hub.file(id, "1_Pooling/config.json", br#"{"pooling_mode_mean_tokens":true}"#);
        hub.file(id, "model.safetensors", &weights(weight_bytes));
        hub.file(id, "pytorch_model.bin", b"pickled");
        hub.file(id, "onnx/model.onnx", b"onnx");
        hub
    }

    pub fn file(&self, id: &str, name: &str, bytes: &[u8]) {
        self.state.lock().unwrap().files.insert(format!("{id}/{name}"), bytes.to_vec());
    }

    /// All files of a folder.
    pub fn folder(&self, id: &str, folder: &Path) {
        let mut folders = vec![folder.to_owned()];
        while let Some(at) = folders.pop() {
            for entry in fs_err::read_dir(at).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let name = path.strip_prefix(folder).unwrap().to_string_lossy().replace('\\', "/");
                    self.file(id, &name, &fs_err::read(&path).unwrap());
                }
            }
        }
    }

    pub fn tell_size(&self, id: &str, name: &str, size: u64) {
        self.state.lock().unwrap().told.insert(format!("{id}/{name}"), size);
    }

    /// The next answer to "METHOD PATH" with this ending goes wrong, once; several are used up in order. The second server's method
    /// is "elsewhere".
    pub fn fault(&self, ending: &str, fault: Fault) {
        self.state.lock().unwrap().faults.push((ending.to_owned(), fault));
    }

    /// The requests until now.
    pub fn asked(&self) -> Vec<Asked> {
        self.state.lock().unwrap().asked.clone()
    }

    /// Requests of a method whose path holds this.
    pub fn asked_for(&self, method: &str, part: &str) -> Vec<Asked> {
        self.asked().into_iter().filter(|asked| asked.method == method && asked.path.contains(part)).collect()
    }

    pub fn forget(&self) {
        self.state.lock().unwrap().asked.clear();
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        // The listeners wait for a last caller.
        drop(TcpStream::connect(self.endpoint.trim_start_matches("http://")));
    }
}

/// Bytes that no two places have alike.
pub fn weights(bytes: usize) -> Vec<u8> {
    (0..bytes as u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect()
}

/// The name of a file's content: SHA-256 of what is large, git's SHA-1 of what is small.
pub fn etag(name: &str, bytes: &[u8]) -> String {
    let mut digest = if is_large(name) {
        Context::new(&SHA256)
    } else {
        let mut git = Context::new(&SHA1_FOR_LEGACY_USE_ONLY);
        git.update(format!("blob {}\0", bytes.len()).as_bytes());
        git
    };
    digest.update(bytes);
    digest.finish().as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn is_large(name: &str) -> bool {
    name.ends_with(".safetensors") || name.ends_with(".bin")
}

fn spawn(work: impl FnOnce() + Send + 'static) {
    std::thread::Builder::new().spawn(work).unwrap();
}

struct Served {
    state: Arc<Mutex<State>>,
    stop: Arc<AtomicBool>,
    elsewhere: String,
    own: bool,
}

impl Served {
    /// Answers the requests of one connection.
    fn serve(&self, stream: &TcpStream) {
        let mut reader = BufReader::new(stream);
        while let Some(asked) = read_request(&mut reader, self.own) {
            let fault = {
                let mut state = self.state.lock().unwrap();
                state.asked.push(asked.clone());
                let method = if self.own { "elsewhere" } else { asked.method.as_str() };
                let line = format!("{method} {}", asked.path);
                let found = state.faults.iter().position(|(ending, _)| line.ends_with(ending.as_str()));
                found.map(|place| state.faults.remove(place).1)
            };
            if self.answer(stream, &asked, fault.as_ref()).is_none() {
                return;
            }
        }
    }

    /// `None` ends the connection.
    fn answer(&self, stream: &TcpStream, asked: &Asked, fault: Option<&Fault>) -> Option<()> {
        if let Some(Fault::Status(status, headers)) = fault {
            return send(stream, *status, headers, b"");
        }
        let path = asked.path.split('?').next().unwrap_or_default().trim_start_matches('/');
        if let Some(rest) = path.strip_prefix("api/models/") {
            let (id, _) = rest.split_once("/revision/")?;
            return match self.info(id) {
                Some(info) => send(stream, 200, "", info.to_string().as_bytes()),
                None => send(stream, 401, "X-Error-Code: RepoNotFound\r\n", b"no such"),
            };
        }
        let (id, name) = path.split_once("/resolve/")?;
        let name = name.split_once('/')?.1;
        let key = format!("{id}/{name}");
        let (bytes, told) = {
            let state = self.state.lock().unwrap();
            (state.files.get(&key).cloned(), state.told.get(&key).copied())
        };
        let Some(bytes) = bytes else { return send(stream, 404, "X-Error-Code: EntryNotFound\r\n", b"") };
        let tag = etag(name, &bytes);
        if is_large(name) && !self.own {
            let size = told.unwrap_or(bytes.len() as u64);
            let to = format!("{}/{path}", self.elsewhere);
            let headers = format!(
                "Location: {to}\r\nX-Linked-Etag: \"{tag}\"\r\nX-Linked-Size: {size}\r\nX-Repo-Commit: {COMMIT}\r\n"
            );
            return send(stream, 302, &headers, b"");
        }
        self.body(stream, asked, fault, (&bytes, &tag))
    }

    fn body(&self, mut stream: &TcpStream, asked: &Asked, fault: Option<&Fault>, content: (&[u8], &str)) -> Option<()> {
        let (bytes, tag) = content;
        let from =
            asked.range.as_deref().and_then(|range| range.strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok());
        let from = from.filter(|_| !matches!(fault, Some(Fault::IgnoreRange)));
        let mut body = bytes.get(from.unwrap_or(0)..).unwrap_or_default().to_vec();
        let (status, range) = match from {
            Some(from) => (206, format!("Content-Range: bytes {from}-{}/{}\r\n", bytes.len() - 1, bytes.len())),
            None => (200, String::new()),
        };
        let length = body.len();
        if matches!(fault, Some(Fault::Corrupt)) {
            body[length / 2] ^= 1;
        }
        if let Some(Fault::CutAfter(end) | Fault::StallAfter(end)) = fault {
            body.truncate(*end);
        }
        let head = format!(
            "HTTP/1.1 {status} x\r\nContent-Length: {length}\r\nETag: \"{tag}\"\r\nX-Repo-Commit: {COMMIT}\r\n{range}\r\n"
        );
        stream.write_all(head.as_bytes()).ok()?;
        if asked.method == "GET" {
            stream.write_all(&body).ok()?;
        }
        match fault {
            Some(Fault::CutAfter(_)) => None,
            Some(Fault::StallAfter(_)) => {
                while !self.stop.load(Ordering::Relaxed) {
                    std::thread::sleep(Duration::from_millis(20));
                }
                None
            }
            _ => Some(()),
        }
    }

    fn info(&self, id: &str) -> Option<Value> {
        let state = self.state.lock().unwrap();
        let sibling = |(key, bytes): (&String, &Vec<u8>)| {
            let name = key.strip_prefix(&format!("{id}/"))?.to_owned();
            let size = state.told.get(key).copied().unwrap_or(bytes.len() as u64);
            Some(if is_large(&name) {
                json!({ "rfilename": name, "size": size, "blobId": "0", "lfs": { "sha256": etag(&name, bytes), "size": size } })
            } else {
                json!({ "rfilename": name, "size": size, "blobId": etag(&name, bytes) })
            })
        };
        let siblings: Vec<Value> = state.files.iter().filter_map(sibling).collect();
        (!siblings.is_empty()).then(|| json!({ "id": id, "sha": COMMIT, "siblings": siblings }))
    }
}

fn read_request(reader: &mut BufReader<&TcpStream>, elsewhere: bool) -> Option<Asked> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|&read| read > 0)?;
    let mut words = line.split_whitespace();
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut asked = Asked { method, path, elsewhere, token: None, range: None };
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { return Some(asked) };
        match name.to_ascii_lowercase().as_str() {
            "authorization" => asked.token = Some(value.to_owned()),
            "range" => asked.range = Some(value.to_owned()),
            _ => {}
        }
    }
}

fn send(mut stream: &TcpStream, status: u16, headers: &str, body: &[u8]) -> Option<()> {
    let head = format!("HTTP/1.1 {status} x\r\nContent-Length: {}\r\n{headers}\r\n", body.len());
    stream.write_all(head.as_bytes()).ok()?;
    stream.write_all(body).ok()
}
