//! What only painting needs to remember: cameras, text being typed, scroll places, textures.
//!
//! Nothing here is of the document; losing it loses nothing.

use std::collections::{BTreeMap, BTreeSet};

use eframe::egui::{self, ColorImage, TextureHandle, TextureOptions};

use super::command::Dialog;
use super::map::MapView;
use super::tiles::{self, Pane};
use crate::corpus::{Modality, Thumbnail};
use crate::projection::Reduction;
use crate::vectors::RowId;
use crate::workspace::{ModelId, Overrides};

/// Skipped files grouped by reason.
pub struct SkippedGroups {
    /// The revision of the corpus and the search they were grouped for.
    pub of: ([u8; 32], String),
    /// The reason in two words, and the places in the corpus's list.
    pub groups: Vec<(&'static str, Vec<usize>)>,
}

/// View state of the whole window.
pub struct WindowState {
    /// Cameras by place and model.
    pub map_views: BTreeMap<String, MapView>,
    /// The fit request each map has seen.
    pub seen_fit: BTreeMap<String, u64>,
    /// The row under the pointer in this frame.
    pub hover_next: Option<RowId>,
    /// Whether any pane that can be hovered was under the pointer in this frame.
    pub hover_seen: bool,
    /// What is typed into the query field.
    pub query_text: String,
    /// The request to focus the query field that was seen.
    pub seen_query_focus: u64,
    /// The kind of hits listed; `None` for the first there are.
    pub query_tab: Option<Modality>,
    /// The hit the arrow keys stand on.
    pub query_cursor: Option<RowId>,
    /// Whether the list of hits is to bring that hit into view.
    pub query_scroll: bool,
    /// The query field, while nothing else has the keyboard the arrow keys are its own.
    pub query_field: Option<egui::Id>,
    /// Whether a map had the keyboard when it was painted last.
    pub map_focused: bool,
    /// The row looked at that each map has seen.
    pub seen_focus: BTreeMap<String, Option<RowId>>,
    /// The row whose text the inspector has scrolled to.
    pub text_seen: Option<RowId>,
    /// Whether all fields of the item looked at are shown, however many its file has.
    pub all_fields: bool,
    /// Skipped files by reason, for the corpus and search they were grouped for.
    pub skipped: Option<SkippedGroups>,
    /// The most frequent folders of the selection, for the revision they were counted at.
    pub selection_labels: Option<(u64, String)>,
    /// Floating windows that were open in the last frame: a new one gets the keyboard.
    pub dialogs_seen: Vec<Dialog>,
    /// Folders turned from how they are by default: opened or closed.
    pub turned_folders: BTreeSet<String>,
    /// What is typed into the legend's search.
    pub legend_search: String,
    /// What is typed as a path.
    pub path_text: String,
    /// What is typed as a model's name.
    pub model_text: String,
    /// The window of models: filters, ticks, what is wanted.
    pub models: super::panes::models::ModelsState,
    /// Reading options being edited.
    pub load_options: Option<crate::corpus::LoadOptions>,
    /// What is typed to search skipped files.
    pub skipped_search: String,
    /// Panes of Explore.
    pub explore: egui_tiles::Tree<Pane>,
    /// Panes of Compare, and for how many maps they were made.
    pub compare: (usize, egui_tiles::Tree<Pane>),
    /// Textures of small pictures.
    pub thumbnails: Thumbnails,
    /// Texture of the inspector's picture.
    pub picture: Option<(RowId, TextureHandle)>,
    /// The row the item list last scrolled to.
    pub items_seen: Option<RowId>,
    /// What models are to be used with, being edited.
    pub overrides: BTreeMap<ModelId, Overrides>,
    /// The way to fewer dimensions that is chosen, and of which model.
    pub reduction: Option<(ModelId, Reduction)>,
    /// Dimensions of a static model to be made.
    pub distill_dimensions: usize,
    /// Whether it gets words of the loaded texts.
    pub distill_words: bool,
    /// Captions being typed, one a line.
    pub caption_text: String,
    /// The model that is asked for them; `None` for the first that can be.
    pub caption_model: Option<ModelId>,
    /// The temperature asked for; `None` for the model's own.
    pub caption_temperature: Option<f32>,
}

impl WindowState {
    /// Forgets what belongs to a corpus: another has come.
    pub fn forget_corpus(&mut self) {
        self.thumbnails.clear();
        self.picture = None;
        self.map_views.clear();
        self.seen_focus.clear();
        self.query_text.clear();
        self.query_tab = None;
        self.query_cursor = None;
        self.items_seen = None;
        self.text_seen = None;
        self.turned_folders.clear();
        self.legend_search.clear();
        self.skipped = None;
        self.selection_labels = None;
    }
}

impl Default for WindowState {
    fn default() -> Self {
        Self {
            map_views: BTreeMap::new(),
            seen_fit: BTreeMap::new(),
            hover_next: None,
            hover_seen: false,
            query_text: String::new(),
            seen_query_focus: 0,
            query_tab: None,
            query_cursor: None,
            query_scroll: false,
            query_field: None,
            map_focused: false,
            seen_focus: BTreeMap::new(),
            text_seen: None,
            all_fields: false,
            skipped: None,
            selection_labels: None,
            dialogs_seen: Vec::new(),
            turned_folders: BTreeSet::new(),
            legend_search: String::new(),
            path_text: String::new(),
            model_text: String::new(),
            models: super::panes::models::ModelsState::default(),
            load_options: None,
            skipped_search: String::new(),
            explore: tiles::explore_tree(),
            compare: (0, tiles::compare_tree(0)),
            thumbnails: Thumbnails::default(),
            picture: None,
            items_seen: None,
            overrides: BTreeMap::new(),
            reduction: None,
            distill_dimensions: 256,
            distill_words: true,
            caption_text: String::new(),
            caption_model: None,
            caption_temperature: None,
        }
    }
}

/// Textures of the small pictures shown lately; the oldest go first.
#[derive(Default)]
pub struct Thumbnails {
    textures: BTreeMap<RowId, (TextureHandle, u64)>,
    clock: u64,
}

impl Thumbnails {
    /// How many are kept.
    const MOST: usize = 400;

    /// The texture of a row's small picture, made if need be.
    pub fn get(&mut self, ctx: &egui::Context, row: RowId, thumbnail: &Thumbnail) -> TextureHandle {
        self.clock += 1;
        let clock = self.clock;
        if let Some((texture, used)) = self.textures.get_mut(&row) {
            *used = clock;
            return texture.clone();
        }
        if self.textures.len() >= Self::MOST {
            let oldest = self.textures.iter().min_by_key(|(_, entry)| entry.1).map(|(&row, _)| row);
            oldest.and_then(|row| self.textures.remove(&row));
        }
        let size = [thumbnail.width as usize, thumbnail.height as usize];
        let image = ColorImage::from_rgb(size, &thumbnail.rgb);
        // Pictures of a few pixels are shown enlarged: square pixels are more honest than a blur.
        let options = if size[0].max(size[1]) < 48 { TextureOptions::NEAREST } else { TextureOptions::LINEAR };
        let texture = ctx.load_texture(format!("thumbnail {}", row.0), image, options);
        self.textures.insert(row, (texture.clone(), clock));
        texture
    }

    /// Forgets all: another corpus.
    pub fn clear(&mut self) {
        self.textures.clear();
    }
}
