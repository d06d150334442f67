//! Whether a comparison of models is fair: what each lost of the texts, and whether it was used as its makers say.
//!
//! Looks at sets and cards, embeds nothing. Invariant: equal sets and cards give equal concerns, in the order of the models.

use super::TaskError;
use crate::corpus::{Corpus, Modality};
use crate::models::{ModelCard, ModelSource, Pooling, Prompts, Similarity, catalogue};
use crate::picture::grouped;
use crate::progress::Progress;
use crate::vectors::norm;
use crate::workspace::{Concern, ConcernKind, EmbeddingSet, Remedy, SetFacts};

/// Share of texts that must begin with a prompt before it counts as standing there already.
const PROMPTED: f64 = 0.2;
/// Lengths of vectors that differ by more than this are different.
const SAME_LENGTH: f32 = 1e-3;
/// A special token at either end.
const SPECIAL: usize = 2;
/// No chunk is proposed that is shorter than this, in tokens.
const SHORTEST_CHUNK: usize = 32;

/// What the makers of a model say of its use.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Expected {
    /// How it pools.
    pub pooling: Option<Pooling>,
    /// What stands before questions and texts; `None` where that is not known.
    pub prompts: Option<Prompts>,
}

/// What the makers of a model say, where the catalogue knows it.
pub fn expected_of(card: &ModelCard) -> Expected {
    let known = card.maker().and_then(|id| catalogue::known(&id.0));
    // A model of pictures has no prompts and a pooling of its own.
    let known = known.filter(|_| card.input.reads_texts());
    known.map_or_else(Expected::default, |known| Expected {
        pooling: known.pooling,
        prompts: Some(known.prompts.clone()),
    })
}

/// One model of a comparison.
#[derive(Clone, Copy, Debug)]
pub struct Compared<'a> {
    /// Its set.
    pub set: &'a EmbeddingSet,
    /// What was measured of the set.
    pub facts: &'a SetFacts,
    /// What its makers say.
    pub expected: &'a Expected,
}

/// Measures a set: one pass over its texts and its vectors.
///
/// # Errors
/// Cancelled.
pub fn set_facts(
    corpus: &Corpus,
    set: &EmbeddingSet,
    expected: &Expected,
    progress: &Progress,
) -> Result<SetFacts, TaskError> {
    let mut facts = SetFacts { lengths: [f32::INFINITY, 0.0], ..SetFacts::default() };
    let theirs = expected.prompts.as_ref().map_or("", |prompts| prompts.passage.trim());
    let prompts = [set.card.prompts.passage.trim(), theirs];
    for (at, &row) in set.rows.iter().enumerate() {
        if at % 4096 == 0 {
            progress.check()?;
        }
        let length = norm(set.vectors.row(at));
        facts.lengths = [facts.lengths[0].min(length), facts.lengths[1].max(length)];
        if row.index() >= corpus.chunks.len() || corpus.item_of(row).modality == Modality::Image {
            continue;
        }
        let cut = set.cut.get(at).copied().unwrap_or_default();
        facts.texts += 1;
        facts.tokens += u64::from(set.tokens.get(at).copied().unwrap_or_default());
        facts.tokens_cut += u64::from(cut);
        facts.texts_cut += usize::from(cut > 0);
        let text = corpus.text_of(row).trim_start();
        facts.prompted += usize::from(prompts.iter().any(|prompt| !prompt.is_empty() && text.starts_with(prompt)));
    }
    Ok(facts)
}

/// What makes a comparison of these models unfair. `corpus` is the one they are compared on.
pub fn concerns(models: &[Compared<'_>], corpus: &Corpus) -> Vec<Concern> {
    let smallest = models.iter().filter_map(|model| room(&model.set.card)).min();
    models.iter().flat_map(|model| of_model(model, models, corpus, smallest)).collect()
}

fn of_model(model: &Compared<'_>, all: &[Compared<'_>], corpus: &Corpus, smallest: Option<usize>) -> Vec<Concern> {
    let found = [
        truncation(model, smallest),
        prompts(model),
        doubled(model),
        pooling(model),
        lengths(model),
        revision(model, corpus),
        rows(model, all),
    ];
    found.into_iter().flatten().collect()
}

/// Tokens of a text that fit into a model's context beside special tokens and its prompt.
fn room(card: &ModelCard) -> Option<usize> {
    // A word of a prompt is about a token, its marks are others.
    let prompt = card.prompts.passage.split_whitespace().count() * 2;
    Some(card.context_tokens?.saturating_sub(SPECIAL + prompt).max(SHORTEST_CHUNK))
}

/// Vectors that came from a file or were made of another set's cannot be embedded otherwise: no remedy is offered for them.
fn concern(model: &Compared<'_>, kind: ConcernKind, [summary, why]: [String; 2], remedy: Option<Remedy>) -> Concern {
    let card = &model.set.card;
    let why = match &card.source {
        ModelSource::Made { of, .. } => {
            format!("{why} It is to be mended at {of}, of which this set can be made again.")
        }
        _ => why,
    };
    Concern { model: card.id.clone(), kind, summary, why, remedy: remedy.filter(|_| !card.is_of_file()) }
}

fn truncation(model: &Compared<'_>, smallest: Option<usize>) -> Option<Concern> {
    let (facts, card) = (model.facts, &model.set.card);
    if facts.texts_cut == 0 {
        return None;
    }
    let share = facts.tokens_cut as f64 * 100.0 / (facts.tokens + facts.tokens_cut).max(1) as f64;
    let limit = card.context_tokens.map_or_else(String::new, |limit| format!(" at {limit} tokens"));
    let summary = format!(
        "{} lost {share:.1} % of all tokens: {} of {} texts are cut{limit}.",
        card.name,
        grouped(facts.texts_cut),
        grouped(facts.texts)
    );
    let why = "What is cut off cannot be found, so a model with a longer context has the advantage.".to_owned();
    Some(concern(model, ConcernKind::Truncation, [summary, why], smallest.map(Remedy::SmallerChunks)))
}

fn prompts(model: &Compared<'_>) -> Option<Concern> {
    let card = &model.set.card;
    let wanted = model.expected.prompts.as_ref().filter(|wanted| **wanted != card.prompts)?;
    if wanted.is_empty() && card.prompts.is_empty() {
        return None;
    }
    let quoted = |prompts: &Prompts| match (prompts.query.as_str(), prompts.passage.as_str()) {
        ("", "") => "nothing".to_owned(),
        (query, "") => format!("\"{query}\" before questions"),
        ("", passage) => format!("\"{passage}\" before texts"),
        (query, passage) => format!("\"{query}\" before questions and \"{passage}\" before texts"),
    };
    let summary = format!("{} was trained with {}; here it gets {}.", card.name, quoted(wanted), quoted(&card.prompts));
    let why = "A model that was trained with a prompt ranks worse without it, and the other way round.".to_owned();
    Some(concern(model, ConcernKind::Prompts, [summary, why], Some(Remedy::Prompts(wanted.clone()))))
}

fn doubled(model: &Compared<'_>) -> Option<Concern> {
    let (facts, card) = (model.facts, &model.set.card);
    let adds = !card.prompts.passage.trim().is_empty();
    if !adds || (facts.prompted as f64) < PROMPTED * facts.texts.max(1) as f64 {
        return None;
    }
    let summary = format!(
        "{} puts \"{}\" before texts of which {} of {} begin with it already.",
        card.name,
        card.prompts.passage.trim_end(),
        grouped(facts.prompted),
        grouped(facts.texts)
    );
    let why = "A prompt that stands twice is not what the model was trained with.".to_owned();
    let once = Prompts { passage: String::new(), ..card.prompts.clone() };
    Some(concern(model, ConcernKind::DoubledPrompt, [summary, why], Some(Remedy::Prompts(once))))
}

fn pooling(model: &Compared<'_>) -> Option<Concern> {
    let card = &model.set.card;
    let wanted = model.expected.pooling.filter(|wanted| *wanted != card.pooling)?;
    let summary =
        format!("{} was trained with {}; here it pools by {}.", card.name, wanted.words(), card.pooling.words());
    let why = "Another pooling gives other vectors, and mostly worse ones.".to_owned();
    Some(concern(model, ConcernKind::Pooling, [summary, why], Some(Remedy::Pooling(wanted))))
}

fn lengths(model: &Compared<'_>) -> Option<Concern> {
    let (card, [shortest, longest]) = (&model.set.card, model.facts.lengths);
    if card.similarity != Similarity::Dot || longest - shortest <= SAME_LENGTH * longest {
        return None;
    }
    let summary =
        format!("{} is meant for dot products, and its vectors are {shortest:.2} to {longest:.2} long.", card.name);
    let why = "Under dot products long vectors win whatever is asked. Its scores and neighbours follow its makers; vectors of length 1 are ranked as those of the other models are.";
    Some(concern(model, ConcernKind::Lengths, [summary, why.to_owned()], Some(Remedy::Normalize)))
}

fn revision(model: &Compared<'_>, corpus: &Corpus) -> Option<Concern> {
    if model.set.revision == corpus.revision {
        return None;
    }
    let summary = format!("{} was embedded from another reading of the files.", model.set.card.name);
    let why = "Its rows are other chunks, or chunks of other texts.".to_owned();
    Some(concern(model, ConcernKind::Revision, [summary, why], Some(Remedy::EmbedAgain)))
}

/// Rows that another model of the same kind of input holds and this one lacks, since they failed.
fn rows(model: &Compared<'_>, all: &[Compared<'_>]) -> Option<Concern> {
    let same = |other: &&Compared<'_>| {
        other.set.card.input == model.set.card.input && other.set.revision == model.set.revision
    };
    let most = all.iter().filter(same).map(|other| other.set.rows.len()).max()?;
    let missing = most.checked_sub(model.set.rows.len()).filter(|&missing| missing > 0)?;
    let summary = format!("{} lacks {} rows that another model has.", model.set.card.name, grouped(missing));
    let why = "Only rows that both models hold are compared; those that are hard for one may be missing.".to_owned();
    Some(concern(model, ConcernKind::Rows, [summary, why], Some(Remedy::EmbedAgain)))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::models::ModelCard;
    use crate::tasks::{Environment, LoadRequest, load};
    use crate::vectors::{RowId, Vectors};

    fn loaded(texts: &[&str]) -> Arc<Corpus> {
        let dir = tempfile::tempdir().unwrap();
        for (at, text) in texts.iter().enumerate() {
            fs_err::write(dir.path().join(format!("{at}.txt")), text).unwrap();
        }
        let request = LoadRequest { paths: vec![dir.path().to_owned()], ..LoadRequest::default() };
        Arc::new(load(&request, &Environment::default(), &Progress::new()).unwrap())
    }

    /// A set of as many rows as `lengths`, each of a vector so long, with so many tokens cut.
    fn set(corpus: &Corpus, card: ModelCard, lengths: &[f32], cut: &[u32]) -> EmbeddingSet {
        let values: Vec<f32> = lengths.iter().flat_map(|&length| [length, 0.0]).collect();
        EmbeddingSet {
            revision: corpus.revision,
            card,
            fingerprint: String::new(),
            rows: (0..lengths.len() as u32).map(RowId).collect(),
            vectors: Vectors::new(values, 2).unwrap(),
            reductions: Default::default(),
            graph: Default::default(),
            tokens: vec![10; lengths.len()].into(),
            cut: cut.into(),
            notes: Arc::default(),
            failed: Arc::default(),
            cached: 0,
            shared: 0,
            embedded: lengths.len(),
            seconds: 1.0,
            tokens_embedded: 30,
            model_memory_mb: None,
        }
    }

    fn found(corpus: &Corpus, set: &EmbeddingSet, expected: &Expected) -> Vec<(ConcernKind, Option<Remedy>)> {
        let facts = set_facts(corpus, set, expected, &Progress::new()).unwrap();
        let all = concerns(&[Compared { set, facts: &facts, expected }], corpus);
        assert!(all.iter().all(|concern| concern.summary.ends_with('.') && concern.model == set.card.id));
        all.into_iter().map(|concern| (concern.kind, concern.remedy)).collect()
    }

    fn e5() -> Prompts {
        Prompts { query: "query: ".into(), passage: "passage: ".into() }
    }

    #[test]
    fn a_model_used_as_its_makers_say_raises_none() {
        let corpus = loaded(&["soup", "stars", "herons"]);
        let mut card = ModelCard::plain("model", 2);
        card.context_tokens = Some(128);
        let expected = Expected { pooling: Some(Pooling::Mean), prompts: Some(Prompts::default()) };
        assert_eq!(found(&corpus, &set(&corpus, card, &[1.0; 3], &[0; 3]), &expected), []);
    }

    #[test]
    fn lost_tokens_are_counted_and_smaller_chunks_offered() {
        let corpus = loaded(&["soup", "stars", "herons"]);
        let mut card = ModelCard::plain("model", 2);
        card.context_tokens = Some(128);
        let set = set(&corpus, card, &[1.0; 3], &[0, 10, 0]);
        let facts = set_facts(&corpus, &set, &Expected::default(), &Progress::new()).unwrap();
        assert_eq!((facts.texts, facts.tokens, facts.tokens_cut, facts.texts_cut), (3, 30, 10, 1));
        let compared = [Compared { set: &set, facts: &facts, expected: &Expected::default() }];
        let all = concerns(&compared, &corpus);
        assert_eq!(all[0].summary, "model lost 25.0 % of all tokens: 1 of 3 texts are cut at 128 tokens.");
        assert_eq!(all[0].remedy, Some(Remedy::SmallerChunks(126)));
    }

    #[test]
    fn prompts_that_are_missing_or_stand_twice_are_found() {
        let corpus = loaded(&["passage: soup", "passage: stars", "herons"]);
        let expected = Expected { prompts: Some(e5()), ..Expected::default() };
        let mut card = ModelCard::plain("e5", 2);
        let bare = set(&corpus, card.clone(), &[1.0; 3], &[0; 3]);
        assert_eq!(found(&corpus, &bare, &expected), [(ConcernKind::Prompts, Some(Remedy::Prompts(e5())))]);
        card.prompts = e5();
        let twice = set(&corpus, card, &[1.0; 3], &[0; 3]);
        let once = Prompts { passage: String::new(), ..e5() };
        assert_eq!(found(&corpus, &twice, &expected), [(ConcernKind::DoubledPrompt, Some(Remedy::Prompts(once)))]);
    }

    #[test]
    fn no_remedy_is_offered_for_a_set_made_of_another() {
        let corpus = loaded(&["soup", "stars", "herons"]);
        let mut card = ModelCard::plain("dot", 2);
        card.source = ModelSource::Made { of: card.id.clone(), made_by: Some(card.id.clone()) };
        card.id = card.id.shortened("truncate:2");
        card.similarity = Similarity::Dot;
        card.context_tokens = Some(128);
        let expected = Expected { pooling: Some(Pooling::Cls), prompts: Some(e5()) };
        let made = set(&corpus, card, &[1.0, 2.0, 0.5], &[0, 10, 0]);
        let kinds = [ConcernKind::Truncation, ConcernKind::Prompts, ConcernKind::Pooling, ConcernKind::Lengths]
            .map(|kind| (kind, None));
        assert_eq!(found(&corpus, &made, &expected), kinds);
    }

    #[test]
    fn another_pooling_other_lengths_other_files_and_missing_rows_are_found() {
        let corpus = loaded(&["soup", "stars", "herons"]);
        let expected = Expected { pooling: Some(Pooling::Cls), ..Expected::default() };
        let plain = set(&corpus, ModelCard::plain("bert", 2), &[1.0; 3], &[0; 3]);
        assert_eq!(found(&corpus, &plain, &expected), [(ConcernKind::Pooling, Some(Remedy::Pooling(Pooling::Cls)))]);

        let mut card = ModelCard::plain("dot", 2);
        card.similarity = Similarity::Dot;
        let dot = set(&corpus, card, &[1.0, 2.0, 0.5], &[0; 3]);
        assert_eq!(found(&corpus, &dot, &Expected::default()), [(ConcernKind::Lengths, Some(Remedy::Normalize))]);

        let other = loaded(&["soup", "stars", "planets"]);
        let old = found(&other, &plain, &Expected::default());
        assert_eq!(old, [(ConcernKind::Revision, Some(Remedy::EmbedAgain))]);

        let fewer = set(&corpus, ModelCard::plain("fewer", 2), &[1.0; 2], &[0; 2]);
        let (facts, expected) = (SetFacts::default(), Expected::default());
        let both = [&plain, &fewer].map(|set| Compared { set, facts: &facts, expected: &expected });
        let all = concerns(&both, &corpus);
        assert_eq!((all.len(), all[0].kind, all[0].model.0.as_str()), (1, ConcernKind::Rows, "fewer"));
    }
}
