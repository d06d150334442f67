//! The smoothest functions on the neighbour graph, as coordinates to begin at: the leading eigenvectors of the normalised
//! adjacency, the trivial one left out.
//!
//! Chebyshev-filtered subspace iteration (Zhou and Saad 2007) from the coordinates given, one connected piece at a time; each piece
//! keeps the middle and the width that the coordinates given have there. Good enough to begin at, not to machine precision.
//! Invariant: sums run over blocks of fixed size, so the bytes are the same at any number of threads.

use rayon::prelude::*;

use super::fuzzy::FuzzySet;
use super::pieces::connected;
use super::random::unit;
use crate::progress::{Cancelled, Progress};
use crate::vectors::dense::largest_eigenvectors;

/// Vectors iterated together, more than are wanted so that the wanted ones settle sooner.
const BLOCK: usize = 8;
/// Times the subspace is filtered, and the degree of the filter.
const PASSES: usize = 8;
const DEGREE: usize = 12;
/// Pieces of fewer points keep the coordinates given.
const LEAST_PIECE: usize = 50;
/// Rows of one task.
const TASK: usize = 2048;

type Row = [f32; BLOCK];

/// Coordinates by the graph, each connected piece where `start` (0 to 10 along each axis) has it.
pub(super) fn spectral<const D: usize>(
    set: &FuzzySet,
    start: &[[f32; D]],
    seed: u64,
    progress: &Progress,
) -> Result<Vec<[f32; D]>, Cancelled> {
    let mut points = start.to_vec();
    for piece in connected(set.len(), |point| set.row(point).0, progress)? {
        if piece.len() >= LEAST_PIECE {
            let guess: Vec<[f32; D]> = piece.iter().map(|&point| start[point as usize]).collect();
            let found = Piece::new(set, &piece).smoothest(&guess, seed, progress)?;
            let share = (piece.len() as f32 / start.len() as f32).sqrt();
            for axis in 0..D {
                let (middle, width) = spread(guess.iter().map(|point| point[axis]));
                let (found_middle, found_width) = spread(found.iter().map(|point| point[axis]));
                let scale = width.max(share) / found_width.max(f32::MIN_POSITIVE);
                for (&point, at) in piece.iter().zip(&found) {
                    let value = middle + scale * (at[axis] - found_middle);
                    points[point as usize][axis] = if value.is_finite() { value } else { middle };
                }
            }
        }
    }
    Ok(points)
}

/// Mean and standard deviation.
fn spread(values: impl Iterator<Item = f32> + Clone) -> (f32, f32) {
    let count = values.clone().count().max(1) as f64;
    let mean = values.clone().map(f64::from).sum::<f64>() / count;
    let square = values.map(|value| (f64::from(value) - mean).powi(2)).sum::<f64>() / count;
    (mean as f32, square.sqrt() as f32)
}

/// One connected piece, its points renumbered.
struct Piece {
    starts: Vec<usize>,
    columns: Vec<u32>,
    /// Weights divided by the roots of both ends' degrees.
    weights: Vec<f32>,
    /// The trivial eigenvector, of length 1.
    trivial: Vec<f32>,
}

impl Piece {
    fn new(set: &FuzzySet, points: &[u32]) -> Self {
        let mut own = vec![0u32; set.len()];
        (0u32..).zip(points).for_each(|(place, &point)| own[point as usize] = place);
        let roots: Vec<f32> =
            points.iter().map(|&point| set.row(point as usize).1.iter().sum::<f32>().sqrt()).collect();
        let length = roots.iter().map(|&root| f64::from(root).powi(2)).sum::<f64>().sqrt();
        let mut made = Self { starts: vec![0], columns: Vec::new(), weights: Vec::new(), trivial: Vec::new() };
        for (&point, &root) in points.iter().zip(&roots) {
            let (columns, weights) = set.row(point as usize);
            for (&column, &weight) in columns.iter().zip(weights) {
                let other = own[column as usize];
                made.columns.push(other);
                made.weights.push(weight / (root * roots[other as usize]));
            }
            made.starts.push(made.columns.len());
            made.trivial.push((f64::from(root) / length) as f32);
        }
        made
    }

    /// The `D` smoothest vectors after the trivial one, by Rayleigh and Ritz in the filtered subspace.
    fn smoothest<const D: usize>(
        &self,
        guess: &[[f32; D]],
        seed: u64,
        progress: &Progress,
    ) -> Result<Vec<[f32; D]>, Cancelled> {
        let mut block: Vec<Row> = (0u64..)
            .zip(guess)
            .map(|(row, at)| {
                std::array::from_fn(|column| match at.get(column) {
                    Some(value) => *value * self.trivial[row as usize],
                    None => unit(seed ^ 0x0dd5, row, column as u64) - 0.5,
                })
            })
            .collect();
        let mut least = self.settle(&mut block, progress)?;
        for _ in 0..PASSES {
            self.filter(&mut block, least, progress)?;
            least = self.settle(&mut block, progress)?;
        }
        Ok(block.iter().map(|row| std::array::from_fn(|axis| row[axis])).collect())
    }

    /// Weakens what belongs to eigenvalues up to `least` against the rest, by a Chebyshev polynomial of the graph.
    fn filter(&self, block: &mut Vec<Row>, least: f64, progress: &Progress) -> Result<(), Cancelled> {
        let cut = least.clamp(0.0, 0.999);
        let (centre, half) = ((0.5 * (cut - 1.0)) as f32, (0.5 * (cut + 1.0)) as f32);
        let mut before = std::mem::take(block);
        let mut now = self.product(&before, |own, sum, _| (sum - centre * own) / half, &before);
        for _ in 1..DEGREE {
            progress.check()?;
            let next = self.product(&now, |own, sum, before| 2.0 * (sum - centre * own) / half - before, &before);
            before = std::mem::replace(&mut now, next);
        }
        *block = now;
        Ok(())
    }

    /// For each value: of itself, its row's weighted sum and the value in `before`.
    fn product(&self, block: &[Row], of: impl Fn(f32, f32, f32) -> f32 + Sync, before: &[Row]) -> Vec<Row> {
        let mut out = vec![[0.0f32; BLOCK]; block.len()];
        out.par_chunks_mut(TASK).enumerate().for_each(|(task, out)| {
            for (offset, out) in out.iter_mut().enumerate() {
                let row = task * TASK + offset;
                let range = self.starts[row]..self.starts[row + 1];
                let mut sum = [0.0f32; BLOCK];
                for (&column, &weight) in self.columns[range.clone()].iter().zip(&self.weights[range]) {
                    let other = &block[column as usize];
                    (0..BLOCK).for_each(|lane| sum[lane] += weight * other[lane]);
                }
                (0..BLOCK).for_each(|lane| out[lane] = of(block[row][lane], sum[lane], before[row][lane]));
            }
        });
        out
    }

    /// Makes the columns orthonormal and free of the trivial vector, then eigenvectors within what they span, greatest eigenvalue
    /// first; gives the least eigenvalue.
    fn settle(&self, block: &mut [Row], progress: &Progress) -> Result<f64, Cancelled> {
        for column in 0..BLOCK {
            progress.check()?;
            for _ in 0..2 {
                let along = self.sums(block, block, |_, other, row| {
                    std::array::from_fn(|at| {
                        let with = if at == column { self.trivial[row] } else { other[at] };
                        f64::from(other[column]) * f64::from(with)
                    })
                });
                block.par_iter_mut().with_min_len(TASK).zip(&self.trivial).for_each(|(row, &trivial)| {
                    let mut value = row[column] - along[column] as f32 * trivial;
                    for before in 0..column {
                        value -= along[before] as f32 * row[before];
                    }
                    row[column] = value;
                });
            }
            let squares = self.sums(block, block, |_, other, _| other.map(|value| f64::from(value).powi(2)));
            let length = squares[column].sqrt();
            let scale = if length > 0.0 && length.is_finite() { (1.0 / length) as f32 } else { 0.0 };
            block.iter_mut().for_each(|row| row[column] *= scale);
        }
        Ok(self.rotate(block))
    }

    fn rotate(&self, block: &mut [Row]) -> f64 {
        let image = self.product(block, |_, sum, _| sum, block);
        let mut small = [[0.0f64; BLOCK]; BLOCK];
        for (column, small) in small.iter_mut().enumerate() {
            *small =
                self.sums(block, &image, |own, image, _| image.map(|value| f64::from(own[column]) * f64::from(value)));
        }
        let Ok((values, vectors)) = largest_eigenvectors(small.as_flattened(), BLOCK, BLOCK) else { return 0.0 };
        block.par_iter_mut().with_min_len(TASK).for_each(|row| {
            let own = *row;
            for (value, vector) in row.iter_mut().zip(&vectors) {
                *value = own.iter().zip(vector).map(|(&from, &share)| from * share as f32).sum();
            }
        });
        values.last().copied().unwrap_or(0.0)
    }

    /// Sums over all rows, by blocks of fixed size.
    fn sums(&self, left: &[Row], right: &[Row], of: impl Fn(&Row, &Row, usize) -> [f64; BLOCK] + Sync) -> [f64; BLOCK] {
        let parts: Vec<[f64; BLOCK]> = (0..left.len().div_ceil(TASK))
            .into_par_iter()
            .map(|task| {
                let mut sum = [0.0; BLOCK];
                for row in task * TASK..left.len().min((task + 1) * TASK) {
                    let values = of(&left[row], &right[row], row);
                    (0..BLOCK).for_each(|lane| sum[lane] += values[lane]);
                }
                sum
            })
            .collect();
        parts.iter().fold([0.0; BLOCK], |mut sum, part| {
            (0..BLOCK).for_each(|lane| sum[lane] += part[lane]);
            sum
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::search::NeighbourGraph;
    use crate::vectors::Metric;

    /// A path's smoothest function runs along it; two paths stay apart.
    #[test]
    fn the_first_axis_runs_along_a_path() {
        let neighbours = |at: u32| {
            let (first, last) = (at / 100 * 100, at / 100 * 100 + 99);
            let before = if at > first { at - 1 } else { first + 2 };
            [before, if at < last { at + 1 } else { last - 2 }]
        };
        let indices: Vec<u32> = (0..200).flat_map(neighbours).collect();
        let graph = NeighbourGraph::new(2, Metric::Euclidean, indices, vec![-1.0; 400]);
        let set = FuzzySet::from_graph(&graph, 3).unwrap();
        let start: Vec<[f32; 2]> = (0..200).map(|at| [if at < 100 { 0.0 } else { 9.0 }, unit(1, at, 0)]).collect();
        let found = spectral(&set, &start, 1, &Progress::new()).unwrap();
        for path in found.chunks(100) {
            let rising = path[99][0] > path[0][0];
            let along = path.windows(2).filter(|pair| (pair[1][0] > pair[0][0]) == rising).count();
            assert!(along > 90, "{along} of 99");
        }
        let mean = |path: &[[f32; 2]]| path.iter().map(|at| at[0]).sum::<f32>() / 100.0;
        assert!(mean(&found[100..]) - mean(&found[..100]) > 8.0);
        assert_eq!(found, spectral(&set, &start, 1, &Progress::new()).unwrap());
    }
}
