//! Principal components by the scatter matrix of the columns, in one pass over the rows.
//!
//! The rows are seen from a guess at their mean, which the true mean corrects afterwards; a second pass is needed only where values
//! are broken. Invariant: the guess depends on the rows alone.

use super::{Direction, Found, failed};
use crate::progress::{Cancelled, Progress};
use crate::projection::ProjectionError;
use crate::vectors::RowBlocks;
use crate::vectors::dense::largest_eigenvectors;
use crate::vectors::products::column_means_of;
use crate::vectors::scatter::scatter_about;

/// Rows that the guess at the mean looks at.
const GUESS: usize = 256;

/// The mean, and the `k` directions of most variance.
pub(super) fn by_columns(
    rows: &dyn RowBlocks,
    k: usize,
    progress: &Progress,
) -> Result<(Vec<f32>, Found), ProjectionError> {
    let dim = rows.row_length();
    let (mean, matrix) = centred_scatter(rows, progress)?;
    let total = (0..dim).map(|at| matrix[at * dim + at]).sum();
    let (values, units) = largest_eigenvectors(&matrix, dim, k).map_err(|error| failed(error, dim))?;
    let directions = values.iter().zip(units).map(|(&value, unit)| Direction { square: value.max(0.0), unit });
    Ok((mean, (total, directions.collect())))
}

fn centred_scatter(rows: &dyn RowBlocks, progress: &Progress) -> Result<(Vec<f32>, Vec<f64>), ProjectionError> {
    let (count, dim) = (rows.row_count(), rows.row_length());
    let go_on = |done: usize| {
        progress.advance(done as u64);
        progress.check().is_ok()
    };
    let origin = guess(rows)?;
    let mut found = scatter_about(rows, &origin, &go_on)?.ok_or(Cancelled)?;
    if !found.finite {
        let mean = column_means_of(rows)?;
        progress.set_done(0);
        let found = scatter_about(rows, &mean, &go_on)?.ok_or(Cancelled)?;
        return Ok((mean, found.matrix));
    }
    let away: Vec<f64> = found.sums.iter().map(|sum| sum / count as f64).collect();
    for (row, values) in found.matrix.chunks_exact_mut(dim).enumerate() {
        let times = count as f64 * away[row];
        values.iter_mut().zip(&away).for_each(|(value, away)| *value -= times * away);
    }
    let mean = origin.iter().zip(&away).map(|(&origin, away)| (f64::from(origin) + away) as f32).collect();
    Ok((mean, found.matrix))
}

/// Mean of a few rows spread over all; 0 where it is not finite.
fn guess(rows: &dyn RowBlocks) -> Result<Vec<f32>, ProjectionError> {
    let (count, dim) = (rows.row_count(), rows.row_length());
    let looked = count.min(GUESS);
    let (mut sums, mut room) = (vec![0.0f64; dim], Vec::new());
    for number in 0..looked {
        let at = number * count / looked;
        let row = rows.block(at..at + 1, &mut room)?;
        sums.iter_mut().zip(row).for_each(|(sum, &value)| *sum += f64::from(value));
    }
    let mean = sums.iter().map(|sum| (sum / looked as f64) as f32);
    Ok(mean.map(|mean| if mean.is_finite() { mean } else { 0.0 }).collect())
}
