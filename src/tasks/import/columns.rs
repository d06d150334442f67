//! What the columns of other programs' tables mean: which one is the text of a row, which its label, which its name.
//!
//! Knows names only, no formats. Invariant: our own column names stand first, so that what we write is read back as it was.

use std::borrow::Cow;

use crate::tasks::RowInfo;
use crate::tasks::more::Cell;

/// Names of the columns of a ready map, the likeliest first.
pub(super) const MAP_NAMES: [[&str; 2]; 5] =
    [["projection_x", "projection_y"], ["x", "y"], ["umap_x", "umap_y"], ["tsne_x", "tsne_y"], ["pca_x", "pca_y"]];

/// What a column says of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::tasks) enum Role {
    Path,
    Start,
    End,
    Modality,
    Label,
    Text,
    Kind,
    Language,
    Encoding,
    Size,
    Modified,
    Tokens,
    Truncated,
    Model,
}

impl Role {
    /// All of them.
    pub(super) const ALL: [Self; 14] = {
        let (mut all, mut at) = ([Self::Path; 14], 0);
        while at < all.len() {
            all[at] = NAMES[at].0;
            at += 1;
        }
        all
    };
}

/// Names of columns by role, in lower case, the likeliest first.
const NAMES: [(Role, &[&str]); 14] = [
    (
        Role::Path,
        &[
            "path",
            "file_path",
            "filepath",
            "file",
            "file_name",
            "filename",
            "image_path",
            "url",
            "uri",
            "link",
            "id",
            "_id",
            "uid",
            "uuid",
            "doc_id",
            "document_id",
            "chunk_id",
            "identifier",
            "key",
            "title",
            "name",
        ],
    ),
    (Role::Start, &["start"]),
    (Role::End, &["end"]),
    (Role::Modality, &["modality"]),
    (
        Role::Label,
        &[
            "label",
            "label_name",
            "label_text",
            "class_name",
            "category",
            "class",
            "cluster",
            "topic",
            "labels",
            "categories",
            "group",
            "genre",
            "target",
            "intent",
            "sentiment",
            "species",
            "subject",
            "tag",
            "source",
            "targets",
            "y",
        ],
    ),
    (
        Role::Text,
        &[
            "text",
            "content",
            "contents",
            "body",
            "document",
            "passage",
            "chunk",
            "chunk_text",
            "sentence",
            "page_content",
            "abstract",
            "description",
            "caption",
            "summary",
            "question",
            "prompt",
            "instruction",
            "review",
            "comment",
            "message",
            "headline",
            "title",
            "word",
            "token",
            "name",
        ],
    ),
    (Role::Kind, &["type"]),
    (Role::Language, &["language"]),
    (Role::Encoding, &["encoding"]),
    (Role::Size, &["size"]),
    (Role::Modified, &["modified"]),
    (Role::Tokens, &["tokens", "n_tokens", "num_tokens"]),
    (Role::Truncated, &["truncated"]),
    (Role::Model, &["model", "model_id", "embedding_model"]),
];

/// All of them.
pub(in crate::tasks) fn all() -> impl Iterator<Item = Role> {
    NAMES.iter().map(|(role, _)| *role)
}

/// Which columns mean what: a role at most once, by the likeliest name there is; capitals do not matter.
pub(super) fn roles<'a>(columns: impl IntoIterator<Item = &'a str>) -> Vec<(Role, usize)> {
    let columns: Vec<String> = columns.into_iter().map(|name| name.trim().to_lowercase()).collect();
    let find = |(role, names): &(Role, &[&str])| {
        let place = names.iter().find_map(|name| columns.iter().position(|column| column == name))?;
        Some((*role, place))
    };
    NAMES.iter().filter_map(find).collect()
}

/// The name of our own column of a role.
pub(in crate::tasks) fn ours(role: Role) -> &'static str {
    // Ours stands first in each list.
    NAMES.iter().find(|(of, _)| *of == role).and_then(|(_, names)| names.first()).copied().unwrap_or_default()
}

/// What a row says in the column of a role.
pub(in crate::tasks) fn get(row: &RowInfo, role: Role) -> Cell<'_> {
    let words = |words| Cell::Words(Cow::Borrowed(words));
    match role {
        Role::Path => words(&row.path),
        Role::Start => Cell::Number(row.start as i64),
        Role::End => Cell::Number(row.end as i64),
        Role::Modality => words(&row.modality),
        Role::Label => words(&row.label),
        Role::Text => words(&row.text),
        Role::Kind => words(&row.kind),
        Role::Language => words(&row.language),
        Role::Encoding => words(&row.encoding),
        Role::Size => Cell::Number(row.size as i64),
        Role::Modified => row.modified.map_or(Cell::Empty, |at| Cell::Number(at as i64)),
        Role::Tokens => Cell::Number(row.tokens.into()),
        Role::Truncated => Cell::Number(row.truncated.into()),
        Role::Model => words(&row.model),
    }
}

/// Writes what a column says into a row; what does not fit is left out.
pub(in crate::tasks) fn set(row: &mut RowInfo, role: Role, cell: &Cell<'_>) {
    let count = || cell.count().unwrap_or_default();
    match role {
        Role::Path => row.path = cell.words().into_owned(),
        Role::Start => row.start = count() as usize,
        Role::End => row.end = count() as usize,
        Role::Modality => {
            let words = cell.only_words();
            row.modality = if ["text", "code", "image"].contains(&words) { words.to_owned() } else { String::new() };
        }
        Role::Label => row.label = cell.words().into_owned(),
        Role::Text => row.text = cell.words().into_owned(),
        Role::Kind => row.kind = cell.only_words().to_owned(),
        Role::Language => row.language = cell.only_words().to_owned(),
        Role::Encoding => row.encoding = cell.only_words().to_owned(),
        Role::Size => row.size = count(),
        Role::Modified => row.modified = cell.count(),
        Role::Tokens => row.tokens = count() as u32,
        Role::Truncated => row.truncated = count() as u32,
        Role::Model => row.model = cell.only_words().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_likeliest_name_wins_and_capitals_do_not_matter() {
        let found = roles(["ID", "Title", "Content", "category", "other"]);
        assert_eq!(found, [(Role::Path, 0), (Role::Label, 3), (Role::Text, 2)]);
        // A lone title names a row and is its text.
        assert_eq!(roles(["title"]), [(Role::Path, 0), (Role::Text, 0)]);
        assert_eq!(roles(["text", "content"]), [(Role::Text, 0)]);
    }

    #[test]
    fn what_does_not_fit_a_row_is_left_out() {
        let mut row = RowInfo::default();
        for (role, cell) in [
            (Role::Kind, Cell::Number(3)),
            (Role::Size, Cell::Words("large".into())),
            (Role::Modified, Cell::Words("2020-01-01".into())),
            (Role::Start, Cell::Number(-4)),
            (Role::Modality, Cell::Words("audio".into())),
        ] {
            set(&mut row, role, &cell);
        }
        assert_eq!(row, RowInfo::default());
        set(&mut row, Role::Label, &Cell::Number(7));
        assert_eq!(row.label, "7");
    }
}
