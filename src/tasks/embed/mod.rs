//! Embedding a corpus with one model: what the cache has is taken from it, equal rows are embedded once, the rest in batches.
//!
//! A row that fails is listed with its reason and costs nothing else. Invariant: the rows of the set ascend, and each vector is finite.

mod batches;
pub(super) mod images;
mod run;
mod seen;
mod slots;
mod steps;
mod store;
mod texts;
mod trial;

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::models::modalities_of;
use super::{Environment, TaskError};
use crate::corpus::Corpus;
use crate::models::{ModelCard, ModelId};
use crate::progress::Progress;
use crate::vectors::{RowId, Vectors};
use crate::workspace::EmbeddingSet;
use crate::workspace::cache::{CacheReport, KeyMaker};
use run::Run;
pub use seen::SeenPictures;
use slots::Slots;
use store::Store;
pub use trial::{EmbedTimes, EmbedTrial, TrialInputs, WARM_UP, time_embedding};

/// A corpus and the model to embed it with.
#[derive(Clone, Debug)]
pub struct EmbedRequest {
    /// The corpus.
    pub corpus: Arc<Corpus>,
    /// The model.
    pub model: ModelId,
    /// Only these rows, ascending; `None` for all that the model reads.
    pub rows: Option<Arc<[RowId]>>,
}

impl EmbedRequest {
    /// All rows that the model reads.
    pub fn new(corpus: Arc<Corpus>, model: ModelId) -> Self {
        Self { corpus, model, rows: None }
    }
}

/// Embeds the rows of a corpus that the model reads. Stages: "Opening …", "Looking into the cache", "Embedding with …".
///
/// # Errors
/// Cancelled; the model cannot be opened; nothing to embed; every row failed.
pub fn embed(
    request: &EmbedRequest,
    env: &Environment,
    progress: &Progress,
) -> Result<(EmbeddingSet, CacheReport), TaskError> {
    progress.check()?;
    progress.stage(&format!("Opening {}", request.model), "models", 0);
    let mut model = env.models.take(&request.model, env.offline)?;
    let (card, fingerprint, network) = model.with("read a model's card", |embedder| {
        let network = embedder.network().map(str::to_owned);
        Ok((embedder.card().clone(), embedder.fingerprint().to_owned(), network))
    })?;
    let rows = rows_for(request, &card)?;
    let keys = KeyMaker::new(&fingerprint, "");
    env.run(|| {
        let mut slots = Slots::new(&request.corpus, rows, &keys, card.dimensions);
        progress.stage("Looking into the cache", "items", slots.len() as u64);
        let store = Store::open(env.cache_dir.as_deref(), card.dimensions, &fingerprint);
        let mut session = store.session();
        session.fill(&mut slots, progress)?;
        let cached = slots.rows_filled();
        progress.check()?;
        let corpus = &*request.corpus;
        let mut run = Run {
            corpus,
            slots: &mut slots,
            store: &mut session,
            progress,
            tokens: 0,
            embedded: 0,
            shared: 0,
            seen: network.map(|network| env.seen.of(&card.id, &network)),
            held: Duration::ZERO,
        };
        let mut started = Instant::now();
        let outcome = model.with(&format!("embed with {}", card.name), |embedder| {
            run.fill_from_seen(embedder);
            started = Instant::now();
            let texts = if card.input.reads_texts() { texts::embed(&mut run, embedder) } else { Ok(()) };
            Ok(texts.and_then(|()| match card.input.reads_pictures() {
                true => images::embed(&mut run, embedder),
                false => Ok(()),
            }))
        })?;
        let (tokens_embedded, embedded, shared) = (run.tokens, run.embedded, run.shared);
        let seconds = (started.elapsed().saturating_sub(run.held)).as_secs_f64();
        // What is done is kept, also of a run that was cancelled.
        session.commit();
        drop(session);
        outcome?;
        let model_memory_mb = env.models.memory_mb(&request.model);
        let made = Made { card, fingerprint, cached, shared, embedded, seconds, tokens_embedded, model_memory_mb };
        Ok((assemble(corpus, slots, made)?, store.into_report()))
    })
}

fn rows_for(request: &EmbedRequest, card: &ModelCard) -> Result<Vec<RowId>, TaskError> {
    let modalities = modalities_of(card.input);
    let corpus = &request.corpus;
    let rows = match &request.rows {
        None => corpus.rows_of(modalities),
        Some(rows) => rows.iter().copied().filter(|&row| modalities.contains(&corpus.item_of(row).modality)).collect(),
    };
    // Rows of a file of vectors may come without their texts: there is nothing in them to embed.
    let says_something = |row: &RowId| corpus.item_of(*row).text().is_none() || !corpus.text_of(*row).is_empty();
    let rows: Vec<RowId> = rows.into_iter().filter(says_something).collect();
    if rows.is_empty() {
        let (model, reads) = (card.name.clone(), card.input.words());
        return Err(TaskError::NothingToEmbed { model, reads, items: corpus.items.len() });
    }
    Ok(rows)
}

struct Made {
    card: ModelCard,
    fingerprint: String,
    cached: usize,
    shared: usize,
    embedded: usize,
    seconds: f64,
    tokens_embedded: u64,
    model_memory_mb: Option<f64>,
}

/// Turns slots into a set: a vector a row, failed rows apart.
fn assemble(corpus: &Corpus, slots: Slots, made: Made) -> Result<EmbeddingSet, TaskError> {
    let dim = made.card.dimensions;
    let plain = slots.is_plain();
    let (mut rows, mut values) = (Vec::new(), Vec::new());
    let (mut tokens, mut cut, mut notes, mut failed) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (&row, slot) in slots.rows().iter().zip(slots.slot_of_rows()) {
        match slots.result(*slot) {
            Ok((vector, noted)) => {
                rows.push(row);
                if !plain {
                    values.extend_from_slice(vector);
                }
                tokens.push(noted.tokens);
                cut.push(noted.cut);
                notes.push(noted.note.clone());
            }
            Err(reason) => failed.push((row, reason.to_owned())),
        }
    }
    if rows.is_empty() {
        let first = failed.into_iter().next().map_or_else(String::new, |(_, reason)| reason);
        return Err(TaskError::NothingEmbedded { model: made.card.name, rows: slots.rows().len(), first });
    }
    let values = if plain { slots.into_values() } else { values };
    Ok(EmbeddingSet {
        revision: corpus.revision,
        card: made.card,
        fingerprint: made.fingerprint,
        rows: rows.into(),
        vectors: Vectors::new(values, dim)?,
        reductions: Default::default(),
        graph: Default::default(),
        tokens: tokens.into(),
        cut: cut.into(),
        notes: notes.into(),
        failed: failed.into(),
        cached: made.cached,
        shared: made.shared,
        embedded: made.embedded,
        seconds: made.seconds,
        tokens_embedded: made.tokens_embedded,
        model_memory_mb: made.model_memory_mb,
    })
}

#[cfg(feature = "bundled-models")]
#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::tasks::{LoadRequest, load};

    const STATIC: &str = "all-MiniLM-L6-v2-static-256";
    const LITE0: &str = "efficientnet-lite0";
    const CONSE: &str = "conse-minilm-lite0";

    fn loaded(dir: &Path) -> Arc<Corpus> {
        let request = LoadRequest { paths: vec![dir.to_owned()], ..LoadRequest::default() };
        Arc::new(load(&request, &Environment::default(), &Progress::new()).unwrap())
    }

    fn embedded(corpus: &Arc<Corpus>, model: &str, env: &Environment) -> Result<EmbeddingSet, TaskError> {
        let request = EmbedRequest::new(corpus.clone(), ModelId(model.to_owned()));
        embed(&request, env, &Progress::new()).map(|(set, _)| set)
    }

    fn picture(path: &Path, shade: u8) {
        image::RgbImage::from_fn(40, 30, |x, y| image::Rgb([shade, (x * 6) as u8, (y * 8) as u8])).save(path).unwrap();
    }

    #[test]
    fn equal_rows_are_embedded_once_and_share_their_vector() {
        let dir = tempfile::tempdir().unwrap();
        for (name, text) in [("a.txt", "soup"), ("b.txt", "soup"), ("c.txt", "stars")] {
            fs_err::write(dir.path().join(name), text).unwrap();
        }
        let set = embedded(&loaded(dir.path()), STATIC, &Environment::default()).unwrap();
        assert_eq!(set.vectors.row(0), set.vectors.row(1));
        assert_ne!(set.vectors.row(0), set.vectors.row(2));
        let once = u64::from(set.tokens[0] + set.tokens[2]);
        assert_eq!((set.rows.len(), set.embedded, set.tokens_embedded), (3, 2, once));
        assert!((set.rows_per_second().unwrap() * set.seconds - 2.0).abs() < 1e-6);
    }

    #[test]
    fn a_picture_that_changed_or_went_costs_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        (0..4).for_each(|n| picture(&at(&format!("{n}.png")), n * 60));
        let corpus = loaded(dir.path());
        picture(&at("1.png"), 200);
        fs_err::remove_file(at("2.png")).unwrap();
        let set = embedded(&corpus, LITE0, &Environment::default()).unwrap();
        assert_eq!(*set.rows, [RowId(0), RowId(3)]);
        assert_eq!((set.vectors.len(), set.failed.len()), (2, 2));
        assert!(set.failed[0].1.contains("changed"), "{:?}", set.failed);
        fs_err::remove_file(at("0.png")).unwrap();
        fs_err::remove_file(at("3.png")).unwrap();
        assert!(matches!(
            embedded(&corpus, LITE0, &Environment::default()),
            Err(TaskError::NothingEmbedded { rows: 4, .. })
        ));
        assert!(matches!(
            embedded(&corpus, STATIC, &Environment::default()),
            Err(TaskError::NothingToEmbed { items: 4, .. })
        ));
    }

    #[test]
    fn two_models_of_one_network_look_at_a_picture_once_and_give_what_each_gives_alone() {
        let dir = tempfile::tempdir().unwrap();
        (0..5).for_each(|n| picture(&dir.path().join(format!("{n}.png")), n * 40));
        picture(&dir.path().join("again.png"), 0);
        let corpus = loaded(dir.path());
        let alone = |model| embedded(&corpus, model, &Environment::default()).unwrap();
        for [first, second] in [[LITE0, CONSE], [CONSE, LITE0]] {
            let env = Environment::default();
            let one = embedded(&corpus, first, &env).unwrap();
            // Files that are gone cannot be decoded again.
            let hidden = dir.path().join("hidden");
            fs_err::rename(dir.path().join("0.png"), &hidden).unwrap();
            let two = embedded(&corpus, second, &env).unwrap();
            fs_err::rename(&hidden, dir.path().join("0.png")).unwrap();
            assert_eq!((one.embedded, one.shared, two.embedded, two.shared), (5, 0, 0, 6));
            for (set, alone) in [(one, alone(first)), (two, alone(second))] {
                assert_eq!((set.vectors.values(), &set.notes), (alone.vectors.values(), &alone.notes));
            }
            assert_eq!(env.seen.len(), 0, "nobody else asks for them");
        }
    }

    #[test]
    fn a_folder_that_cannot_hold_a_cache_only_costs_the_cache() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("a.txt");
        fs_err::write(&file, "soup").unwrap();
        let env = Environment { cache_dir: Some(file), ..Environment::default() };
        let request = EmbedRequest::new(loaded(dir.path()), ModelId(STATIC.to_owned()));
        let (set, report) = embed(&request, &env, &Progress::new()).unwrap();
        assert_eq!(set.rows.len(), 1);
        assert!(report.messages[0].contains("without the vector cache"), "{report:?}");
    }

    #[test]
    fn cancelling_stops_and_the_model_stays_in_memory() {
        let dir = tempfile::tempdir().unwrap();
        fs_err::write(dir.path().join("a.txt"), "soup").unwrap();
        let (env, progress) = (Environment::default(), Progress::new());
        progress.cancel();
        let request = EmbedRequest::new(loaded(dir.path()), ModelId(STATIC.to_owned()));
        assert!(embed(&request, &env, &progress).unwrap_err().is_cancelled());
        let again = embed(&request, &env, &Progress::new()).unwrap();
        assert_eq!(again.0.rows.len(), 1);
    }
}
