//! What tells one set of vectors from another: a hash of each row, and one of all of them in their order.
//!
//! Two sets with the same identity have the same bytes. Invariant: a row's hash depends on its values alone, so that the rows of a set
//! are found again in a larger one.

use std::collections::HashMap;
use std::sync::Arc;

use rayon::prelude::*;

use crate::progress::{Cancelled, Progress};
use crate::vectors::Vectors;

/// Sixteen bytes that tell a row by its values.
pub type RowHash = [u8; 16];

/// The hashes of a set of vectors. About a second for a million rows of 384 values on two cores.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetIdentity {
    /// One hash a row.
    pub rows: Arc<[RowHash]>,
    /// The hash of all rows in their order.
    pub whole: RowHash,
}

impl SetIdentity {
    /// The identity of some vectors.
    pub fn of(vectors: &Vectors) -> Self {
        Self::hashed(vectors, (0..vectors.len()).into_par_iter().map(|row| of_row(vectors.row(row))).collect())
    }

    /// As [`SetIdentity::of`]. Errors: cancelled.
    pub fn of_with(vectors: &Vectors, progress: &Progress) -> Result<Self, Cancelled> {
        let hash = |row| progress.check().map(|()| of_row(vectors.row(row)));
        let rows = (0..vectors.len()).into_par_iter().map(hash).collect::<Result<Vec<RowHash>, Cancelled>>()?;
        Ok(Self::hashed(vectors, rows))
    }

    fn hashed(vectors: &Vectors, rows: Vec<RowHash>) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&(vectors.dim() as u64).to_le_bytes());
        hasher.update(rows.as_flattened());
        Self { whole: first_half(&hasher.finalize()), rows: rows.into() }
    }

    /// The hash of all rows as text.
    pub fn word(&self) -> String {
        self.whole.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Where each of `others` stands among the rows, each row taken once and equal rows in their order; `None` where one is missing.
    pub fn places_of(&self, others: &[RowHash]) -> Option<Vec<u32>> {
        if others.len() > self.rows.len() {
            return None;
        }
        if self.rows[..others.len()] == *others {
            return Some((0..others.len() as u32).collect());
        }
        let mut places: HashMap<RowHash, Vec<u32>> = HashMap::with_capacity(self.rows.len());
        for (place, row) in self.rows.iter().enumerate().rev() {
            places.entry(*row).or_default().push(place as u32);
        }
        others.iter().map(|row| places.get_mut(row)?.pop()).collect()
    }
}

fn of_row(row: &[f32]) -> RowHash {
    let mut bytes = Vec::with_capacity(size_of_val(row));
    bytes.extend(row.iter().flat_map(|value| value.to_le_bytes()));
    first_half(&blake3::hash(&bytes))
}

fn first_half(hash: &blake3::Hash) -> RowHash {
    let mut half = [0; 16];
    half.copy_from_slice(&hash.as_bytes()[..16]);
    half
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_found_again_each_once() {
        let of = |values: &[f32]| SetIdentity::of(&Vectors::new(values.to_vec(), 1).unwrap());
        let large = of(&[3.0, 1.0, 2.0, 1.0]);
        assert_eq!(large.places_of(&of(&[1.0, 1.0, 3.0]).rows).unwrap(), [1, 3, 0]);
        assert_eq!(large.places_of(&of(&[3.0, 1.0]).rows).unwrap(), [0, 1]);
        assert_eq!(large.places_of(&of(&[3.0, 3.0]).rows), None, "there is only one 3");
        assert_eq!(large.places_of(&of(&[3.0, 4.0]).rows), None);
        assert_ne!(large.whole, of(&[1.0, 3.0, 2.0, 1.0]).whole, "order counts");
        assert_eq!(large.word().len(), 32);
    }
}
