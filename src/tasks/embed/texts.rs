//! The loop over texts and code: batches of like length, small enough to stop between.

use std::collections::VecDeque;
use std::time::Instant;

use super::batches::batches;
use super::run::Run;
use crate::models::{Embedder, Input};
use crate::progress::Cancelled;

/// Padded tokens of a batch: about a fifth of a second of MiniLM on two cores.
const BUDGET: usize = 1024;
/// A larger step is taken after a group of whole batches that was faster than this: many cores, or a model that only looks tokens up.
const QUICK: f64 = 0.06;
/// Parts of batches grow as long as twice their time is no more than this.
const EASY: f64 = 0.2;
/// A step that was slower than this is followed by a smaller one, so that cancelling and saving never wait long.
const SLOW: f64 = 0.5;
/// Steps are 2 to the power of this many batches at most.
const LARGEST: i32 = 6;
/// And at least: a single text.
const SMALLEST: i32 = -10;

/// How much is done between two looks at the clock: 2^`level` batches, a part of one where that is negative.
struct Pace {
    level: i32,
}

impl Pace {
    /// Begins with a single text: of the model's speed nothing is known yet.
    fn new() -> Self {
        Self { level: SMALLEST }
    }

    /// Takes the next step's slots from the front of the batches.
    fn take(&self, waiting: &mut VecDeque<Vec<u32>>, cost: impl Fn(u32) -> usize) -> Vec<u32> {
        let mut slots = waiting.pop_front().unwrap_or_default();
        if self.level < 0 {
            // The first of a batch is its longest.
            let longest = slots.first().map_or(1, |&slot| cost(slot)).max(1);
            let kept = ((BUDGET >> -self.level) / longest).max(1).min(slots.len());
            let rest = slots.split_off(kept);
            if !rest.is_empty() {
                waiting.push_front(rest);
            }
        }
        for _ in 1..(1 << self.level.max(0)) {
            slots.extend(waiting.pop_front().unwrap_or_default());
        }
        slots
    }

    /// Learns from a step of `cost` padded tokens.
    fn took(&mut self, seconds: f64, cost: usize) {
        if self.level == SMALLEST {
            // The first text tells about how long a whole batch would take.
            let batch = seconds / cost.max(1) as f64 * BUDGET as f64;
            self.level = if batch > EASY { -((batch / EASY).log2().ceil() as i32) } else { 0 };
        } else if seconds > SLOW {
            self.level -= ((seconds / SLOW).log2().ceil() as i32).max(1);
        } else if seconds < QUICK || (self.level < 0 && seconds < EASY) {
            self.level += 1;
        }
        self.level = self.level.clamp(SMALLEST + 1, LARGEST);
    }
}

pub(super) fn embed(run: &mut Run<'_, '_>, embedder: &mut dyn Embedder) -> Result<(), Cancelled> {
    let empty = run.slots.empty();
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
    let mut waiting: VecDeque<Vec<u32>> = batches(costed, BUDGET, BUDGET).into();
    let mut pace = Pace::new();
    while !waiting.is_empty() {
        run.check()?;
        let slots = pace.take(&mut waiting, |slot| cost(run, slot));
        let inputs: Vec<Input<'_>> =
            slots.iter().map(|&slot| Input::Text(corpus.text_of(run.slots.row_of(slot)))).collect();
        let started = Instant::now();
        run.batch(embedder, &slots, &inputs);
        let longest = slots.iter().map(|&slot| cost(run, slot)).max().unwrap_or(0);
        pace.took(started.elapsed().as_secs_f64(), longest * slots.len());
    }
    Ok(())
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
        assert!(batches.iter().all(|&texts| texts <= 8), "no step is over half a second: {batches:?}");
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
