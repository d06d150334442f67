//! Every kernel against double precision, and against itself in other shapes.

use rand::{Rng, SeedableRng};
use rand_pcg::Pcg64Mcg;

use super::*;
use crate::models::Precision;
use crate::models::encoder::math::{Norm, add, bfloat};
use crate::vectors::Level;

fn random(random: &mut Pcg64Mcg, len: usize, size: f32) -> Vec<f32> {
    (0..len).map(|_| random.random_range(-size..size)).collect()
}

/// A factor as the precision rounds it, given the greatest of its row.
fn rounded(precision: Precision, value: f32, peak: f32) -> f64 {
    match precision {
        Precision::F32 => f64::from(value),
        Precision::Bf16 => f64::from(f32::from_bits(u32::from(bfloat(value)) << 16)),
        Precision::Int8 if peak == 0.0 => 0.0,
        Precision::Int8 => f64::from((value * (127.0 / peak)).round_ties_even()) * f64::from(peak / 127.0),
    }
}

/// A row of values as the precision rounds it: integers are those of the distance to the middle of the row, which is returned too.
fn centred(precision: Precision, row: &[f32]) -> (Vec<f64>, f64) {
    if precision != Precision::Int8 {
        return (row.iter().map(|&value| rounded(precision, value, 0.0)).collect(), 0.0);
    }
    let least = row.iter().fold(f32::INFINITY, |least, &value| least.min(value));
    let most = row.iter().fold(f32::NEG_INFINITY, |most, &value| most.max(value));
    let middle = 0.5 * least + 0.5 * most;
    let reach = (most - middle).max(middle - least);
    (row.iter().map(|&value| rounded(precision, value - middle, reach)).collect(), f64::from(middle))
}

fn rounded_rows(precision: Precision, values: &[f32], width: usize) -> Vec<f64> {
    let peak = |row: &[f32]| row.iter().fold(0.0f32, |most, value| most.max(value.abs()));
    let rows = values.chunks_exact(width);
    rows.flat_map(|row| row.iter().map(move |&value| rounded(precision, value, peak(row)))).collect()
}

struct Case {
    inputs: usize,
    values: Vec<f32>,
    weight: Vec<f32>,
    bias: Vec<f32>,
}

impl Case {
    fn new(seed: &mut Pcg64Mcg, rows: usize, inputs: usize, outputs: usize) -> Self {
        let values = random(seed, rows * inputs, 2.0);
        let weight = random(seed, outputs * inputs, 0.5);
        let bias = random(seed, outputs, 1.0);
        Self { inputs, values, weight, bias }
    }

    fn linear(&self, kernel: Kernel) -> Linear {
        Linear::pack(kernel, &self.weight, self.bias.clone(), self.inputs)
    }

    fn filled(&self, kernel: Kernel) -> Rows {
        let mut rows = Rows::new(kernel);
        rows.fill(&self.values, self.inputs);
        rows
    }

    /// The result and the sum of the absolute products of each.
    fn exact(&self, precision: Precision) -> Vec<(f64, f64)> {
        let weight = rounded_rows(precision, &self.weight, self.inputs);
        let mut all = Vec::new();
        for row in self.values.chunks_exact(self.inputs) {
            let (row, middle) = centred(precision, row);
            for (column, &bias) in weight.chunks_exact(self.inputs).zip(&self.bias) {
                let products = || row.iter().zip(column).map(|(a, b)| a * b);
                let of_middle = middle * column.iter().sum::<f64>();
                let size = products().map(f64::abs).sum::<f64>() + of_middle.abs();
                all.push((products().sum::<f64>() + of_middle + f64::from(bias), size));
            }
        }
        all
    }
}

fn product(linear: &Linear, rows: &Rows, activation: Activation) -> Vec<f32> {
    let mut out = vec![f32::NAN; rows.len() * linear.outputs()];
    linear.apply(rows, 0..linear.panels(), activation, Sheet::new(&mut out, linear.outputs()));
    out
}

fn shapes() -> Vec<(usize, usize, usize)> {
    let mut shapes: Vec<_> = (1..=70).map(|rows| (rows, 36, 52)).collect();
    shapes.extend([(1, 1, 1), (5, 2, 3), (13, 7, 33), (33, 65, 64), (31, 384, 40), (47, 100, 1), (200, 64, 96)]);
    shapes.extend([(512, 129, 70), (100, 1536, 33), (7, 4096, 32)]);
    shapes
}

#[test]
fn products_are_those_of_double_precision() {
    let mut seed = Pcg64Mcg::seed_from_u64(1);
    for (rows, inputs, outputs) in shapes() {
        let case = Case::new(&mut seed, rows, inputs, outputs);
        for kernel in Kernel::available() {
            let out = product(&case.linear(kernel), &case.filled(kernel), Activation::None);
            for (at, (&value, (exact, size))) in out.iter().zip(case.exact(kernel.precision)).enumerate() {
                let error = (f64::from(value) - exact).abs();
                assert!(
                    error <= 1e-6 * (size + 1.0),
                    "{kernel:?}, {rows} x {inputs} x {outputs}, {at}: {error} of {size}"
                );
            }
        }
    }
}

#[test]
fn integers_are_the_same_on_all_levels() {
    let mut seed = Pcg64Mcg::seed_from_u64(2);
    for (rows, inputs, outputs) in [(9, 36, 52), (40, 384, 64), (3, 3072, 32)] {
        let mut case = Case::new(&mut seed, rows, inputs, outputs);
        // Powers of two as scales, so that the results are the integers.
        for values in [&mut case.values, &mut case.weight] {
            for row in values.chunks_exact_mut(inputs) {
                row.iter_mut().for_each(|value| *value = (*value * 100.0).round().clamp(-127.0, 127.0));
                row[0] = 127.0;
                row[1] = -127.0;
            }
        }
        case.bias.fill(0.0);
        let exact = case.exact(Precision::F32);
        for level in Level::available() {
            let kernel = Kernel { level, precision: Precision::Int8 };
            let out = product(&case.linear(kernel), &case.filled(kernel), Activation::None);
            for (&value, &(exact, _)) in out.iter().zip(&exact) {
                assert_eq!(value, exact as f32, "{level:?}");
            }
        }
    }
}

#[test]
fn a_row_is_the_same_wherever_it_lies_and_however_columns_are_split() {
    let mut seed = Pcg64Mcg::seed_from_u64(3);
    for (rows, inputs, outputs) in [(70, 36, 100), (150, 384, 130), (39, 1537, 65)] {
        let case = Case::new(&mut seed, rows, inputs, outputs);
        for kernel in Kernel::available() {
            let (linear, filled) = (case.linear(kernel), case.filled(kernel));
            let whole = product(&linear, &filled, Activation::Gelu);
            let mut split = vec![f32::NAN; rows * outputs];
            for panel in 0..linear.panels() {
                linear.apply(&filled, panel..panel + 1, Activation::Gelu, Sheet::new(&mut split, outputs));
            }
            assert_eq!(whole, split, "{kernel:?}");
            for (first, len) in [(0, 1), (1, 1), (5, 2), (3, 17), (rows - 1, 1), (2, 33), (rows - 36, 36)] {
                let mut some = Rows::new(kernel);
                some.fill(&case.values[first * inputs..(first + len) * inputs], inputs);
                let some = product(&linear, &some, Activation::Gelu);
                assert_eq!(whole[first * outputs..(first + len) * outputs], some, "{kernel:?}, {first}, {len}");
            }
        }
    }
}

const ALL: [Activation; 5] =
    [Activation::None, Activation::Gelu, Activation::GeluTanh, Activation::Relu, Activation::Tanh];

#[test]
fn what_follows_is_the_same_within_and_after_a_product() {
    let mut seed = Pcg64Mcg::seed_from_u64(4);
    for (rows, inputs, outputs) in [(1, 3, 5), (70, 36, 52), (33, 52, 36), (250, 768, 384), (20, 32, 100)] {
        let case = Case::new(&mut seed, rows, inputs, outputs);
        let after = Case::new(&mut seed, rows, outputs, 36);
        let norm =
            Norm { scale: random(&mut seed, outputs, 2.0), shift: random(&mut seed, outputs, 2.0), epsilon: 1e-12 };
        let residual = random(&mut seed, rows * outputs, 2.0);
        for kernel in Kernel::available() {
            let (linear, filled, after) = (case.linear(kernel), case.filled(kernel), after.linear(kernel));
            let plain = product(&linear, &filled, Activation::None);
            let (mut next, mut expected) = (Rows::new(kernel), Rows::new(kernel));
            // Memory of wider rows, to be used again.
            next.fill(&vec![f32::MAX; 600 * 64], 600);
            for activation in ALL {
                let mut alone = plain.clone();
                activation.apply(kernel.level, &mut alone);
                assert_eq!(product(&linear, &filled, activation), alone, "{kernel:?}, {activation:?}");
                linear.apply_rows(&filled, activation, &mut next);
                expected.fill(&alone, outputs);
                assert_eq!((next.len(), next.scales()), (expected.len(), expected.scales()), "{kernel:?}");
                let followed = product(&after, &next, Activation::None);
                assert_eq!(followed, product(&after, &expected, Activation::None), "{kernel:?}, {activation:?}");
            }
            let (mut normed, mut alone) = (residual.clone(), residual.clone());
            linear.apply_norm(&filled, &mut normed, &Settle::Normed(norm.clone()), &mut next);
            add(&mut alone, &plain);
            norm.apply(kernel.level, &mut alone);
            assert_eq!(normed, alone, "{kernel:?}");
            expected.fill(&alone, outputs);
            let followed = product(&after, &next, Activation::None);
            assert_eq!(followed, product(&after, &expected, Activation::None), "{kernel:?}");
        }
    }
}

#[test]
fn zeros_and_large_values_are_taken() {
    for kernel in Kernel::available() {
        let mut values = vec![0.0f32; 4 * 40];
        values[40..80].fill(1e30);
        values[80..120].fill(1e-38);
        values[120] = 3e36;
        let linear = Linear::pack(kernel, &[1.0; 40 * 33], vec![2.0; 33], 40);
        let mut rows = Rows::new(kernel);
        rows.fill(&values, 40);
        let out = product(&linear, &rows, Activation::None);
        assert!(out[..33].iter().all(|&value| value == 2.0), "{kernel:?}");
        assert!(out[33..66].iter().all(|&value| (value / 4e31 - 1.0).abs() < 0.01), "{kernel:?}");
        assert!(out[66..99].iter().all(|&value| value == 2.0), "{kernel:?}");
        assert!(out[99..].iter().all(|&value| (value / 3e36 - 1.0).abs() < 0.01), "{kernel:?}");
        rows.fill(&[], 40);
        assert!(product(&linear, &rows, Activation::None).is_empty());
    }
}
