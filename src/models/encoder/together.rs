//! A few short texts through all layers by several threads at once.
//!
//! A query's products are too small to be worth a fork and join each: waking a thread takes as long as a layer. So the helpers are called
//! once, and go through the same steps as the caller; whoever comes to a step takes parts of it until none is left, then waits, awake,
//! for the parts that others took. A helper that never comes costs nothing.
//!
//! Unsafe because the threads share memory that the steps write. Invariant: a step's inputs are written by earlier steps only, and no
//! step begins before all parts of the earlier ones are done; whoever has a part of a step unfinished keeps later steps from beginning.
#![allow(unsafe_code)]

use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::attention::{Scratch, Work};
use super::linear::{Linear, Rows};
use super::math::{self, Activation, Floats, Settle};
use super::sheet::Sheet;
use super::stack::{Encoder, Layer, Workspace};

/// Steps a layer has.
const STEPS: usize = 9;
/// Rows that are taken at a time, where each is done by itself.
const ROWS: usize = 16;
/// Panels that are taken at a time.
const PANELS: usize = 3;

/// One step's parts: how many are taken, and how many done.
#[derive(Default)]
struct Step {
    taken: AtomicUsize,
    done: AtomicUsize,
}

/// What the threads share.
struct Shared<'a> {
    encoder: &'a Encoder,
    lengths: &'a [usize],
    steps: Vec<Step>,
    states: Sheet<'a>,
    /// The states as the next product takes them: those themselves, or their norm beside them.
    normed: Sheet<'a>,
    /// Whether they lie beside them.
    beside: bool,
    projected: Sheet<'a>,
    context: Sheet<'a>,
    between: Sheet<'a>,
    product: Sheet<'a>,
}

/// What each has for itself.
struct Own {
    rows: Rows,
    scratch: Scratch,
}

/// Takes the states of a group through all layers.
pub(super) fn go_through(encoder: &Encoder, work: &mut Workspace) {
    let (hidden, inner) = (encoder.shape.hidden, encoder.shape.inner());
    let tokens: usize = work.lengths.iter().sum();
    if tokens == 0 {
        return;
    }
    let between = encoder.layers.first().map_or(1, |layer| layer.up.outputs());
    work.projected.resize(tokens * 3 * inner);
    work.context.resize(tokens * inner);
    let (mut ups, mut product, mut beside) = (Floats::default(), Floats::default(), Floats::default());
    ups.resize(tokens * between);
    product.resize(tokens * hidden);
    if let Some(norm) = &encoder.first {
        beside.resize(tokens * hidden);
        beside.copy_from_slice(&work.states);
        norm.apply(encoder.kernel.level, &mut beside);
    } else if encoder.layers.iter().any(|layer| !matches!(layer.out_settle, Settle::Normed(_))) {
        beside.resize(tokens * hidden);
        beside.copy_from_slice(&work.states);
    }
    let (apart, states) = (!beside.is_empty(), Sheet::new(&mut work.states, hidden));
    let shared = Shared {
        encoder,
        lengths: &work.lengths,
        steps: (0..STEPS * encoder.layers.len()).map(|_| Step::default()).collect(),
        states,
        normed: if apart { Sheet::new(&mut beside, hidden) } else { states },
        beside: apart,
        projected: Sheet::new(&mut work.projected, 3 * inner),
        context: Sheet::new(&mut work.context, inner),
        between: Sheet::new(&mut ups, between),
        product: Sheet::new(&mut product, hidden),
    };
    rayon::in_place_scope(|scope| {
        for _ in 1..rayon::current_num_threads() {
            scope.spawn(|_| shared.go_through());
        }
        shared.go_through();
    });
}

/// Counts a part as done when it goes, after a panic too: otherwise the other threads would wait for it for ever.
struct Counted<'a>(&'a AtomicUsize);

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::AcqRel);
    }
}

impl Step {
    /// Does the parts that are left, each by `work`, and waits until all are done. `begin` makes ready what the parts need, once.
    fn run<T>(&self, parts: usize, begin: impl FnOnce() -> T, mut work: impl FnMut(&mut T, usize)) {
        let (mut begin, mut ready) = (Some(begin), None);
        loop {
            let part = self.taken.fetch_add(1, Ordering::AcqRel);
            if part >= parts {
                break;
            }
            let _counted = Counted(&self.done);
            if let Some(begin) = begin.take() {
                ready = Some(begin());
            }
            if let Some(ready) = &mut ready {
                work(ready, part);
            }
        }
        let mut turns = 0u32;
        while self.done.load(Ordering::Acquire) < parts {
            turns += 1;
            if turns < 1 << 14 { std::hint::spin_loop() } else { std::thread::yield_now() }
        }
    }
}

impl<'a> Shared<'a> {
    fn go_through(&self) {
        let kernel = self.encoder.kernel;
        let mut own = Own { rows: Rows::new(kernel), scratch: Scratch::default() };
        let plain = |linear| (linear, Activation::None);
        for (layer, steps) in self.encoder.layers.iter().zip(self.steps.chunks_exact(STEPS)) {
            self.multiply(&steps[0], plain(&layer.projections), [self.normed, self.projected], &mut own.rows);
            self.turn(&steps[1], layer);
            self.attend(&steps[2], layer, &mut own.scratch);
            self.multiply(&steps[3], plain(&layer.out), [self.context, self.product], &mut own.rows);
            self.add_and_norm(&steps[4], &layer.out_settle);
            let gated = self.encoder.shape.options.gated;
            let activation = if gated { Activation::None } else { self.encoder.shape.activation };
            self.multiply(&steps[5], (&layer.up, activation), [self.normed, self.between], &mut own.rows);
            self.gate(&steps[6]);
            self.multiply(&steps[7], plain(&layer.down), [self.between, self.product], &mut own.rows);
            self.add_and_norm(&steps[8], &layer.down_settle);
        }
    }

    fn multiply(&self, step: &Step, product: (&Linear, Activation), [from, to]: [Sheet<'a>; 2], rows: &mut Rows) {
        let (linear, activation) = product;
        let parts = linear.panels().div_ceil(PANELS);
        let begin = || {
            // SAFETY: earlier steps wrote it, and no step that writes it begins before this one is over.
            rows.fill_part(unsafe { from.all() }, from.stride(), linear.inputs());
            rows
        };
        step.run(parts, begin, |rows, part| linear.apply(rows, panels(linear, part), activation, to));
    }

    /// Turns queries and keys, where positions are told so.
    fn turn(&self, step: &Step, layer: &Layer) {
        let Some(rotary) = self.encoder.rotary(layer) else { return };
        let inner = self.encoder.shape.inner();
        let positions: Vec<usize> = self.lengths.iter().flat_map(|&tokens| 0..tokens).collect();
        step.run(
            positions.len().div_ceil(ROWS),
            || (),
            |(), part| {
                for (row, &position) in positions.iter().enumerate().skip(part * ROWS).take(ROWS) {
                    // SAFETY: only whoever took this part reads or writes these rows now.
                    let row = unsafe { self.projected.part(row, 0..2 * inner) };
                    self.encoder.turn_row(layer, rotary, row, position);
                }
            },
        );
    }

    fn attend(&self, step: &Step, layer: &Layer, scratch: &mut Scratch) {
        let attention = &self.encoder.attention;
        // SAFETY: earlier steps wrote it, and no step that writes it begins before this one is over.
        let projected = || unsafe { self.projected.all() };
        step.run(attention.heads, projected, |projected, head| {
            let work = Work { projected, lengths: self.lengths, heads: head..head + 1, reach: layer.reach };
            attention.attend(&work, self.context, scratch);
        });
    }

    /// Multiplies the halves of what lies between two products, where one gates the other.
    fn gate(&self, step: &Step) {
        let shape = &self.encoder.shape;
        if !shape.options.gated {
            return;
        }
        let rows = self.between.rows();
        step.run(
            rows.div_ceil(ROWS),
            || (),
            |(), part| {
                for row in part * ROWS..rows.min((part + 1) * ROWS) {
                    // SAFETY: only whoever took this part reads or writes these rows now.
                    let row = unsafe { self.between.part(row, 0..2 * shape.between) };
                    shape.activation.gate(self.encoder.kernel.level, shape.between, row);
                }
            },
        );
    }

    /// Adds the product to the states and norms them: too little to share.
    fn add_and_norm(&self, step: &Step, settle: &Settle) {
        step.run(1, || (), |(), _| self.settle(settle));
    }

    fn settle(&self, settle: &Settle) {
        let level = self.encoder.kernel.level;
        for row in 0..self.states.rows() {
            let whole = 0..self.states.stride();
            // SAFETY: only whoever took this part reads or writes states, product and norms now.
            let (states, product) =
                unsafe { (self.states.part(row, whole.clone()), self.product.part(row, whole.clone())) };
            math::add(states, product);
            if let Settle::Normed(norm) = settle {
                norm.apply(level, states);
            }
            if self.beside {
                // SAFETY: as above; these are other values.
                let normed = unsafe { self.normed.part(row, whole) };
                normed.copy_from_slice(states);
                if let Settle::Beside(norm) = settle {
                    norm.apply(level, normed);
                }
            }
        }
    }
}

fn panels(linear: &Linear, part: usize) -> Range<usize> {
    part * PANELS..((part + 1) * PANELS).min(linear.panels())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_in_a_part_keeps_no_one_waiting() {
        let (step, parts) = (Step::default(), AtomicUsize::new(0));
        let stumbling = || {
            step.run(
                8,
                || (),
                |(), part| {
                    parts.fetch_add(1, Ordering::Relaxed);
                    assert_ne!(part, 3, "stumbled");
                },
            );
        };
        let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            rayon::in_place_scope(|scope| {
                scope.spawn(|_| stumbling());
                stumbling();
            });
        }));
        assert!(ended.is_err());
        assert_eq!(parts.load(Ordering::Relaxed), 8);
    }
}
