//! What the user set, kept between runs.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::corpus::LoadOptions;
use crate::projection::{PacmapParams, TsneParams, UmapParams};
use crate::vectors::Metric;
use crate::workspace::{ClusterParams, Column, Overrides};

/// A preset arrangement of panes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Perspective {
    /// One map, items, query and inspector.
    #[default]
    Explore,
    /// Models side by side.
    Compare,
}

impl Perspective {
    /// All of them, as in the switch.
    pub const ALL: [Self; 2] = [Self::Explore, Self::Compare];

    /// The name shown.
    pub fn name(self) -> &'static str {
        match self {
            Self::Explore => "Explore",
            Self::Compare => "Compare",
        }
    }
}

/// Dark, light, or as the system.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ThemeChoice {
    /// As the system says; dark where it says nothing.
    #[default]
    System,
    /// Always dark.
    Dark,
    /// Always light.
    Light,
}

/// Which colours categories have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PaletteChoice {
    /// Ten clear colours and 32 more.
    #[default]
    Standard,
    /// Okabe and Ito's eight, told apart by nearly everyone.
    ColourBlindSafe,
}

/// What the user set.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct Settings {
    /// Dark, light, or as the system.
    pub theme: ThemeChoice,
    /// The perspective last used.
    pub perspective: Perspective,
    /// Colours of categories.
    pub palette: PaletteChoice,
    /// What points are coloured by.
    pub colour_by: Column,
    /// Radius of a point in points, 0.5 to 8. Default 2.5.
    pub point_size: f32,
    /// Opacity of a point, 0.05 to 1. Default 0.85.
    pub opacity: f32,
    /// Whether maps show how dense their points are. Default false.
    pub density: bool,
    /// Hits a group, 5 to 100. Default 20.
    pub top: usize,
    /// Parameters of the next t-SNE.
    pub tsne: TsneParams,
    /// Parameters of the next UMAP.
    pub umap: UmapParams,
    /// Parameters of the next `PaCMAP`.
    pub pacmap: PacmapParams,
    /// Axes of the next UMAP, `PaCMAP` or PCA, 2 or 3. Default 2.
    pub dimensions: usize,
    /// Whether UMAP is told the folders, and keeps each together. Default false: the map shows what the model sees.
    pub by_folder: bool,
    /// What counts as near for the next map; `None` chooses by the vectors.
    pub metric: Option<Metric>,
    /// How clusters are looked for.
    pub clusters: ClusterParams,
    /// Whether the names of clusters stand on the map. Default true.
    pub cluster_names: bool,
    /// What models are used with otherwise than their own files say, by name without a precision.
    pub overrides: BTreeMap<String, Overrides>,
    /// How folders are read.
    pub load: LoadOptions,
    /// Folders opened lately, newest first; at most ten.
    pub recent: Vec<PathBuf>,
}

impl Settings {
    /// Whether what is shown needs clusters, so that they are found unasked.
    pub fn wants_clusters(&self) -> bool {
        self.cluster_names || self.colour_by.of_clusters()
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            theme: ThemeChoice::System,
            perspective: Perspective::Explore,
            palette: PaletteChoice::Standard,
            colour_by: Column::Folder,
            point_size: 2.5,
            opacity: 0.85,
            density: false,
            top: 20,
            tsne: TsneParams::default(),
            umap: UmapParams::default(),
            pacmap: PacmapParams::default(),
            dimensions: 2,
            by_folder: false,
            metric: None,
            clusters: ClusterParams::default(),
            cluster_names: true,
            overrides: BTreeMap::new(),
            load: LoadOptions::default(),
            recent: Vec::new(),
        }
    }
}
