//! Steps of a few hundredths of a second, counted in tokens.
//!
//! Invariant: how many texts go into a step follows the clock, and what comes out of it does not.

use std::collections::VecDeque;

use super::batches::{Costed, groups};

/// Tokens of texts of like length that stay together, where a step takes as many.
const GROUP: usize = 1024;
/// Seconds a step should take: what is done is shown, and cancelling is heard, between steps.
const STEP: f64 = 0.04;
/// Tokens that a step should have, since an encoder does fewer less well …
const ENOUGH: f64 = 1024.0;
/// … unless they take longer than this many seconds.
const LONG: f64 = 0.08;
/// Tokens of a step at most, so that memory stays bounded whatever the clock says.
const MOST: f64 = 65_536.0;
/// The speed is taken for at most so many times what it was before, since clocks and short steps err.
const SURPRISE: f64 = 8.0;

/// Texts that wait, and the speed of the model as it has shown.
pub(super) struct Steps {
    waiting: VecDeque<Vec<Costed>>,
    /// Tokens a second; 0 before the first step.
    rate: f64,
    /// Tokens of the step taken last.
    tokens: usize,
}

impl Steps {
    /// All of `texts` wait.
    pub(super) fn new(texts: Vec<Costed>) -> Self {
        Self { waiting: groups(texts, GROUP).into(), rate: 0.0, tokens: 0 }
    }

    /// Tokens of the next step. The first is a single text: of the model's speed nothing is known yet.
    fn wanted(&self) -> usize {
        (self.rate * STEP).max(ENOUGH.min(self.rate * LONG)).min(MOST).round() as usize
    }

    /// Takes the next step's texts: at least one, and no more tokens than wanted; `None` when none waits.
    pub(super) fn next(&mut self) -> Option<Vec<u32>> {
        let (wanted, mut taken) = (self.wanted(), Vec::new());
        self.tokens = 0;
        while let Some(mut group) = self.waiting.pop_front() {
            let mut fits = 0;
            for &(_, cost) in &group {
                if self.tokens + cost > wanted && (fits > 0 || !taken.is_empty()) {
                    break;
                }
                self.tokens += cost;
                fits += 1;
            }
            let rest = group.split_off(fits);
            taken.extend(group.iter().map(|&(text, _)| text));
            if !rest.is_empty() {
                self.waiting.push_front(rest);
                break;
            }
        }
        (!taken.is_empty()).then_some(taken)
    }

    /// Learns how long the step took.
    pub(super) fn took(&mut self, seconds: f64) {
        let seen = self.tokens as f64 / seconds.max(1e-7);
        self.rate = match self.rate {
            0.0 => seen,
            before => (before + seen.clamp(before / SURPRISE, before * SURPRISE)) / 2.0,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_follow_the_clock_and_hold_enough() {
        let steps = |tokens_a_second: f64| {
            let mut steps = Steps::new((0..12_800).map(|text| (text, 32)).collect());
            let mut seen = Vec::new();
            while let Some(texts) = steps.next() {
                let tokens = texts.len() * 32;
                steps.took(tokens as f64 / tokens_a_second);
                seen.push(tokens);
            }
            assert_eq!(seen.iter().sum::<usize>(), 12_800 * 32);
            assert_eq!(seen[0], 32, "the first step is one text");
            seen[seen.len() / 2]
        };
        assert_eq!(steps(50_000.0), 1984, "0.04 seconds");
        assert_eq!(steps(16_000.0), 1024, "enough for the encoder, and no more");
        assert_eq!(steps(4_000.0), 320, "0.08 seconds");
        assert_eq!(steps(100.0), 32);
        assert_eq!(steps(1e9), 65_536);
    }
}
