//! One loop for every optimiser: slices of work, the newest map shown, moments kept, parameters changed on the way.
//!
//! Knows no method. Invariant: how the work is sliced never changes the result (divergence and moments are taken at fixed
//! iterations).

use std::sync::Arc;
use std::time::Instant;

use super::keeper::Keeper;
use super::live::Pace;
use super::{LiveFrame, LiveSlot, ProjectRequest};
use crate::picture::Layout;
use crate::progress::{Cancelled, Progress};
use crate::workspace::{GraphFacts, Moment, ProjectionParams};

/// The divergence is measured every so many iterations; each time costs about one more.
const KL_EVERY: usize = 50;
/// Most bytes that the moments of one layout may take, and the most and fewest moments.
const HISTORY_BYTES: usize = 96 << 20;
const MOMENTS: (usize, usize) = (6, 60);

/// A layout that is made step by step.
pub(super) trait Optimiser {
    /// Steps done.
    fn done(&self) -> usize;
    /// Steps in all.
    fn total(&self) -> usize;
    /// Works until `step` steps are done. Once cancelled, what it holds is no map.
    fn run_to(&mut self, step: usize, progress: &Progress) -> Result<(), Cancelled>;
    /// The positions now, their first two axes.
    fn plane(&self) -> Vec<[f32; 2]>;
    /// The positions in three dimensions, where it has three.
    fn space(&self) -> Option<Vec<[f32; 3]>> {
        None
    }
    /// How badly the map keeps the neighbourhoods, where the method measures that.
    fn divergence(&mut self, _progress: &Progress) -> Result<Option<f32>, Cancelled> {
        Ok(None)
    }
    /// All that is needed to go on from here, besides the neighbours; `None` where that cannot be told.
    fn state(&self) -> Option<Vec<u8>>;
    /// Goes on with other parameters, as far as they can still be changed.
    fn steer(&mut self, params: &ProjectionParams);
}

/// A layout and how it came to be.
#[derive(Default)]
pub(super) struct Made {
    pub points: Vec<[f32; 2]>,
    pub space: Option<Vec<[f32; 3]>>,
    pub kl: Vec<(u32, f32)>,
    pub history: Vec<Moment>,
    /// The neighbours it was made of.
    pub graph: Option<GraphFacts>,
    /// Seconds of the neighbours and of the layout.
    pub seconds: [f64; 2],
    /// Of the layout's, those to weigh the neighbours.
    pub weighing: f64,
    /// What there is to tell the user.
    pub notes: Vec<String>,
}

/// Runs an optimiser to its end, or until it is asked to stop. Its state is kept by `keeper` meanwhile.
pub(super) fn optimise(
    optimiser: &mut dyn Optimiser,
    request: &ProjectRequest,
    mut keeper: Keeper,
    live: &LiveSlot,
    progress: &Progress,
) -> Result<Made, Cancelled> {
    let started = Instant::now();
    let total = optimiser.total();
    let moments = Moments::new(request.rows.len(), total);
    let mut made = Made { kl: std::mem::take(&mut keeper.kl), ..Made::default() };
    keeper.begin();
    let mut pace = Pace::default();
    while optimiser.done() < total && !live.is_stopped() {
        progress.check()?;
        if let Some(params) = live.steering() {
            optimiser.steer(&params);
            // From here on it is not the map that was asked for at its start.
            keeper.let_go();
        }
        if moments.wants(optimiser.done()) {
            made.history.push(moment(optimiser));
        }
        let slice = Instant::now();
        let before = optimiser.done();
        let next_kl = (before / KL_EVERY + 1) * KL_EVERY;
        let next = (before + pace.iterations()).min(next_kl).min(moments.after(before)).min(total);
        optimiser.run_to(next, progress)?;
        pace.took(slice.elapsed(), optimiser.done() - before);
        if (optimiser.done() == next_kl || optimiser.done() == total)
            && let Some(divergence) = optimiser.divergence(progress)?
        {
            made.kl.push((optimiser.done() as u32, divergence));
            progress.detail(format!("KL {divergence:.3}"));
        }
        progress.set_done(optimiser.done() as u64);
        if pace.may_show() {
            let kl = made.kl.last().map(|&(_, divergence)| divergence);
            pace.show(|| live.put(frame(optimiser, request, kl)));
        }
        if optimiser.done() < total {
            keeper.keep_when_due(optimiser, &made.kl);
        }
    }
    keeper.let_go();
    made.notes.append(&mut keeper.notes);
    if !made.history.is_empty() {
        made.history.push(moment(optimiser));
    }
    made.points = optimiser.plane();
    made.space = optimiser.space();
    made.seconds[1] = started.elapsed().as_secs_f64();
    Ok(made)
}

fn frame(optimiser: &dyn Optimiser, request: &ProjectRequest, kl: Option<f32>) -> LiveFrame {
    let layout = seen(request, || optimiser.plane(), optimiser.space().as_deref());
    LiveFrame { layout, iteration: optimiser.done(), iterations: optimiser.total(), kl }
}

/// What is drawn of a map that is not done: one of space is seen from the front, in the frame of its end, so that nothing jumps there.
pub(super) fn seen(
    request: &ProjectRequest,
    plane: impl FnOnce() -> Vec<[f32; 2]>,
    space: Option<&[[f32; 3]]>,
) -> Arc<Layout> {
    Arc::new(match space {
        Some(space) => Layout::of_space(request.rows.clone(), space, [0.0, 0.0]),
        None => Layout::new(request.rows.clone(), plane().into()),
    })
}

fn moment(optimiser: &dyn Optimiser) -> Moment {
    Moment { iteration: optimiser.done() as u32, points: optimiser.plane().into() }
}

/// At which steps the map is kept.
struct Moments {
    every: usize,
}

impl Moments {
    fn new(rows: usize, total: usize) -> Self {
        let room = HISTORY_BYTES / (8 * rows.max(1));
        let count = if room < MOMENTS.0 { 0 } else { room.min(MOMENTS.1) };
        Self { every: total.checked_div(count).map_or(usize::MAX, |every| every.max(1)) }
    }

    fn wants(&self, step: usize) -> bool {
        self.every != usize::MAX && step.is_multiple_of(self.every)
    }

    fn after(&self, step: usize) -> usize {
        (step / self.every + 1).saturating_mul(self.every)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::request;
    use super::super::{Pca, space_of};
    use super::*;
    use crate::projection::Method;

    #[test]
    fn a_map_of_space_moves_in_the_frame_that_it_ends_in() {
        let request = request(Method::Pca);
        let space = space_of(&Pca::fit_with(&request.vectors, 3, &Progress::new()).unwrap(), &request.vectors).unwrap();
        let plane = || space.iter().map(|&[x, y, _]| [x, y]).collect::<Vec<_>>();
        let moving = seen(&request, plane, Some(&space));
        let end = Layout::of_space(request.rows.clone(), &space, [0.0, 0.0]);
        assert!(end.frame().is_some());
        assert_eq!((moving.frame(), moving.points()), (end.frame(), end.points()));
        assert_eq!(seen(&request, plane, None).frame(), None, "a map of the plane has none");
    }
}
