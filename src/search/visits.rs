//! Comparing rows with the parts chosen for them, on all threads.
//!
//! Invariant: every pair of rows that did not meet before, and of which one visits the other's part, is offered to both lists exactly
//! once; which thread does it changes nothing in the outcome.

use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;

use super::field::Field;
use super::lists::Lists;
use super::parts::{Met, Parts, Visits};
use crate::progress::{Cancelled, Progress};
use crate::vectors::level;
use crate::vectors::tiles::{BLOCK, Bytes, Found, Near, Picked, Side};

/// Blocks whose rows visit parts together: their rows stay in the second cache.
const TOGETHER: usize = 4;

/// Who visits whom.
pub(super) struct Plan<'a> {
    /// The parts.
    pub parts: &'a Parts<'a>,
    /// Which rows visit which.
    pub visits: &'a Visits,
    /// Which blocks were compared before.
    pub met: &'a Met,
}

/// What a thread needs.
struct Room {
    picked: Picked,
    found: Found,
    /// Visitors of each part.
    visitors: Vec<Vec<u32>>,
    /// Those that did not meet all of a part.
    strangers: Vec<u32>,
}

/// Compares all visitors with the parts they visit. Advances `progress` by `units` in all.
pub(super) fn visit(
    (field, bytes): (&Field, &Bytes),
    lists: &Lists<'_>,
    plan: &Plan<'_>,
    (units, progress): (u64, &Progress),
) -> Result<(), Cancelled> {
    let blocks = field.order.len().div_ceil(BLOCK);
    let groups = blocks.div_ceil(TOGETHER);
    let next = AtomicUsize::new(0);
    let share = |done: usize| done as u64 * units / groups as u64;
    (0..rayon::current_num_threads()).into_par_iter().with_max_len(1).try_for_each(|_| {
        let visitors = vec![Vec::new(); plan.parts.count];
        let mut room = Room { picked: Picked::new(level()), found: Found::default(), visitors, strangers: Vec::new() };
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            if at >= groups {
                return Ok(());
            }
            progress.check()?;
            let rows = at * TOGETHER * BLOCK..((at + 1) * TOGETHER * BLOCK).min(field.order.len());
            room.visitors.iter_mut().for_each(Vec::clear);
            for row in rows {
                plan.visits.of(row).for_each(|part| room.visitors[part].push(row as u32));
            }
            for part in 0..plan.parts.count {
                progress.check()?;
                let (first, end) = (part * plan.parts.size, (part + 1) * plan.parts.size);
                if room.visitors.get(part + 1).is_some_and(|next| !next.is_empty()) {
                    bytes.prefetch(end..end + plan.parts.size.min(BLOCK));
                }
                for first in (first..end.min(field.order.len())).step_by(BLOCK) {
                    let columns = first..(first + BLOCK).min(end).min(field.panels.blocks() * BLOCK);
                    meet((field, bytes), lists, plan, &mut room, (part, columns));
                }
            }
            progress.advance(share(at + 1) - share(at));
        }
    })
}

/// Compares the visitors of a part with some of its rows, all in one block.
fn meet(
    (field, bytes): (&Field, &Bytes),
    lists: &Lists<'_>,
    plan: &Plan<'_>,
    room: &mut Room,
    (part, columns): (usize, std::ops::Range<usize>),
) {
    let block = columns.start / BLOCK;
    let Room { picked, found, visitors, strangers } = room;
    let visitors = &visitors[part];
    let own = if plan.parts.size > BLOCK {
        strangers.clear();
        strangers.extend(visitors.iter().copied().filter(|&row| !plan.met.has(row as usize / BLOCK, block)));
        &strangers[..]
    } else {
        &visitors[..]
    };
    let mut column_floors = [0.0; BLOCK];
    let column_floors = &mut column_floors[..columns.len()];
    for own in own.chunks(Picked::MOST) {
        column_floors.iter_mut().zip(columns.clone()).for_each(|(floor, row)| *floor = lists.floor(row));
        let floors = own.iter().map(|&row| (row as usize, lists.floor(row as usize)));
        picked.pick(bytes, &field.bounds, floors);
        picked.compare(bytes, Side { bounds: &field.bounds, first: columns.start, floors: column_floors }, found);
        let pair = |near: &Near| (own[usize::from(near.row)] as usize, columns.start + usize::from(near.column));
        let same_block = |a: &Near, b: &Near| pair(a).0 / BLOCK == pair(b).0 / BLOCK;
        for run in found.for_rows.chunk_by(same_block) {
            let offered = run.iter().map(|near| (pair(near), near.bound));
            lists.offer(
                pair(&run[0]).0 / BLOCK,
                offered.map(|((row, other), bound)| (row % BLOCK, other as u32, bound)),
            );
        }
        // A visit in the other direction offers the pair to the other list.
        let once = |&(row, other): &(usize, usize)| !plan.visits.has(other, row / plan.parts.size);
        let offered = found.for_columns.iter().map(|near| (pair(near), near.bound)).filter(|(pair, _)| once(pair));
        lists.offer(block, offered.map(|((row, other), bound)| (other % BLOCK, row as u32, bound)));
        found.for_rows.clear();
        found.for_columns.clear();
    }
}
