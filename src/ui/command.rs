//! What a pane can ask for. Painting sends commands and does nothing else; the window's logic carries them out.
//!
//! The table at the foot names the commands that stand in menus, with tooltip and shortcut.

use std::cell::RefCell;
use std::path::PathBuf;

use eframe::egui::{Key, KeyboardShortcut, Modifiers};

use super::map::PaintRequest;
use super::maps::MapChoice;
use super::settings::{PaletteChoice, Perspective, ThemeChoice};
use crate::corpus::LoadOptions;
use crate::jobs::JobId;
use crate::projection::{Method, PacmapParams, Reduction, TsneParams, UmapParams};
use crate::vectors::{Metric, RowId};
use crate::workspace::{ClusterParams, Column, ModelId, Overrides, Remedy};

/// How a new selection meets the old one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SelectMode {
    /// It takes its place.
    Replace,
    /// It is added.
    Add,
    /// It is taken away.
    Subtract,
}

/// What dragging on a map does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MapTool {
    /// Moves the map.
    #[default]
    Pan,
    /// Draws a line around points.
    Lasso,
    /// Draws a box around points.
    Box,
}

/// Floating windows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Dialog {
    /// Files that were left out, and why.
    Skipped,
    /// Running jobs and what happened.
    Activity,
    /// How folders are read and cut.
    LoadOptions,
    /// Type a path instead of choosing one.
    TypePath,
    /// Models: cards, and adding one.
    Models,
    /// What trust of a map means.
    Trust,
    /// What fewer dimensions cost.
    Reductions,
    /// All shortcuts.
    Shortcuts,
    /// What this program is.
    About,
}

/// A static model to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DistillWish {
    /// The text model that it is made from.
    pub model: ModelId,
    /// Dimensions of its vectors.
    pub dimensions: usize,
    /// Whether frequent words of the loaded texts get vectors of their own.
    pub own_words: bool,
}

/// Captions to be held against a picture.
#[derive(Clone, Debug, PartialEq)]
pub struct CaptionQuestion {
    /// The picture.
    pub row: RowId,
    /// The model of words and pictures.
    pub model: ModelId,
    /// The captions.
    pub captions: Vec<String>,
    /// What cosines are divided by; `None` for the model's own.
    pub temperature: Option<f32>,
}

/// Everything a pane can ask for.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Ask for a folder with the system's dialog.
    ChooseFolder,
    /// Ask for a folder to load beside what is loaded.
    ChooseFolderToAdd,
    /// Ask for files with the system's dialog.
    ChooseFiles,
    /// Load these, in place of what is loaded.
    Open(Vec<PathBuf>),
    /// Load these beside what is loaded.
    Add(Vec<PathBuf>),
    /// Load the bundled sample.
    OpenSample,
    /// Use a model otherwise than its own files say, from now on.
    UseModel(ModelId, Overrides),
    /// Mend what makes a model's comparison unfair.
    Mend(ModelId, Remedy),
    /// Read the same folders again.
    Reload,
    /// Read folders with other options from now on, and again now.
    SetLoadOptions(LoadOptions),
    /// Stop a job.
    CancelJob(JobId),
    /// Hold a job, or let it go on.
    PauseJob(JobId, bool),
    /// Embed the corpus with a model.
    Embed(ModelId),
    /// Fetch a model from the hub, then embed the corpus with it.
    DownloadModel(ModelId),
    /// Do not fetch the model that was offered.
    DeclineDownload,
    /// Show a model's map in Explore.
    ShowMap(ModelId),
    /// Lay a model's vectors out.
    Project(ModelId, Method),
    /// Show the positions that came with a file of vectors.
    ShowGiven(ModelId),
    /// Lay them out again from the start, with the parameters of now.
    ProjectAgain(ModelId),
    /// Place the items that were added on the map of before, which stays as it is.
    PlaceNew(ModelId),
    /// Lay out the selected rows alone.
    ProjectSelection(ModelId, Method),
    /// Go back from a map of some rows to that of all.
    ShowWhole(ModelId),
    /// Set the shown map aside, to hold others against it.
    KeepMap(ModelId),
    /// Forget a map that was set aside.
    DropKept(ModelId, u32),
    /// Show a moment of the shown map's history; `None` is its end.
    Scrub(ModelId, Option<usize>),
    /// Turn a map of three dimensions by so many radians about the vertical and the horizontal axis.
    Turn(ModelId, [f32; 2]),
    /// Measure what fewer dimensions of a model's vectors cost.
    MeasureReductions(ModelId),
    /// Make a set of its own of a model's vectors, of fewer dimensions.
    Shorten(ModelId, Reduction),
    /// Look for clusters now.
    FindClusters(ModelId),
    /// Look for clusters among the selected rows alone.
    ClusterSelection(ModelId),
    /// End a running layout and keep what is there.
    KeepLayout(ModelId),
    /// Other parameters for the next t-SNE, and for a running one as far as it can take them.
    SetTsne(TsneParams),
    /// Other parameters for the next UMAP, and for a running one as far as it can take them.
    SetUmap(UmapParams),
    /// Other parameters for the next `PaCMAP`, and for a running one as far as it can take them.
    SetPacmap(PacmapParams),
    /// Two or three dimensions for the next UMAP, `PaCMAP` or PCA.
    SetDimensions(usize),
    /// Whether UMAP keeps folders together.
    SetByFolder(bool),
    /// What counts as near for the next map; `None` chooses by the vectors.
    SetMetric(Option<Metric>),
    /// How clusters are looked for.
    SetClusters(ClusterParams),
    /// Show or hide the names of clusters on the map.
    ShowClusterNames(bool),
    /// Colour points by a column.
    ColourBy(Column),
    /// Other colours.
    SetPalette(PaletteChoice),
    /// Radius of a point, in points.
    SetPointSize(f32),
    /// Opacity of a point, 0 to 1.
    SetOpacity(f32),
    /// Hide or show a category of the legend.
    ToggleCategory(String),
    /// Show only one category, or all when it is the only one.
    IsolateCategory(String),
    /// Show all categories.
    ShowAllCategories,
    /// The pointer is over a row, or over none.
    Hover(Option<RowId>),
    /// Look at a row in the inspector and mark it on the maps.
    Focus(RowId),
    /// Select rows.
    Select(Vec<RowId>, SelectMode),
    /// Select what lies in a folder or a single file, by the path that items show.
    SelectFolder(String),
    /// Select every row.
    SelectAll,
    /// Select what is not selected.
    InvertSelection,
    /// Make a static model, and embed with it.
    Distill(DistillWish),
    /// Score captions of a picture.
    Caption(CaptionQuestion),
    /// Look at no row; the selection stays.
    Unfocus,
    /// Select nothing and look at nothing.
    ClearSelection,
    /// Answer a typed query.
    Query(String),
    /// Answer with pictures like this file.
    QueryImage(PathBuf),
    /// Ask for a picture with the system's dialog.
    ChooseQueryImage,
    /// Forget the query.
    ClearQuery,
    /// Put the cursor into the query field.
    FocusQuery,
    /// Ask questions of the selected rows alone, or of all.
    AskSelection(bool),
    /// Hits a group.
    SetTop(usize),
    /// Sort the item list by a column, or by path; again turns it round.
    SortItems(Option<Column>),
    /// Another perspective.
    SetPerspective(Perspective),
    /// Dark, light, or as the system.
    SetTheme(ThemeChoice),
    /// Open or close a floating window.
    Toggle(Dialog),
    /// Take a message away.
    Dismiss(u64),
    /// What dragging on a map does.
    SetTool(MapTool),
    /// Show the whole map.
    FitMaps,
    /// Show how dense the points are, or not.
    ToggleDensity,
    /// Put a model into a place of Compare.
    CompareModel(usize, ModelId),
    /// Show one of its model's maps in a place of Compare.
    CompareMap(usize, MapChoice),
    /// One more map in Compare.
    CompareMore,
    /// Take a map out of Compare.
    CompareLess(usize),
    /// Compare two models again whose comparison failed or was cancelled.
    MeasureAgain(ModelId, ModelId),
    /// Paint points into a picture, where no graphics processor does.
    PaintPoints(PaintRequest),
    /// Save the shown map as a picture.
    ExportMap,
    /// Save the shown model's vectors.
    ExportVectors,
    /// Save where the points of the shown map are, with what is known of them.
    ExportPositions,
    /// Show the item's file in the system's file manager.
    RevealFile(RowId),
    /// Put text on the clipboard.
    Copy(String),
    /// End the program.
    Quit,
}

/// Collects the commands of one frame.
#[derive(Debug, Default)]
pub struct CommandSender {
    queue: RefCell<Vec<Command>>,
}

impl CommandSender {
    /// Asks for `command`, to be carried out before the next frame.
    pub fn send(&self, command: Command) {
        self.queue.borrow_mut().push(command);
    }

    /// Whether something was asked for.
    pub fn is_waiting(&self) -> bool {
        !self.queue.borrow().is_empty()
    }

    /// Takes what was asked for.
    pub fn take(&self) -> Vec<Command> {
        self.queue.take()
    }
}

/// A command as menus and the list of shortcuts show it.
pub struct Entry {
    /// The command.
    pub command: Command,
    /// Its name in menus.
    pub label: &'static str,
    /// One sentence.
    pub tooltip: &'static str,
    /// Its shortcut.
    pub shortcut: Option<KeyboardShortcut>,
}

const fn key(modifiers: Modifiers, key: Key) -> KeyboardShortcut {
    KeyboardShortcut::new(modifiers, key)
}

/// The commands with a fixed meaning.
pub fn table() -> Vec<Entry> {
    let entry = |command, label, tooltip, shortcut| Entry { command, label, tooltip, shortcut };
    let plain = Modifiers::NONE;
    let ctrl = Modifiers::COMMAND;
    let both = Modifiers::COMMAND.plus(Modifiers::SHIFT);
    vec![
        entry(
            Command::ChooseFolder,
            "Open folder…",
            "Load a folder in place of what is loaded",
            Some(key(ctrl, Key::O)),
        ),
        entry(Command::ChooseFiles, "Open files…", "Load single files", Some(key(both, Key::O))),
        entry(
            Command::Toggle(Dialog::TypePath),
            "Open path…",
            "Type the path of a folder or file",
            Some(key(ctrl, Key::L)),
        ),
        entry(Command::OpenSample, "Open the sample", "Load the bundled texts, code and pictures", None),
        entry(Command::Reload, "Reload", "Read the same folders again", Some(key(ctrl, Key::R))),
        entry(Command::Toggle(Dialog::LoadOptions), "Reading options…", "Hidden files, limits, chunk size", None),
        entry(Command::ExportMap, "Save map as picture…", "PNG or SVG with title and legend", Some(key(ctrl, Key::E))),
        entry(
            Command::ExportVectors,
            "Save vectors…",
            "npy, npz, tsv or Parquet with metadata",
            Some(key(both, Key::E)),
        ),
        entry(
            Command::ExportPositions,
            "Save map as table…",
            "Positions and what is known of each point: csv, Parquet or npy",
            None,
        ),
        entry(Command::Quit, "Quit", "End the program", Some(key(ctrl, Key::Q))),
        entry(Command::SelectAll, "Select all", "Select every item", Some(key(ctrl, Key::A))),
        entry(Command::InvertSelection, "Invert selection", "Select what is not selected", Some(key(both, Key::I))),
        entry(Command::ClearSelection, "Clear selection", "Select nothing", Some(key(ctrl, Key::D))),
        entry(Command::FocusQuery, "Find…", "Go to the query field", Some(key(ctrl, Key::F))),
        entry(Command::SetTool(MapTool::Pan), "Pan tool", "Dragging moves the map", Some(key(plain, Key::V))),
        entry(
            Command::SetTool(MapTool::Lasso),
            "Lasso tool",
            "Dragging draws a line around points",
            Some(key(plain, Key::L)),
        ),
        entry(
            Command::SetTool(MapTool::Box),
            "Box tool",
            "Dragging draws a box around points",
            Some(key(plain, Key::B)),
        ),
        entry(Command::FitMaps, "Fit the map", "Show all points", Some(key(plain, Key::R))),
        entry(Command::ToggleDensity, "Density", "Show how dense the points are", Some(key(plain, Key::D))),
        entry(
            Command::SetPerspective(Perspective::Explore),
            "Explore",
            "One map, items, query and inspector",
            Some(key(ctrl, Key::Num1)),
        ),
        entry(
            Command::SetPerspective(Perspective::Compare),
            "Compare",
            "Models side by side",
            Some(key(ctrl, Key::Num2)),
        ),
        entry(Command::Toggle(Dialog::Models), "Model cards…", "What is known of each model", Some(key(ctrl, Key::M))),
        entry(Command::Toggle(Dialog::Activity), "Activity…", "Running work and messages", Some(key(ctrl, Key::J))),
        entry(Command::Toggle(Dialog::Skipped), "Skipped files…", "What was left out, and why", None),
        entry(Command::Toggle(Dialog::Trust), "How far to trust a map…", "What the two figures mean", None),
        entry(
            Command::Toggle(Dialog::Reductions),
            "What fewer dimensions cost…",
            "Neighbours kept by PCA, the first dimensions and random directions",
            None,
        ),
        entry(Command::Toggle(Dialog::Shortcuts), "Shortcuts…", "All keys", Some(key(plain, Key::F1))),
        entry(Command::Toggle(Dialog::About), "About Embedlens…", "Version, licences", None),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_commands_share_a_shortcut() {
        let table = table();
        for (place, entry) in table.iter().enumerate() {
            for other in &table[place + 1..] {
                assert!(
                    entry.shortcut.is_none() || entry.shortcut != other.shortcut,
                    "{} {}",
                    entry.label,
                    other.label
                );
            }
        }
    }
}
