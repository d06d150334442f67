//! Activations and norms of every level against double precision.

use rand::{Rng, SeedableRng};

use super::*;

/// The error function by its series and its continued fraction.
fn erf(x: f64) -> f64 {
    if x < 0.0 {
        return -erf(-x);
    }
    if x > 3.0 {
        let fraction = (1..=80).rev().fold(0.0, |below, at| f64::from(at) / 2.0 / (x + below));
        return 1.0 - (-x * x).exp() / std::f64::consts::PI.sqrt() / (x + fraction);
    }
    let (mut term, mut sum) = (x, x);
    for at in 1..100 {
        term *= -x * x / f64::from(at);
        sum += term / f64::from(2 * at + 1);
    }
    sum * 2.0 / std::f64::consts::PI.sqrt()
}

fn exact(activation: Activation, x: f64) -> f64 {
    match activation {
        Activation::None => x,
        Activation::Gelu => x * 0.5 * (1.0 + erf(x / 2.0f64.sqrt())),
        Activation::GeluTanh => {
            x * 0.5 * (1.0 + ((2.0 / std::f64::consts::PI).sqrt() * (x + 0.044_715 * x.powi(3))).tanh())
        }
        Activation::Relu => x.max(0.0),
        Activation::Tanh => x.tanh(),
        Activation::QuickGelu => x / (1.0 + (-1.702 * x).exp()),
        Activation::Silu => x / (1.0 + (-x).exp()),
    }
}

const ALL: [Activation; 7] = [
    Activation::None,
    Activation::Gelu,
    Activation::GeluTanh,
    Activation::Relu,
    Activation::Tanh,
    Activation::QuickGelu,
    Activation::Silu,
];

#[test]
fn activations_are_those_of_double_precision() {
    assert!((erf(1.0) - 0.842_700_792_949_714_9).abs() < 1e-14 && (erf(3.5) - 0.999_999_256_901_628).abs() < 1e-14);
    let mut values: Vec<f32> = (-120_000..=120_000).map(|at| at as f32 * 1e-4).collect();
    values.extend([0.0, -0.0, 1e30, -1e30, 1e-30, 100.0, -100.0]);
    for level in Level::available() {
        for activation in ALL {
            let mut out = values.clone();
            activation.apply(level, &mut out);
            for (&x, &y) in values.iter().zip(&out) {
                let exact = exact(activation, f64::from(x));
                let error = (f64::from(y) - exact).abs();
                // A sigmoid's tanh ends a little below 1, and is multiplied by up to 8.
                let slack = if matches!(activation, Activation::QuickGelu | Activation::Silu) { 3e-6 } else { 1e-6 };
                assert!(error <= slack * exact.abs().max(1.0), "{level:?}, {activation:?} of {x}: {y}, not {exact}");
            }
            let mut none = [f32::NAN; 3];
            activation.apply(level, &mut none);
            assert!(none.iter().all(|value| value.is_nan()), "{level:?}, {activation:?}");
        }
    }
}

#[test]
fn norms_are_those_of_double_precision() {
    let mut random = rand_pcg::Pcg64Mcg::seed_from_u64(1);
    for width in [1usize, 5, 16, 36, 100, 384, 1000] {
        let mut draw = |len: usize, middle: f32| -> Vec<f32> {
            (0..len).map(|_| middle + random.random_range(-1.0..1.0)).collect()
        };
        let norm = Norm { scale: draw(width, 1.0), shift: draw(width, 0.0), epsilon: 1e-5 };
        let rows = draw(3 * width, 10.0);
        for level in Level::available() {
            let mut out = rows.clone();
            norm.apply(level, &mut out);
            for (row, out) in rows.chunks_exact(width).zip(out.chunks_exact(width)) {
                let row: Vec<f64> = row.iter().map(|&value| f64::from(value)).collect();
                let mean = row.iter().sum::<f64>() / width as f64;
                let variance = row.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / width as f64;
                for (column, value) in row.iter().enumerate() {
                    let unit = (value - mean) / (variance + 1e-5f32 as f64).sqrt();
                    let exact = unit * f64::from(norm.scale[column]) + f64::from(norm.shift[column]);
                    assert!((f64::from(out[column]) - exact).abs() < 1e-5, "{level:?}, {width}");
                }
            }
        }
    }
}

#[test]
fn bfloats_are_the_nearest() {
    assert_eq!(bfloat(1.0), 0x3f80);
    assert_eq!(bfloat(f32::from_bits(0x3f80_8000)), 0x3f80);
    assert_eq!(bfloat(f32::from_bits(0x3f81_8000)), 0x3f82);
    assert_eq!(bfloat(f32::from_bits(0x3f80_8001)), 0x3f81);
    assert_eq!(bfloat(-0.0), 0x8000);
}
