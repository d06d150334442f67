//! A way to fewer dimensions, fitted once: other vectors of the same space are made as short by it, one or many.
//!
//! Fits and applies; writes no files. A row is made the same whichever rows it stands among, but for the last bits where
//! no kernel of our own is at hand.

use super::reduce::{Reduction, random_directions, truncated};
use super::{Pca, ProjectionError};
use crate::progress::Progress;
use crate::projection::pca::Seen;
use crate::vectors::{RowBlocks, Vectors};

/// A fitted reduction.
#[derive(Clone, Debug, PartialEq)]
pub struct FittedReduction {
    reduction: Reduction,
    /// Dimensions of the vectors it takes.
    dimensions: usize,
    fit: Fit,
}

#[derive(Clone, Debug, PartialEq)]
enum Fit {
    Pca(Pca),
    /// Nothing but how many are kept.
    First,
    /// `k` rows of as many values as the vectors have.
    Directions(Vec<f32>),
}

impl FittedReduction {
    /// Fits a reduction to vectors, which may stay in their file; 0 dimensions count as 1, and more than the vectors have as all of them.
    ///
    /// # Errors
    /// No vectors; cancelled; those of [`Pca::fit_blocks`].
    pub fn fit(rows: &dyn RowBlocks, reduction: Reduction, progress: &Progress) -> Result<Self, ProjectionError> {
        if rows.row_count() == 0 {
            return Err(ProjectionError::Empty);
        }
        let dimensions = rows.row_length();
        let k = reduction.k().clamp(1, dimensions);
        let (reduction, fit) = match reduction {
            Reduction::Pca { .. } => (Reduction::Pca { k }, Fit::Pca(Pca::fit_blocks(rows, k, progress)?)),
            Reduction::Truncate { .. } => (Reduction::Truncate { k }, Fit::First),
            Reduction::Random { seed, .. } => {
                (Reduction::Random { k, seed }, Fit::Directions(random_directions(k, dimensions, seed)))
            }
        };
        progress.check()?;
        Ok(Self { reduction, dimensions, fit })
    }

    /// A PCA that was fitted before.
    pub fn of_pca(pca: Pca) -> Self {
        Self { reduction: Reduction::Pca { k: pca.k() }, dimensions: pca.mean.len(), fit: Fit::Pca(pca) }
    }

    /// The first `k` of so many dimensions.
    pub fn of_first(k: usize, dimensions: usize) -> Self {
        Self { reduction: Reduction::Truncate { k }, dimensions, fit: Fit::First }
    }

    /// Random directions that were drawn before from a seed, one a row.
    pub fn of_directions(directions: &Vectors, seed: u64) -> Self {
        let reduction = Reduction::Random { k: directions.len(), seed };
        Self { reduction, dimensions: directions.dim(), fit: Fit::Directions(directions.values().to_vec()) }
    }

    /// What is taken off a vector before, and the `k` directions it is then multiplied with, one after the other.
    pub fn linear(&self) -> (Vec<f32>, Vec<f32>) {
        let (dim, k) = (self.dimensions, self.reduction.k());
        match &self.fit {
            Fit::Pca(pca) => (pca.mean.clone(), pca.components.clone()),
            Fit::First => {
                let unit = |at: usize| if at / dim == at % dim { 1.0 } else { 0.0 };
                (vec![0.0; dim], (0..k * dim).map(unit).collect())
            }
            Fit::Directions(directions) => (vec![0.0; dim], directions.clone()),
        }
    }

    /// How it makes vectors shorter.
    pub fn reduction(&self) -> Reduction {
        self.reduction
    }

    /// Dimensions of the vectors that it takes.
    pub fn dimensions(&self) -> usize {
        self.dimensions
    }

    /// The PCA, where it is one.
    pub fn pca(&self) -> Option<&Pca> {
        match &self.fit {
            Fit::Pca(pca) => Some(pca),
            _ => None,
        }
    }

    /// Makes vectors shorter. Values that are not finite count as the mean of their column for PCA, as 0 otherwise. Counts vectors in the
    /// stage "Reducing dimensions".
    ///
    /// # Errors
    /// Vectors of other dimensions than the fitted; cancelled; they cannot be read.
    pub fn apply(&self, rows: &dyn RowBlocks, progress: &Progress) -> Result<Vectors, ProjectionError> {
        if rows.row_length() != self.dimensions {
            return Err(ProjectionError::Dimension { expected: self.dimensions, found: rows.row_length() });
        }
        progress.check()?;
        progress.stage("Reducing dimensions", "vectors", rows.row_count() as u64);
        let k = self.reduction.k();
        match &self.fit {
            Fit::Pca(pca) => pca.transform_blocks(rows, progress),
            Fit::First => truncated(rows, k, true),
            Fit::Directions(directions) => {
                let origin = vec![0.0; self.dimensions];
                let values = Seen { rows, mean: &origin }.project(directions, k, progress)?;
                Vectors::new(values, k).map_err(ProjectionError::Read)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::projection::reduce;

    #[test]
    fn a_row_alone_is_made_as_it_is_among_others() {
        let values = (0..300 * 12).map(|at| ((at * 7919 % 104_729) as f32 * 0.613).sin() + 0.2).collect::<Vec<_>>();
        let vectors = Vectors::new(values, 12).unwrap();
        let progress = Progress::new();
        for way in [Reduction::Pca { k: 5 }, Reduction::Truncate { k: 5 }, Reduction::Random { k: 5, seed: 3 }] {
            let fitted = FittedReduction::fit(&vectors, way, &progress).unwrap();
            let all = fitted.apply(&vectors, &progress).unwrap();
            assert_eq!(all.values(), reduce(&vectors, way, &progress).unwrap().values(), "{way:?}");
            for row in [0, 17, 299] {
                let alone = fitted.apply(&vectors.select([row]), &progress).unwrap();
                let apart = alone.row(0).iter().zip(all.row(row)).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
                assert!(apart < 1e-5, "{way:?}, row {row}: {apart}");
            }
            assert!(fitted.apply(&all, &progress).unwrap_err().to_string().contains("12 dimensions"));
        }
    }

    #[test]
    fn more_dimensions_than_there_are_count_as_all() {
        let vectors = Vectors::new((0..40).map(|at| at as f32).collect::<Vec<_>>(), 4).unwrap();
        let fitted = FittedReduction::fit(&vectors, Reduction::Truncate { k: 9 }, &Progress::new()).unwrap();
        assert_eq!((fitted.reduction(), fitted.dimensions()), (Reduction::Truncate { k: 4 }, 4));
        assert_eq!(fitted.apply(&vectors, &Progress::new()).unwrap().dim(), 4);
    }
}
