//! Attention in single precision, at every level.
//!
//! Unsafe because of raw loads of blocks whose sizes the compiler does not see. Invariant: sums run over values and over keys in
//! order, each query's alone, so that a row is the same wherever in a block of queries it lies.
#![allow(unsafe_code)]

use super::lanes::{Lanes, Plain};
use super::{Line, Text};
use crate::vectors::Level;

/// Attends to texts one after another. The machine must have `level`.
pub(super) fn attend<'a>(level: Level, texts: impl Iterator<Item = Text<'a>>, memory: &mut Vec<Line>) {
    let _ = level;
    for text in texts {
        // SAFETY: plain loops run everywhere.
        unsafe { of_text::<Plain, 4>(&text, memory) };
    }
}

/// Scratch memory of one head: where each part begins, in values.
struct Parts {
    /// Keys, two vectors of them side by side, value after value.
    keys: *mut f32,
    /// Values, in columns of two vectors, key after key.
    values: *mut f32,
    /// A block of queries.
    queries: *mut f32,
    /// Scores, then probabilities, of a block of queries: of two vectors of keys, query after query.
    scores: *mut f32,
    /// Two vectors a query.
    results: *mut f32,
}

/// Attends to one text, `ROWS` queries at a time.
///
/// # Safety
/// The processor must have the instructions of `L`.
#[inline(always)]
unsafe fn of_text<L: Lanes, const ROWS: usize>(text: &Text<'_>, memory: &mut Vec<Line>) {
    let side = 2 * L::COUNT;
    let (keys, width) = (text.tokens.next_multiple_of(side), text.width.next_multiple_of(side));
    let sizes = [keys * text.width, keys * width, ROWS * text.width, ROWS * keys, ROWS * side];
    let lines = sizes.map(|size| size.div_ceil(16));
    memory.resize(lines.iter().sum::<usize>().max(memory.len()), Line([0.0; 16]));
    let mut at = memory.as_mut_ptr().cast::<f32>();
    let parts = lines.map(|lines| {
        let part = at;
        at = at.wrapping_add(16 * lines);
        part
    });
    let parts = Parts { keys: parts[0], values: parts[1], queries: parts[2], scores: parts[3], results: parts[4] };
    for head in text.asked.clone() {
        // SAFETY: every part is as large as the sizes above say, which is what the functions use.
        unsafe {
            pack::<L>(text, head, &parts);
            for first in (0..text.tokens).step_by(ROWS) {
                let rows = ROWS.min(text.tokens - first);
                for row in 0..ROWS {
                    let to = std::slice::from_raw_parts_mut(parts.queries.add(row * text.width), text.width);
                    match row < rows {
                        true => to.copy_from_slice(text.row(first + row, 0, head)),
                        false => to.fill(0.0),
                    }
                }
                match text.width {
                    32 => block::<L, ROWS, 32>(text, (head, first, rows), &parts),
                    64 => block::<L, ROWS, 64>(text, (head, first, rows), &parts),
                    _ => block::<L, ROWS, 0>(text, (head, first, rows), &parts),
                }
            }
        }
    }
}

/// Packs a head's keys and values.
#[inline(always)]
unsafe fn pack<L: Lanes>(text: &Text<'_>, head: usize, parts: &Parts) {
    let side = 2 * L::COUNT;
    let width = text.width;
    for key in 0..text.tokens.next_multiple_of(side) {
        for at in 0..width.next_multiple_of(side) {
            let there = key < text.tokens && at < width;
            let of = |part: usize| if there { text.row(key, part, head)[at] } else { 0.0 };
            // SAFETY: the parts hold whole blocks of keys.
            unsafe {
                if at < width {
                    *parts.keys.add((key / side * width + at) * side + key % side) = of(1);
                }
                let column = at / side * text.tokens.next_multiple_of(side);
                *parts.values.add((column + key) * side + at % side) = of(2);
            }
        }
    }
}

/// Attends to a head's keys from `rows` queries, from the query `first` on.
#[inline(always)]
unsafe fn block<L: Lanes, const ROWS: usize, const WIDTH: usize>(
    text: &Text<'_>,
    (head, first, rows): (usize, usize, usize),
    parts: &Parts,
) {
    let width = if WIDTH == 0 { text.width } else { WIDTH };
    let side = 2 * L::COUNT;
    let panels = text.tokens.div_ceil(side);
    // SAFETY: the parts are as large as `of_text` made them; rows of the sheet are written by no one else.
    unsafe {
        for panel in 0..panels {
            let mut sums = [[L::splat(0.0); 2]; ROWS];
            add_products(&mut sums, (parts.queries, width), (parts.keys.add(panel * width * side), width));
            let scores = parts.scores.add(panel * ROWS * side);
            for (row, sums) in sums.iter().enumerate() {
                sums[0].store(scores.add(row * side));
                sums[1].store(scores.add(row * side + L::COUNT));
            }
        }
        for key in text.tokens..panels * side {
            for row in 0..ROWS {
                *parts.scores.add((key / side * ROWS + row) * side + key % side) = f32::NEG_INFINITY;
            }
        }
        let mut shares = [0.0; ROWS];
        for (row, share) in shares.iter_mut().enumerate().take(rows) {
            *share = softmax::<L, ROWS>(text, (head, first + row), parts.scores.add(row * side));
        }
        for column in 0..width.div_ceil(side) {
            let values = parts.values.add(column * panels * side * side);
            let mut sums = [[L::splat(0.0); 2]; ROWS];
            for panel in 0..panels {
                let keys = side.min(text.tokens - panel * side);
                let scores = parts.scores.add(panel * ROWS * side);
                add_products(&mut sums, (scores, side), (values.add(panel * side * side), keys));
            }
            for (row, (sums, &share)) in sums.iter().zip(&shares).enumerate().take(rows) {
                sums[0].mul(L::splat(share)).store(parts.results);
                sums[1].mul(L::splat(share)).store(parts.results.add(L::COUNT));
                let begin = head * width + column * side;
                let out = text.out.part(text.first + first + row, begin..(begin + side).min((head + 1) * width));
                out.copy_from_slice(std::slice::from_raw_parts(parts.results, out.len()));
            }
        }
    }
}

/// Adds products of rows, `stride` values from one to the next, with `steps` rows of two vectors.
#[inline(always)]
unsafe fn add_products<L: Lanes, const ROWS: usize>(
    sums: &mut [[L; 2]; ROWS],
    (rows, stride): (*const f32, usize),
    (columns, steps): (*const f32, usize),
) {
    for step in 0..steps {
        // SAFETY: the caller's promise.
        unsafe {
            let right = columns.add(2 * L::COUNT * step);
            let right = [L::load(right), L::load(right.add(L::COUNT))];
            for (row, sums) in sums.iter_mut().enumerate() {
                let left = L::splat(*rows.add(row * stride + step));
                *sums = [left.mul_add(right[0], sums[0]), left.mul_add(right[1], sums[1])];
            }
        }
    }
}

/// Turns a query's scores to powers of 2, the greatest to 1, and returns what makes their sum 1.
#[inline(always)]
unsafe fn softmax<L: Lanes, const ROWS: usize>(
    text: &Text<'_>,
    (head, query): (usize, usize),
    scores: *mut f32,
) -> f32 {
    let side = 2 * L::COUNT;
    let panels = text.tokens.div_ceil(side);
    let halves = |panel: usize| [panel * ROWS * side, panel * ROWS * side + L::COUNT];
    // SAFETY: scores are there for all panels of keys, and biases for as many keys.
    unsafe {
        let mut scale = L::splat(text.scale);
        let mut greatest = [L::splat(f32::NEG_INFINITY); 2];
        let biases = text.biases.map(|biases| biases.row(head, query, 0));
        for panel in 0..panels {
            for (half, at) in halves(panel).into_iter().enumerate() {
                let mut score = L::load(scores.add(at));
                if let Some(biases) = biases {
                    score = score.mul_add(scale, L::load(biases[panel * side + half * L::COUNT..].as_ptr()));
                    score.store(scores.add(at));
                }
                greatest[half] = greatest[half].max(score);
            }
        }
        if biases.is_some() {
            scale = L::splat(1.0);
        }
        let shift = L::splat(-greatest[0].max(greatest[1]).greatest()).mul(scale);
        let mut sums = [L::splat(0.0); 2];
        for panel in 0..panels {
            for (sum, at) in sums.iter_mut().zip(halves(panel)) {
                let power = L::load(scores.add(at)).mul_add(scale, shift).exp2();
                power.store(scores.add(at));
                *sum = sum.add(power);
            }
        }
        1.0 / sums[0].add(sums[1]).sum()
    }
}
