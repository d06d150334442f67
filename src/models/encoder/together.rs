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
use super::math::{self, Activation, Floats, Norm};
use super::sheet::Sheet;
use super::stack::{Encoder, Workspace};

/// Steps a layer has.
const STEPS: usize = 7;
/// Panels that are taken at a time.
const PANELS: usize = 4;

/// One step's parts: how many are taken, and how many done.
#[derive(Default)]
struct Step {
    taken: AtomicUsize,
    done: AtomicUsize,
}

/// What the threads share.
struct Shared<'a> {
    encoder: &'a Encoder,
    lengths: Vec<usize>,
    steps: Vec<Step>,
    states: Sheet<'a>,
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

pub(super) fn encode(encoder: &Encoder, texts: &[&[u32]], work: &mut Workspace) {
    let (hidden, between) = (encoder.shape.hidden, encoder.shape.between);
    let lengths: Vec<usize> = texts.iter().map(|ids| ids.len()).collect();
    let tokens: usize = lengths.iter().sum();
    work.states.resize(tokens * hidden);
    if tokens == 0 {
        return;
    }
    encoder.embed(texts, &mut work.states);
    work.projected.resize(tokens * 3 * hidden);
    work.context.resize(tokens * hidden);
    let (mut ups, mut product) = (Floats::default(), Floats::default());
    ups.resize(tokens * between);
    product.resize(tokens * hidden);
    let shared = Shared {
        encoder,
        lengths,
        steps: (0..STEPS * encoder.layers.len()).map(|_| Step::default()).collect(),
        states: Sheet::new(&mut work.states, hidden),
        projected: Sheet::new(&mut work.projected, 3 * hidden),
        context: Sheet::new(&mut work.context, hidden),
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
            self.multiply(&steps[0], plain(&layer.projections), [self.states, self.projected], &mut own.rows);
            self.attend(&steps[1], &mut own.scratch);
            self.multiply(&steps[2], plain(&layer.out), [self.context, self.product], &mut own.rows);
            self.add_and_norm(&steps[3], &layer.out_norm);
            let up = (&layer.up, self.encoder.shape.activation);
            self.multiply(&steps[4], up, [self.states, self.between], &mut own.rows);
            self.multiply(&steps[5], plain(&layer.down), [self.between, self.product], &mut own.rows);
            self.add_and_norm(&steps[6], &layer.down_norm);
        }
    }

    fn multiply(&self, step: &Step, product: (&Linear, Activation), [from, to]: [Sheet<'a>; 2], rows: &mut Rows) {
        let (linear, activation) = product;
        let parts = linear.panels().div_ceil(PANELS);
        let begin = || {
            // SAFETY: earlier steps wrote it, and no step that writes it begins before this one is over.
            rows.fill(unsafe { from.all() }, from.stride());
            rows
        };
        step.run(parts, begin, |rows, part| linear.apply(rows, panels(linear, part), activation, to));
    }

    fn attend(&self, step: &Step, scratch: &mut Scratch) {
        let attention = &self.encoder.attention;
        // SAFETY: as above.
        let projected = || unsafe { self.projected.all() };
        step.run(attention.heads, projected, |projected, head| {
            let work = Work { projected, lengths: &self.lengths, heads: head..head + 1 };
            attention.attend(&work, self.context, scratch);
        });
    }

    /// Adds the product to the states and norms them: too little to share.
    fn add_and_norm(&self, step: &Step, norm: &Norm) {
        step.run(1, || (), |(), _| self.norm(norm));
    }

    fn norm(&self, norm: &Norm) {
        for row in 0..self.states.rows() {
            let whole = 0..self.states.stride();
            // SAFETY: only whoever took this part reads or writes states and product now.
            let (states, product) = unsafe { (self.states.part(row, whole.clone()), self.product.part(row, whole)) };
            math::add(states, product);
            norm.apply(self.encoder.kernel.level, states);
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
