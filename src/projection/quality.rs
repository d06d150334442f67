//! How far a map may be trusted: trustworthiness and continuity (Venna and Kaski 2001) and the neighbours kept.
//!
//! A sample of points, but ranks among all. Distances are Euclidean, which orders vectors of length 1 as the cosine does; equal
//! distances rank by position, but rows that are equal stand for one another. Invariant: the same sample and figures for the same seed, at any number of threads.

use rand::{Rng, SeedableRng};
use rayon::prelude::*;

use super::{Quality, differences};
use crate::progress::{Cancelled, Progress};
use crate::search::{Best, Hit};
use crate::vectors::products::{Centred, column_means_unless, products_into};
use crate::vectors::{Vectors, dot, norm};

/// Neighbours looked at.
const NEIGHBOURS: usize = 10;
/// Fewer points have no 10 neighbours and one stranger each: any map of them keeps most, so that its figures say nothing of it.
pub const FEWEST_JUDGED: usize = NEIGHBOURS + 2;
/// Sampled points of one task, fewest and most, and closenesses that it may hold between.
const TASK: (usize, usize) = (8, 64);
const SCORES: usize = 32 << 20;
/// Rows so many times as long as the usual one do not count for the middle.
const FAR_OUT: f32 = 100.0;
/// Columns of one block of products.
const BASE: usize = 4096;

/// How one sampled point fared.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PointQuality {
    /// The point's position.
    pub position: u32,
    /// Share of its nearest neighbours that are among its nearest on the map, 0 to 1.
    pub kept: f32,
    /// Its part of the trustworthiness, 0 to 1: 1 when its neighbours on the map are its neighbours in the original space, less the
    /// further off there they are. The mean over the sample is the map's.
    pub trustworthiness: f32,
    /// Its part of the continuity, 0 to 1: 1 when its neighbours in the original space are its neighbours on the map.
    pub continuity: f32,
}

/// The figures of a map of `D` dimensions, 2 or 3. `sample` points are drawn (2,000 are usual; all where there are fewer).
///
/// Looks at 10 neighbours, or fewer where there are fewer than 21 points; a map of less than three points is perfect. Of
/// less than [`FEWEST_JUDGED`] the figures say nothing of the map. Counts points
/// in the stage "Measuring the map". Positions beyond the shorter of both inputs are left out.
pub fn quality<const D: usize>(
    vectors: &Vectors,
    points: &[[f32; D]],
    sample: usize,
    seed: u64,
    progress: &Progress,
) -> Result<Quality, Cancelled> {
    quality_by_point(vectors, points, sample, seed, progress).map(|(quality, _)| quality)
}

/// As [`quality`], and how each sampled point fared, by rising position.
pub fn quality_by_point<const D: usize>(
    vectors: &Vectors,
    points: &[[f32; D]],
    sample: usize,
    seed: u64,
    progress: &Progress,
) -> Result<(Quality, Vec<PointQuality>), Cancelled> {
    let count = vectors.len().min(points.len());
    let chosen = draw(count, sample, seed);
    progress.stage("Measuring the map", "points", chosen.len() as u64);
    let k = NEIGHBOURS.min(count.saturating_sub(1) / 2);
    if k == 0 {
        let perfect = Quality { trustworthiness: 1.0, continuity: 1.0, neighbours_kept: 1.0, sampled: chosen.len() };
        return Ok((perfect, chosen.into_iter().map(PointQuality::perfect).collect()));
    }
    let mean = middle(vectors, &|| progress.is_cancelled());
    let spaces = Spaces::new(Centred { vectors, mean: &mean }, &points[..count], k, progress)?;
    let found: Vec<Vec<Ranks>> = chosen
        .par_chunks((SCORES / count).clamp(TASK.0, TASK.1))
        .with_max_len(1)
        .map(|chosen| {
            progress.check()?;
            let ranks = spaces.ranks(chosen, progress)?;
            progress.advance(chosen.len() as u64);
            Ok(ranks)
        })
        .collect::<Result<_, Cancelled>>()?;
    let found: Vec<Ranks> = found.concat();
    let sum = |of: fn(&Ranks) -> u64| found.iter().map(of).sum::<u64>() as f64;
    let worst_of_one = k as f64 * (2.0 * count as f64 - 3.0 * k as f64 - 1.0) / 2.0;
    let worst = found.len() as f64 * worst_of_one;
    let quality = Quality {
        trustworthiness: (1.0 - sum(|ranks| ranks.intruders) / worst) as f32,
        continuity: (1.0 - sum(|ranks| ranks.missing) / worst) as f32,
        neighbours_kept: (sum(|ranks| ranks.kept) / (found.len() * k) as f64) as f32,
        sampled: found.len(),
    };
    let by_point = chosen.iter().zip(&found).map(|(&position, ranks)| PointQuality {
        position,
        kept: ranks.kept as f32 / k as f32,
        trustworthiness: (1.0 - ranks.intruders as f64 / worst_of_one) as f32,
        continuity: (1.0 - ranks.missing as f64 / worst_of_one) as f32,
    });
    Ok((quality, by_point.collect()))
}

/// Where the vectors are seen from: their mean, without rows so long that they would drag it out of sight of the others, whose
/// distances single precision could not tell apart from there.
fn middle(vectors: &Vectors, stop: &(dyn Fn() -> bool + Sync)) -> Vec<f32> {
    let mut lengths: Vec<f32> =
        vectors.values().par_chunks(vectors.dim()).map(|row| if stop() { 0.0 } else { norm(row) }).collect();
    let longest = lengths.iter().copied().filter(|length| length.is_finite()).fold(0.0, f32::max);
    let all = lengths.clone();
    let half = lengths.len() / 2;
    let (_, &mut usual, _) = lengths.select_nth_unstable_by(half, f32::total_cmp);
    if longest <= FAR_OUT * usual || usual == 0.0 {
        return column_means_unless(vectors, stop);
    }
    column_means_unless(&vectors.select((0..all.len()).filter(|&row| all[row] <= FAR_OUT * usual)), stop)
}

impl PointQuality {
    fn perfect(position: u32) -> Self {
        Self { position, kept: 1.0, trustworthiness: 1.0, continuity: 1.0 }
    }
}

/// `sample` of `count` positions without repetition, rising; all where `sample` is no less.
pub(super) fn draw(count: usize, sample: usize, seed: u64) -> Vec<u32> {
    let mut all: Vec<u32> = (0..count as u32).collect();
    if sample < count {
        let mut random = rand_pcg::Pcg64Mcg::seed_from_u64(seed);
        for at in 0..sample {
            all.swap(at, random.random_range(at..count));
        }
        all.truncate(sample);
        all.sort_unstable();
    }
    all
}

/// Both spaces, and how many neighbours count.
struct Spaces<'a, const D: usize> {
    /// The vectors, seen from their mean.
    centred: Centred<'a>,
    /// Minus half the squared length of every row: with the product, what ranks by distance.
    offsets: Vec<f32>,
    points: &'a [[f32; D]],
    k: usize,
}

/// What a point adds to the sums.
#[derive(Clone, Copy, Debug, Default)]
struct Ranks {
    /// How far beyond k the neighbours on the map stand in the original space.
    intruders: u64,
    /// How far beyond k the original neighbours stand on the map.
    missing: u64,
    kept: u64,
}

impl<'a, const D: usize> Spaces<'a, D> {
    fn new(centred: Centred<'a>, points: &'a [[f32; D]], k: usize, progress: &Progress) -> Result<Self, Cancelled> {
        let (count, dim) = (points.len(), centred.vectors.dim());
        let blocks: Vec<Vec<f32>> = (0..count.div_ceil(BASE))
            .into_par_iter()
            .map_init(Vec::new, |rows, block| {
                progress.check()?;
                centred.copy(block * BASE..count.min((block + 1) * BASE), 0..dim, rows);
                Ok(rows.chunks_exact(dim).map(|row| -0.5 * dot(row, row)).collect())
            })
            .collect::<Result<_, Cancelled>>()?;
        Ok(Self { centred, offsets: blocks.concat(), points, k })
    }

    fn ranks(&self, chosen: &[u32], progress: &Progress) -> Result<Vec<Ranks>, Cancelled> {
        let count = self.points.len();
        let dim = self.centred.vectors.dim();
        let (mut own, mut rows) = (Vec::new(), Vec::new());
        for &at in chosen {
            self.centred.copy(at as usize..at as usize + 1, 0..dim, &mut rows);
            own.extend_from_slice(&rows);
        }
        let mut closeness = vec![0.0f32; chosen.len() * count];
        let mut block = Vec::new();
        for first in (0..count).step_by(BASE) {
            progress.check()?;
            let last = (first + BASE).min(count);
            block.resize(chosen.len() * (last - first), 0.0);
            self.centred.copy(first..last, 0..dim, &mut rows);
            products_into(&own, &rows, dim, &mut block);
            for (row, products) in block.chunks_exact(last - first).enumerate() {
                let out = &mut closeness[row * count + first..row * count + last];
                for ((out, product), offset) in out.iter_mut().zip(products).zip(&self.offsets[first..last]) {
                    *out = product + offset;
                }
            }
        }
        let mut on_map = vec![0.0f32; count];
        let rows = chosen.iter().zip(closeness.chunks_exact_mut(count));
        rows.map(|(&position, original)| {
            progress.check()?;
            let own = self.points[position as usize];
            for (out, point) in on_map.iter_mut().zip(self.points) {
                *out = -own.iter().zip(point).map(|(own, other)| (own - other) * (own - other)).sum::<f32>();
            }
            original[position as usize] = f32::NEG_INFINITY;
            on_map[position as usize] = f32::NEG_INFINITY;
            Ok(self.compare(original, &on_map))
        })
        .collect()
    }

    fn compare(&self, original: &[f32], on_map: &[f32]) -> Ranks {
        let nearest = |closeness: &[f32]| -> Vec<Hit> {
            let mut best = Best::new(self.k);
            best.offer_run(0, closeness, usize::MAX);
            best.sorted().to_vec()
        };
        let positions = |hits: &[Hit]| hits.iter().map(|hit| hit.position).collect::<Vec<u32>>();
        let (near, near_on_map) = (positions(&nearest(original)), positions(&nearest(on_map)));
        let same = |a: u32, b: u32| {
            let row = |at: u32| self.centred.vectors.row(at as usize);
            row(a) == row(b)
        };
        let (torn, pulled) = differences(&near, &near_on_map, &same);
        let beyond = |of: &[u32], closeness: &[f32]| -> u64 {
            of.iter().map(|&position| rank(closeness, position as usize).saturating_sub(self.k as u64)).sum()
        };
        Ranks {
            intruders: beyond(&pulled, original),
            missing: beyond(&torn, on_map),
            kept: (near.len() - torn.len()) as u64,
        }
    }
}

/// Rank of a position, from 1: one more than those that are closer, or as close and before it.
fn rank(closeness: &[f32], position: usize) -> u64 {
    let own = closeness[position];
    let (before, after) = closeness.split_at(position);
    let count = |values: &[f32], counts: fn(f32, f32) -> bool| -> u64 {
        values
            .chunks(1 << 16)
            .map(|values| u64::from(values.iter().map(|&v| u32::from(counts(v, own))).sum::<u32>()))
            .sum()
    };
    1 + count(before, |value, own| value >= own) + count(after, |value, own| value > own)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vectors(count: usize) -> (Vectors, Vec<[f32; 2]>) {
        let mut random = rand_pcg::Pcg64Mcg::seed_from_u64(4);
        let points: Vec<[f32; 2]> = (0..count).map(|_| [random.random(), random.random()]).collect();
        let values: Vec<f32> = points.iter().flat_map(|point| [point[0], 100.0 + point[1], 7.0]).collect();
        (Vectors::new(values, 3).unwrap(), points)
    }

    #[test]
    fn the_plane_itself_is_a_perfect_map_and_noise_is_not() {
        let (vectors, points) = vectors(500);
        let measure = |points: &[[f32; 2]], sample| quality(&vectors, points, sample, 1, &Progress::new()).unwrap();
        let perfect = measure(&points, 2000);
        assert!(perfect.trustworthiness > 0.9999 && perfect.continuity > 0.9999 && perfect.neighbours_kept > 0.995);
        assert_eq!(perfect.sampled, 500);
        let mut shuffled = points.clone();
        shuffled.rotate_right(250);
        let noise = measure(&shuffled, 100);
        assert!((noise.trustworthiness - 0.5).abs() < 0.1 && noise.neighbours_kept < 0.1, "{noise:?}");
        assert_eq!(noise.sampled, 100);
    }

    #[test]
    fn tiny_and_broken_maps_have_figures() {
        for count in [0, 1, 2, 3, 4, 7, 20] {
            let (vectors, mut points) = vectors(count);
            let found = quality(&vectors, &points, 10, 0, &Progress::new()).unwrap();
            assert!((found.trustworthiness - 1.0).abs() < 1e-6, "{count} points: {found:?}");
            points.iter_mut().for_each(|point| *point = [f32::NAN; 2]);
            assert!(quality(&vectors, &points, 10, 0, &Progress::new()).unwrap().trustworthiness.is_finite());
        }
    }

    #[test]
    fn samples_are_distinct_and_shares_belong_to_them() {
        let (vectors, points) = vectors(300);
        let (whole, by_point) = quality_by_point(&vectors, &points, 50, 3, &Progress::new()).unwrap();
        assert!(by_point.is_sorted_by(|a, b| a.position < b.position) && by_point.len() == 50);
        let mean = by_point.iter().map(|point| point.kept).sum::<f32>() / 50.0;
        assert!((mean - whole.neighbours_kept).abs() < 1e-6);
        let mean = by_point.iter().map(|point| f64::from(point.continuity)).sum::<f64>() / 50.0;
        assert!((mean - f64::from(whole.continuity)).abs() < 1e-6);
        let solid: Vec<[f32; 3]> = points.iter().map(|point| [point[0], point[1], 0.0]).collect();
        assert_eq!(quality(&vectors, &solid, 50, 3, &Progress::new()).unwrap(), whole);
    }

    #[test]
    fn copies_of_rows_that_lie_together_are_a_perfect_map() {
        let values: Vec<f32> = (0..600).flat_map(|at| [(at % 6) as f32, ((at % 6) as f32).powi(2), 1.0]).collect();
        let vectors = Vectors::new(values, 3).unwrap();
        // Each heap of a hundred copies in a place of its own, the copies in another order than in the set.
        let place = |at: usize| [100.0 * (at % 6) as f32, ((at * 77) % 600) as f32 * 1e-3];
        let points: Vec<[f32; 2]> = (0..600).map(place).collect();
        let found = quality(&vectors, &points, 200, 1, &Progress::new()).unwrap();
        assert_eq!((found.trustworthiness, found.continuity, found.neighbours_kept), (1.0, 1.0, 1.0));
    }

    #[test]
    fn one_row_far_out_changes_nothing_of_the_others() {
        let (vectors, points) = vectors(400);
        let mut values = vectors.values().to_vec();
        values[3 * 200..3 * 201].iter_mut().for_each(|value| *value *= 1e6);
        let mut apart = points.clone();
        apart[200] = [1e6, 1e6];
        let found = quality(&Vectors::new(values, 3).unwrap(), &apart, 400, 1, &Progress::new()).unwrap();
        assert!(found.trustworthiness > 0.999 && found.neighbours_kept > 0.98, "{found:?}");
    }

    #[test]
    fn ranks_count_ties_by_position() {
        assert_eq!([0, 1, 2, 3].map(|at| rank(&[5.0, 7.0, 5.0, 9.0], at)), [3, 2, 4, 1]);
    }
}
