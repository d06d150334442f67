//! The loop over texts and code.
//!
//! Invariant: between two steps the cache is fed, the user heard, and nothing tokenised twice.

use std::time::Instant;

use super::run::Run;
use super::steps::Steps;
use crate::models::{Embedder, Input};
use crate::progress::Cancelled;

pub(super) fn embed(run: &mut Run<'_, '_>, embedder: &mut dyn Embedder) -> Result<(), Cancelled> {
    let empty = run.empty_of(false);
    let name = embedder.card().name.clone();
    run.progress.stage(&format!("Embedding with {name}"), "items", empty.len() as u64);
    let limit = embedder.card().context_tokens.unwrap_or(usize::MAX);
    let corpus = run.corpus;
    let cost = |run: &Run<'_, '_>, slot: u32| {
        let row = run.slots.row_of(slot);
        // The chunker's count is near enough; counting anew would cost as much as a small model's embedding.
        let tokens = corpus.chunk(row).tokens as usize;
        let cost = if tokens > 0 { tokens + 2 } else { corpus.text_of(row).len() / 4 + 2 };
        cost.min(limit)
    };
    let costed = empty.into_iter().map(|slot| (slot, cost(run, slot))).collect();
    let mut steps = Steps::new(costed);
    while let Some(slots) = steps.next() {
        run.check()?;
        let inputs: Vec<Input<'_>> =
            slots.iter().map(|&slot| Input::Text(corpus.text_of(run.slots.row_of(slot)))).collect();
        let started = Instant::now();
        run.batch(embedder, &slots, &inputs);
        steps.took(started.elapsed().as_secs_f64());
    }
    // Of a step that was given up nothing is there.
    if run.progress.is_cancelled() { Err(Cancelled) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::corpus::testing::WordCount;
    use crate::corpus::{self, LoadOptions};
    use crate::models::{Embedded, Explanation, ModelCard, ModelError};
    use crate::progress::Progress;
    use crate::tasks::embed::slots::Slots;
    use crate::tasks::embed::store::Store;
    use crate::workspace::cache::KeyMaker;

    /// A model that takes its time, and panics at one word.
    struct Slow {
        card: ModelCard,
        each: Duration,
        batches: Vec<usize>,
    }

    impl Slow {
        fn new(each: Duration) -> Self {
            let card = ModelCard::plain("slow", 2);
            Self { card, each, batches: Vec::new() }
        }
    }

    impl Embedder for Slow {
        fn card(&self) -> &ModelCard {
            &self.card
        }

        fn fingerprint(&self) -> &str {
            "slow"
        }

        fn embed(&mut self, inputs: &[Input<'_>]) -> Result<Embedded, ModelError> {
            assert!(
                !inputs.iter().any(|input| matches!(input, Input::Text(text) if text.contains("poison"))),
                "poisoned"
            );
            std::thread::sleep(self.each * inputs.len() as u32);
            self.batches.push(inputs.len());
            let tokens = vec![1; inputs.len()];
            Ok(Embedded { values: vec![1.0; inputs.len() * 2], tokens, ..Embedded::default() })
        }

        fn cost(&self, _: Input<'_>) -> usize {
            1
        }

        fn explain(&mut self, _: Input<'_>) -> Result<Explanation, ModelError> {
            Ok(Explanation::default())
        }
    }

    /// Embeds so many texts; the batches, and how many texts failed with which reason.
    fn embedded(texts: usize, each: Duration, poisoned: Option<usize>) -> (Vec<usize>, Vec<String>) {
        let dir = tempfile::tempdir().unwrap();
        for n in 0..texts {
            let word = if poisoned == Some(n) { "poison" } else { "word" };
            fs_err::write(dir.path().join(format!("{n}.txt")), format!("{word} {n}")).unwrap();
        }
        let progress = Progress::new();
        let corpus = corpus::load(&[dir.path().to_owned()], &LoadOptions::default(), &WordCount, &progress).unwrap();
        let rows = corpus.rows_of(&crate::corpus::Modality::ALL);
        let mut slots = Slots::new(&corpus, rows, &KeyMaker::new("slow", ""), 2);
        let store = Store::open(None, 2, "slow");
        let mut session = store.session();
        let mut run = Run {
            corpus: &corpus,
            slots: &mut slots,
            store: &mut session,
            progress: &progress,
            tokens: 0,
            embedded: 0,
            shared: 0,
            seen: None,
            held: Duration::ZERO,
        };
        let mut model = Slow::new(each);
        embed(&mut run, &mut model).unwrap();
        assert_eq!(run.embedded, texts - usize::from(poisoned.is_some()));
        let failed = (0..slots.len() as u32).filter_map(|slot| slots.result(slot).err().map(str::to_owned)).collect();
        (model.batches, failed)
    }

    #[test]
    fn a_slow_model_gets_few_texts_at_a_time_and_a_quick_one_many() {
        let (batches, failed) = embedded(30, Duration::from_millis(60), None);
        assert_eq!((batches.iter().sum::<usize>(), failed.len()), (30, 0));
        assert!(batches.iter().all(|&texts| texts <= 2), "no step is over a tenth of a second: {batches:?}");
        let (batches, _) = embedded(600, Duration::ZERO, None);
        assert_eq!((batches[0], batches.iter().sum::<usize>()), (1, 600));
        assert!(batches.len() < 10, "{batches:?}");
    }

    #[test]
    fn a_panic_costs_the_one_text_it_is_about() {
        let (batches, failed) = embedded(9, Duration::ZERO, Some(4));
        assert_eq!(batches.iter().sum::<usize>(), 8);
        assert_eq!(failed, ["tensor computation: the model stumbled over it: poisoned"]);
    }
}
