//! The inner loop of UMAP: sixteen points move at once, each along its own edges.
//!
//! Plain arithmetic on arrays of sixteen, compiled three times (AVX-512, AVX2, any processor) without fused multiplications, so that
//! all of them give the same bytes. Unsafe only to call what was compiled for instructions that were found. Invariant: a group
//! reads the field and writes only its own sixteen points.
#![allow(unsafe_code)]

use super::random::mix;

/// Points that move together.
pub(super) const GROUP: usize = 16;
/// No coordinate moves further by one edge, in units of the learning rate.
const LONGEST: f32 = 4.0;
/// Squared distances are taken to be at least this.
const LEAST_SQUARE: f32 = 1e-12;

/// Sixteen values.
pub(super) type Lanes = [f32; GROUP];

/// Places of all points by axis, the first [`GROUP`] repeated at the end so that a run of sixteen may begin anywhere.
#[derive(Clone, Debug)]
pub(super) struct Field<const D: usize> {
    /// `count + GROUP` values an axis.
    pub axes: [Vec<f32>; D],
    /// Points.
    pub count: usize,
}

/// The edges of sixteen points: those of lane `l` are `starts[l]..starts[l + 1]`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Edges<'a> {
    /// Bounds of the lanes' edges; as many as points, and one more.
    pub starts: &'a [usize],
    /// Places in the field.
    pub tails: &'a [u32],
    /// How often an edge is taken, in 2⁻³² of an epoch.
    pub paces: &'a [u32],
    /// Where the first of the points stands in the field; `usize::MAX` where they are not in it.
    pub base: usize,
    /// Tells these points' random numbers from those of others.
    pub stream: u64,
}

/// What holds for a whole epoch.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step {
    /// The curve.
    pub a: f32,
    /// The curve.
    pub b: f32,
    /// Weight of pushing away.
    pub repulsion: f32,
    /// Learning rate now.
    pub rate: f32,
    /// Greatest share of the way to the other end that one edge draws, in units of the learning rate.
    pub reach: f32,
    /// Points that push for each that draws.
    pub negatives: usize,
    /// Epoch, from 1; an edge is due when its pace carries over in it.
    pub epoch: u32,
    /// Seed.
    pub seed: u64,
}

/// Moves the sixteen points of `edges` by one epoch; `due` is memory to work in.
pub(super) fn advance<const D: usize>(
    field: &Field<D>,
    edges: Edges<'_>,
    step: &Step,
    own: &mut [Lanes; D],
    due: &mut Vec<u32>,
) {
    #[cfg(target_arch = "x86_64")]
    match level() {
        // SAFETY: the instructions were found on this machine.
        Level::Avx512 => return unsafe { advance_avx512(field, edges, step, own, due) },
        // SAFETY: the instructions were found on this machine.
        Level::Avx2 => return unsafe { advance_avx2(field, edges, step, own, due) },
        Level::Portable => {}
    }
    portable(field, edges, step, own, due);
}

#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy, Debug)]
pub(super) enum Level {
    Avx512,
    Avx2,
    Portable,
}

#[cfg(target_arch = "x86_64")]
pub(super) fn level() -> Level {
    static LEVEL: std::sync::OnceLock<Level> = std::sync::OnceLock::new();
    *LEVEL.get_or_init(|| {
        let wide = std::arch::is_x86_feature_detected!("avx512f")
            && std::arch::is_x86_feature_detected!("avx512bw")
            && std::arch::is_x86_feature_detected!("avx512dq")
            && std::arch::is_x86_feature_detected!("avx512vl");
        match (crate::vectors::has_fma(), wide) {
            (true, true) => Level::Avx512,
            (true, false) => Level::Avx2,
            (false, _) => Level::Portable,
        }
    })
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2")]
fn advance_avx512<const D: usize>(
    field: &Field<D>,
    edges: Edges<'_>,
    step: &Step,
    own: &mut [Lanes; D],
    due: &mut Vec<u32>,
) {
    portable(field, edges, step, own, due);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn advance_avx2<const D: usize>(
    field: &Field<D>,
    edges: Edges<'_>,
    step: &Step,
    own: &mut [Lanes; D],
    due: &mut Vec<u32>,
) {
    portable(field, edges, step, own, due);
}

#[inline(always)]
fn portable<const D: usize>(field: &Field<D>, edges: Edges<'_>, step: &Step, own: &mut [Lanes; D], due: &mut Vec<u32>) {
    let longest = edges.starts.windows(2).map(|bounds| bounds[1] - bounds[0]).max().unwrap_or(0);
    if due.len() < (longest + 1) * GROUP {
        due.resize((longest + 1) * GROUP, 0);
    }
    let mut counts = [0usize; GROUP];
    for (lane, bounds) in edges.starts.windows(2).enumerate() {
        let (tails, paces) = (&edges.tails[bounds[0]..bounds[1]], &edges.paces[bounds[0]..bounds[1]]);
        let mut count = 0;
        for (&tail, &pace) in tails.iter().zip(paces) {
            due[count * GROUP + lane] = tail;
            count += usize::from(pace.wrapping_mul(step.epoch) < pace);
        }
        counts[lane] = count;
    }
    let most = counts.iter().copied().max().unwrap_or(0);
    for (turn, due) in due.as_chunks::<GROUP>().0[..most].iter().enumerate() {
        let mut other = *own;
        let mut active = [0.0f32; GROUP];
        for lane in 0..GROUP {
            if counts[lane] > turn {
                active[lane] = step.rate;
                for (axis, other) in other.iter_mut().enumerate() {
                    other[lane] = field.axes[axis][due[lane] as usize];
                }
            }
        }
        let mut moved = [[0.0f32; GROUP]; D];
        draw(own, &other, step, &mut moved);
        let begin = mix(step.seed, edges.stream, turn as u64);
        for number in 0..step.negatives {
            let at = not_at(edges.base, mix(begin, number as u64, 1), field.count);
            push(own, field, at, step, &mut moved);
        }
        take(own, &moved, &active);
    }
}

/// Where a run of sixteen begins: anywhere but at the group itself.
#[inline(always)]
fn not_at(base: usize, random: u64, count: usize) -> usize {
    let at = (((random >> 32) * count as u64) >> 32) as usize;
    if at != base {
        at
    } else if at + 1 < count {
        at + 1
    } else {
        0
    }
}

#[inline(always)]
fn take<const D: usize>(own: &mut [Lanes; D], moved: &[Lanes; D], active: &Lanes) {
    for axis in 0..D {
        for lane in 0..GROUP {
            own[axis][lane] += active[lane] * moved[axis][lane];
        }
    }
}

/// Adds how the other ends draw: 2ab d^(2b-2) / (1 + a d^2b) times the way, each axis held to [`LONGEST`].
#[inline(always)]
fn draw<const D: usize>(own: &[Lanes; D], other: &[Lanes; D], step: &Step, moved: &mut [Lanes; D]) {
    let strength = -2.0 * step.a * step.b;
    let mut square = [0.0f32; GROUP];
    for axis in 0..D {
        for lane in 0..GROUP {
            let off = own[axis][lane] - other[axis][lane];
            square[lane] += off * off;
        }
    }
    let mut factor = [0.0f32; GROUP];
    for lane in 0..GROUP {
        let square = if square[lane] > LEAST_SQUARE { square[lane] } else { LEAST_SQUARE };
        let power = power(square, step.b);
        let pull = strength * power / (square * (1.0 + step.a * power));
        factor[lane] = if pull < -step.reach { -step.reach } else { pull };
    }
    for axis in 0..D {
        for lane in 0..GROUP {
            moved[axis][lane] += held(factor[lane] * (own[axis][lane] - other[axis][lane]));
        }
    }
}

/// Adds how the sixteen from `at` on push: 2 gamma b / ((0.001 + d²)(1 + a d^2b)) times the way, each axis held to [`LONGEST`].
#[inline(always)]
fn push<const D: usize>(own: &[Lanes; D], field: &Field<D>, at: usize, step: &Step, moved: &mut [Lanes; D]) {
    let strength = 2.0 * step.repulsion * step.b;
    let mut way = [[0.0f32; GROUP]; D];
    let mut square = [0.0f32; GROUP];
    for axis in 0..D {
        let other = &field.axes[axis][at..at + GROUP];
        for lane in 0..GROUP {
            way[axis][lane] = own[axis][lane] - other[lane];
            square[lane] += way[axis][lane] * way[axis][lane];
        }
    }
    let mut factor = [0.0f32; GROUP];
    for lane in 0..GROUP {
        let least = if square[lane] > LEAST_SQUARE { square[lane] } else { LEAST_SQUARE };
        factor[lane] = strength / ((0.001 + square[lane]) * (1.0 + step.a * power(least, step.b)));
    }
    for axis in 0..D {
        for lane in 0..GROUP {
            moved[axis][lane] += held(factor[lane] * way[axis][lane]);
        }
    }
}

#[inline(always)]
fn held(value: f32) -> f32 {
    let value = if value > LONGEST { LONGEST } else { value };
    if value < -LONGEST { -LONGEST } else { value }
}

/// `value` to the power `exponent` for positive, finite values; off by less than 1 in 20,000.
#[inline(always)]
pub(super) fn power(value: f32, exponent: f32) -> f32 {
    two_to(exponent * log_two(value))
}

/// Logarithm to base two: the exponent, and a polynomial of the mantissa brought to between √½ and √2.
#[inline(always)]
fn log_two(value: f32) -> f32 {
    let bits = value.to_bits() as i32;
    let exponent = (bits - 0x3f35_04f3) >> 23;
    let t = f32::from_bits((bits - (exponent << 23)) as u32) - 1.0;
    let mut sum = 0.252_663_85f32;
    for next in [-0.394_580_25f32, 0.486_686_7, -0.720_241_5, 1.442_578] {
        sum = sum * t + next;
    }
    exponent as f32 + sum * t
}

/// Two to a power, held to the range of normal numbers.
#[inline(always)]
fn two_to(power: f32) -> f32 {
    const ROUND: f32 = 12_582_912.0;
    let power = if power > 126.0 { 126.0 } else { power };
    let power = if power < -126.0 { -126.0 } else { power };
    let shifted = power + ROUND;
    let f = power - (shifted - ROUND);
    let mut sum = 0.009_570_086f32;
    for next in [0.055_917_9f32, 0.240_247_46, 0.693_121_8, 0.999_999_3] {
        sum = sum * f + next;
    }
    // The whole part stands in the low bits of the shifted number, and comes to stand in the exponent.
    sum * f32::from_bits(shifted.to_bits().wrapping_sub(ROUND.to_bits()).wrapping_add(127) << 23)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::projection::umap::random::unit;

    #[test]
    fn powers_are_those_of_double_precision() {
        for exponent in [0.3f32, 0.895, 1.0, 1.9] {
            for step in 0..20_000 {
                let value = 1e-12f32 * 1.004f32.powi(step);
                if !value.is_finite() || value > 1e19 {
                    break;
                }
                let exact = f64::from(value).powf(f64::from(exponent));
                let off = f64::from(power(value, exponent)) / exact - 1.0;
                assert!(off.abs() < 5e-5, "{value} to {exponent}: {off}");
            }
        }
    }

    fn field() -> Field<3> {
        let axis = |axis| (0..116u64).map(|at| 20.0 * unit(3, at % 100, axis) - 10.0).collect();
        Field { axes: [axis(0), axis(1), axis(2)], count: 100 }
    }

    const STEP: Step =
        Step { a: 1.577, b: 0.895, repulsion: 1.0, rate: 0.5, reach: 0.2, negatives: 5, epoch: 3, seed: 8 };

    /// One edge and one push, worked out in double precision.
    #[test]
    fn forces_are_those_of_double_precision() {
        let field = field();
        let (own, other): ([Lanes; 3], [Lanes; 3]) = (
            std::array::from_fn(|axis| std::array::from_fn(|lane| field.axes[axis][lane])),
            std::array::from_fn(|axis| std::array::from_fn(|lane| field.axes[axis][lane + 40])),
        );
        let mut moved = [[0.0; GROUP]; 3];
        draw(&own, &other, &STEP, &mut moved);
        push(&own, &field, 61, &STEP, &mut moved);
        for lane in 0..GROUP {
            let way = |at: usize| -> Vec<f64> {
                (0..3).map(|axis| f64::from(own[axis][lane]) - f64::from(field.axes[axis][at])).collect()
            };
            let (a, b) = (f64::from(STEP.a), f64::from(STEP.b));
            let (drawn, pushed) = (way(lane + 40), way(lane + 61));
            let square = |way: &[f64]| way.iter().map(|value| value * value).sum::<f64>();
            let (near, far) = (square(&drawn), square(&pushed));
            let pull = (-2.0 * a * b * near.powf(b - 1.0) / (1.0 + a * near.powf(b))).max(-0.2);
            let shove = 2.0 * b / ((0.001 + far) * (1.0 + a * far.powf(b)));
            for axis in 0..3 {
                let exact = (pull * drawn[axis]).clamp(-4.0, 4.0) + (shove * pushed[axis]).clamp(-4.0, 4.0);
                assert!((f64::from(moved[axis][lane]) - exact).abs() < 1e-4, "{lane}: {moved:?}, {exact}");
            }
        }
    }

    #[test]
    fn every_processor_gives_the_same_bytes() {
        let field = field();
        let starts: Vec<usize> = (0..=GROUP).map(|lane| lane * lane / 3).collect();
        let tails: Vec<u32> = (0..90).map(|at| at * 37 % 100).collect();
        let paces: Vec<u32> = (0..90u32).map(|at| u32::MAX / (1 + at % 5)).collect();
        let edges = Edges { starts: &starts, tails: &tails, paces: &paces, base: 32, stream: 5 };
        let run = |level: usize| {
            let mut own: [Lanes; 3] =
                std::array::from_fn(|axis| std::array::from_fn(|lane| field.axes[axis][32 + lane]));
            for epoch in 1..20 {
                let (step, due) = (Step { epoch, ..STEP }, &mut Vec::new());
                match level {
                    // SAFETY: only called where the instructions were found.
                    #[cfg(target_arch = "x86_64")]
                    1 => unsafe { advance_avx2(&field, edges, &step, &mut own, due) },
                    2 => advance(&field, edges, &step, &mut own, due),
                    _ => portable(&field, edges, &step, &mut own, due),
                }
            }
            own.map(|lanes| lanes.map(f32::to_bits))
        };
        assert_eq!(run(0), run(2));
        #[cfg(target_arch = "x86_64")]
        if std::arch::is_x86_feature_detected!("avx2") {
            assert_eq!(run(0), run(1));
        }
    }
}
