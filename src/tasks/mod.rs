//! The use cases: an owned request and a `&Progress` in, a result out. Window and command line both call these; all loops over batches and
//! iterations are here.
//!
//! Nothing here knows threads of its own, widgets or clap. Invariant: a task that was cancelled returns
//! [`TaskError::Cancelled`] within a fraction of a second and leaves nothing half-written that a later run would trust.

mod agree;
mod answer;
mod captions;
mod choosing;
mod clusters;
mod convert;
mod distill;
mod download;
mod embed;
mod environment;
mod error;
mod explain;
mod export;
mod fairness;
mod format;
mod import;
mod kept_reduction;
mod lists;
mod load;
mod memory;
mod models;
mod more;
mod neighbours;
mod only;
mod opened;
mod place;
mod project;
mod reductions;
mod render;
mod saving;
mod sheet;
mod speed;
mod stored;
mod table;
mod trust;

pub use agree::{AgreeRequest, agree};
pub use answer::{Query, QueryRequest, answer};
pub use captions::{CaptionRequest, CaptionedPicture, caption};
pub use choosing::{measure_rate, models_here};
pub use clusters::{ClusterRequest, RowClusterRequest, clusters, folder_labels, row_clusters};
pub use convert::{ConvertRequest, convert_model};
pub use distill::{DistillRequest, Distilled, Weighting, distill};
pub use download::{DownloadRequest, Fetchable, download_model, fetchable};
pub use embed::{EmbedRequest, EmbedTimes, EmbedTrial, SeenPictures, TrialInputs, WARM_UP, embed, time_embedding};
pub use environment::Environment;
pub use error::TaskError;
pub use explain::{explain, explain_text};
pub use export::{StoredFile, export_map, export_projection, export_stored, export_table, export_vectors};
pub use fairness::{Compared, Expected, concerns, expected_of, set_facts};
pub use format::{hold_vectors, holds_vectors, is_csv, is_vectors_file};
pub use import::{Imported, VectorSet, import_rows, import_set, import_set_rows, import_vectors, vector_sets};
pub(crate) use kept_reduction::forget_reduction;
pub use kept_reduction::{keep_reduction, kept_reduction, named_reduction, reduction_path};
pub use lists::{
    ListRequest, Listed, Shortened, apply_reduction, export_neighbours, list_files, neighbour_lists, shorten,
    shorten_as,
};
pub use load::{LoadRequest, load, sample_paths};
pub use memory::{peak_memory_mb, reset_peak_memory, resident_memory_mb};
pub use models::{
    ModelPool, PooledModel, default_models, default_query_models, listed_models, model_card, model_cards, rows_read_by,
    unread_modalities,
};
pub use more::More;
pub(crate) use neighbours::shared_graph;
pub use neighbours::{nearest, neighbours};
pub use only::{Only, PathPatterns};
pub use opened::{Opened, OpenedSet, open_vectors};
pub use place::{PlaceNewRequest, PlaceRequest, Placed, numbered, place, place_new, place_query};
pub use project::{LiveFrame, LiveSlot, ProjectRequest, check_engine, project};
pub use reductions::{reduced_set, reductions};
pub use render::{CONTOURS, ColourBy, RenderRequest, Rendered, has_column, render, values_of};
pub use sheet::{SheetColumn, write_sheet};
pub use speed::{SPEED_SAMPLE, measure_speed};
pub use stored::{StoredAnswer, StoredGroup, StoredQuery, StoredVectors, agree_stored, answer_stored, read_stored};
pub use table::{RowInfo, corpus_table, set_table};
pub use trust::{map_trust, torn};
