//! Columns of a corpus: what a map can be coloured by and an item list shows.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Agreement, Clustering, EmbeddingSet};
use crate::corpus::{Corpus, TableKind};
use crate::vectors::RowId;

/// A property every row of a corpus has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Column {
    /// The folder inside the root: the label.
    #[default]
    Folder,
    /// Text, code or image.
    Modality,
    /// File type in plain words.
    Type,
    /// Programming language.
    Language,
    /// Bytes on disk.
    Size,
    /// Days since the last change.
    Modified,
    /// Tokens of the chunk.
    Tokens,
    /// Tokens the shown model did not see.
    Truncated,
    /// Share of nearest neighbours two models agree on; after a comparison.
    Agreement,
    /// The cluster, once clusters are found.
    Cluster,
    /// How surely a row belongs to its cluster.
    Membership,
    /// Share of a point's nearest neighbours that the shown map keeps near.
    Trust,
    /// One of the other columns of the file that the rows came from, by its place among them.
    Other(u16),
}

impl Column {
    /// All that every corpus has, as listed to the user.
    pub const ALL: [Self; 12] = [
        Self::Folder,
        Self::Modality,
        Self::Type,
        Self::Language,
        Self::Size,
        Self::Modified,
        Self::Tokens,
        Self::Truncated,
        Self::Agreement,
        Self::Cluster,
        Self::Membership,
        Self::Trust,
    ];

    /// Whether it needs clusters.
    pub fn of_clusters(self) -> bool {
        matches!(self, Self::Cluster | Self::Membership)
    }

    /// The other columns of the file that the rows of a corpus came from.
    pub fn others(corpus: &Corpus) -> impl Iterator<Item = Self> + use<> {
        (0..corpus.heads().len().min(usize::from(u16::MAX)) as u16).map(Self::Other)
    }

    /// The column of a corpus that has the name which this one has in another; another one of the file that is not there is the folder.
    pub fn again(self, before: Option<&Corpus>, now: &Corpus) -> Self {
        let Self::Other(_) = self else { return self };
        let name = before.map(|before| self.name(before));
        Self::others(now).find(|other| Some(other.name(now)) == name).unwrap_or_default()
    }

    /// The name shown.
    pub fn name(self, corpus: &Corpus) -> &str {
        match self {
            // Rows of a file have labels, not folders.
            Self::Folder if corpus.table.is_some() => "label",
            Self::Folder => "folder",
            Self::Modality => "modality",
            Self::Type => "type",
            Self::Language => "language",
            Self::Size => "size",
            Self::Modified => "last changed",
            Self::Tokens => "tokens",
            Self::Truncated => "tokens cut",
            Self::Agreement => "agreement",
            Self::Cluster => "cluster",
            Self::Membership => "membership",
            Self::Trust => "trust",
            Self::Other(place) => corpus.heads().get(usize::from(place)).map_or("column", |head| head.name.as_str()),
        }
    }
}

/// A column's values for some rows, in their order.
#[derive(Clone, Debug)]
pub enum ColumnValues {
    /// One of a few names.
    Categories {
        /// The names, most frequent first.
        names: Arc<[String]>,
        /// An index into `names` for each row; one beyond them where it has none.
        ids: Arc<[u32]>,
    },
    /// A number; NaN where there is none.
    Numbers(Arc<[f32]>),
    /// A number of which nothing is known; NaN where there is none.
    Measures {
        /// One a row.
        values: Arc<[f64]>,
        /// Whether they are seconds since 1970.
        moments: bool,
    },
}

/// The values of a column of another program, by the place of each of `count` rows.
pub fn table_values<'a>(
    kind: TableKind,
    count: usize,
    words: impl Fn(usize) -> Cow<'a, str>,
    number: impl Fn(usize) -> f64,
) -> ColumnValues {
    match kind {
        TableKind::Words | TableKind::Truth => {
            categories((0..count).map(|at| Some(words(at)).filter(|words| !words.trim().is_empty())))
        }
        kind => ColumnValues::Measures { values: (0..count).map(number).collect(), moments: kind == TableKind::Moment },
    }
}

/// What the values of columns are taken from.
#[derive(Clone, Debug)]
pub struct ColumnSources {
    /// What is loaded.
    pub corpus: Arc<Corpus>,
    /// The shown model's vectors, for what depends on a model.
    pub set: Option<Arc<EmbeddingSet>>,
    /// What two models agree on.
    pub agreement: Option<Arc<Agreement>>,
    /// The clusters of the shown model.
    pub clusters: Option<Arc<Clustering>>,
    /// The share of neighbours kept by the shown map.
    pub trust: Option<Arc<RowShares>>,
}

/// A share for some rows.
#[derive(Clone, Debug)]
pub struct RowShares {
    /// The rows, ascending.
    pub rows: Arc<[RowId]>,
    /// A share each, 0 to 1; NaN where unknown.
    pub shares: Arc<[f32]>,
}

impl RowShares {
    /// The share of a row; NaN where there is none.
    pub fn of(&self, row: RowId) -> f32 {
        self.rows.binary_search(&row).map_or(f32::NAN, |at| self.shares[at])
    }
}

/// The values of `column` for `rows`; numbers are NaN where their source is not there.
pub fn column_values(column: Column, sources: &ColumnSources, rows: &[RowId]) -> ColumnValues {
    let now = std::time::SystemTime::now();
    let ColumnSources { corpus, set, agreement, clusters, trust } = sources;
    match column {
        Column::Folder => named(rows.iter().map(|&row| corpus.item_of(row).label.as_str())),
        Column::Modality => named(rows.iter().map(|&row| corpus.item_of(row).modality.name())),
        Column::Type => named(rows.iter().map(|&row| corpus.item_of(row).kind.as_str())),
        Column::Language => named(rows.iter().map(|&row| corpus.item_of(row).language.unwrap_or("none"))),
        Column::Other(place) => {
            let place = usize::from(place);
            let known = corpus.table.as_ref().zip(corpus.heads().get(place));
            let Some((table, head)) = known else { return categories(rows.iter().map(|_| None)) };
            let (words, number) = (|at| table.words(place, rows[at]), |at| table.number(place, rows[at]));
            table_values(head.kind, rows.len(), words, number)
        }
        Column::Size => numbers(rows.iter().map(|&row| corpus.item_of(row).size as f32)),
        Column::Modified => numbers(rows.iter().map(|&row| {
            let age = corpus.item_of(row).modified.and_then(|at| now.duration_since(at).ok());
            age.map_or(f32::NAN, |age| age.as_secs_f32() / 86_400.0)
        })),
        Column::Tokens => numbers(rows.iter().map(|&row| corpus.chunk(row).tokens as f32)),
        Column::Truncated => numbers(rows.iter().map(|&row| {
            let at = set.as_ref().and_then(|set| Some(set.cut[set.position_of(row)?] as f32));
            at.unwrap_or(f32::NAN)
        })),
        Column::Agreement => numbers(rows.iter().map(|row| {
            let found = agreement.as_ref().and_then(|pair| Some(pair.overlap[pair.rows.binary_search(row).ok()?]));
            found.unwrap_or(f32::NAN)
        })),
        Column::Cluster => cluster_names(clusters.as_deref(), rows),
        Column::Membership => numbers(rows.iter().map(|&row| {
            let found = clusters.as_ref().and_then(|found| Some(found.membership[found.position_of(row)?] * 100.0));
            found.unwrap_or(f32::NAN)
        })),
        Column::Trust => {
            numbers(rows.iter().map(|&row| trust.as_ref().map_or(f32::NAN, |trust| trust.of(row) * 100.0)))
        }
    }
}

/// What rows outside every cluster are called.
pub const NO_CLUSTER: &str = "no cluster";

fn cluster_names(clusters: Option<&Clustering>, rows: &[RowId]) -> ColumnValues {
    let name = |row: &RowId| {
        let found = clusters?;
        let label = found.fine.labels[found.position_of(*row)?];
        usize::try_from(label).ok().map(|label| found.fine.names[label].as_str())
    };
    named(rows.iter().map(|row| name(row).unwrap_or(NO_CLUSTER)))
}

fn numbers(values: impl Iterator<Item = f32>) -> ColumnValues {
    ColumnValues::Numbers(values.collect())
}

fn named<'a>(values: impl Iterator<Item = &'a str>) -> ColumnValues {
    categories(values.map(|value| Some(Cow::Borrowed(value))))
}

fn categories<'a>(values: impl Iterator<Item = Option<Cow<'a, str>>>) -> ColumnValues {
    let mut counts: BTreeMap<Cow<'a, str>, (u32, u32)> = BTreeMap::new();
    let mut first = Vec::new();
    for value in values {
        let Some(value) = value else {
            first.push(u32::MAX);
            continue;
        };
        let next = counts.len() as u32;
        let entry = counts.entry(value).or_insert((next, 0));
        entry.1 += 1;
        first.push(entry.0);
    }
    let mut order: Vec<(Cow<'a, str>, u32, u32)> =
        counts.into_iter().map(|(name, (id, count))| (name, id, count)).collect();
    order.sort_by(|a, b| b.2.cmp(&a.2).then_with(|| a.0.cmp(&b.0)));
    let mut rank = vec![0u32; order.len()];
    for (place, &(_, id, _)) in order.iter().enumerate() {
        rank[id as usize] = place as u32;
    }
    ColumnValues::Categories {
        names: order.into_iter().map(|(name, _, _)| name.into_owned()).collect(),
        ids: first.into_iter().map(|id| rank.get(id as usize).copied().unwrap_or(u32::MAX)).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn categories_are_ordered_by_count_then_name() {
        let ColumnValues::Categories { names, ids } = named(["b", "a", "c", "c", "b", "c"].into_iter()) else {
            panic!("names make categories");
        };
        assert_eq!(&names[..], ["c", "b", "a"]);
        assert_eq!(&ids[..], [1, 2, 0, 0, 1, 0]);
    }
}
