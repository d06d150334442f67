//! What jobs compute once so that panes need not compute it in every frame: sorted rows, summaries of a comparison.
//!
//! Pure; knows no jobs.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::corpus::Corpus;
use crate::picture::Layout;
use crate::ui::context::{ItemOrder, LabelOverlap, MapLabel, MapLabels, MeasuredPair};
use crate::vectors::RowId;
use crate::workspace::{Agreement, ClusterLevel, Clustering, Column, ColumnSources, ColumnValues, column_values};

/// Labels with fewer rows than this are no ground to say where models disagree.
const FEWEST: usize = 3;

/// The rows of a corpus in the order asked for, with the values of the column they are sorted by.
pub(super) fn sorted(order: &ItemOrder, sources: &ColumnSources) -> ItemOrder {
    let mut rows: Vec<RowId> = (0..sources.corpus.chunks.len() as u32).map(RowId).collect();
    let values = column_values(order.by.unwrap_or(Column::Tokens), sources, &rows);
    match (order.by, &values) {
        (None, _) => {}
        (Some(_), ColumnValues::Categories { names, ids }) => {
            // Rows without a name come last.
            let name = |row: &RowId| names.get(ids[row.index()] as usize);
            rows.sort_by(|a, b| {
                let (first, second) = (name(a), name(b));
                (first.is_none(), first).cmp(&(second.is_none(), second)).then(a.cmp(b))
            });
        }
        (Some(_), ColumnValues::Measures { values, .. }) => {
            rows.sort_by(|a, b| values[a.index()].total_cmp(&values[b.index()]).then(a.cmp(b)));
            rows.sort_by_key(|row| values[row.index()].is_nan());
        }
        (Some(_), ColumnValues::Numbers(numbers)) => {
            rows.sort_by(|a, b| numbers[a.index()].total_cmp(&numbers[b.index()]).then(a.cmp(b)));
        }
    }
    if order.descending {
        rows.reverse();
        // Rows without a value come last either way.
        match &values {
            ColumnValues::Numbers(numbers) => rows.sort_by_key(|row| numbers[row.index()].is_nan()),
            ColumnValues::Measures { values, .. } => rows.sort_by_key(|row| values[row.index()].is_nan()),
            ColumnValues::Categories { names, ids } => {
                rows.sort_by_key(|row| ids[row.index()] as usize >= names.len());
            }
        }
    }
    ItemOrder { rows: rows.into(), values: Some(Arc::new(values)), by: order.by, descending: order.descending }
}

/// The names of clusters where their points are: at the member nearest to the median of all.
pub(super) fn labels(clusters: &Clustering, layout: &Layout) -> MapLabels {
    MapLabels {
        coarse: level_labels(&clusters.coarse, clusters, layout),
        fine: level_labels(&clusters.fine, clusters, layout),
    }
}

fn level_labels(level: &ClusterLevel, clusters: &Clustering, layout: &Layout) -> Vec<MapLabel> {
    let mut members: Vec<Vec<[f32; 2]>> = vec![Vec::new(); level.names.len()];
    for position in 0..layout.len() {
        let Some((row, point)) = layout.row(position).zip(layout.point(position)) else { continue };
        let label = clusters.position_of(row).and_then(|at| usize::try_from(level.labels[at]).ok());
        if let Some(of_cluster) = label.and_then(|label| members.get_mut(label)) {
            of_cluster.push(point);
        }
    }
    let median = |points: &[[f32; 2]], axis: usize| {
        let mut values: Vec<f32> = points.iter().map(|point| point[axis]).collect();
        let middle = values.len() / 2;
        *values.select_nth_unstable_by(middle, f32::total_cmp).1
    };
    let place = |points: &[[f32; 2]]| {
        let centre = [median(points, 0), median(points, 1)];
        let far = |point: &[f32; 2]| (point[0] - centre[0]).powi(2) + (point[1] - centre[1]).powi(2);
        points.iter().copied().min_by(|a, b| far(a).total_cmp(&far(b))).unwrap_or(centre)
    };
    let mut labels: Vec<MapLabel> = level
        .names
        .iter()
        .zip(&members)
        .filter(|(_, points)| !points.is_empty())
        .map(|(name, points)| MapLabel { text: name.clone(), at: place(points), rows: points.len() })
        .collect();
    labels.sort_by(|a, b| b.rows.cmp(&a.rows).then_with(|| a.text.cmp(&b.text)));
    labels
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
