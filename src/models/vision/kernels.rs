//! The three inner loops of the network: matrix product, depthwise convolution, bias with `ReLU6`.
//!
//! Activations are channels last, so that every loop runs over contiguous channels. Nothing here knows layers.
#![allow(unsafe_code)] // the call into `gemm`, and the AVX2 copy of the depthwise loop

/// Channels worked on at once by the depthwise loop; channel counts must be multiples of it.
pub(super) const LANES: usize = 16;

/// `out = out * keep + x · wᵀ` with `x` [rows, inner], `w` [columns, inner], `out` [rows, columns], all row-major.
/// Single-threaded: pictures are spread over the threads instead.
pub(super) fn product(x: &[f32], w: &[f32], inner: usize, keep: bool, out: &mut [f32]) {
    let (rows, columns) = (x.len() / inner, w.len() / inner);
    assert!(x.len() == rows * inner && w.len() == columns * inner && out.len() == rows * columns);
    let (inner_s, columns_s) = (inner as isize, columns as isize);
    // SAFETY: the assertion above makes every element that these sizes and strides reach lie inside its slice; `out` is
    // borrowed mutably, so it overlaps neither `x` nor `w`.
    unsafe {
        gemm::gemm(
            rows,
            columns,
            inner,
            out.as_mut_ptr(),
            1,
            columns_s,
            keep,
            x.as_ptr(),
            1,
            inner_s,
            w.as_ptr(),
            inner_s,
            1,
            1.0,
            1.0,
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    }
}

/// Adds the bias to every row and clamps to 0..6.
pub(super) fn bias_relu6(out: &mut [f32], bias: &[f32]) {
    for row in out.chunks_exact_mut(bias.len()) {
        row.iter_mut().zip(bias).for_each(|(o, b)| *o = (*o + b).clamp(0.0, 6.0));
    }
}

/// Sizes of one depthwise convolution.
#[derive(Clone, Copy, Debug)]
pub(super) struct Depthwise {
    /// Side of the square input in pixels.
    pub(super) size: usize,
    /// Channels, a multiple of [`LANES`].
    pub(super) channels: usize,
    /// Side of the kernel.
    pub(super) kernel: usize,
    /// Step between output pixels, in input pixels.
    pub(super) stride: usize,
    /// Zeros before the first row and column.
    pub(super) before: usize,
    /// Zeros after the last.
    pub(super) after: usize,
}

impl Depthwise {
    /// Side of the square output in pixels.
    pub(super) fn out_size(&self) -> usize {
        (self.size + self.before + self.after - self.kernel) / self.stride + 1
    }

    /// Convolves `x` [size, size, channels] with `w` [kernel, kernel, channels] into `out`, adds the bias, clamps to 0..6.
    pub(super) fn run(&self, x: &[f32], w: &[f32], bias: &[f32], out: &mut [f32]) {
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx2") {
            // SAFETY: the CPU has AVX2, as just asked.
            unsafe { self.run_avx2(x, w, bias, out) };
            return;
        }
        self.body(x, w, bias, out);
    }

    /// The same loop, compiled for AVX2. The same operations in the same order, so the same values.
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2")]
    fn run_avx2(&self, x: &[f32], w: &[f32], bias: &[f32], out: &mut [f32]) {
        self.body(x, w, bias, out);
    }

    #[inline(always)]
    fn body(&self, x: &[f32], w: &[f32], bias: &[f32], out: &mut [f32]) {
        let (c, side) = (self.channels, self.out_size());
        let reach = |o: usize| {
            let at = o * self.stride;
            (self.before.saturating_sub(at), self.kernel.min(self.size + self.before - at))
        };
        for (place, out) in out.chunks_exact_mut(c).take(side * side).enumerate() {
            let (oy, ox) = (place / side, place % side);
            let ((top, bottom), (left, right)) = (reach(oy), reach(ox));
            for lane in (0..c).step_by(LANES) {
                let mut sum = [0f32; LANES];
                sum.copy_from_slice(&bias[lane..][..LANES]);
                for ky in top..bottom {
                    let row = (oy * self.stride + ky - self.before) * self.size;
                    for kx in left..right {
                        let at = (row + ox * self.stride + kx - self.before) * c + lane;
                        let (x, w) = (&x[at..][..LANES], &w[(ky * self.kernel + kx) * c + lane..][..LANES]);
                        for i in 0..LANES {
                            sum[i] += x[i] * w[i];
                        }
                    }
                }
                out[lane..][..LANES].copy_from_slice(&sum.map(|s| s.clamp(0.0, 6.0)));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use rand::{Rng, SeedableRng};

    use super::*;

    fn random(n: usize, seed: u64) -> Vec<f32> {
        let mut rng = rand_pcg::Pcg64::seed_from_u64(seed);
        (0..n).map(|_| rng.random_range(-1.0..1.0)).collect()
    }

    #[test]
    fn product_is_the_sum_of_products() {
        for (rows, columns, inner) in [(1, 1, 1), (7, 24, 27), (50, 40, 16), (3, 130, 300)] {
            let (x, w) = (random(rows * inner, 1), random(columns * inner, 2));
            for keep in [false, true] {
                let mut out = random(rows * columns, 3);
                let before = out.clone();
                product(&x, &w, inner, keep, &mut out);
                for (i, got) in out.iter().enumerate() {
                    let (r, c) = (i / columns, i % columns);
                    let dot = |k: usize| f64::from(x[r * inner + k]) * f64::from(w[c * inner + k]);
                    let want = (0..inner).map(dot).sum::<f64>() + if keep { f64::from(before[i]) } else { 0.0 };
                    assert!((f64::from(*got) - want).abs() < 1e-4, "{rows} {columns} {inner}");
                }
            }
        }
    }

    #[test]
    fn depthwise_is_the_padded_sum() {
        for (size, kernel, stride, before, after) in
            [(7, 3, 1, 1, 1), (8, 3, 2, 0, 1), (14, 5, 2, 1, 2), (6, 5, 1, 2, 2), (1, 3, 1, 1, 1)]
        {
            let d = Depthwise { size, channels: 32, kernel, stride, before, after };
            let c = d.channels;
            let (x, w, bias) = (random(size * size * c, 1), random(kernel * kernel * c, 2), random(c, 3));
            let side = d.out_size();
            let mut out = vec![0f32; side * side * c];
            d.run(&x, &w, &bias, &mut out);
            for (i, got) in out.iter().enumerate() {
                let (oy, ox, ch) = (i / c / side, i / c % side, i % c);
                let mut want = f64::from(bias[ch]);
                for (ky, kx) in (0..kernel).flat_map(|y| (0..kernel).map(move |x| (y, x))) {
                    let (y, x_) = ((oy * stride + ky).wrapping_sub(before), (ox * stride + kx).wrapping_sub(before));
                    if y < size && x_ < size {
                        want += f64::from(x[(y * size + x_) * c + ch]) * f64::from(w[(ky * kernel + kx) * c + ch]);
                    }
                }
                assert!((f64::from(*got) - want.clamp(0.0, 6.0)).abs() < 1e-5);
            }
        }
    }
}
