//! Where the rows of a map lie, in the dimensions it was made in: what is measured of a map and found on it goes by these.
//!
//! How a map of three dimensions is turned, and which moment of its past is drawn, is nothing here. Invariant: `rows` and the points
//! have the same length.

use std::sync::Arc;

use super::Projection;
use crate::vectors::{RowId, Vectors};

/// Points of a map of two or of three dimensions.
#[derive(Clone, Debug, PartialEq)]
pub enum Positions {
    /// In the plane.
    Plane(Arc<[[f32; 2]]>),
    /// In space.
    Space(Arc<[[f32; 3]]>),
}

impl Positions {
    /// How many points.
    pub fn len(&self) -> usize {
        match self {
            Self::Plane(points) => points.len(),
            Self::Space(points) => points.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Rows of two or three numbers each; `None` for other lengths.
    pub fn of(vectors: &Vectors) -> Option<Self> {
        match vectors.dim() {
            2 => Some(Self::Plane(vectors.values().as_chunks().0.into())),
            3 => Some(Self::Space(vectors.values().as_chunks().0.into())),
            _ => None,
        }
    }

    /// The values of a point.
    pub fn row(&self, at: usize) -> &[f32] {
        match self {
            Self::Plane(points) => &points[at],
            Self::Space(points) => &points[at],
        }
    }

    /// Whether every point has a place.
    pub fn are_finite(&self) -> bool {
        match self {
            Self::Plane(points) => points.as_flattened().iter().all(|value| value.is_finite()),
            Self::Space(points) => points.as_flattened().iter().all(|value| value.is_finite()),
        }
    }

    /// The points at some positions, in that order.
    #[must_use]
    pub fn select(&self, positions: impl Iterator<Item = usize>) -> Self {
        match self {
            Self::Plane(points) => Self::Plane(positions.map(|at| points[at]).collect()),
            Self::Space(points) => Self::Space(positions.map(|at| points[at]).collect()),
        }
    }

    /// The points seen from the front: their first two axes.
    pub fn front(&self) -> Arc<[[f32; 2]]> {
        match self {
            Self::Plane(points) => points.clone(),
            Self::Space(points) => points.iter().map(|&[x, y, _]| [x, y]).collect(),
        }
    }

    /// The points in space, where they have three axes.
    pub fn space(&self) -> Option<&Arc<[[f32; 3]]>> {
        match self {
            Self::Plane(_) => None,
            Self::Space(points) => Some(points),
        }
    }
}

/// Rows and where each lies.
#[derive(Clone, Debug)]
pub struct MapPoints {
    /// The corpus rows, ascending.
    pub rows: Arc<[RowId]>,
    /// A position each.
    pub at: Positions,
}

impl MapPoints {
    /// Place of a row among the points.
    pub fn position_of(&self, row: RowId) -> Option<usize> {
        if self.rows.get(row.index()) == Some(&row) {
            return Some(row.index());
        }
        self.rows.binary_search(&row).ok()
    }

    /// The rows that are taken, with their positions.
    #[must_use]
    pub fn only(&self, taken: impl Fn(RowId) -> bool) -> Self {
        let places: Vec<usize> = (0..self.rows.len()).filter(|&at| taken(self.rows[at])).collect();
        Self { rows: places.iter().map(|&at| self.rows[at]).collect(), at: self.at.select(places.into_iter()) }
    }
}

impl From<&Projection> for MapPoints {
    fn from(projection: &Projection) -> Self {
        let at = match &projection.space {
            Some(space) => Positions::Space(space.clone()),
            None => Positions::Plane(projection.points.clone()),
        };
        Self { rows: projection.rows.clone(), at }
    }
}
