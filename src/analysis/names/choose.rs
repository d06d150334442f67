//! Weighs the words of every cluster, all forms of a word together, and takes the best.
//!
//! Invariant: ties go to the term that comes first in the alphabet.

use std::collections::HashMap;

use rayon::prelude::*;

use super::ClusterName;

/// Best terms kept for when names collide.
const SPARE: usize = 24;

/// Names for all but the last entry of `counts`, which holds the rows of no cluster.
pub(super) fn choose(terms: &[String], counts: &[Vec<(u32, f64)>], take: usize) -> Vec<ClusterName> {
    let words = Words::new(terms, counts);
    let clusters = &counts[..counts.len().saturating_sub(1)];
    let ranked: Vec<Vec<&str>> = clusters.par_iter().map(|counts| words.rank(counts)).collect();
    let mut names: Vec<ClusterName> = ranked
        .iter()
        .map(|ranked| ClusterName { terms: ranked.iter().take(take).map(ToString::to_string).collect(), number: None })
        .collect();
    set_apart(&mut names, &ranked);
    names
}

/// Terms gathered by their stems.
struct Words<'a> {
    /// The word of every term.
    word: Vec<u32>,
    /// How often each word occurs in any form.
    everywhere: Vec<f64>,
    /// Its most frequent form.
    form: Vec<&'a str>,
    /// Terms of a cluster, on average.
    average: f64,
}

impl<'a> Words<'a> {
    fn new(terms: &'a [String], counts: &[Vec<(u32, f64)>]) -> Self {
        let mut of_term = vec![0.0; terms.len()];
        for &(term, count) in counts.iter().flatten() {
            of_term[term as usize] += count;
        }
        let mut number = HashMap::new();
        let (mut word, mut everywhere, mut best) = (Vec::new(), Vec::new(), Vec::<(f64, &str)>::new());
        for (term, &count) in terms.iter().zip(&of_term) {
            let id = *number.entry(stem(term)).or_insert(best.len() as u32);
            word.push(id);
            let id = id as usize;
            if id == best.len() {
                best.push((count, term));
                everywhere.push(count);
                continue;
            }
            everywhere[id] += count;
            if count > best[id].0 || count == best[id].0 && term.as_str() < best[id].1 {
                best[id] = (count, term);
            }
        }
        let groups = counts.iter().filter(|counts| !counts.is_empty()).count().max(1);
        let average = of_term.iter().sum::<f64>() / groups as f64;
        Self { word, everywhere, form: best.into_iter().map(|(_, form)| form).collect(), average }
    }

    fn rank(&self, counts: &[(u32, f64)]) -> Vec<&'a str> {
        let mut own: Vec<(u32, f64)> = counts.iter().map(|&(term, count)| (self.word[term as usize], count)).collect();
        own.sort_by_key(|&(word, _)| word);
        own.dedup_by(|next, kept| {
            let same = next.0 == kept.0;
            kept.1 += if same { next.1 } else { 0.0 };
            same
        });
        let weight = |&(word, count): &(u32, f64)| count * (1.0 + self.average / self.everywhere[word as usize]).ln();
        let mut weighed: Vec<(f64, &str)> =
            own.iter().map(|entry| (weight(entry), self.form[entry.0 as usize])).collect();
        weighed.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
        weighed.into_iter().take(SPARE).map(|(_, form)| form).collect()
    }
}

/// The word without common English endings; short words stay as they are.
fn stem(word: &str) -> String {
    let word = word.strip_suffix("ies").map_or_else(|| word.to_owned(), |start| format!("{start}y"));
    for ending in ["ations", "ation", "ings", "ing", "ers", "ed", "er", "es", "s", "e"] {
        if let Some(start) = word.strip_suffix(ending)
            && start.chars().count() >= 3
            && !(ending == "s" && start.ends_with('s'))
        {
            return start.trim_end_matches('e').to_owned();
        }
    }
    word
}

/// Gives clusters of one name more terms, and numbers those that stay the same.
fn set_apart(names: &mut [ClusterName], ranked: &[Vec<&str>]) {
    let most = ranked.iter().map(Vec::len).max().unwrap_or(0);
    for _ in 0..most {
        let mut times: HashMap<Vec<String>, u32> = HashMap::new();
        for name in names.iter() {
            *times.entry(name.terms.clone()).or_default() += 1;
        }
        let mut grew = false;
        for (name, ranked) in names.iter_mut().zip(ranked) {
            if times.get(&name.terms).is_some_and(|&times| times > 1) && name.terms.len() < ranked.len() {
                name.terms.push(ranked[name.terms.len()].to_owned());
                grew = true;
            }
        }
        if !grew {
            break;
        }
    }
    let mut seen: HashMap<Vec<String>, u32> = HashMap::new();
    for name in names {
        let times = seen.entry(name.terms.clone()).or_default();
        *times += 1;
        name.number = (*times > 1).then_some(*times);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_of_a_word_are_alike() {
        for (a, b) in [("cat", "cats"), ("city", "cities"), ("parse", "parser"), ("box", "boxes"), ("play", "playing")]
        {
            assert!(stem(a) == stem(b), "{a} {b}");
        }
        for (a, b) in [("class", "clash"), ("gas", "gate"), ("ring", "red"), ("bus", "busy")] {
            assert!(stem(a) != stem(b), "{a} {b}");
        }
    }
}
