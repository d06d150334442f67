//! Blocks of rows against blocks of rows: products, turned into upper bounds of the scores, sifted before they are ever written down.
//!
//! A product `f` of rows `i` and `j` becomes `scale_i scale_j f + offset_i + offset_j + spread_i reach_j + reach_i spread_j`; what
//! reaches the floor of `i` or of `j` is found. Does not know where the numbers come from. Invariant: all blocks are whole; the rows
//! that fill up the last one have an offset of −∞, so they are never found.
#![allow(unsafe_code)] // the processor's matrix tiles are set up for each pair of blocks

#[cfg(target_arch = "x86_64")]
mod amx;
mod bfloats;
mod few;
mod pack;
mod picked;
pub(crate) mod short;
mod sift;
#[cfg(target_arch = "x86_64")]
mod sift_wide;
#[cfg(target_arch = "x86_64")]
mod x86;
#[cfg(target_arch = "x86_64")]
mod x86_short;

pub(crate) use bfloats::Bfloats;
pub(crate) use few::Few;
pub(crate) use pack::{Bytes, Panels, Singles};
pub(crate) use picked::Picked;
pub(crate) use sift::{Found, Near, Side};

use super::cpu::Level;

/// Rows of a block: a multiple of every tile's sides.
pub(crate) const BLOCK: usize = 384;
/// Columns packed side by side.
pub(super) const PANEL: usize = 16;

/// What turns a product into an upper bound of the score, a number a row.
#[derive(Clone, Debug, Default)]
pub(crate) struct Bounds {
    /// Multiplies the products of the row.
    pub scale: Vec<f32>,
    /// Added to its scores.
    pub offset: Vec<f32>,
    /// Length of what the row's rounded form leaves out.
    pub spread: Vec<f32>,
    /// At least the length of the row and of its rounded form.
    pub reach: Vec<f32>,
}

/// One block of rows against one block of columns.
pub(crate) struct Pair<'a> {
    /// Block of the rows.
    pub rows: usize,
    /// Block of the columns.
    pub columns: usize,
    /// The columns compared, from a multiple of 32 to a multiple of 32; all of them: `0..BLOCK`.
    pub part: (usize, usize),
    /// Bounds a row must reach to be found for a row, one floor a row.
    pub row_floors: &'a [f32; BLOCK],
    /// The same, one floor a column.
    pub column_floors: &'a [f32; BLOCK],
}

/// Products of one tile, row after row: at most 32 x 32.
pub(super) type Tile = [f32; 1024];

/// A tile that begins where a cache line does.
#[repr(C, align(64))]
struct Aligned(Tile);

/// Compares two blocks and adds what reaches a floor to `found`. The machine must have `level`.
pub(crate) fn compare(level: Level, panels: &Panels, bounds: &Bounds, pair: &Pair<'_>, found: &mut Found) {
    match panels {
        // Without instructions for them, single precision is faster, and just as exact for bytes.
        Panels::Bytes(bytes) if !bytes.serves(level) => {
            let both = Panels::Singles(bytes.widened(pair.rows, pair.columns));
            compare_at(level, &both, (0, BLOCK), (bounds, pair), found);
        }
        Panels::Bfloats(rows) if level != Level::Amx => {
            let both = Panels::Singles(rows.widened(pair.rows, pair.columns));
            compare_at(level, &both, (0, BLOCK), (bounds, pair), found);
        }
        _ => compare_at(level, panels, (pair.rows * BLOCK, pair.columns * BLOCK), (bounds, pair), found),
    }
}

/// Compares the blocks that begin at the given rows of `panels`.
fn compare_at(
    level: Level,
    panels: &Panels,
    first: (usize, usize),
    (bounds, pair): (&Bounds, &Pair<'_>),
    found: &mut Found,
) {
    let (tall, wide) = match panels {
        Panels::Bytes(_) => byte_sides(level),
        Panels::Bfloats(_) if level == Level::Amx => (32, 32),
        Panels::Bfloats(_) | Panels::Singles(_) => pack::tile_sides(level),
    };
    let side = |block: usize, floors| Side { bounds, first: block * BLOCK, floors };
    let sides = (side(pair.rows, &pair.row_floors[..]), side(pair.columns, &pair.column_floors[..]));
    #[cfg(target_arch = "x86_64")]
    // SAFETY: levels in use were found on this machine; nothing below sets tiles up.
    let _tiles = (tall == 32).then(|| unsafe { super::amx::Tiles::new() });
    let mut room = Aligned([0.0f32; 1024]);
    let tile = &mut room.0;
    // Matrix tiles are as quick as the second cache: two of them at a time share each run of columns.
    let run = if tall == 32 { 2 * tall } else { BLOCK };
    for start in (0..BLOCK).step_by(run) {
        for column in (pair.part.0..pair.part.1.min(BLOCK)).step_by(wide) {
            for row in (start..start + run).step_by(tall) {
                panels.multiply(level, first.0 + row, first.1 + column, tile);
                sift::sift(level, &tile[..tall * wide], sides, (row, column), found);
            }
        }
    }
}

/// Rows and columns of a tile of bytes.
fn byte_sides(level: Level) -> (usize, usize) {
    if level == Level::Amx { (32, 32) } else { pack::tile_sides(level) }
}

#[cfg(test)]
mod tests;
