//! A fitted reduction in a file beside the vectors that it made, so that others can be made as short later: here, or in Python.
//!
//! For `short.npy` it is `short.npy.reduction.npz`: `components` (a row a dimension left), `mean` (one row), `explained_variance` and
//! `explained_variance_ratio` (one row each, PCA only), `way` ("pca", "truncate" or "random") and `seed`. A row x becomes
//! `(x - mean) @ components.T`; after truncation it is brought back to the length of x. Invariant: what is read back makes the same
//! vectors as what was written.

use std::path::{Path, PathBuf};

use super::TaskError;
use super::format::bad;
use crate::projection::{FittedReduction, Pca, Reduction};
use crate::vectors::Vectors;
use crate::vectors::arrays::{self, ArrayColumn, NamedArrays};

/// What is added to the name of a file of vectors.
const ENDING: &str = ".reduction.npz";

/// Where the reduction that made a file of vectors is kept.
pub fn reduction_path(vectors: &Path) -> PathBuf {
    let mut name = vectors.file_name().unwrap_or_default().to_owned();
    name.push(ENDING);
    vectors.with_file_name(name)
}

/// Removes the reduction that is kept beside a file of vectors, which is about to be written anew.
///
/// # Errors
/// It cannot be removed.
pub fn forget_reduction(vectors: &Path) -> Result<(), TaskError> {
    let path = reduction_path(vectors);
    match fs_err::remove_file(&path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(bad(&path, error.to_string())),
        _ => Ok(()),
    }
}

/// Writes a reduction beside the file of vectors that it made; one that is there is replaced. Gives the path.
///
/// # Errors
/// The file cannot be written.
pub fn keep_reduction(fitted: &FittedReduction, vectors: &Path) -> Result<PathBuf, TaskError> {
    let path = reduction_path(vectors);
    let (mean, components) = fitted.linear();
    let (k, dim) = (fitted.reduction().k(), fitted.dimensions());
    let spelled = fitted.reduction().spelled();
    let way = spelled.split(':').next().unwrap_or_default();
    let seed = match fitted.reduction() {
        Reduction::Random { seed, .. } => seed as i64,
        _ => 0,
    };
    let mut columns = vec![
        ("mean", ArrayColumn::Values(dim, &mean)),
        ("way", ArrayColumn::Words(vec![way])),
        ("seed", ArrayColumn::Numbers(vec![seed])),
    ];
    if let Some(pca) = fitted.pca() {
        columns.push(("explained_variance", ArrayColumn::Values(k, &pca.explained_variance)));
        columns.push(("explained_variance_ratio", ArrayColumn::Values(k, &pca.explained_variance_ratio)));
    }
    arrays::write_named(&path, ("components", &Vectors::new(components, dim)?), &columns)?;
    Ok(path)
}

/// The reduction that is kept beside a file of vectors; `None` where there is none.
///
/// # Errors
/// The file there is damaged, or no such reduction.
pub fn kept_reduction(vectors: &Path) -> Result<Option<FittedReduction>, TaskError> {
    let path = reduction_path(vectors);
    if path.is_file() { read(&path).map(Some) } else { Ok(None) }
}

/// The reduction in a file that `embed --reduce` wrote, or beside the vectors that it wrote.
///
/// # Errors
/// There is none; the file is damaged, or no such reduction.
pub fn named_reduction(path: &Path) -> Result<FittedReduction, TaskError> {
    if path.file_name().is_some_and(|name| name.to_string_lossy().ends_with(ENDING)) {
        return read(path);
    }
    let none = || {
        let told =
            if path.is_file() { "nothing is kept beside it of how it was made" } else { "there is no such file" };
        bad(path, format!("{told}: name the F{ENDING} that `embed --reduce` wrote, or the F it stands beside"))
    };
    kept_reduction(path)?.ok_or_else(none)
}

fn read(path: &Path) -> Result<FittedReduction, TaskError> {
    let mut file = NamedArrays::open(path)?;
    let listed = file.arrays.clone();
    let lacks = |name: &str| {
        bad(
            path,
            format!("no array {name}: it is no reduction that `embed --reduce` wrote; move it away, or write it again"),
        )
    };
    let found = |name: &str| listed.iter().find(|array| array.name == name).ok_or_else(|| lacks(name));
    let components = file.vectors(found("components")?)?;
    let mean = file.vectors(found("mean")?)?;
    let (k, dim) = (components.len(), components.dim());
    if mean.values().len() != dim || k == 0 || k > dim {
        return Err(bad(path, format!("its components are {k} x {dim}, its mean has {} values", mean.values().len())));
    }
    let way = file.words(found("way")?)?.and_then(|words| words.into_iter().next()).unwrap_or_default();
    let fitted = match way.as_str() {
        "pca" => {
            let mut row = |name: &str| -> Result<Vec<f32>, TaskError> {
                let values = file.vectors(found(name)?)?.values().to_vec();
                if values.len() == k { Ok(values) } else { Err(lacks(name)) }
            };
            let (explained_variance, explained_variance_ratio) =
                (row("explained_variance")?, row("explained_variance_ratio")?);
            FittedReduction::of_pca(Pca {
                mean: mean.values().to_vec(),
                components: components.values().to_vec(),
                explained_variance,
                explained_variance_ratio,
            })
        }
        "truncate" => FittedReduction::of_first(k, dim),
        "random" => {
            let seed = file.words(found("seed")?)?.and_then(|words| words.first()?.parse::<i64>().ok()).unwrap_or(0);
            FittedReduction::of_directions(&components, seed as u64)
        }
        other => return Err(bad(path, format!("an unknown way to fewer dimensions, {other:?}"))),
    };
    Ok(fitted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::progress::Progress;

    #[test]
    fn what_is_read_back_makes_the_same_vectors() {
        let folder = tempfile::tempdir().unwrap();
        let values = (0..80 * 9).map(|at| ((at * 7919 % 104_729) as f32 * 0.613).sin() + 0.3).collect::<Vec<_>>();
        let (vectors, progress) = (Vectors::new(values, 9).unwrap(), Progress::new());
        let path = folder.path().join("short.npy");
        assert_eq!(kept_reduction(&path).unwrap(), None);
        for way in [Reduction::Pca { k: 4 }, Reduction::Truncate { k: 4 }, Reduction::Random { k: 4, seed: u64::MAX }] {
            let fitted = FittedReduction::fit(&vectors, way, &progress).unwrap();
            keep_reduction(&fitted, &path).unwrap();
            assert_eq!(kept_reduction(&path).unwrap().as_ref(), Some(&fitted));
            assert!(
                named_reduction(&path).unwrap() == fitted && named_reduction(&reduction_path(&path)).unwrap() == fitted
            );
        }
        let good = fs_err::read(reduction_path(&path)).unwrap();
        fs_err::write(reduction_path(&path), &good[..good.len() / 2]).unwrap();
        assert!(kept_reduction(&path).unwrap_err().report().summary.contains("short.npy.reduction.npz"));
        assert_eq!(kept_reduction(&path.with_extension("npz")).unwrap(), None, "another file's");
        assert!(
            named_reduction(&path.with_extension("npz"))
                .unwrap_err()
                .report()
                .summary
                .contains("no such file: name the")
        );
        arrays::write(&reduction_path(&path), &vectors, &[]).unwrap();
        assert!(kept_reduction(&path).unwrap_err().report().summary.contains("no array components"));
        forget_reduction(&path).unwrap();
        forget_reduction(&path).unwrap();
        assert_eq!(kept_reduction(&path).unwrap(), None);
    }
}
