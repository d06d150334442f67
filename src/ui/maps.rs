//! What panes see of a model's maps: the one shown, the finished ones, those kept aside, their colours, clusters and trust.
//!
//! Plain data; written by the window's logic only. Invariant: `styles` of a choice belong to the rows of that choice's layout.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::jobs::JobId;
use crate::picture::{Density, Layout, Styles};
use crate::projection::{Method, Quality, ReductionCost, TsneEngine};
use crate::vectors::RowId;
use crate::workspace::{Clustering, MapPoints, Positions, Projection, RowShares};

/// Which of a model's maps is meant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MapChoice {
    /// The one that Explore shows.
    #[default]
    Shown,
    /// The finished map of a method.
    Of(Method),
    /// One kept aside, by its number.
    Kept(u32),
}

/// A running layout, as shown.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LiveInfo {
    /// Its job.
    pub job: JobId,
    /// Its method.
    pub method: Method,
    /// Who runs t-SNE. Only our own can be paused and kept.
    pub engine: TsneEngine,
    /// Whether it waits.
    pub paused: bool,
    /// Iterations done.
    pub iteration: usize,
    /// Iterations in all.
    pub iterations: usize,
    /// KL divergence now; NaN in the first moments and for methods that have none.
    pub kl: f32,
    /// The method whose map was shown before; `None` for none, and for positions that came with a file.
    pub before: Option<Method>,
}

/// A finished map that the user set aside to hold others against.
#[derive(Clone, Debug)]
pub struct KeptMap {
    /// Its number; never used again.
    pub number: u32,
    /// What it was made with, "t-SNE, perplexity 30".
    pub name: String,
    /// The map.
    pub projection: Arc<Projection>,
    /// Where its points are.
    pub layout: Arc<Layout>,
}

/// Positions that came with a file of vectors.
#[derive(Clone, Debug)]
pub struct GivenMap {
    /// The positions, of two or three dimensions.
    pub points: MapPoints,
    /// Where its points are, those of space seen from the front.
    pub layout: Arc<Layout>,
}

/// A text on the map.
#[derive(Clone, Debug, PartialEq)]
pub struct MapLabel {
    /// The cluster's name.
    pub text: String,
    /// Where its points are densest.
    pub at: [f32; 2],
    /// How many rows it has.
    pub rows: usize,
}

/// Names of clusters with their places on one layout.
#[derive(Clone, Debug, Default)]
pub struct MapLabels {
    /// Few, for a map seen whole; the largest first.
    pub coarse: Vec<MapLabel>,
    /// All, for a map seen from near; the largest first.
    pub fine: Vec<MapLabel>,
}

/// Where the shown map is wrong about one point.
#[derive(Clone, Debug)]
pub struct TornLines {
    /// The point.
    pub row: RowId,
    /// True neighbours that the map put far away.
    pub torn: Vec<RowId>,
    /// Rows that the map put near and that are no neighbours.
    pub pulled: Vec<RowId>,
}

/// A place on the map that is of no row: where the query would lie.
#[derive(Clone, Debug)]
pub struct Pin {
    /// The map it was placed on.
    pub map: Arc<Projection>,
    /// Where, in the dimensions of that map; the third axis is 0 in the plane.
    pub at: [f32; 3],
    /// What was asked.
    pub words: String,
}

/// The map of what a set was before items were added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EarlierMap {
    /// Its method.
    pub method: Method,
    /// Rows that it does not hold.
    pub new: usize,
}

/// A model's maps.
#[derive(Clone, Debug, Default)]
pub struct MapModel {
    /// The method whose layout is shown.
    pub method: Option<Method>,
    /// Finished projections.
    pub projections: BTreeMap<Method, Arc<Projection>>,
    /// Layouts of the finished projections.
    pub layouts: BTreeMap<Method, Arc<Layout>>,
    /// Positions that came with a file of vectors; shown, with `method` at `None`, until another is chosen.
    pub given: Option<GivenMap>,
    /// Maps kept aside.
    pub kept: Vec<KeptMap>,
    /// A map of some rows alone, while it is shown.
    pub part: Option<Arc<Projection>>,
    /// What is drawn now: a finished layout, the newest of a running one, or a moment of the past.
    pub layout: Option<Arc<Layout>>,
    /// Colours by map.
    pub styles: BTreeMap<MapChoice, Arc<Styles>>,
    /// How dense the points are, by map, where that is shown. While points move, of the moment before.
    pub densities: BTreeMap<MapChoice, Arc<Density>>,
    /// The moment of the shown map's history that is drawn; `None` is its end.
    pub moment: Option<usize>,
    /// A running layout.
    pub live: Option<LiveInfo>,
    /// (iteration, KL divergence) of the running t-SNE so far.
    pub live_kl: Vec<(u32, f32)>,
    /// Whether it came to be unasked and was not looked at yet.
    pub fresh: bool,
    /// Clusters found last.
    pub clusters: Option<Arc<Clustering>>,
    /// Whether these clusters are those of the map before, while a layout runs.
    pub clusters_are_old: bool,
    /// Where their names stand on the shown map.
    pub labels: Option<Arc<MapLabels>>,
    /// Share of neighbours that the shown map keeps, by row, for all rows.
    pub trust: Option<Arc<RowShares>>,
    /// Where the shown map is wrong about the row looked at.
    pub torn: Option<Arc<TornLines>>,
    /// What fewer dimensions of the vectors cost, once measured.
    pub reductions: Option<Arc<[ReductionCost]>>,
    /// Where the query would lie on the shown map.
    pub pin: Option<Arc<Pin>>,
    /// The map from before items were added, on which the new ones can be placed.
    pub earlier: Option<EarlierMap>,
    /// From where a map of three dimensions is seen: turned about the vertical and the horizontal axis, in radians.
    pub turned: [f32; 2],
}

impl MapModel {
    /// How far the shown layout may be trusted, once measured.
    pub fn quality(&self) -> Option<Quality> {
        if self.live.is_some() || self.moment.is_some() {
            return None;
        }
        self.shown()?.quality
    }

    /// The finished projection that is shown.
    pub fn shown(&self) -> Option<&Arc<Projection>> {
        self.part.as_ref().or_else(|| self.projections.get(&self.method?))
    }

    /// The finished map that is shown, in the dimensions it was made in: neither how it is turned nor which moment of its past is drawn
    /// changes what is measured of it and found on it. While a layout runs, the points as they are drawn.
    pub fn points(&self) -> Option<MapPoints> {
        if let Some(shown) = self.shown().filter(|_| self.live.is_none()) {
            return Some(MapPoints::from(&**shown));
        }
        if let Some(given) = self.given.as_ref().filter(|_| self.is_given()) {
            return Some(given.points.clone());
        }
        let layout = self.layout.as_ref()?;
        Some(MapPoints { rows: layout.rows().clone(), at: Positions::Plane(layout.points().clone()) })
    }

    /// Where the query would lie on the layout that is drawn, from whichever side it is seen, with what was asked. Nowhere while a layout
    /// runs, in its past, and on another map than it was placed on.
    pub fn pinned(&self) -> Option<([f32; 2], &str)> {
        let pin = self.pin.as_deref().filter(|_| self.live.is_none() && self.moment.is_none())?;
        let shown = self.shown().filter(|shown| Arc::ptr_eq(shown, &pin.map))?;
        let layout = self.layout.as_ref().filter(|layout| layout.frame().is_some() == shown.space.is_some())?;
        Some((layout.seen(pin.at), &pin.words))
    }

    /// Whether the positions that came with a file are what is shown.
    pub fn is_given(&self) -> bool {
        self.given.is_some() && self.method.is_none() && self.part.is_none() && self.live.is_none()
    }

    /// Whether the map shown is finished and has three dimensions, so that it can be turned.
    pub fn turns(&self) -> bool {
        self.points().is_some_and(|map| map.at.space().is_some())
    }

    /// Layout and colours of a choice. A method that is not laid out yet, or that is running, gives the shown map where that is its own.
    pub fn seen(&self, choice: MapChoice) -> Option<(&Arc<Layout>, &Arc<Styles>)> {
        let layout = match choice {
            MapChoice::Shown => self.layout.as_ref(),
            MapChoice::Of(method) if self.method == Some(method) && self.part.is_none() => self.layout.as_ref(),
            MapChoice::Of(method) => self.layouts.get(&method),
            MapChoice::Kept(number) => self.kept(number).map(|kept| &kept.layout),
        };
        // A map whose colours are not made yet borrows those of the shown one: both hold the same rows.
        let whole = || self.styles.get(&MapChoice::Shown).filter(|_| self.part.is_none());
        let styles = self.styles.get(&choice).or_else(whole);
        layout.zip(styles)
    }

    /// The finished projection of a choice.
    pub fn projection(&self, choice: MapChoice) -> Option<&Arc<Projection>> {
        match choice {
            MapChoice::Shown => self.shown(),
            MapChoice::Of(method) => self.projections.get(&method),
            MapChoice::Kept(number) => self.kept(number).map(|kept| &kept.projection),
        }
    }

    /// A map kept aside.
    pub fn kept(&self, number: u32) -> Option<&KeptMap> {
        self.kept.iter().find(|kept| kept.number == number)
    }
}
