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
    for text in texts {
        // SAFETY: the machine has the level's instructions, the caller promises.
        unsafe {
            match level {
                #[cfg(target_arch = "x86_64")]
                Level::Amx | Level::Avx512Vnni | Level::Avx512 => wide(&text, memory),
                #[cfg(target_arch = "x86_64")]
                Level::Avx2Vnni | Level::Avx2 => narrow(&text, memory),
                _ => of_text::<Plain, 4>(&text, memory),
            }
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
fn wide(text: &Text<'_>, memory: &mut Vec<Line>) {
    // SAFETY: the instructions are there.
    unsafe { of_text::<std::arch::x86_64::__m512, 12>(text, memory) }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn narrow(text: &Text<'_>, memory: &mut Vec<Line>) {
    // SAFETY: the instructions are there.
    unsafe { of_text::<std::arch::x86_64::__m256, 6>(text, memory) }
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
                match text.width {
                    32 => block::<L, ROWS, 32>(text, head, first, &parts),
                    64 => block::<L, ROWS, 64>(text, head, first, &parts),
                    _ => block::<L, ROWS, 0>(text, head, first, &parts),
                }
            }
        }
    }
}

/// Packs a head's keys and values.
#[inline(always)]
unsafe fn pack<L: Lanes>(text: &Text<'_>, head: usize, parts: &Parts) {
    let (side, width) = (2 * L::COUNT, text.width);
    let keys = text.tokens.next_multiple_of(side);
    for first in (0..keys).step_by(L::COUNT) {
        let there = L::COUNT.min(text.tokens.saturating_sub(first));
        for at in (0..width.next_multiple_of(L::COUNT)).step_by(L::COUNT) {
            let columns = L::COUNT.min(width - at);
            // SAFETY: the parts hold whole blocks of keys; whole squares of the projections are read.
            unsafe {
                let to = parts.keys.add((first / side * width + at) * side + first % side);
                if there == L::COUNT && columns == L::COUNT {
                    let from = text.projected[text.start(first, 1, head) + at..].as_ptr();
                    L::transpose(from, 3 * text.heads * width, to, side);
                    continue;
                }
                for key in 0..L::COUNT {
                    for column in 0..columns {
                        *to.add(column * side + key) =
                            if key < there { text.row(first + key, 1, head)[at + column] } else { 0.0 };
                    }
                }
            }
        }
    }
    for key in 0..text.tokens {
        let row = text.row(key, 2, head);
        for (column, values) in row.chunks(side).enumerate() {
            // SAFETY: the parts hold whole columns.
            unsafe {
                let to = parts.values.add((column * keys + key) * side);
                if values.len() == side {
                    L::load(values.as_ptr()).store(to);
                    L::load(values.as_ptr().add(L::COUNT)).store(to.add(L::COUNT));
                    continue;
                }
                for at in 0..side {
                    *to.add(at) = values.get(at).copied().unwrap_or(0.0);
                }
            }
        }
    }
}

/// Attends to a head's keys from up to `ROWS` queries, from the query `first` on. A `WIDTH` of 0 stands for any.
#[inline(always)]
unsafe fn block<L: Lanes, const ROWS: usize, const WIDTH: usize>(
    text: &Text<'_>,
    head: usize,
    first: usize,
    parts: &Parts,
) {
    let width = if WIDTH == 0 { text.width } else { WIDTH };
    let side = 2 * L::COUNT;
    let rows = ROWS.min(text.tokens - first);
    let keys = text.reach.keys_of(first..first + rows, text.tokens);
    let (begin, panels) = (keys.start / side, keys.end.div_ceil(side));
    // SAFETY: the parts are as large as `of_text` made them; rows of the sheet are written by no one else.
    unsafe {
        for row in 0..ROWS {
            let to = std::slice::from_raw_parts_mut(parts.queries.add(row * width), width);
            if row < rows {
                to.copy_from_slice(&text.row(first + row, 0, head)[..width]);
            } else {
                to.fill(0.0);
            }
        }
        for panel in begin..panels {
            let packed = parts.keys.add(panel * width * side);
            let scores = parts.scores.add(panel * ROWS * side);
            if keys.end - panel * side > L::COUNT {
                let sums = products::<L, ROWS, 2>((parts.queries, width, 0), packed, (width, 0, width));
                for (row, sums) in sums.iter().enumerate() {
                    sums[0].store(scores.add(row * side));
                    sums[1].store(scores.add(row * side + L::COUNT));
                }
            } else {
                let sums = products::<L, ROWS, 1>((parts.queries, width, 0), packed, (width, 0, width));
                for (row, sums) in sums.iter().enumerate() {
                    sums[0].store(scores.add(row * side));
                }
            }
        }
        let vectors = begin * 2..keys.end.div_ceil(L::COUNT);
        for row in 0..rows {
            let own = text.reach.keys(first + row, text.tokens);
            for key in (begin * side..own.start).chain(own.end..vectors.end * L::COUNT) {
                *parts.scores.add((key / side * ROWS + row) * side + key % side) = f32::NEG_INFINITY;
            }
        }
        let mut shares = [0.0; ROWS];
        for (row, share) in shares.iter_mut().enumerate().take(rows) {
            *share = softmax::<L, ROWS>(text, (head, first + row), (parts.scores.add(row * side), vectors.clone()));
        }
        for column in 0..width.div_ceil(side) {
            let values = parts.values.add((column * text.tokens.div_ceil(side) + begin) * side * side);
            let scores = parts.scores.add(begin * ROWS * side);
            let last = keys.end - (panels - 1) * side;
            let steps = (side, panels - 1 - begin, last);
            let sums = products::<L, ROWS, 2>((scores, side, ROWS * side), values, steps);
            for (row, (sums, &share)) in sums.iter().zip(&shares).enumerate().take(rows) {
                let begin = head * width + column * side;
                let out = text.out.part(text.first + first + row, begin..(begin + side).min((head + 1) * width));
                let [low, high] = [sums[0].mul(L::splat(share)), sums[1].mul(L::splat(share))];
                let whole = out.len() == side;
                let to = if whole { out.as_mut_ptr() } else { parts.results };
                low.store(to);
                high.store(to.add(L::COUNT));
                if !whole {
                    out.copy_from_slice(std::slice::from_raw_parts(parts.results, out.len()));
                }
            }
        }
    }
}

/// Products of rows, `stride` values from one to the next, with rows of two vectors, of which `HALVES` are taken: `steps` of them for
/// each of some panels, `panel` values from one to the next, and `last` for one more panel.
#[inline(always)]
unsafe fn products<L: Lanes, const ROWS: usize, const HALVES: usize>(
    (rows, stride, panel): (*const f32, usize, usize),
    columns: *const f32,
    (steps, panels, last): (usize, usize, usize),
) -> [[L; HALVES]; ROWS] {
    // SAFETY: the caller's promise.
    unsafe {
        let mut sums = [[L::splat(0.0); HALVES]; ROWS];
        let (mut rows, mut right) = (rows, columns);
        for at in 0..=panels {
            let steps = if at < panels { steps } else { last };
            for step in 0..steps {
                let mut columns = [L::splat(0.0); HALVES];
                for (half, column) in columns.iter_mut().enumerate() {
                    *column = L::load(right.add(half * L::COUNT));
                }
                for (row, sums) in sums.iter_mut().enumerate() {
                    let left = L::splat(*rows.add(row * stride + step));
                    for (sum, &column) in sums.iter_mut().zip(&columns) {
                        *sum = left.mul_add(column, *sum);
                    }
                }
                right = right.add(2 * L::COUNT);
            }
            rows = rows.wrapping_add(panel);
        }
        sums
    }
}

/// Turns a query's scores to powers of 2, the greatest to 1, and returns what makes their sum 1.
#[inline(always)]
unsafe fn softmax<L: Lanes, const ROWS: usize>(
    text: &Text<'_>,
    (head, query): (usize, usize),
    (scores, vectors): (*mut f32, std::ops::Range<usize>),
) -> f32 {
    let side = 2 * L::COUNT;
    let place = |vector: usize| (vector / 2 * ROWS * side) + vector % 2 * L::COUNT;
    // SAFETY: scores are there for all these vectors of keys, and biases for as many keys.
    unsafe {
        let mut scale = L::splat(text.scale);
        let mut greatest = [L::splat(f32::NEG_INFINITY); 2];
        let biases = text.biases.map(|biases| biases.row(head, query, 0));
        for vector in vectors.clone() {
            let at = scores.add(place(vector));
            let mut score = L::load(at);
            if let Some(biases) = biases {
                score = score.mul_add(scale, L::load(biases[vector * L::COUNT..][..L::COUNT].as_ptr()));
                score.store(at);
            }
            greatest[vector % 2] = greatest[vector % 2].max(score);
        }
        if biases.is_some() {
            scale = L::splat(1.0);
        }
        let shift = L::splat(-greatest[0].max(greatest[1]).greatest()).mul(scale);
        let mut sums = [L::splat(0.0); 2];
        for vector in vectors {
            let at = scores.add(place(vector));
            let power = L::load(at).mul_add(scale, shift).exp2();
            power.store(at);
            sums[vector % 2] = sums[vector % 2].add(power);
        }
        1.0 / sums[0].add(sums[1]).sum()
    }
}
