//! What counts as a definition in each language that has a grammar here.
//!
//! Reads node kinds of the tree-sitter grammars; decides no cut. An unknown node is no definition.

use tree_sitter::{Language, Node};

/// A language with a grammar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Grammar {
    /// Rust.
    Rust,
    /// Python.
    Python,
    /// JavaScript and JSX.
    JavaScript,
}

/// A function, class, impl, … found in the tree.
pub(super) struct Definition<'t> {
    /// Word before its name when it holds members: "impl ", "class "; empty for functions.
    pub word: &'static str,
    /// Its name: `parse_date`, `Display for Cache`.
    pub name: String,
    /// What stands before its members' names: "Cache".
    pub scope: String,
    /// The node whose children are its members.
    pub body: Option<Node<'t>>,
}

impl Grammar {
    /// The grammar of a language by the name in [`crate::corpus::Item::language`].
    pub(super) fn of(language: &str) -> Option<Self> {
        match language {
            "rust" => Some(Self::Rust),
            "python" => Some(Self::Python),
            "javascript" => Some(Self::JavaScript),
            _ => None,
        }
    }

    /// The parser's tables.
    pub(super) fn language(self) -> Language {
        match self {
            Self::Rust => tree_sitter_rust::LANGUAGE.into(),
            Self::Python => tree_sitter_python::LANGUAGE.into(),
            Self::JavaScript => tree_sitter_javascript::LANGUAGE.into(),
        }
    }

    /// What joins a class and its method in a name.
    pub(super) fn joint(self) -> &'static str {
        if self == Self::Rust { "::" } else { "." }
    }

    /// Whether a node belongs to the definition after it: a comment, attribute or decorator.
    pub(super) fn is_leading(self, node: Node<'_>, text: &str) -> bool {
        match node.kind() {
            "attribute_item" | "decorator" | "comment" => true,
            // `//!` and `/*!` speak of what surrounds them.
            "line_comment" | "block_comment" => {
                let words = &text[node.byte_range()];
                !(words.starts_with("//!") || words.starts_with("/*!"))
            }
            _ => false,
        }
    }

    /// The definition a node is, if it is one.
    pub(super) fn definition<'t>(self, node: Node<'t>, text: &str) -> Option<Definition<'t>> {
        match self {
            Self::Rust => rust(node, text),
            Self::Python => python(node, text),
            Self::JavaScript => javascript(node, text),
        }
    }
}

/// A definition named by a field of its node.
fn plain<'t>(node: Node<'t>, text: &str, word: &'static str, body: Option<&str>) -> Option<Definition<'t>> {
    let name = words_of(node.child_by_field_name("name")?, text);
    let body = body.and_then(|field| node.child_by_field_name(field));
    Some(Definition { word, scope: name.clone(), name, body })
}

fn rust<'t>(node: Node<'t>, text: &str) -> Option<Definition<'t>> {
    match node.kind() {
        "function_item" | "function_signature_item" => plain(node, text, "", None),
        "struct_item" => plain(node, text, "struct ", None),
        "enum_item" => plain(node, text, "enum ", None),
        "union_item" => plain(node, text, "union ", None),
        "macro_definition" => plain(node, text, "macro ", None),
        "trait_item" => plain(node, text, "trait ", Some("body")),
        // `mod name;` is as loose as an import.
        "mod_item" => plain(node, text, "mod ", Some("body")).filter(|module| module.body.is_some()),
        "impl_item" => {
            let of = bare_type(node.child_by_field_name("type")?, text);
            let name = match node.child_by_field_name("trait") {
                Some(what) => format!("{} for {of}", bare_type(what, text)),
                None => of.clone(),
            };
            Some(Definition { word: "impl ", name, scope: of, body: node.child_by_field_name("body") })
        }
        _ => None,
    }
}

fn python<'t>(node: Node<'t>, text: &str) -> Option<Definition<'t>> {
    match node.kind() {
        "function_definition" => plain(node, text, "", None),
        "class_definition" => plain(node, text, "class ", Some("body")),
        "decorated_definition" => python(node.child_by_field_name("definition")?, text),
        _ => None,
    }
}

fn javascript<'t>(node: Node<'t>, text: &str) -> Option<Definition<'t>> {
    match node.kind() {
        "function_declaration" | "generator_function_declaration" | "method_definition" => plain(node, text, "", None),
        "class_declaration" => plain(node, text, "class ", Some("body")),
        "field_definition" => {
            let name = words_of(node.child_by_field_name("property")?, text);
            is_function(node.child_by_field_name("value")?).then(|| function(name))
        }
        "lexical_declaration" | "variable_declaration" => {
            let mut walk = node.walk();
            let first = node.named_children(&mut walk).find(|child| child.kind() == "variable_declarator")?;
            assigned(first.child_by_field_name("value")?, words_of(first.child_by_field_name("name")?, text))
        }
        "expression_statement" => {
            let inner = node.named_child(0).filter(|inner| inner.kind() == "assignment_expression")?;
            assigned(inner.child_by_field_name("right")?, words_of(inner.child_by_field_name("left")?, text))
        }
        "export_statement" => {
            let declared = node.child_by_field_name("declaration");
            declared.and_then(|inner| javascript(inner, text)).or_else(|| {
                let value = node.child_by_field_name("value")?;
                let name = value.child_by_field_name("name").map(|name| words_of(name, text));
                assigned(value, name.unwrap_or_else(|| "default".to_owned()))
            })
        }
        _ => None,
    }
}

/// A function or class given to a name.
fn assigned(value: Node<'_>, name: String) -> Option<Definition<'_>> {
    if value.kind() == "class" {
        let body = value.child_by_field_name("body");
        return Some(Definition { word: "class ", scope: name.clone(), name, body });
    }
    is_function(value).then(|| function(name))
}

fn function(name: String) -> Definition<'static> {
    Definition { word: "", scope: name.clone(), name, body: None }
}

fn is_function(value: Node<'_>) -> bool {
    matches!(value.kind(), "arrow_function" | "function_expression" | "generator_function")
}

/// A type without its parameters: "Cache" of `Cache<T>`.
fn bare_type(node: Node<'_>, text: &str) -> String {
    let inner = if node.kind() == "generic_type" { node.child_by_field_name("type").unwrap_or(node) } else { node };
    words_of(inner, text)
}

/// A node's text on one line, not too long to be a name.
fn words_of(node: Node<'_>, text: &str) -> String {
    let words = text.get(node.byte_range()).unwrap_or_default();
    words.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(80).collect()
}
