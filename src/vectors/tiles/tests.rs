//! Every kernel of every level against double precision.

use rand::{Rng, SeedableRng};

use super::*;

const NONE: [f32; BLOCK] = [f32::INFINITY; BLOCK];

/// All pairs that reach `floor` must be found, with the bound that double precision gives.
fn check(level: Level, panels: &Panels, exact: impl Fn(usize, usize) -> f64, floor: f32, slack: f64) {
    let mut bounds = Bounds::default();
    for row in 0..2 * BLOCK {
        bounds.scale.push(1.0 + (row % 3) as f32);
        bounds.offset.push(if row % 100 == 99 { f32::NEG_INFINITY } else { row as f32 * 0.01 });
        bounds.spread.push((row % 5) as f32 * 0.1);
        bounds.reach.push((row % 7) as f32);
    }
    let mut found = Found::default();
    let pair = Pair { rows: 0, columns: 1, part: (0, BLOCK), row_floors: &[floor; BLOCK], column_floors: &NONE };
    compare(level, panels, &bounds, &pair, &mut found);
    assert!(found.for_columns.is_empty());
    let at: std::collections::HashMap<(u16, u16), f32> =
        found.for_rows.iter().map(|near| ((near.row, near.column), near.bound)).collect();
    let mut expected = 0;
    for i in 0..BLOCK {
        for j in BLOCK..2 * BLOCK {
            let of = |values: &[f32], at: usize| f64::from(values[at]);
            let bound = of(&bounds.scale, i) * of(&bounds.scale, j) * exact(i, j)
                + of(&bounds.offset, i)
                + of(&bounds.offset, j)
                + of(&bounds.spread, i) * of(&bounds.reach, j)
                + of(&bounds.reach, i) * of(&bounds.spread, j);
            let near = at.get(&(i as u16, (j - BLOCK) as u16));
            if bound > f64::from(floor) + slack {
                expected += 1;
                assert!((f64::from(*near.unwrap()) - bound).abs() < slack, "{level:?}: {i}, {j}");
            } else if bound < f64::from(floor) - slack {
                assert!(near.is_none(), "{level:?}: {i}, {j}");
            }
        }
    }
    assert!(expected > 10, "{expected}");
}

#[test]
fn byte_tiles_find_what_double_precision_finds() {
    let mut random = rand_pcg::Pcg64Mcg::seed_from_u64(1);
    for dim in [1usize, 3, 64, 70] {
        let stride = dim.next_multiple_of(64);
        let mut rows = vec![0i8; 2 * BLOCK * stride];
        for row in rows.chunks_exact_mut(stride) {
            row[..dim].fill_with(|| random.random_range(-127..=127));
        }
        check_bytes(&rows, (stride, dim), 100_000.0 * (dim as f32).sqrt().min(4.0));
    }
}

/// Packs rows of bytes for each level and compares them; says whether all levels could multiply them as bytes.
fn check_bytes(rows: &[i8], (stride, dim): (usize, usize), floor: f32) -> bool {
    let sums = || rows.chunks_exact(stride).map(|row| row.iter().map(|&value| i32::from(value)).sum()).collect();
    let row = |at: usize| rows[at * stride..(at + 1) * stride].iter().map(|&value| f64::from(value));
    let exact = |i: usize, j: usize| -> f64 { row(i).zip(row(j)).map(|(a, b)| a * b).sum() };
    Level::available().into_iter().fold(true, |all, level| {
        let bytes = Bytes::new(level, rows.to_vec(), sums(), (stride, dim), &|| false);
        let serves = bytes.serves(level) || level == Level::Portable;
        check(level, &Panels::Bytes(bytes), exact, floor, 0.5);
        all && serves
    })
}

/// What comparing whole blocks finds of the picked rows and the columns, as (row, column, bits of the bound).
fn of_blocks(
    level: Level,
    panels: &Panels,
    bounds: &Bounds,
    floor: f32,
    columns: (usize, usize),
) -> Vec<(usize, usize, u32)> {
    let floors = [floor; BLOCK];
    let pair = Pair { rows: 0, columns: 1, part: (0, BLOCK), row_floors: &floors, column_floors: &floors };
    let mut found = Found::default();
    compare(level, panels, bounds, &pair, &mut found);
    assert_eq!(found.for_rows, found.for_columns, "the same floors");
    let all = found.for_rows.iter().map(|near| (usize::from(near.row), usize::from(near.column), near.bound.to_bits()));
    all.filter(|&(_, column, _)| (columns.0..columns.0 + columns.1).contains(&column)).collect()
}

#[test]
fn picked_rows_find_what_their_blocks_find() {
    let mut random = rand_pcg::Pcg64Mcg::seed_from_u64(11);
    for (dim, largest) in [(3usize, 127), (70, 127), (130, 25)] {
        let stride = dim.next_multiple_of(64);
        let mut rows = vec![0i8; 2 * BLOCK * stride];
        rows.chunks_exact_mut(stride).for_each(|row| row[..dim].fill_with(|| random.random_range(-largest..=largest)));
        let sums = || sums_of(&rows, stride);
        let list = |of: fn(usize) -> f32| (0..2 * BLOCK).map(of).collect::<Vec<f32>>();
        let bounds = Bounds {
            scale: list(|row| 1.0 + (row % 3) as f32),
            offset: list(|row| row as f32 * 0.01),
            spread: list(|row| (row % 5) as f32 * 0.1),
            reach: list(|row| (row % 7) as f32),
        };
        let floor = largest as f32 * largest as f32 * (dim as f32).sqrt();
        let columns = (96, 64);
        for level in Level::available() {
            let bytes = Bytes::new(level, rows.clone(), sums(), (stride, dim), &|| false);
            let others =
                bytes.alike(rows[BLOCK * stride..].to_vec(), sums_of(&rows[BLOCK * stride..], stride), &|| false);
            let mut expected = of_blocks(level, &Panels::Bytes(bytes), &bounds, floor, columns);
            let bytes = Bytes::new(level, rows.clone(), sums(), (stride, dim), &|| false);
            let wanted: Vec<usize> = (0..BLOCK).step_by(5).collect();
            expected.retain(|(row, ..)| wanted.contains(row));
            expected.sort_unstable();
            let mut picked = Picked::new(level);
            picked.pick(&bytes, &bounds, wanted.iter().map(|&row| (row, floor)));
            let floors = vec![floor; columns.1];
            let theirs = Bounds {
                scale: bounds.scale[BLOCK..].to_vec(),
                offset: bounds.offset[BLOCK..].to_vec(),
                spread: bounds.spread[BLOCK..].to_vec(),
                reach: bounds.reach[BLOCK..].to_vec(),
            };
            for (others, bounds, first) in [(&bytes, &bounds, BLOCK + columns.0), (&others, &theirs, columns.0)] {
                let mut found = Found::default();
                picked.compare(others, Side { bounds, first, floors: &floors }, &mut found);
                assert_eq!(found.for_rows, found.for_columns);
                let of = |near: &Near| {
                    (wanted[usize::from(near.row)], columns.0 + usize::from(near.column), near.bound.to_bits())
                };
                let mut all: Vec<_> = found.for_rows.iter().map(of).collect();
                all.sort_unstable();
                assert!(all.len() > 20, "{}", all.len());
                assert_eq!(all, expected, "{level:?}, {dim}");
            }
        }
    }
}

fn sums_of(rows: &[i8], stride: usize) -> Vec<i32> {
    rows.chunks_exact(stride).map(|row| row.iter().map(|&value| i32::from(value)).sum()).collect()
}

#[test]
fn short_bytes_are_multiplied_as_they_are_and_never_overflow() {
    let mut random = rand_pcg::Pcg64Mcg::seed_from_u64(4);
    for dim in [2usize, 60, 64, 130, 200] {
        let stride = dim.next_multiple_of(64);
        let mut rows = vec![0i8; 2 * BLOCK * stride];
        for (at, row) in rows.chunks_exact_mut(stride).enumerate() {
            row[..dim].fill_with(|| random.random_range(-30..=30));
            if at % 3 == 0 {
                // As long as a run may be: four times 90 in each half.
                for run in row.chunks_exact_mut(64) {
                    run.fill(0);
                    let sign = if at % 2 == 0 { 1 } else { -1 };
                    [0, 1, 2, 3, 32, 33, 34, 35].iter().for_each(|&place| run[place] = sign * 90);
                }
                row[dim..].fill(0);
            }
        }
        assert!(check_bytes(&rows, (stride, dim), 8000.0), "{dim}");
        rows[stride] = 91;
        check_bytes(&rows, (stride, dim), 8000.0);
        assert!(!short::fits(&rows));
    }
    let mut long = [0i8; 128];
    [64, 65, 68, 69, 72].iter().for_each(|&place| long[place] = 85);
    assert!(!short::fits(&long), "five times 85 in one half of the second run");
    long[72] = 60;
    assert!(short::fits(&long));
}

#[test]
fn values_at_the_scale_of_short_bytes_fit() {
    let mut random = rand_pcg::Pcg64Mcg::seed_from_u64(6);
    for dim in [1usize, 3, 50, 384, 1000] {
        for power in [1, 3, 9] {
            let values: Vec<f32> = (0..dim).map(|_| random.random_range(-1.0f32..1.0).powi(power)).collect();
            let scale = short::scale(&values);
            let mut bytes: Vec<i8> = values.iter().map(|value| (value / scale).round() as i8).collect();
            bytes.resize(dim.next_multiple_of(64), 0);
            assert!(short::fits(&bytes), "{dim}, {power}");
        }
    }
}

#[test]
fn single_tiles_find_what_double_precision_finds() {
    let mut random = rand_pcg::Pcg64Mcg::seed_from_u64(2);
    for dim in [1, 2, 7, 33, 200] {
        let rows: Vec<f32> = (0..2 * BLOCK * dim).map(|_| random.random_range(-1.0..1.0)).collect();
        let row = |at: usize| rows[at * dim..(at + 1) * dim].iter().map(|&value| f64::from(value));
        let exact = |i: usize, j: usize| -> f64 { row(i).zip(row(j)).map(|(a, b)| a * b).sum() };
        let panels = Panels::Singles(Singles::new(rows.clone(), dim, &|| false));
        for level in Level::available() {
            check(level, &panels, exact, 12.5 + 2.0 * (dim as f32).sqrt().min(8.0), 1e-3);
        }
    }
}

#[test]
fn bfloat_tiles_find_what_double_precision_finds() {
    let mut random = rand_pcg::Pcg64Mcg::seed_from_u64(3);
    for dim in [1, 2, 31, 50, 200] {
        let stride = Bfloats::stride(dim);
        let mut rows = vec![0u16; 2 * BLOCK * stride];
        for row in rows.chunks_exact_mut(stride) {
            row[..dim].fill_with(|| half::bf16::from_f32(random.random_range(-1.0..1.0)).to_bits());
        }
        let row = |at: usize| rows[at * stride..(at + 1) * stride].iter().map(|&v| half::bf16::from_bits(v).to_f64());
        let exact = |i: usize, j: usize| -> f64 { row(i).zip(row(j)).map(|(a, b)| a * b).sum() };
        let panels = Panels::Bfloats(Bfloats::new(rows.clone(), stride, &|| false));
        for level in Level::available() {
            check(level, &panels, exact, 12.5 + 2.0 * (dim as f32).sqrt().min(8.0), 1e-3);
        }
    }
}

#[test]
fn products_with_a_few_are_those_of_double_precision_whatever_stands_beside() {
    let mut random = rand_pcg::Pcg64Mcg::seed_from_u64(5);
    for (rows, count, dim) in [(1, 1, 1), (13, 50, 30), (25, 33, 7), (12, 64, 100)] {
        let mut values =
            |rows: usize| -> Vec<f32> { (0..rows * dim).map(|_| random.random_range(-1.0..1.0)).collect() };
        let (mut many, others) = (values(rows), values(count));
        for level in Level::available() {
            let few = Few::new(level, &others, dim);
            let mut out = vec![f32::NAN; rows * count];
            few.products(&mut many, &others, &mut out);
            assert!(few.rows() > 0 && many.len() == rows * dim);
            for (i, row) in many.chunks_exact(dim).enumerate() {
                for (j, other) in others.chunks_exact(dim).enumerate() {
                    let exact: f64 = row.iter().zip(other).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum();
                    assert!((f64::from(out[i * count + j]) - exact).abs() < 1e-5, "{level:?}: {i}, {j}");
                }
            }
            let mut last = vec![0.0; count];
            few.products(&mut many[(rows - 1) * dim..].to_vec(), &[], &mut last);
            assert_eq!(last, out[(rows - 1) * count..]);
        }
    }
}
