//! Rows made ready for many queries: a scan of bytes with bounds, then scores of the few rows that can be among the answers.
//!
//! Holds a byte a value beside the vectors, and builds in the time of about one scan of them. Invariant: answers are those of
//! [`top_k`](super::top_k), positions and scores to the bit, at any number of threads.

use rayon::prelude::*;

use super::rounded::{Rounded, Scorer, UNIT, comparable, quantise};
use super::{Allowed, Best, Hit, top_k};
use crate::progress::Progress;
use crate::vectors::{Level, Metric, Vectors, bytes, cosine, dot, level, norm, score};

/// Rows one task scans.
const ROWS: usize = 2048;
/// Answers up to which scanning bytes first is worth it.
const MOST: usize = 1000;

/// A set of vectors prepared for queries by one metric.
pub struct Index {
    vectors: Vectors,
    metric: Metric,
    norms: Vec<f32>,
    /// `None` where single precision leaves its range: then every row is scored.
    rounded: Option<Rounded>,
    level: Level,
}

/// A query rounded as the rows are.
struct Query<'a> {
    values: &'a [f32],
    norm: f32,
    bytes: Vec<i8>,
    sum: i32,
    scale: f32,
    spread: f32,
    reach: f32,
    offset: f32,
    slack: f32,
}

impl std::fmt::Debug for Index {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Index").field("rows", &self.vectors.len()).field("metric", &self.metric).finish()
    }
}

impl Index {
    /// Prepares vectors, which it shares.
    pub fn new(vectors: &Vectors, metric: Metric) -> Self {
        let progress = Progress::new();
        let scorer = Scorer::new(vectors, metric, &progress);
        let rounded = (!scorer.is_extreme()).then(|| Rounded::new(&scorer));
        Self { vectors: vectors.clone(), metric, norms: scorer.norms, rounded, level: level() }
    }

    /// Number of vectors.
    pub fn len(&self) -> usize {
        self.vectors.len()
    }

    /// Whether there are no vectors.
    pub fn is_empty(&self) -> bool {
        self.vectors.is_empty()
    }

    /// The metric it was made for.
    pub fn metric(&self) -> Metric {
        self.metric
    }

    /// The `k` rows nearest to `query`, as [`top_k`](super::top_k) finds them: greatest score first, ties by position, only those
    /// that `allowed` admits, none for a query of another dimension.
    pub fn top_k(&self, query: &[f32], k: usize, allowed: Option<&Allowed<'_>>) -> Vec<Hit> {
        let prepared = self.rounded.as_ref().filter(|_| k <= MOST).and_then(|rounded| {
            (query.len() == self.vectors.dim())
                .then(|| self.query(rounded, query))
                .flatten()
                .map(|query| (rounded, query))
        });
        let Some((rounded, query)) = prepared else {
            return top_k(&self.vectors, query, self.metric, k, allowed);
        };
        let keep = k.min(self.len());
        if keep == 0 {
            return Vec::new();
        }
        let blocks = self.len().div_ceil(ROWS);
        let mut found: Vec<(f32, u32)> = (0..blocks)
            .into_par_iter()
            .with_max_len(4)
            .flat_map_iter(|block| self.scan((rounded, &query), block, keep, allowed))
            .collect();
        found.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        self.settle(&query, &found, keep)
    }

    /// The same for many queries, side by side.
    pub fn top_k_batch(&self, queries: &Vectors, k: usize, allowed: Option<&Allowed<'_>>) -> Vec<Vec<Hit>> {
        (0..queries.len()).into_par_iter().map(|at| self.top_k(queries.row(at), k, allowed)).collect()
    }

    /// The query rounded; `None` where its length is zero or out of range.
    fn query<'a>(&self, rounded: &Rounded, values: &'a [f32]) -> Option<Query<'a>> {
        let norm = norm(values);
        if !(1e-15..1e17).contains(&norm) {
            return None;
        }
        let factor = if self.metric == Metric::Cosine && norm > 0.0 { 1.0 / norm } else { 1.0 };
        let centred: Vec<f32> = values.iter().zip(&rounded.mean).map(|(&value, &mean)| value * factor - mean).collect();
        let mut bytes = vec![0i8; rounded.stride];
        let (scale, residue, sum) = quantise(&centred, &mut bytes);
        let (square, mean_square) = (dot(&centred, &centred), dot(&rounded.mean, &rounded.mean));
        let (whole, length) = (norm * factor, square.sqrt());
        let around = if self.metric == Metric::Euclidean { square } else { whole * whole + mean_square };
        let slack = (rounded.dim as f32 + 192.0) * UNIT * (square + around) + 1e-36;
        let along = match self.metric {
            Metric::Euclidean => -0.5 * square,
            Metric::Cosine | Metric::Dot => dot(&rounded.mean, &centred) + 0.5 * mean_square,
        };
        let spread = residue * 1.001 + 4.0 * UNIT * (whole + length);
        let reach = (length + residue) * 1.001;
        Some(Query { values, norm, bytes, sum, scale, spread, reach, offset: along + slack, slack })
    }

    /// Rows of a block that can be among the `keep` best of it, by upper bound.
    fn scan(
        &self,
        (rounded, query): (&Rounded, &Query<'_>),
        block: usize,
        keep: usize,
        allowed: Option<&Allowed<'_>>,
    ) -> Vec<(f32, u32)> {
        let rows = block * ROWS..((block + 1) * ROWS).min(self.len());
        let bounds = &rounded.bounds;
        let mut held: Vec<(f32, f32, u32)> = Vec::new();
        let (mut floor, mut limit) = (f32::MIN, 2 * keep + 32);
        for row in rows {
            if !allowed.is_none_or(|allowed| allowed(row)) {
                continue;
            }
            if !self.norms[row].is_finite() {
                // Infinite values can have a dot product; in the other metrics such rows have no score.
                if self.metric == Metric::Dot {
                    held.push((f32::INFINITY, f32::NEG_INFINITY, row as u32));
                }
                continue;
            }
            let own = &rounded.bytes[row * rounded.stride..(row + 1) * rounded.stride];
            // The query's sum, since that of the second row is wanted.
            let product = bytes::dot(self.level, own, &query.bytes, query.sum) as f32;
            let error = query.spread * bounds.reach[row] + query.reach * bounds.spread[row];
            let value = query.scale * (bounds.scale[row] * product) + (query.offset + bounds.offset[row]);
            let upper = value + error;
            if upper >= floor {
                held.push((upper, value - error - 2.0 * (query.slack + rounded.slack[row]), row as u32));
                if held.len() >= limit {
                    let (_, last, _) = held.select_nth_unstable_by(keep - 1, |a, b| b.1.total_cmp(&a.1));
                    floor = floor.max(last.1);
                    held.retain(|held| held.0 >= floor);
                    limit = held.len() + keep + 32;
                }
            }
        }
        held.into_iter().filter(|held| held.0 >= floor).map(|(upper, _, row)| (upper, row)).collect()
    }

    /// Scores candidates, greatest bound first, until no bound reaches the last answer.
    fn settle(&self, query: &Query<'_>, found: &[(f32, u32)], keep: usize) -> Vec<Hit> {
        let mut hits: Vec<Hit> = Vec::new();
        let (mut floor, mut full) = (f32::MIN, keep + 8);
        for &(upper, position) in found {
            if upper < floor {
                break;
            }
            let row = self.vectors.row(position as usize);
            let score = match self.metric {
                Metric::Cosine => cosine(dot(query.values, row), query.norm, self.norms[position as usize]),
                Metric::Dot | Metric::Euclidean => score(self.metric, query.values, row),
            } + 0.0;
            if score.is_nan() || score == f32::NEG_INFINITY {
                continue;
            }
            hits.push(Hit { position, score });
            if hits.len() >= full {
                hits.select_nth_unstable_by(keep - 1, super::best::order);
                hits.truncate(keep);
                floor = comparable(self.metric, hits[keep - 1].score);
                full = keep + 8;
            }
        }
        let mut best = Best::new(keep);
        hits.sort_unstable_by_key(|hit| hit.position);
        hits.iter().for_each(|hit| best.offer(hit.position, hit.score));
        best.sorted().to_vec()
    }
}

#[cfg(test)]
mod tests {
    use rand::{Rng, SeedableRng};

    use super::*;

    #[test]
    fn answers_are_those_of_a_scan_to_the_bit() {
        let mut random = rand_pcg::Pcg64Mcg::seed_from_u64(8);
        for (rows, dim) in [(0, 3), (1, 5), (5000, 7), (4100, 100)] {
            let mut values: Vec<f32> = (0..rows * dim).map(|_| random.random_range(-1.0f32..1.5)).collect();
            if rows > 10 {
                values[3 * dim] = f32::NAN;
                values[2 * dim] = f32::INFINITY;
                values[4 * dim..6 * dim].fill(0.0);
                values.copy_within(7 * dim..8 * dim, 9 * dim);
            }
            let vectors = Vectors::new(values, dim).unwrap();
            for metric in [Metric::Cosine, Metric::Dot, Metric::Euclidean] {
                let index = Index::new(&vectors, metric);
                let mut queries: Vec<Vec<f32>> =
                    (0..6).map(|_| (0..dim).map(|_| random.random_range(-1.0f32..2.0)).collect()).collect();
                queries.extend([vec![0.0; dim], vec![f32::NAN; dim], vec![1e30; dim], vec![1.0; dim + 1]]);
                queries.extend((7..9).filter(|&row| row < rows).map(|row| vectors.row(row).to_vec()));
                for query in &queries {
                    for k in [0, 1, 15, 300, 6000] {
                        let third = |row: usize| row.is_multiple_of(3);
                        for allowed in [None, Some(&third as &Allowed<'_>)] {
                            let bits = |hits: Vec<Hit>| -> Vec<(u32, u32)> {
                                hits.iter().map(|hit| (hit.position, hit.score.to_bits())).collect()
                            };
                            let expected = bits(top_k(&vectors, query, metric, k, allowed));
                            assert_eq!(bits(index.top_k(query, k, allowed)), expected, "{metric:?}, {rows}, {k}");
                        }
                    }
                }
            }
        }
    }
}
