//! The best few of a long run of scores.
//!
//! Invariant: whatever the order of blocks, what is kept is the best by score, then by position; NaN and −∞ are never kept.

use super::Hit;

/// Scores compared with the threshold before any is looked at singly.
const GLANCE: usize = 32;

/// Keeps the `keep` best of what it is offered. Positions must be offered in rising order, since of equal scores the first stays.
#[derive(Clone, Debug)]
pub(crate) struct Best {
    keep: usize,
    room: usize,
    held: Vec<Hit>,
    threshold: f32,
}

impl Best {
    /// One that keeps `keep`, which may be 0.
    pub fn new(keep: usize) -> Self {
        let room = 2 * keep.max(16);
        let threshold = if keep == 0 { f32::INFINITY } else { f32::NEG_INFINITY };
        Self { keep, room, held: Vec::with_capacity(room), threshold }
    }

    /// Offers one score.
    #[inline]
    pub fn offer(&mut self, position: u32, score: f32) {
        if score > self.threshold {
            self.held.push(Hit { position, score });
            if self.held.len() == self.room {
                self.shrink();
            }
        }
    }

    /// Offers the scores of positions `first`, `first + 1`, …, leaving out `skip`.
    pub fn offer_run(&mut self, first: usize, scores: &[f32], skip: usize) {
        for (block, scores) in scores.chunks(GLANCE).enumerate() {
            let threshold = self.threshold;
            let above = scores.iter().fold(false, |above, &score| above | (score > threshold));
            if above {
                let first = first + block * GLANCE;
                for (offset, &score) in scores.iter().enumerate() {
                    if first + offset != skip {
                        self.offer((first + offset) as u32, score);
                    }
                }
            }
        }
    }

    /// The best, greatest first, ties by position.
    pub fn sorted(&mut self) -> &[Hit] {
        self.held.sort_unstable_by(order);
        self.held.truncate(self.keep);
        &self.held
    }

    fn shrink(&mut self) {
        self.held.select_nth_unstable_by(self.keep - 1, order);
        self.held.truncate(self.keep);
        self.threshold = self.held[self.keep - 1].score;
    }
}

/// Greatest score first, then lowest position. Scores are never NaN here.
pub(crate) fn order(a: &Hit, b: &Hit) -> std::cmp::Ordering {
    b.score.partial_cmp(&a.score).unwrap_or(std::cmp::Ordering::Equal).then(a.position.cmp(&b.position))
}

#[cfg(test)]
mod tests {
    use rand::{Rng, SeedableRng};

    use super::*;

    #[test]
    fn the_best_are_those_of_a_full_sort() {
        let mut random = rand_pcg::Pcg64Mcg::seed_from_u64(1);
        for keep in [0, 1, 5, 16, 40] {
            let scores: Vec<f32> = (0..1000).map(|_| random.random_range(0..200) as f32).collect();
            let mut all: Vec<Hit> = (0u32..).zip(&scores).map(|(position, &score)| Hit { position, score }).collect();
            all.remove(77);
            all.sort_by(order);
            all.truncate(keep);
            let mut best = Best::new(keep);
            best.offer_run(0, &scores[..333], 77);
            best.offer_run(333, &scores[333..], 77);
            assert_eq!(best.sorted(), all);
        }
    }

    #[test]
    fn what_is_no_score_is_never_kept() {
        let mut best = Best::new(3);
        best.offer_run(0, &[f32::NAN, 1.0, f32::NEG_INFINITY, -2.0], usize::MAX);
        let positions: Vec<u32> = best.sorted().iter().map(|hit| hit.position).collect();
        assert_eq!(positions, [1, 3]);
    }
}
