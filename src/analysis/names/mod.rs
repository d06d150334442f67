//! Names for clusters: the few words, or likely classes, that set each apart from the others.
//!
//! Class-based TF-IDF (Grootendorst 2022, BERTopic): a term weighs its share of the cluster's terms times log(1 + A / f), with f how
//! often it occurs in all clusters and A how many terms a cluster has on average. A word counts once a text. Knows no models and asks
//! none. Invariant: same texts and labels, same names, at any number of threads; no two clusters have one name.

mod choose;
mod stop;
mod words;

use std::collections::HashMap;

use rayon::prelude::*;

use crate::progress::{Cancelled, Progress};
use choose::choose;
use words::each_word;

/// Texts counted by one task.
const TEXTS: usize = 1024;

/// How names are made.
#[derive(Clone, Debug, PartialEq)]
pub struct NameParams {
    /// Terms a name; default 3, usual 2 to 4; more where two clusters would have the same name.
    pub terms: usize,
    /// Whether keywords of programming languages are left out; default yes. Few of them are English words that matter.
    pub without_keywords: bool,
}

impl Default for NameParams {
    fn default() -> Self {
        Self { terms: 3, without_keywords: true }
    }
}

/// What a cluster is called.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ClusterName {
    /// The terms that set it apart, most telling first, in lower case; empty where it has none.
    pub terms: Vec<String>,
    /// Set where another cluster has the same terms: 2 for the second of them, and so on.
    pub number: Option<u32>,
}

impl std::fmt::Display for ClusterName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.terms.join(", "))?;
        match self.number {
            Some(number) if self.terms.is_empty() => write!(f, "{number}"),
            Some(number) => write!(f, " {number}"),
            None => Ok(()),
        }
    }
}

/// Names the clusters of texts or code by words.
///
/// `text` gives the text of a row, `labels` a row's cluster (−1 for none; such rows still say which words are common). Names come
/// by cluster, up to the greatest label. Words are split at camelCase and underscores; stop words and numbers are left out.
/// Counts texts in the stage "Naming clusters".
pub fn name_texts<'a>(
    text: impl Fn(usize) -> &'a str + Sync,
    labels: &[i32],
    params: &NameParams,
    progress: &Progress,
) -> Result<Vec<ClusterName>, Cancelled> {
    let count = |rows: &[u32]| {
        let (mut counts, mut buffer) = (HashMap::<String, (u32, u32)>::new(), String::new());
        for &row in rows {
            each_word(text(row as usize), &mut buffer, |word| {
                if let Some((count, last)) = counts.get_mut(word) {
                    *count += u32::from(*last != row);
                    *last = row;
                } else if !stop::is_stop_word(word, params.without_keywords) {
                    counts.insert(word.to_owned(), (1, row));
                }
            });
        }
        counts.into_iter().map(|(word, (count, _))| (word, f64::from(count))).collect()
    };
    let (names, counts) = count_all(labels, count, progress)?;
    Ok(choose(&names, &counts, params.terms))
}

/// Names the clusters of pictures by their likely classes.
///
/// `classes` gives the likely classes of a row as "tabby 0.61, lynx 0.12": a name and how likely it is, 0 to 1 (without a number,
/// 1 for the first, 1/2 for the second, and so on). `labels` and the result as for [`name_texts`].
pub fn name_classes<'a>(
    classes: impl Fn(usize) -> &'a str + Sync,
    labels: &[i32],
    params: &NameParams,
    progress: &Progress,
) -> Result<Vec<ClusterName>, Cancelled> {
    let count = |rows: &[u32]| {
        let mut sums = HashMap::<String, f64>::new();
        for &row in rows {
            for (at, class) in classes(row as usize).split(',').enumerate() {
                let (name, weight) = likely_class(class.trim(), at);
                if !name.is_empty() {
                    *sums.entry(name.to_lowercase()).or_default() += weight;
                }
            }
        }
        sums.into_iter().collect()
    };
    let (names, counts) = count_all(labels, count, progress)?;
    Ok(choose(&names, &counts, params.terms))
}

fn likely_class(class: &str, at: usize) -> (&str, f64) {
    let likely = |text: &str| text.parse::<f64>().ok().filter(|likely| (0.0..=1.0).contains(likely));
    match class.rsplit_once(char::is_whitespace) {
        Some((name, number)) if likely(number).is_some() => (name.trim_end(), likely(number).unwrap_or(0.0)),
        _ => (class, 1.0 / (at + 1) as f64),
    }
}

/// Every term once, and how much of which each cluster has; the rows of no cluster come last.
type Counts = (Vec<String>, Vec<Vec<(u32, f64)>>);

/// Counts blocks of rows of one cluster in parallel, and adds them in order.
fn count_all(
    labels: &[i32],
    count: impl Fn(&[u32]) -> Vec<(String, f64)> + Sync,
    progress: &Progress,
) -> Result<Counts, Cancelled> {
    progress.stage("Naming clusters", "items", labels.len() as u64);
    let clusters = labels.iter().max().map_or(0, |&most| usize::try_from(most + 1).unwrap_or(0));
    let mut rows: Vec<Vec<u32>> = vec![Vec::new(); clusters + 1];
    for (row, &label) in (0u32..).zip(labels) {
        rows[usize::try_from(label).unwrap_or(clusters)].push(row);
    }
    let blocks: Vec<(usize, &[u32])> = rows
        .iter()
        .enumerate()
        .flat_map(|(cluster, rows)| rows.chunks(TEXTS).map(move |rows| (cluster, rows)))
        .collect();
    let counted: Vec<(usize, Vec<(String, f64)>)> = blocks
        .par_iter()
        .with_max_len(8)
        .map(|&(cluster, rows)| {
            progress.check()?;
            let mut counts = count(rows);
            counts.sort_unstable_by(|a, b| a.0.cmp(&b.0));
            progress.advance(rows.len() as u64);
            Ok((cluster, counts))
        })
        .collect::<Result<_, Cancelled>>()?;
    let (mut names, mut number) = (Vec::new(), HashMap::<String, u32>::new());
    let mut all: Vec<Vec<(u32, f64)>> = vec![Vec::new(); clusters + 1];
    for (cluster, counts) in counted {
        for (word, count) in counts {
            let id = number.get(&word).copied().unwrap_or_else(|| {
                names.push(word.clone());
                number.insert(word, names.len() as u32 - 1);
                names.len() as u32 - 1
            });
            all[cluster].push((id, count));
        }
    }
    for counts in &mut all {
        // A stable sort, so that counts of one term are added in the order of the blocks.
        counts.sort_by_key(|&(id, _)| id);
        counts.dedup_by(|next, kept| {
            let same = next.0 == kept.0;
            kept.1 += if same { next.1 } else { 0.0 };
            same
        });
    }
    Ok((names, all))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(texts: &[&str], labels: &[i32]) -> Vec<String> {
        let found = name_texts(|row| texts[row], labels, &NameParams::default(), &Progress::new()).unwrap();
        found.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn clusters_are_named_by_what_sets_them_apart() {
        let texts = [
            "The violin is a small stringed instrument.",
            "Violins and other instruments: the cello has strings",
            "An instrument with strings, played with a bow; a violin or cello",
            "A parser reads tokens; parseToken(tokens) returns a syntax_tree",
            "fn parse_token(input) -> SyntaxTree { 42 }",
            "the token of a syntax tree",
        ];
        let found = names(&texts, &[0, 0, 0, 1, 1, 1]);
        assert_eq!(found.len(), 2);
        assert!(found[0].contains("violin") && !found[0].contains("violins"), "{found:?}");
        assert!(found[1].contains("syntax") && found[1].contains("token"), "{found:?}");
        assert!(!found[1].contains("tokens") || !found[1].contains("token,"), "{found:?}");
    }

    #[test]
    fn names_differ_even_where_texts_do_not() {
        assert_eq!(names(&["red apple", "red apple", ""], &[0, 1, 2]), ["apple, red", "apple, red 2", ""]);
        assert_eq!(names(&["", "the"], &[0, 1]), ["", "2"]);
        assert_eq!(names(&[], &[]), Vec::<String>::new());
        assert_eq!(names(&["word"], &[-1]), Vec::<String>::new());
    }

    #[test]
    fn pictures_are_named_by_the_likeliest_classes_of_their_cluster() {
        let classes =
            ["tabby 0.61, lynx 0.12", "tabby 0.5, window screen 0.3", "sports car 0.9, window screen 0.05", ""];
        let params = NameParams { terms: 1, ..NameParams::default() };
        let found = name_classes(|row| classes[row], &[0, 0, 1, 1], &params, &Progress::new()).unwrap();
        assert_eq!(found.iter().map(ToString::to_string).collect::<Vec<_>>(), ["tabby", "sports car"]);
    }
}
