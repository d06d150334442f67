//! Headings of a Markdown document: where each section begins and what it is called.
//!
//! Only `# …` headings and underlined ones outside code fences; a heading is a name for a piece here, so rare forms of
//! Markdown may be missed without harm.

use std::ops::Range;

/// Longest name in characters.
const LONGEST: usize = 80;

/// Finds the headings: first byte and title, in order.
pub(super) fn find(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut fence: Option<&str> = None;
    let mut before: Option<(usize, &str)> = None;
    let mut at = 0;
    for whole in text.split_inclusive('\n') {
        let start = at;
        at += whole.len();
        let line = whole.trim();
        if let Some(mark) = fence {
            if line.starts_with(mark) && line.trim_start_matches(&mark[..1]).is_empty() {
                fence = None;
            }
            continue;
        }
        if line.starts_with("```") || line.starts_with("~~~") {
            fence = line.get(..3);
            before = None;
        } else if let Some(title) = hashed(line) {
            push(&mut found, start, title);
            before = None;
        } else if let Some((above, title)) = before.filter(|_| is_underline(line)) {
            push(&mut found, above, title);
            before = None;
        } else {
            let can_be_title = !line.is_empty() && !line.starts_with(['-', '*', '+', '>', '|', '<']);
            before = can_be_title.then_some((start, line));
        }
    }
    found
}

/// The title of `## Title ##`.
fn hashed(line: &str) -> Option<&str> {
    let rest = line.trim_start_matches('#');
    let level = line.len() - rest.len();
    if !(1..=6).contains(&level) || !rest.starts_with([' ', '\t']) {
        return None;
    }
    let title = rest.trim();
    let bare = title.trim_end_matches('#');
    Some(if bare.ends_with(' ') { bare.trim_end() } else { title })
}

fn is_underline(line: &str) -> bool {
    line.len() >= 3 && (line.bytes().all(|byte| byte == b'=') || line.bytes().all(|byte| byte == b'-'))
}

fn push(found: &mut Vec<(usize, String)>, start: usize, title: &str) {
    if !title.is_empty() {
        found.push((start, title.chars().take(LONGEST).collect()));
    }
}

/// The heading whose section holds most of a piece; the earlier one of two that hold the same.
pub(super) fn over(headings: &[(usize, String)], range: &Range<usize>) -> Option<String> {
    let first = headings.partition_point(|(start, _)| *start <= range.start).saturating_sub(1);
    let mut best: Option<(usize, &String)> = None;
    for (index, (start, title)) in headings.iter().enumerate().skip(first) {
        if *start >= range.end {
            break;
        }
        let end = headings.get(index + 1).map_or(range.end, |(next, _)| (*next).min(range.end));
        let held = end.saturating_sub((*start).max(range.start));
        if best.is_none_or(|(most, _)| held > most) {
            best = Some((held, title));
        }
    }
    best.map(|(_, title)| title.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_are_found_and_code_is_not() {
        let text = "# One #\ntext\n```\n# no\n```\nTwo\n===\n\n#hash\n- item\n---\n### Three\n";
        let titles: Vec<_> = find(text).into_iter().map(|(_, title)| title).collect();
        assert_eq!(titles, ["One", "Two", "Three"]);
    }

    #[test]
    fn the_section_that_holds_most_names_the_piece() {
        let headings = vec![(10, "A".to_owned()), (50, "B".to_owned())];
        assert_eq!(over(&headings, &(0..9)), None);
        assert_eq!(over(&headings, &(20..40)).as_deref(), Some("A"));
        assert_eq!(over(&headings, &(40..100)).as_deref(), Some("B"));
        assert_eq!(over(&headings, &(0..200)).as_deref(), Some("B"));
    }
}
