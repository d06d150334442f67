//! Every kernel against double precision.

use rand::{Rng, SeedableRng};
use rand_pcg::Pcg64Mcg;

use super::*;
use crate::models::Precision;

/// Random projections of `tokens` tokens; queries are multiplied by `sharpness`.
fn projected(random: &mut Pcg64Mcg, tokens: usize, (heads, width): (usize, usize), sharpness: f32) -> Vec<f32> {
    let side = heads * width;
    let mut values: Vec<f32> = (0..3 * side * tokens).map(|_| random.random_range(-1.0..1.0)).collect();
    for row in values.chunks_exact_mut(3 * side) {
        row[..side].iter_mut().for_each(|value| *value *= sharpness);
    }
    values
}

fn attention(kernel: Kernel, heads: usize, width: usize) -> Attention {
    Attention { kernel, heads, width, bias: None }
}

fn attend(attention: &Attention, projected: &[f32], lengths: &[usize], heads: Range<usize>) -> Vec<f32> {
    attend_within(attention, projected, lengths, (heads, Reach::All))
}

fn attend_within(
    attention: &Attention,
    projected: &[f32],
    lengths: &[usize],
    (heads, reach): (Range<usize>, Reach),
) -> Vec<f32> {
    let side = attention.heads * attention.width;
    let mut out = vec![f32::NAN; lengths.iter().sum::<usize>() * side];
    if !out.is_empty() {
        attend_into(attention, &Work { projected, lengths, heads, reach }, &mut out);
    }
    out
}

fn attend_into(attention: &Attention, work: &Work<'_>, out: &mut [f32]) {
    let sheet = Sheet::new(out, attention.heads * attention.width);
    // What an earlier call left behind must not matter.
    let mut scratch = Scratch { lines: vec![Line([f32::NAN; 16]); 1 << 14], ..Scratch::default() };
    attention.attend(work, sheet, &mut scratch);
}

/// What double precision gives for a text alone.
fn exact(attention: &Attention, projected: &[f32], tokens: usize, reach: Reach) -> Vec<f64> {
    let (heads, width) = (attention.heads, attention.width);
    let side = heads * width;
    let of = |token: usize, part: usize, head: usize| {
        projected[(3 * token + part) * side + head * width..][..width].iter().map(|&value| f64::from(value))
    };
    let mut out = Vec::new();
    let mut biases = bias::Biases::default();
    if let Some(bias) = &attention.bias {
        biases.prepare(bias, heads, tokens);
    }
    for token in 0..tokens {
        for head in 0..heads {
            let score = |key: usize| {
                let product: f64 = of(token, 0, head).zip(of(key, 1, head)).map(|(q, k)| q * k).sum();
                let bias = attention.bias.as_ref().map_or(0.0, |_| f64::from(biases.row(head, token, key)[0]));
                product / (width as f64).sqrt() + bias * std::f64::consts::LN_2
            };
            let seen = reach.keys(token, tokens);
            let hidden = |key: usize| if seen.contains(&key) { score(key) } else { f64::NEG_INFINITY };
            let mut shares: Vec<f64> = (0..tokens).map(hidden).collect();
            let greatest = shares.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            shares.iter_mut().for_each(|score| *score = (*score - greatest).exp());
            let sum: f64 = shares.iter().sum();
            let mut row = vec![0.0; width];
            for (key, share) in shares.iter().enumerate() {
                row.iter_mut().zip(of(key, 2, head)).for_each(|(total, value)| *total += share / sum * value);
            }
            out.extend(row);
        }
    }
    out
}

/// How far results may lie from exact ones where values are at most 1 and scores about `sharpness`.
fn slack(kernel: Kernel, sharpness: f32) -> f64 {
    let sharpness = f64::from(sharpness);
    match kernel.precision {
        Precision::F32 => 2e-6 + 3e-7 * sharpness,
        _ => 8e-3 + 4e-3 * sharpness,
    }
}

fn check(attention: &Attention, projected: &[f32], lengths: &[usize], slack: f64) {
    check_within(attention, projected, lengths, (slack, Reach::All));
}

fn check_within(attention: &Attention, projected: &[f32], lengths: &[usize], (slack, reach): (f64, Reach)) {
    let side = attention.heads * attention.width;
    let all = attend_within(attention, projected, lengths, (0..attention.heads, reach));
    let mut first = 0;
    for &tokens in lengths {
        let wanted = exact(attention, &projected[3 * side * first..3 * side * (first + tokens)], tokens, reach);
        for (at, (got, wanted)) in all[side * first..].iter().zip(&wanted).enumerate() {
            let (token, column) = (at / side, at % side);
            let off = (f64::from(*got) - wanted).abs();
            assert!(
                off <= slack,
                "{:?}, {reach:?}, {} wide: token {token} of {tokens}, column {column}: {got} is not {wanted}",
                attention.kernel,
                attention.width
            );
        }
        first += tokens;
    }
}

const LENGTHS: [usize; 14] = [1, 0, 2, 15, 16, 17, 31, 33, 48, 70, 128, 1, 257, 12];
const WIDTHS: [usize; 6] = [9, 12, 32, 64, 80, 128];

#[test]
fn results_are_those_of_double_precision() {
    let mut random = Pcg64Mcg::seed_from_u64(1);
    for width in WIDTHS {
        let projected = projected(&mut random, LENGTHS.iter().sum(), (2, width), 3.0);
        for kernel in Kernel::available() {
            check(&attention(kernel, 2, width), &projected, &LENGTHS, slack(kernel, 3.0));
        }
    }
}

#[test]
fn long_texts_are_attended_to() {
    let mut random = Pcg64Mcg::seed_from_u64(2);
    let lengths = [512, 1100];
    for width in [32, 64] {
        let projected = projected(&mut random, lengths.iter().sum(), (1, width), 3.0);
        for kernel in Kernel::available() {
            check(&attention(kernel, 1, width), &projected, &lengths, slack(kernel, 3.0));
        }
    }
}

#[test]
fn great_scores_overflow_nothing() {
    let mut random = Pcg64Mcg::seed_from_u64(3);
    let lengths = [3, 40, 100];
    for width in [12, 32, 64] {
        for greatness in [4.0, 512.0] {
            let mut projected = projected(&mut random, lengths.iter().sum(), (2, width), 1.0);
            // Exact in bfloat16, as are their products; of one sign in some rows and of the other in the rest, so that the greatest
            // scores of rows side by side lie far apart.
            for (token, row) in projected.chunks_exact_mut(6 * width).enumerate() {
                let sign = if token % 3 == 0 { -greatness } else { greatness };
                for at in 0..2 * width {
                    row[at] = sign * (1.0 + ((token + at) % 5) as f32 / 8.0);
                    row[2 * width + at] = 1.0 + (token * 7 % 11) as f32 / 8.0;
                }
            }
            for kernel in Kernel::available() {
                let slack = if kernel.precision == Precision::F32 { 1e-5 } else { 8e-3 };
                check(&attention(kernel, 2, width), &projected, &lengths, slack);
            }
        }
    }
}

#[test]
fn equal_scores_give_the_mean() {
    let mut random = Pcg64Mcg::seed_from_u64(4);
    let lengths = [5, 33, 200];
    for width in [32, 64] {
        let projected = projected(&mut random, lengths.iter().sum(), (1, width), 0.0);
        for kernel in Kernel::available() {
            check(&attention(kernel, 1, width), &projected, &lengths, slack(kernel, 0.0) * 0.5);
        }
    }
}

#[test]
fn biases_by_distance_are_added() {
    let mut random = Pcg64Mcg::seed_from_u64(5);
    let lengths = [1, 20, 70, 300];
    for width in [12, 32, 64] {
        let projected = projected(&mut random, lengths.iter().sum(), (3, width), 2.0);
        let values = (0..96).map(|_| random.random_range(-4.0..4.0)).collect();
        let bias = Arc::new(PositionBias { values, buckets: 32, max_distance: 128 });
        for kernel in Kernel::available() {
            let attention = Attention { bias: Some(Arc::clone(&bias)), ..attention(kernel, 3, width) };
            check(&attention, &projected, &lengths, slack(kernel, 3.0));
        }
    }
}

#[test]
fn biases_grow_with_the_distance() {
    let mut random = Pcg64Mcg::seed_from_u64(8);
    let lengths = [1, 20, 70, 300];
    let projected = projected(&mut random, lengths.iter().sum(), (2, 32), 2.0);
    let bias = Arc::new(PositionBias { values: vec![0.5, 0.01], buckets: 0, max_distance: 0 });
    for kernel in Kernel::available() {
        let attention = Attention { bias: Some(Arc::clone(&bias)), ..attention(kernel, 2, 32) };
        check(&attention, &projected, &lengths, slack(kernel, 3.0));
    }
}

#[test]
fn what_is_out_of_reach_has_no_share() {
    let mut random = Pcg64Mcg::seed_from_u64(9);
    for width in WIDTHS {
        let projected = projected(&mut random, LENGTHS.iter().sum(), (2, width), 3.0);
        for reach in [Reach::Before, Reach::Within(0), Reach::Within(5), Reach::Within(33), Reach::Within(400)] {
            for kernel in Kernel::available() {
                check_within(&attention(kernel, 2, width), &projected, &LENGTHS, (slack(kernel, 3.0), reach));
            }
        }
    }
}

#[test]
fn texts_are_the_same_alone_and_beside_others() {
    let mut random = Pcg64Mcg::seed_from_u64(6);
    for width in WIDTHS {
        let side = 3 * width;
        let projected = projected(&mut random, LENGTHS.iter().sum(), (3, width), 3.0);
        for kernel in Kernel::available() {
            let attention = attention(kernel, 3, width);
            let all = attend(&attention, &projected, &LENGTHS, 0..3);
            let mut first = 0;
            for tokens in LENGTHS {
                let alone =
                    attend(&attention, &projected[3 * side * first..3 * side * (first + tokens)], &[tokens], 0..3);
                assert!(
                    alone == all[side * first..side * (first + tokens)],
                    "{kernel:?}, {width} wide: {tokens} tokens"
                );
                first += tokens;
            }
        }
    }
}

#[test]
fn heads_are_the_same_alone_and_touch_no_other_columns() {
    let mut random = Pcg64Mcg::seed_from_u64(7);
    let lengths = [1, 20, 0, 70];
    let tokens: usize = lengths.iter().sum();
    for width in WIDTHS {
        let projected = projected(&mut random, tokens, (5, width), 3.0);
        for kernel in Kernel::available() {
            let attention = attention(kernel, 5, width);
            let all = attend(&attention, &projected, &lengths, 0..5);
            let mut out = vec![7.0; tokens * 5 * width];
            for heads in [3..5, 0..1, 2..2] {
                attend_into(
                    &attention,
                    &Work { projected: &projected, lengths: &lengths, heads, reach: Reach::All },
                    &mut out,
                );
            }
            for (got, wanted) in out.chunks_exact(5 * width).zip(all.chunks_exact(5 * width)) {
                assert!(got[..width] == wanted[..width] && got[3 * width..] == wanted[3 * width..], "{kernel:?}");
                assert!(got[width..3 * width].iter().all(|&value| value == 7.0), "{kernel:?}");
            }
        }
    }
}
