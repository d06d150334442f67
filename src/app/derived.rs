//! What jobs compute once so that panes need not compute it in every frame: sorted rows, summaries of a comparison.
//!
//! Pure; knows no jobs.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::corpus::Corpus;
use crate::ui::context::{ItemOrder, LabelOverlap, MeasuredPair};
use crate::vectors::RowId;
use crate::workspace::{Agreement, Column, ColumnValues, EmbeddingSet, column_values};

/// Labels with fewer rows than this are no ground to say where models disagree.
const FEWEST: usize = 3;

/// The rows of a corpus in the order asked for, with the values of the column they are sorted by.
pub(super) fn sorted(
    order: &ItemOrder,
    corpus: &Corpus,
    set: Option<&EmbeddingSet>,
    agreement: Option<&Agreement>,
) -> ItemOrder {
    let mut rows: Vec<RowId> = (0..corpus.chunks.len() as u32).map(RowId).collect();
    let values = column_values(order.by.unwrap_or(Column::Tokens), corpus, &rows, set, agreement);
    match (order.by, &values) {
        (None, _) => {}
        (Some(_), ColumnValues::Categories { names, ids }) => {
            let name = |row: &RowId| &names[ids[row.index()] as usize];
            rows.sort_by(|a, b| name(a).cmp(name(b)).then(a.cmp(b)));
        }
        (Some(_), ColumnValues::Numbers(numbers)) => {
            rows.sort_by(|a, b| numbers[a.index()].total_cmp(&numbers[b.index()]).then(a.cmp(b)));
        }
    }
    if order.descending {
        rows.reverse();
        if let ColumnValues::Numbers(numbers) = &values {
            // Rows without a value come last either way.
            rows.sort_by_key(|row| numbers[row.index()].is_nan());
        }
    }
    ItemOrder { rows: rows.into(), values: Some(Arc::new(values)), by: order.by, descending: order.descending }
}

/// A comparison with its histogram and its labels, least overlap first.
pub(super) fn measured(agreement: Agreement, corpus: &Corpus) -> MeasuredPair {
    let mut histogram = vec![0; agreement.k + 1];
    let mut by_label = BTreeMap::<&str, (usize, f64)>::new();
    for (&row, &share) in agreement.rows.iter().zip(agreement.overlap.iter()) {
        histogram[((share * agreement.k as f32).round() as usize).min(agreement.k)] += 1;
        let entry = by_label.entry(corpus.item_of(row).label.as_str()).or_default();
        entry.0 += 1;
        entry.1 += f64::from(share);
    }
    let mut labels: Vec<LabelOverlap> = by_label
        .into_iter()
        .filter(|(_, (rows, _))| *rows >= FEWEST)
        .map(|(label, (rows, sum))| LabelOverlap { label: label.to_owned(), rows, mean: (sum / rows as f64) as f32 })
        .collect();
    labels.sort_by(|a, b| a.mean.total_cmp(&b.mean).then_with(|| a.label.cmp(&b.label)));
    MeasuredPair { agreement: Arc::new(agreement), histogram, labels }
}
