//! How a failure is told to the user, the same in a toast, the jobs pane, the command line and JSON.

/// A failure in words.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct ErrorReport {
    /// One line: what was attempted and what went wrong.
    pub summary: String,
    /// The causes, one a line, outermost first; empty when the summary says it all.
    pub details: Vec<String>,
    /// What to do about it; empty when there is nothing to advise.
    pub hint: String,
}
