//! Code, cut by function and class with tree-sitter where there is a grammar, else by blocks of lines.
//!
//! A definition becomes a piece of its own, with the comments, attributes and decorators above it; a class, impl or
//! module that is too long is cut into its members; what lies between (imports, constants) is kept together. Syntax
//! errors only make the cut coarser. No overlap. Invariant: only the places where pieces begin are decided here, each
//! ends where the next begins, so no line is ever lost.

use std::ops::Range;

use tree_sitter::{Node, Parser};

use super::lines;
use super::tokens::DocumentTokens;
use super::{Piece, Sizes, trimmed_lines};

mod grammar;

use self::grammar::{Definition, Grammar};

/// Bytes of code above which no tree is built: such files are generated or bundled, and damaged ones parse slowly.
const LARGEST_TREE: usize = 2_000_000;
/// How deep classes and modules within each other are opened.
const DEEPEST: usize = 6;

/// Where a piece begins.
#[derive(Debug)]
struct Mark {
    at: usize,
    name: Option<String>,
    /// A definition; what follows it is not part of it.
    closed: bool,
}

/// Cuts code of a language; an unknown one is cut by lines.
pub(super) fn cut(tokens: &DocumentTokens<'_>, sizes: Sizes, language: &str) -> Vec<Piece> {
    let text = tokens.text();
    let marks = Grammar::of(language).and_then(|grammar| marks(tokens, sizes, &grammar));
    let Some(marks) = marks else {
        return named(lines::cut(tokens, 0..text.len(), sizes.limit), None);
    };
    let ends = marks.iter().skip(1).map(|mark| mark.at).chain([text.len()]);
    let mut pieces = Vec::new();
    for (mark, end) in marks.iter().zip(ends) {
        let Some(range) = trimmed_lines(text, mark.at..end) else { continue };
        // Loose code has no reason to be longer than asked; a definition is better whole.
        let most = if mark.closed { whole(sizes) } else { sizes.limit };
        if tokens.weight(range.start, range.end) <= most {
            pieces.push(Piece { range, name: mark.name.clone() });
        } else {
            pieces.extend(named(lines::cut(tokens, range, sizes.limit), mark.name.as_ref()));
        }
    }
    pieces
}

/// Tokens up to which a definition stays whole: a quarter over the limit, so that the default of 200 still fits the 256
/// tokens of the smallest common models.
fn whole(sizes: Sizes) -> usize {
    sizes.limit + sizes.limit / 4
}

fn named(ranges: Vec<Range<usize>>, name: Option<&String>) -> Vec<Piece> {
    ranges.into_iter().map(|range| Piece { range, name: name.cloned() }).collect()
}

/// The places where pieces begin, ascending from 0; `None` when no tree could be built.
fn marks(tokens: &DocumentTokens<'_>, sizes: Sizes, grammar: &Grammar) -> Option<Vec<Mark>> {
    let text = tokens.text();
    if text.len() > LARGEST_TREE {
        return None;
    }
    let mut parser = Parser::new();
    parser.set_language(&grammar.language()).ok()?;
    let tree = parser.parse(text, None)?;
    let mut cutter = Cutter { tokens, sizes, grammar, marks: vec![Mark { at: 0, name: None, closed: false }] };
    cutter.members(tree.root_node(), &Scope::default());
    Some(cutter.marks)
}

/// What surrounds the nodes being cut.
#[derive(Default)]
struct Scope {
    /// Prefix of the names, `Cache::`; empty at the top.
    prefix: String,
    /// Name of the surrounding piece.
    name: Option<String>,
    depth: usize,
}

struct Cutter<'a> {
    tokens: &'a DocumentTokens<'a>,
    sizes: Sizes,
    grammar: &'a Grammar,
    marks: Vec<Mark>,
}

/// Comments and attributes that may belong to the next definition.
struct Leading {
    start: usize,
    last_row: usize,
}

impl Cutter<'_> {
    /// Cuts the children of a file, class body, impl body or module body.
    fn members(&mut self, parent: Node<'_>, scope: &Scope) {
        let mut walk = parent.walk();
        let mut leading: Option<Leading> = None;
        let mut row_before = None;
        for node in parent.children(&mut walk) {
            let row = node.start_position().row;
            if !node.is_named() || node.byte_range().is_empty() {
                continue;
            }
            let trailing = row_before == Some(row);
            let near = leading.take_if(|leading| row <= leading.last_row + 1);
            if let Some(far) = leading.take() {
                self.loose(far.start, scope);
            }
            row_before = Some(last_row(node));
            if self.grammar.is_leading(node, self.tokens.text()) {
                if !trailing || near.is_some() {
                    let start = near.map_or(node.start_byte(), |near| near.start);
                    leading = Some(Leading { start, last_row: last_row(node) });
                }
            } else if let Some(definition) = self.grammar.definition(node, self.tokens.text()) {
                self.definition(near.map_or(node.start_byte(), |near| near.start), node, &definition, scope);
            } else if !trailing {
                self.loose(near.map_or(node.start_byte(), |near| near.start), scope);
            }
        }
        if let Some(rest) = leading {
            self.loose(rest.start, scope);
        }
    }

    /// Begins a definition, or its members when it is too long.
    fn definition(&mut self, start: usize, node: Node<'_>, definition: &Definition<'_>, scope: &Scope) {
        let name = format!("{}{}{}", definition.word, scope.prefix, definition.name);
        let body = definition.body.filter(|_| scope.depth < DEEPEST);
        let short = self.tokens.weight(start, node.end_byte()) <= whole(self.sizes);
        match body {
            Some(body) if !short => {
                self.mark(start, Some(name.clone()), false);
                let prefix = format!("{}{}{}", scope.prefix, definition.scope, self.grammar.joint());
                self.members(body, &Scope { prefix, name: Some(name), depth: scope.depth + 1 });
                // What comes after the last member is outside again.
                if let Some(last) = self.marks.last_mut() {
                    last.closed = true;
                }
            }
            _ => self.mark(start, Some(name), true),
        }
    }

    /// Begins loose code, unless loose code has begun already.
    fn loose(&mut self, start: usize, scope: &Scope) {
        if self.marks.last().is_some_and(|last| last.closed) {
            self.mark(start, scope.name.clone(), false);
        }
    }

    fn mark(&mut self, at: usize, name: Option<String>, closed: bool) {
        let text = self.tokens.text();
        // From the line's beginning, when only indentation stands before it. (Looking for the line end itself would
        // search a bundled file's one line again for each of its functions.)
        let before = text[..at].trim_end_matches([' ', '\t']);
        let at = if before.is_empty() || before.ends_with('\n') { before.len() } else { at };
        match self.marks.last_mut() {
            Some(last) if last.at >= at => *last = Mark { at: last.at, name, closed },
            _ => self.marks.push(Mark { at, name, closed }),
        }
    }
}

/// The row a node's last character stands in. Some comments own the line end behind them.
fn last_row(node: Node<'_>) -> usize {
    let end = node.end_position();
    if end.column == 0 { end.row.saturating_sub(1).max(node.start_position().row) } else { end.row }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::corpus::testing::WordCount;

    fn pieces<'a>(text: &'a str, language: &str, limit: usize) -> Vec<(String, &'a str)> {
        let tokens = DocumentTokens::new(text, &WordCount);
        let pieces = cut(&tokens, Sizes { limit, overlap: 0 }, language);
        pieces.into_iter().map(|piece| (piece.name.unwrap_or_default(), &text[piece.range])).collect()
    }

    fn names(text: &str, language: &str, limit: usize) -> Vec<String> {
        pieces(text, language, limit).into_iter().map(|(name, _)| name).collect()
    }

    const RUST: &str = "//! About.\n\nuse a::b;\nconst N: u8 = 1; // one\n\n/// Parses.\n#[inline]\nfn parse_date() -> u8 { 1 }\n\n\
        struct Cache<T> { t: T }\n\nimpl<T> Cache<T> {\n    const K: u8 = 2;\n\n    /// Gets.\n    fn get(&self) -> u8 {\n        3\n    }\n\n    \
        fn put(&mut self) {}\n}\n\nimpl Clone for Cache<u8> { fn clone(&self) -> Self { todo!() } }\n\nstatic END: u8 = 1;\n";

    #[test]
    fn rust_functions_and_methods() {
        let found = pieces(RUST, "rust", 200);
        let names: Vec<_> = found.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["", "parse_date", "struct Cache", "impl Cache", "impl Clone for Cache", ""]);
        assert!(found[1].1.starts_with("/// Parses.\n#[inline]\nfn parse_date"));
        assert!(found[0].1.ends_with("// one"));
        let long = pieces(RUST, "rust", 12);
        let names: Vec<_> = long.iter().map(|(name, _)| name.as_str()).collect();
        assert!(names.contains(&"Cache::get") && names.contains(&"Cache::put"), "{names:?}");
        let get = long.iter().find(|(name, _)| name == "Cache::get").unwrap();
        assert_eq!(get.1, "    /// Gets.\n    fn get(&self) -> u8 {\n        3\n    }");
    }

    #[test]
    fn python_functions_classes_and_decorators() {
        let text = "import os\nN = 1\n\n# Adds.\n@cache\ndef add(a, b):\n    return a + b\n\nclass Foo(Base):\n    \"\"\"Doc.\"\"\"\n    \
            size = 3\n\n    @property\n    def bar(self):\n        return 1\n\n    async def baz(self):\n        return 2\n\nadd(1, 2)\n";
        assert_eq!(names(text, "python", 200), ["", "add", "class Foo", ""]);
        let long = pieces(text, "python", 9);
        let names: Vec<_> = long.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["", "add", "class Foo", "Foo.bar", "Foo.baz", ""]);
        assert!(long[1].1.starts_with("# Adds.\n@cache\ndef add"));
        assert!(long[2].1.contains("Doc.") && long[2].1.contains("size = 3"));
        assert!(long[3].1.starts_with("    @property\n"));
    }

    #[test]
    fn javascript_functions_classes_and_exports() {
        let text = "import x from 'x';\n\n/** Adds. */\nexport function add(a, b) {\n  return a + b;\n}\n\nconst twice = (a) => a * 2;\n\
            export default class Foo extends Bar {\n  size = 3;\n  bar() {\n    return 1;\n  }\n  static baz() { return 2; }\n}\n\
            module.exports.go = function () { return 1; };\nadd(1, 2);\n";
        assert_eq!(names(text, "javascript", 200), ["", "add", "twice", "class Foo", "module.exports.go", ""]);
        let names = names(text, "javascript", 9);
        assert!(names.contains(&"Foo.bar".to_owned()) && names.contains(&"Foo.baz".to_owned()), "{names:?}");
    }

    #[test]
    fn broken_code_is_still_cut() {
        let found = pieces("fn good() {}\n\nfn bad( {{{\n\nfn also_good() {}\n", "rust", 200);
        assert!(found.iter().any(|(name, _)| name == "good"), "{found:?}");
        assert_eq!(names("}}}} ((( ", "python", 5), [""]);
    }

    #[test]
    fn functions_on_one_line_are_told_apart() {
        assert_eq!(names("function a(){};function b(){}", "javascript", 200), ["a", "b"]);
    }

    #[test]
    fn long_functions_are_cut_by_lines_and_keep_their_name() {
        let body: String = (0..100).map(|i| format!("    let v{i} = {i};\n")).collect();
        let text = format!("fn long() {{\n{body}}}\n");
        let found = pieces(&text, "rust", 40);
        assert!(found.len() > 5 && found.iter().all(|(name, _)| name == "long"));
    }

    #[test]
    fn other_languages_are_cut_by_blocks() {
        assert_eq!(pieces("func a() {\n}\n\nfunc b() {\n}\n", "go", 4).len(), 2);
    }
}
