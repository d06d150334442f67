//! From candidates to lists: scores as a query would find them, sorted, groups of equal rows spelled out.
//!
//! Invariant: every list is sorted by score, then position, and holds exactly `k` rows, never its own.

use rayon::prelude::*;

use super::best::order;
use super::field::Field;
use super::lists::{Candidate, Lists};
use super::refine::{NONE, Rough};
use super::rounded::{Scorer, comparable};
use super::twins::Twins;
use super::{Best, Hit, NeighbourGraph};
use crate::progress::{Cancelled, Progress};
use crate::vectors::prefetch;
use crate::vectors::tiles::BLOCK;

/// Candidates scored before one whose row is asked for already.
const AHEAD: usize = 2;

/// The lists of a graph in the making.
pub(super) struct Output<'a> {
    scorer: &'a Scorer<'a>,
    /// Positions of the rows without NaN or infinities.
    sound: Vec<u32>,
    k: usize,
    indices: Vec<u32>,
    scores: Vec<f32>,
}

impl<'a> Output<'a> {
    /// Empty lists of `k`, at most one less than the sound rows.
    pub fn new(scorer: &'a Scorer<'a>, sound: Vec<u32>, k: usize) -> Self {
        let room = scorer.vectors.len() * k;
        Self { scorer, sound, k, indices: vec![0; room], scores: vec![f32::NEG_INFINITY; room] }
    }

    /// Settles the candidates of every packed row. Advances by an eighth of the rows.
    pub fn fill(
        &mut self,
        field: &Field,
        lists: &Lists<'_>,
        twins: &Twins,
        progress: &Progress,
    ) -> Result<(), Cancelled> {
        self.fill_blocks(field, twins, progress, |block| lists.take(block))
    }

    /// The same from rough lists, all of whose candidates are scored.
    pub fn fill_from(
        &mut self,
        field: &Field,
        rough: &Rough,
        twins: &Twins,
        progress: &Progress,
    ) -> Result<(), Cancelled> {
        self.fill_blocks(field, twins, progress, |block| {
            let rows = block * BLOCK..((block + 1) * BLOCK).min(field.order.len());
            let all = |row: usize| {
                let held = rough.lists[row * rough.keep..(row + 1) * rough.keep].iter();
                held.filter(|held| held.row != NONE).map(|&held| Candidate { bound: f32::INFINITY, ..held }).collect()
            };
            rows.map(all).collect()
        })
    }

    fn fill_blocks(
        &mut self,
        field: &Field,
        twins: &Twins,
        progress: &Progress,
        candidates: impl Fn(usize) -> Vec<Vec<Candidate>> + Sync,
    ) -> Result<(), Cancelled> {
        let blocks: Vec<usize> = (0..field.panels.blocks()).collect();
        for part in blocks.chunks(32) {
            let settled: Vec<Vec<(Vec<Hit>, bool)>> = part
                .par_iter()
                .with_max_len(1)
                .map(|&block| {
                    progress.check()?;
                    let rows = candidates(block);
                    let of = |(at, held): (usize, &Vec<Candidate>)| {
                        let hits = settle((self.scorer, field), self.k, block * BLOCK + at, held);
                        let own = twins.of(field.order[block * BLOCK + at]);
                        let alone = own.is_none() && hits.iter().all(|hit| twins.of(hit.position).is_none());
                        (hits, alone)
                    };
                    Ok(rows.iter().enumerate().map(of).collect())
                })
                .collect::<Result<_, Cancelled>>()?;
            for (&block, rows) in part.iter().zip(&settled) {
                for (at, (hits, alone)) in rows.iter().enumerate() {
                    let row = field.order[block * BLOCK + at];
                    if *alone { self.store(row, hits) } else { self.write(twins, row, hits) }
                }
            }
            progress.advance((part.len() * BLOCK / 8) as u64);
        }
        self.fill_up();
        Ok(())
    }

    /// Writes the lists of a row and of its twins, its neighbours' twins among them.
    fn write(&mut self, twins: &Twins, first: u32, hits: &[Hit]) {
        let own = twins.of(first).unwrap_or(&[]);
        let alone = [first];
        for &row in if own.is_empty() { &alone[..] } else { own } {
            let near = Hit { position: first, score: self.scorer.score(row as usize, first as usize) };
            let mut all: Vec<Hit> = Vec::new();
            for hit in hits.iter().chain((!own.is_empty()).then_some(&near)) {
                let single = [hit.position];
                let members = twins.of(hit.position).unwrap_or(&single);
                let others = members.iter().filter(|&&member| member != row).take(self.k);
                all.extend(others.map(|&position| Hit { position, score: hit.score }));
            }
            all.sort_unstable_by(order);
            all.truncate(self.k);
            self.store(row, &all);
        }
    }

    /// Begins with the lists of a graph of the first rows.
    pub fn copy_from(&mut self, graph: &NeighbourGraph) {
        self.indices[..graph.indices.len()].copy_from_slice(&graph.indices);
        self.scores[..graph.scores.len()].copy_from_slice(&graph.scores);
    }

    /// Writes the list of one row.
    pub fn store(&mut self, row: u32, hits: &[Hit]) {
        let at = row as usize * self.k;
        for (offset, hit) in hits.iter().enumerate() {
            self.indices[at + offset] = hit.position;
            self.scores[at + offset] = hit.score;
        }
    }

    /// Fills up lists that had too few scores, those of broken rows above all.
    pub fn fill_up(&mut self) {
        let (k, sound) = (self.k, &self.sound);
        self.indices.par_chunks_mut(k).zip(self.scores.par_chunks_mut(k)).enumerate().for_each(
            |(row, (indices, scores))| {
                let mut held = scores.iter().take_while(|&&score| score > f32::NEG_INFINITY).count();
                for &position in sound {
                    if held == k {
                        break;
                    }
                    if position as usize != row && !indices[..held].contains(&position) {
                        (indices[held], scores[held]) = (position, f32::NEG_INFINITY);
                        held += 1;
                    }
                }
            },
        );
    }

    /// Scores every pair: slow, but right where single precision leaves its range.
    pub fn fill_by_scores(&mut self, progress: &Progress) -> Result<(), Cancelled> {
        let (k, sound, scorer) = (self.k, &self.sound, self.scorer);
        self.indices.par_chunks_mut(k).zip(self.scores.par_chunks_mut(k)).enumerate().try_for_each(
            |(row, (indices, scores))| {
                progress.check()?;
                let mut best = Best::new(k);
                if scorer.norms[row].is_finite() {
                    for &other in sound.iter().filter(|&&other| other as usize != row) {
                        best.offer(other, scorer.score(row, other as usize));
                    }
                }
                for (at, hit) in best.sorted().iter().enumerate() {
                    (indices[at], scores[at]) = (hit.position, hit.score);
                }
                progress.advance(1);
                Ok(())
            },
        )?;
        self.fill_up();
        Ok(())
    }

    /// The graph.
    pub fn finish(self) -> NeighbourGraph {
        NeighbourGraph::new(self.k, self.scorer.metric, self.indices, self.scores)
    }
}

/// The best of a packed row's candidates, greatest bound first, by their scores: at most `k`.
pub(super) fn settle(
    (scorer, field): (&Scorer<'_>, &Field),
    k: usize,
    at: usize,
    candidates: &[Candidate],
) -> Vec<Hit> {
    let own = field.order[at] as usize;
    let mut hits: Vec<Hit> = Vec::with_capacity(candidates.len().min(4 * k));
    let (mut floor, mut full) = (f32::MIN, 2 * k);
    for (at, candidate) in candidates.iter().enumerate() {
        if candidate.bound < floor {
            break;
        }
        if let Some(next) = candidates.get(at + AHEAD) {
            prefetch(scorer.vectors.row(field.order[next.row as usize] as usize));
        }
        let position = field.order[candidate.row as usize];
        hits.push(Hit { position, score: scorer.score(own, position as usize) });
        if hits.len() >= full {
            hits.select_nth_unstable_by(k - 1, order);
            hits.truncate(k);
            floor = comparable(scorer.metric, hits[k - 1].score);
            full = k + (k / 2).max(4);
        }
    }
    hits.sort_unstable_by(order);
    hits.truncate(k);
    hits
}
