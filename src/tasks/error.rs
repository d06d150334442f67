//! What can go wrong with a task: the rooms' errors and what was attempted.

use std::path::PathBuf;

use crate::analysis::AnalysisError;
use crate::corpus::LoadError;
use crate::models::ModelError;
use crate::picture::FigureError;
use crate::progress::Cancelled;
use crate::projection::ProjectionError;
use crate::vectors::VectorsError;
use crate::workspace::ErrorReport;

/// What can go wrong with a task.
#[derive(Debug, thiserror::Error)]
pub enum TaskError {
    /// Stopped at the user's wish; not to be shown as an error.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
    /// Nothing could be loaded.
    #[error(transparent)]
    Load(LoadError),
    /// A model could not be opened or run.
    #[error("could not {attempted}")]
    Model {
        /// "open the model x".
        attempted: String,
        /// Why.
        source: ModelError,
    },
    /// The corpus holds nothing that the model reads.
    #[error("{model} reads {reads}, and there are none among the {items} items loaded")]
    NothingToEmbed {
        /// The model's name.
        model: String,
        /// "texts and code" or "pictures".
        reads: &'static str,
        /// Items loaded.
        items: usize,
    },
    /// Every single row failed.
    #[error("none of the {rows} rows could be embedded with {model}; the first: {first}")]
    NothingEmbedded {
        /// The model's name.
        model: String,
        /// Rows tried.
        rows: usize,
        /// Why the first one failed.
        first: String,
    },
    /// Vectors could not be laid out.
    #[error("could not lay the vectors out: {0}")]
    Projection(#[from] ProjectionError),
    /// The map of before has points that are of no row now.
    #[error("the map of before has points whose files were changed or taken away; lay everything out again instead")]
    RowsGone,
    /// Two sets could not be compared.
    #[error("could not compare {a} and {b}: {source}")]
    Analysis {
        /// First model.
        a: String,
        /// Second model.
        b: String,
        /// Why.
        source: AnalysisError,
    },
    /// Two sets share no rows.
    #[error("{a} and {b} have no rows in common: one reads other kinds of items than the other")]
    NothingInCommon {
        /// First model.
        a: String,
        /// Second model.
        b: String,
    },
    /// Two embedding sets share a single row: neighbours, and so agreement, need at least two.
    #[error("{a} and {b} have embedded one row in common: at least two are needed to compare them")]
    OneInCommon {
        /// First model.
        a: String,
        /// Second model.
        b: String,
    },
    /// A vectors file could not be read or written.
    #[error(transparent)]
    Vectors(#[from] VectorsError),
    /// A file of another kind could not be read or written; the cause names it.
    #[error("could not {attempted}")]
    File {
        /// "write the map".
        attempted: String,
        /// Why; names the file.
        source: std::io::Error,
    },
    /// A file's format cannot be used for this.
    #[error("{}: {message}", .path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong and what would be right.
        message: String,
    },
    /// A query of this kind cannot be asked of vectors of this model.
    #[error(
        "this query cannot be asked of vectors of {model}: words need a model with a text encoder, pictures one that reads pictures"
    )]
    CannotAsk {
        /// The model's name.
        model: String,
    },
    /// Captions were asked of a model without pictures.
    #[error("{model} reads texts only: captions need a model that reads pictures")]
    NoCaptions {
        /// The model's name.
        model: String,
    },
    /// A picture given as a query cannot be read.
    #[error("the picture {} cannot be used as a query: {reason}", .path.display())]
    QueryImage {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The figure could not be drawn.
    #[error(transparent)]
    Figure(#[from] FigureError),
}

impl From<LoadError> for TaskError {
    fn from(error: LoadError) -> Self {
        match error {
            LoadError::Cancelled(cancelled) => Self::Cancelled(cancelled),
            other => Self::Load(other),
        }
    }
}

impl TaskError {
    /// Whether the user stopped it.
    pub fn is_cancelled(&self) -> bool {
        matches!(self, Self::Cancelled(_) | Self::Projection(ProjectionError::Cancelled))
    }

    pub(super) fn file(attempted: &str) -> impl FnOnce(std::io::Error) -> Self {
        let attempted = attempted.to_owned();
        move |source| Self::File { attempted, source }
    }

    /// The failure in words.
    pub fn report(&self) -> ErrorReport {
        let mut details = Vec::new();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            let words = error.to_string();
            if details.last() != Some(&words) {
                details.push(words);
            }
            cause = error.source();
        }
        ErrorReport { summary: self.to_string(), details, hint: self.hint().to_owned() }
    }

    fn hint(&self) -> &'static str {
        match self {
            Self::Model { source: ModelError::NotFound { .. }, .. } => {
                "`embedlens models` lists the models that are here"
            }
            Self::NothingToEmbed { .. } => "choose a model for what is there, or other folders",
            Self::NothingEmbedded { .. } => "were the files moved or changed since they were loaded? Load them again",
            Self::OneInCommon { .. } => "load more files, or both models on the same ones",
            Self::NothingInCommon { .. } => "compare two models that read texts and code, or two that read pictures",
            Self::Analysis { source: AnalysisError::RowsDiffer { .. }, .. } => {
                "row n of both must be the same thing: embed the same folder with both models"
            }
            Self::File { source, .. } if source.kind() == std::io::ErrorKind::PermissionDenied => {
                "choose a place you may write to"
            }
            Self::Vectors(source) => told_of(source),
            Self::Projection(ProjectionError::TooLarge) => "divide the vectors by their greatest value and try again",
            _ => "",
        }
    }
}

/// What to do about a file of vectors that cannot be read.
fn told_of(error: &VectorsError) -> &'static str {
    match error {
        VectorsError::Short { .. } => "the file is cut short: copy or download it again",
        VectorsError::Kind { .. } => "write the array as float32 (NumPy: `array.astype(\"float32\")`) and open that",
        VectorsError::Shape { .. } => "give one row a vector (NumPy: `array.reshape(rows, dimensions)`)",
        VectorsError::Number { .. } => {
            "a .tsv of vectors holds numbers and tabs only, without a header; names stand in FILE.metadata.tsv beside it"
        }
        VectorsError::Columns { .. } => "every line needs as many numbers as the first",
        VectorsError::File { .. } => {
            "vectors are .npy, .npz, .tsv, .parquet or .vectors files: is this one whole, and may it be read or written?"
        }
        VectorsError::NoDimensions | VectorsError::Ragged { .. } => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_names_the_attempt_the_cause_and_the_next_step() {
        let source = ModelError::NotFound { id: "x".into(), hint: "not bundled".into() };
        let report = TaskError::Model { attempted: "open the model x".into(), source }.report();
        assert_eq!(report.summary, "could not open the model x");
        assert_eq!(report.details, ["model x is not here: not bundled"]);
        assert!(report.hint.contains("embedlens models"));
    }

    #[test]
    fn what_was_cancelled_is_no_failure_wherever_it_was() {
        assert!(TaskError::from(ProjectionError::Cancelled).is_cancelled());
        assert!(TaskError::from(crate::progress::Cancelled).is_cancelled());
        assert!(!TaskError::from(ProjectionError::TooLarge).is_cancelled());
    }
}
