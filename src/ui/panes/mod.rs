//! The parts of the window. Each reads the context, paints, and sends commands.

pub mod captions;
pub mod compare;
pub mod dialogs;
pub mod fields;
pub mod inspector;
pub mod items;
pub mod left;
pub mod map_pane;
pub mod models;
pub mod query;
pub mod status_bar;
pub mod toasts;
pub mod top_bar;
