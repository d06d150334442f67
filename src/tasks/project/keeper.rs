//! The state of a running layout on disk, so that the same request goes on from it after a kill.
//!
//! Written every few seconds once a layout takes that long, and taken away at its end. A state lies under the hash of everything that
//! decides the map (vectors, neighbours, parameters, labels); one that is damaged or does not fit is left aside with a note. Invariant:
//! a layout that went on from a state ends with the same bytes as one that was never stopped.

use std::time::{Duration, Instant};

use super::ProjectRequest;
use super::optimise::Optimiser;
use crate::projection::{PacmapSnapshot, ProjectionError, UmapSnapshot};
use crate::search::NeighbourGraph;
use crate::tasks::Environment;
use crate::workspace::Shelf;

/// Bytes that all states together may take.
const LIMIT: u64 = 512 << 20;
/// When a layout is written first, and how long at least until the next time.
const FIRST: Duration = Duration::from_secs(2);
const NEXT: Duration = Duration::from_secs(3);
/// Writing may take one part in so many of the time.
const SHARE: u32 = 30;
/// Version of what a layout does with its request. Raised when that changes.
const VERSION: u32 = 2;

/// Where the state of one layout is kept.
pub(super) struct Keeper {
    /// The place and the name; `None` where nothing is kept.
    place: Option<(Shelf, String)>,
    due: Instant,
    /// Whether a state of this layout lies there.
    kept: bool,
    /// (iteration, divergence) measured before the state that was taken up.
    pub kl: Vec<(u32, f32)>,
    /// What there is to tell the user.
    pub notes: Vec<String>,
}

impl Keeper {
    /// Keeps nothing.
    pub fn nowhere() -> Self {
        Self { place: None, due: Instant::now(), kept: false, kl: Vec::new(), notes: Vec::new() }
    }

    /// For a layout of `request` by the first `needed` neighbours of each row.
    pub fn new(request: &ProjectRequest, (graph, needed): (&NeighbourGraph, usize), env: &Environment) -> Self {
        let place = env.cache_dir.as_deref().and_then(|dir| {
            let name = name_of(request, (graph, needed))?;
            Some((Shelf::new(dir.join("layouts"), LIMIT), name))
        });
        Self { place, ..Self::nowhere() }
    }

    /// The layout as it was when its state was written last; `None` where there is none that fits.
    pub fn take_up<T>(&mut self, open: impl FnOnce(&[u8]) -> Result<T, ProjectionError>) -> Option<T> {
        let (shelf, name) = self.place.as_ref()?;
        let bytes = match shelf.get(name) {
            Ok(bytes) => bytes?,
            Err(damaged) => {
                self.notes.push(format!("The layout begins anew: {damaged}"));
                return None;
            }
        };
        let opened = split(&bytes).and_then(|(kl, state)| Ok((kl, open(state)?)));
        match opened {
            Ok((kl, layout)) => {
                (self.kl, self.kept) = (kl, true);
                Some(layout)
            }
            // Left where it is: it is only not wanted now.
            Err(ProjectionError::Cancelled) => None,
            Err(error) => {
                shelf.remove(name);
                self.notes.push(format!("The layout begins anew: {error}"));
                None
            }
        }
    }

    /// Writes the state, if it is time.
    pub fn keep_when_due(&mut self, optimiser: &dyn Optimiser, kl: &[(u32, f32)]) {
        let Some((shelf, name)) = &self.place else { return };
        if Instant::now() < self.due {
            return;
        }
        let started = Instant::now();
        let Some(state) = optimiser.state() else { return };
        let mut head = (kl.len() as u32).to_le_bytes().to_vec();
        for (iteration, divergence) in kl {
            head.extend(iteration.to_le_bytes());
            head.extend(divergence.to_le_bytes());
        }
        match shelf.put(name, &[&head, &state]) {
            Ok(()) => self.kept = true,
            Err(error) => {
                self.notes.push(format!("The layout cannot be continued if it is stopped: {error}"));
                self.place = None;
                return;
            }
        }
        self.due = Instant::now() + NEXT.max(started.elapsed() * SHARE);
    }

    /// The optimiser begins to work now.
    pub fn begin(&mut self) {
        self.due = Instant::now() + FIRST;
    }

    /// The layout is done, or is no longer what was asked for: its state is of no use.
    pub fn let_go(&mut self) {
        if let Some((shelf, name)) = self.place.take().filter(|_| self.kept) {
            shelf.remove(&name);
        }
    }
}

/// The hash of all that decides a layout; `None` where its parameters cannot be told.
fn name_of(request: &ProjectRequest, (graph, needed): (&NeighbourGraph, usize)) -> Option<String> {
    let params = &request.params;
    let mut hasher = blake3::Hasher::new();
    hasher.update(&VERSION.to_le_bytes());
    hasher.update(env!("CARGO_PKG_VERSION").as_bytes());
    hasher.update(&request.graph.identity(&request.vectors).whole);
    let told = (params.method, params.dimensions, graph.metric, params.tsne, params.umap, params.pacmap);
    hasher.update(&serde_json::to_vec(&told).ok()?);
    let used = needed.min(graph.k);
    hasher.update(&(used as u64).to_le_bytes());
    let mut line = Vec::with_capacity(8 * used);
    for row in 0..graph.len() {
        line.clear();
        line.extend(graph.of(row)[..used].iter().flat_map(|near| near.to_le_bytes()));
        line.extend(graph.scores_of(row)[..used].iter().flat_map(|score| score.to_le_bytes()));
        hasher.update(&line);
    }
    if let Some(labels) = &request.labels {
        hasher.update(b"labels");
        labels.iter().for_each(|label| _ = hasher.update(&label.to_le_bytes()));
    }
    Some(format!("{}.layout", hasher.finalize().to_hex()))
}

type Divergences = Vec<(u32, f32)>;

/// The divergences and the optimiser's own bytes.
fn split(bytes: &[u8]) -> Result<(Divergences, &[u8]), ProjectionError> {
    let short = || ProjectionError::Snapshot("it is not whole".to_owned());
    let (&count, rest) = bytes.split_first_chunk::<4>().ok_or_else(short)?;
    let length = (u32::from_le_bytes(count) as usize).checked_mul(8).ok_or_else(short)?;
    let (kl, state) = rest.split_at_checked(length).ok_or_else(short)?;
    let pair =
        |&[a, b, c, d, e, f, g, h]: &[u8; 8]| (u32::from_le_bytes([a, b, c, d]), f32::from_le_bytes([e, f, g, h]));
    Ok((kl.as_chunks().0.iter().map(pair).collect(), state))
}

/// What a state says before its numbers.
#[derive(serde::Serialize, serde::Deserialize)]
struct Head<P> {
    params: P,
    /// Epochs or iterations done.
    epoch: usize,
    values: usize,
}

/// A UMAP's state as bytes.
pub(super) fn umap_bytes(snapshot: &UmapSnapshot) -> Option<Vec<u8>> {
    bytes_of(snapshot.params, snapshot.epoch, &snapshot.coordinates)
}

/// The state that [`umap_bytes`] wrote.
pub(super) fn umap_snapshot(bytes: &[u8]) -> Result<UmapSnapshot, ProjectionError> {
    let (head, coordinates) = state_of(bytes)?;
    Ok(UmapSnapshot { params: head.params, epoch: head.epoch, coordinates })
}

/// A `PaCMAP`'s state as bytes.
pub(super) fn pacmap_bytes(snapshot: &PacmapSnapshot) -> Option<Vec<u8>> {
    bytes_of(snapshot.params, snapshot.iteration, &snapshot.values)
}

/// The state that [`pacmap_bytes`] wrote.
pub(super) fn pacmap_snapshot(bytes: &[u8]) -> Result<PacmapSnapshot, ProjectionError> {
    let (head, values) = state_of(bytes)?;
    Ok(PacmapSnapshot { params: head.params, iteration: head.epoch, values })
}

/// A line of JSON, then the numbers.
fn bytes_of(params: impl serde::Serialize, epoch: usize, values: &[f32]) -> Option<Vec<u8>> {
    let mut bytes = serde_json::to_vec(&Head { params, epoch, values: values.len() }).ok()?;
    bytes.push(b'\n');
    bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
    Some(bytes)
}

/// What [`bytes_of`] wrote.
fn state_of<P: serde::de::DeserializeOwned>(bytes: &[u8]) -> Result<(Head<P>, Vec<f32>), ProjectionError> {
    let broken = |words: &str| ProjectionError::Snapshot(words.to_owned());
    let line = bytes.iter().position(|&byte| byte == b'\n').ok_or_else(|| broken("it has no head"))?;
    let head: Head<P> = serde_json::from_slice(&bytes[..line]).map_err(|error| broken(&error.to_string()))?;
    let (words, rest) = bytes[line + 1..].as_chunks::<4>();
    if words.len() != head.values || !rest.is_empty() {
        return Err(broken("it is not whole"));
    }
    let values: Vec<f32> = words.iter().map(|&word| f32::from_le_bytes(word)).collect();
    if !values.iter().all(|value| value.is_finite()) {
        return Err(broken("it holds values that are no numbers"));
    }
    Ok((head, values))
}

#[cfg(test)]
mod tests {
    use super::super::tests::request;
    use super::*;
    use crate::progress::Progress;
    use crate::projection::Method;
    use crate::tasks::{LiveSlot, project};
    use crate::workspace::Projection;

    fn run(method: Method, env: &Environment) -> Projection {
        project(&request(method), &LiveSlot::default(), env, &Progress::new()).unwrap()
    }

    /// Leaves a state of a layout at its middle where the next run looks for it.
    fn stopped(method: Method, env: &Environment) -> std::path::PathBuf {
        let request = request(method);
        super::super::methods::stop_in_the_middle(&request, env);
        let entries = fs_err::read_dir(env.cache_dir.as_ref().unwrap().join("layouts")).unwrap();
        entries.last().unwrap().unwrap().path()
    }

    #[test]
    fn a_layout_goes_on_to_the_same_bytes_and_its_state_goes() {
        for method in [Method::Tsne, Method::Umap, Method::Pacmap] {
            let dir = tempfile::tempdir().unwrap();
            let env = Environment { cache_dir: Some(dir.path().to_owned()), ..Environment::default() };
            let whole = run(method, &Environment::default());
            let state = stopped(method, &env);
            let resumed = run(method, &env);
            let told = resumed.notes.join("; ");
            assert!(told.contains("continued from"), "{told}");
            assert_eq!((&resumed.points, &resumed.kl), (&whole.points, &whole.kl), "{method:?}");
            assert!(!state.exists(), "a finished layout needs no state");
            assert!(run(method, &env).notes.is_empty());
        }
    }

    #[test]
    fn damaged_states_are_left_aside_with_a_note() {
        for method in [Method::Tsne, Method::Umap, Method::Pacmap] {
            let dir = tempfile::tempdir().unwrap();
            let env = Environment { cache_dir: Some(dir.path().to_owned()), ..Environment::default() };
            let whole = run(method, &Environment::default());
            let state = stopped(method, &env);
            let mut bytes = fs_err::read(&state).unwrap();
            let middle = bytes.len() / 2;
            bytes[middle] ^= 8;
            fs_err::write(&state, &bytes).unwrap();
            let damaged = run(method, &env);
            assert!(damaged.notes.join("").contains("begins anew"), "{:?}", damaged.notes);
            assert_eq!(damaged.points, whole.points);
            // Whole and signed, but no state of this layout.
            let name = stopped(method, &env).file_name().unwrap().to_str().unwrap().to_owned();
            Shelf::new(dir.path().join("layouts"), LIMIT).put(&name, &[&[0; 4], b"{}\nnothing"]).unwrap();
            let foreign = run(method, &env);
            assert!(foreign.notes.join("").contains("begins anew"), "{:?}", foreign.notes);
            assert_eq!(foreign.points, whole.points);
        }
    }

    #[test]
    fn another_request_has_another_name() {
        let env = Environment { cache_dir: Some("/nowhere".into()), ..Environment::default() };
        let graph = NeighbourGraph::new(1, crate::vectors::Metric::Cosine, vec![0; 60], vec![1.0; 60]);
        let name = |request: &ProjectRequest| Keeper::new(request, (&graph, 1), &env).place.unwrap().1;
        let (first, mut other) = (request(Method::Tsne), request(Method::Tsne));
        assert_eq!(name(&first), name(&other));
        other.params.tsne.perplexity += 1.0;
        assert_ne!(name(&first), name(&other));
        assert_ne!(name(&first), name(&ProjectRequest { labels: Some([1; 60].into()), ..request(Method::Tsne) }));
    }
}
