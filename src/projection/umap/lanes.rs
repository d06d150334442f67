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
    /// Points that push for each that draws.
    pub negatives: usize,
    /// Epoch, from 1; an edge is due when its pace carries over in it.
    pub epoch: u32,
    /// Seed.
    pub seed: u64,
    /// Whether the other end of an edge moves as well, and so each point once for either end.
    pub both_ends: bool,
}

/// Moves the group whose first point stands at `base` in the field (`usize::MAX` where it is not in it) by one epoch.
pub(super) fn advance<const D: usize>(
    field: &Field<D>,
    edges: Edges<'_>,
    base: usize,
    stream: u64,
    step: &Step,
    own: &mut [Lanes; D],
    due: &mut Vec<u32>,
) {
    #[cfg(target_arch = "x86_64")]
    match level() {
        // SAFETY: the instructions were found on this machine.
        Level::Avx512 => return unsafe { advance_avx512(field, edges, base, stream, step, own, due) },
        // SAFETY: the instructions were found on this machine.
        Level::Avx2 => return unsafe { advance_avx2(field, edges, base, stream, step, own, due) },
        Level::Portable => {}
    }
    portable(field, edges, base, stream, step, own, due);
}

#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy, Debug)]
enum Level {
    Avx512,
    Avx2,
    Portable,
}

#[cfg(target_arch = "x86_64")]
fn level() -> Level {
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
    base: usize,
    stream: u64,
    step: &Step,
    own: &mut [Lanes; D],
    due: &mut Vec<u32>,
) {
    portable(field, edges, base, stream, step, own, due);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn advance_avx2<const D: usize>(
    field: &Field<D>,
    edges: Edges<'_>,
    base: usize,
    stream: u64,
    step: &Step,
    own: &mut [Lanes; D],
    due: &mut Vec<u32>,
) {
    portable(field, edges, base, stream, step, own, due);
}

#[inline(always)]
fn portable<const D: usize>(
    field: &Field<D>,
    edges: Edges<'_>,
    base: usize,
    stream: u64,
    step: &Step,
    own: &mut [Lanes; D],
    due: &mut Vec<u32>,
) {
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
        let active: Lanes = std::array::from_fn(|lane| if counts[lane] > turn { step.rate } else { 0.0 });
        let mut other = *own;
        for lane in 0..GROUP {
            if counts[lane] > turn {
                for (axis, other) in other.iter_mut().enumerate() {
                    other[lane] = field.axes[axis][due[lane] as usize];
                }
            }
        }
        let mut moved = draw(own, &other, step);
        let begin = mix(step.seed, stream, turn as u64);
        for number in 0..step.negatives {
            push(own, run(field, base, mix(begin, number as u64, 1)), step, &mut moved);
        }
        take(own, &moved, &active);
        if step.both_ends {
            let moved = draw(own, &other, step);
            take(own, &moved, &active);
        }
    }
}

/// Sixteen points one after another, from a random one on; never the group itself.
#[inline(always)]
fn run<const D: usize>(field: &Field<D>, base: usize, random: u64) -> [&Lanes; D] {
    let mut at = (((random >> 32) * field.count as u64) >> 32) as usize;
    if at == base {
        at = if at + 1 < field.count { at + 1 } else { 0 };
    }
    std::array::from_fn(|axis| {
        let run = &field.axes[axis][at..at + GROUP];
        run.first_chunk::<GROUP>().unwrap_or(&[0.0; GROUP])
    })
}

#[inline(always)]
fn take<const D: usize>(own: &mut [Lanes; D], moved: &[Lanes; D], active: &Lanes) {
    for (own, moved) in own.iter_mut().zip(moved) {
        for lane in 0..GROUP {
            own[lane] += active[lane] * moved[lane];
        }
    }
}

#[inline(always)]
fn squares<const D: usize>(own: &[Lanes; D], other: &[&Lanes; D]) -> Lanes {
    let mut sum = [0.0f32; GROUP];
    for axis in 0..D {
        for lane in 0..GROUP {
            let off = own[axis][lane] - other[axis][lane];
            sum[lane] += off * off;
        }
    }
    sum
}

/// How the other ends draw: 2ab d^(2b-2) / (1 + a d^2b) times the way, each axis held to [`LONGEST`].
#[inline(always)]
fn draw<const D: usize>(own: &[Lanes; D], other: &[Lanes; D], step: &Step) -> [Lanes; D] {
    let other: [&Lanes; D] = std::array::from_fn(|axis| &other[axis]);
    let square = squares(own, &other);
    let factor: Lanes = std::array::from_fn(|lane| {
        let square = if square[lane] > LEAST_SQUARE { square[lane] } else { LEAST_SQUARE };
        let power = power(square, step.b);
        -2.0 * step.a * step.b * power / (square * (1.0 + step.a * power))
    });
    std::array::from_fn(|axis| std::array::from_fn(|lane| held(factor[lane] * (own[axis][lane] - other[axis][lane]))))
}

/// Adds how the others push: 2 gamma b / ((0.001 + d²)(1 + a d^2b)) times the way, each axis held to [`LONGEST`].
#[inline(always)]
fn push<const D: usize>(own: &[Lanes; D], other: [&Lanes; D], step: &Step, moved: &mut [Lanes; D]) {
    let square = squares(own, &other);
    let strength = 2.0 * step.repulsion * step.b;
    let factor: Lanes = std::array::from_fn(|lane| {
        let least = if square[lane] > LEAST_SQUARE { square[lane] } else { LEAST_SQUARE };
        strength / ((0.001 + square[lane]) * (1.0 + step.a * power(least, step.b)))
    });
    for axis in 0..D {
        for lane in 0..GROUP {
            moved[axis][lane] += held(factor[lane] * (own[axis][lane] - other[axis][lane]));
        }
    }
}

#[inline(always)]
fn held(value: f32) -> f32 {
    let value = if value > LONGEST { LONGEST } else { value };
    if value < -LONGEST { -LONGEST } else { value }
}

/// `value` to the power `exponent` for positive, finite values; off by less than 1 in 100,000.
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
    let mut sum = -0.142_760_93f32;
    for next in [0.232_654_3f32, -0.249_272_17, 0.287_288_73, -0.360_225_14, 0.480_916_7, -0.721_352_93, 1.442_695] {
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
    let mut sum = 0.001_339_086_3f32;
    for next in [0.009_676_032f32, 0.055_503_57, 0.240_221_07, 0.693_147_2, 1.000_000_1] {
        sum = sum * f + next;
    }
    // The whole part stands in the low bits of the shifted number, and comes to stand in the exponent.
    sum * f32::from_bits(shifted.to_bits().wrapping_sub(ROUND.to_bits()).wrapping_add(127) << 23)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn powers_are_those_of_double_precision() {
        for exponent in [0.3f32, 0.895, 1.0, 1.9] {
            for step in 0..20_000 {
                let value = 1e-12f32 * 1.004f32.powi(step);
                if !value.is_finite() || value > 1e20 {
                    break;
                }
                let exact = f64::from(value).powf(f64::from(exponent));
                let off = f64::from(power(value, exponent)) / exact - 1.0;
                assert!(off.abs() < 2e-5, "{value} to {exponent}: {off}");
            }
        }
    }
}
