//! Positions told by turning queries and keys (Su et al. 2021, arXiv:2104.09864), each half of a head against the other.
//!
//! Sines and cosines are computed once for each stretch of positions that a text reaches. Invariant: angles are products in single
//! precision, as transformers takes them.

use std::sync::OnceLock;

/// Positions computed at a time.
const STRETCH: usize = 256;

/// Angles by position.
pub(in crate::models::encoder) struct Rotary {
    /// Radians a position, one for each pair of values.
    speeds: Vec<f32>,
    /// Cosines, then sines, of each position of a stretch.
    stretches: Vec<OnceLock<Vec<f32>>>,
}

impl Rotary {
    /// Turns heads of `width` values (an even number), for texts of up to `longest` tokens.
    pub(in crate::models::encoder) fn new(theta: f32, width: usize, longest: usize) -> Self {
        let speed = |pair: usize| (1.0 / f64::from(theta).powf((2 * pair) as f64 / width as f64)) as f32;
        let stretches = (0..longest.div_ceil(STRETCH)).map(|_| OnceLock::new()).collect();
        Self { speeds: (0..width / 2).map(speed).collect(), stretches }
    }

    /// Turns heads side by side that belong to the token at `position` of its text.
    pub(in crate::models::encoder) fn turn(&self, heads: &mut [f32], position: usize) {
        let half = self.speeds.len();
        let stretch = self.stretches[position / STRETCH].get_or_init(|| self.stretch(position / STRETCH));
        let (cosines, sines) = stretch[position % STRETCH * 2 * half..][..2 * half].split_at(half);
        for head in heads.chunks_exact_mut(2 * half) {
            let (low, high) = head.split_at_mut(half);
            for (((low, high), cosine), sine) in low.iter_mut().zip(high).zip(cosines).zip(sines) {
                (*low, *high) = (*low * cosine - *high * sine, *high * cosine + *low * sine);
            }
        }
    }

    fn stretch(&self, at: usize) -> Vec<f32> {
        let mut out = Vec::with_capacity(STRETCH * 2 * self.speeds.len());
        for position in STRETCH * at..STRETCH * (at + 1) {
            let angle = |&speed: &f32| f64::from(speed * position as f32);
            out.extend(self.speeds.iter().map(|speed| angle(speed).cos() as f32));
            out.extend(self.speeds.iter().map(|speed| angle(speed).sin() as f32));
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_turned_by_their_position() {
        let rotary = Rotary::new(10_000.0, 4, 600);
        let mut heads = [1.0, 2.0, 0.0, 0.0, 0.0, 0.0, 1.0, 3.0];
        rotary.turn(&mut heads, 300);
        let (one, two) = (300.0f64, 3.0f64);
        let want = [one.cos(), 2.0 * two.cos(), one.sin(), 2.0 * two.sin(), -one.sin(), -3.0 * two.sin(), one.cos()];
        for (got, want) in heads.iter().zip(want) {
            assert!((f64::from(*got) - want).abs() < 1e-5, "{heads:?}");
        }
    }
}
