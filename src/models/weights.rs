//! Reads safetensors into plain `f32` or `f16` values, checking every name, shape and value on the way.
//!
//! Exists so that a damaged or hostile weight file becomes one sentence that names the file and the tensor. It knows no
//! architecture. Invariant: what it returns has the shape asked for and is finite.

use std::borrow::Cow;

use half::{bf16, f16, slice::HalfFloatSliceExt};
use safetensors::{Dtype, SafeTensors, tensor::TensorView};

use super::ModelError;

/// Elements converted at a time: small enough for the first-level cache, and it makes unaligned files no concern.
const BLOCK: usize = 4096;

/// An opened weight file.
pub(in crate::models) struct Weights<'a> {
    file: String,
    tensors: SafeTensors<'a>,
}

/// Values of 16 bits.
pub(in crate::models) enum Halves {
    F16(Vec<f16>),
    Bf16(Vec<bf16>),
}

impl<'a> Weights<'a> {
    /// Reads the header of `bytes`; `file` is used in messages.
    pub(in crate::models) fn parse(file: &str, bytes: &'a [u8]) -> Result<Self, ModelError> {
        let tensors = SafeTensors::deserialize(bytes).map_err(|e| bad(file, format!("not a safetensors file: {e}")))?;
        if tensors.is_empty() {
            return Err(bad(file, "holds no tensors".to_owned()));
        }
        Ok(Self { file: file.to_owned(), tensors })
    }

    /// Names of all tensors.
    pub(in crate::models) fn names(&self) -> Vec<&str> {
        self.tensors.names()
    }

    /// Values of tensor `name` as `f32`, where they lie if they are such; its shape must be `shape`.
    pub(in crate::models) fn singles(&self, name: &str, shape: &[usize]) -> Result<Cow<'a, [f32]>, ModelError> {
        let view = self.shaped(name, shape)?;
        if view.dtype() == Dtype::F32
            && let Ok(values) = bytemuck::try_cast_slice(view.data())
        {
            self.check(name, values)?;
            return Ok(Cow::Borrowed(values));
        }
        self.f32(name, shape).map(Cow::Owned)
    }

    /// Values of tensor `name` as `f32`; its shape must be `shape`.
    pub(in crate::models) fn f32(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>, ModelError> {
        let view = self.shaped(name, shape)?;
        let bytes = view.data();
        let mut out = vec![0f32; shape.iter().product()];
        match view.dtype() {
            Dtype::F32 => bytemuck::cast_slice_mut::<f32, u8>(&mut out).copy_from_slice(bytes),
            Dtype::F16 => {
                let mut block = [f16::ZERO; BLOCK];
                for (src, dst) in bytes.chunks(BLOCK * 2).zip(out.chunks_mut(BLOCK)) {
                    let block = &mut block[..dst.len()];
                    bytemuck::cast_slice_mut::<f16, u8>(block).copy_from_slice(src);
                    block.convert_to_f32_slice(dst);
                }
            }
            Dtype::BF16 => {
                let mut block = [bf16::ZERO; BLOCK];
                for (src, dst) in bytes.chunks(BLOCK * 2).zip(out.chunks_mut(BLOCK)) {
                    let block = &mut block[..dst.len()];
                    bytemuck::cast_slice_mut::<bf16, u8>(block).copy_from_slice(src);
                    block.convert_to_f32_slice(dst);
                }
            }
            other => return Err(self.complain(name, &format!("has type {other:?}; F32, F16 and BF16 are read"))),
        }
        self.check(name, &out)?;
        Ok(out)
    }

    /// Refuses values that are not finite.
    fn check(&self, name: &str, values: &[f32]) -> Result<(), ModelError> {
        // The largest exponent is that of NaN and infinity.
        let largest = |block: &[f32]| block.iter().fold(0, |most, value| most.max(value.to_bits() & 0x7f80_0000));
        if values.chunks(BLOCK).any(|block| largest(block) == 0x7f80_0000) {
            return Err(self.complain(name, "holds NaN or infinity"));
        }
        Ok(())
    }

    /// Values of the F16 tensor `name`, unconverted; its shape must be `shape`.
    #[cfg_attr(not(feature = "bundled-models"), allow(dead_code))]
    pub(in crate::models) fn f16(&self, name: &str, shape: &[usize]) -> Result<Vec<f16>, ModelError> {
        let view = self.shaped(name, shape)?;
        if view.dtype() != Dtype::F16 {
            return Err(self.complain(name, &format!("has type {:?} where F16 was expected", view.dtype())));
        }
        let mut out = vec![f16::ZERO; shape.iter().product()];
        bytemuck::cast_slice_mut::<f16, u8>(&mut out).copy_from_slice(view.data());
        Ok(out)
    }

    /// Values of a tensor of 16-bit floats as they are; `None` where it holds others. Its shape must be `shape`.
    pub(in crate::models) fn halves(&self, name: &str, shape: &[usize]) -> Result<Option<Halves>, ModelError> {
        let view = self.shaped(name, shape)?;
        let count = shape.iter().product();
        let mut bits = vec![0u16; count];
        let (largest, dtype) = match view.dtype() {
            Dtype::F16 => (f16::MAX.to_bits(), Dtype::F16),
            Dtype::BF16 => (bf16::MAX.to_bits(), Dtype::BF16),
            _ => return Ok(None),
        };
        bytemuck::cast_slice_mut::<u16, u8>(&mut bits).copy_from_slice(view.data());
        if bits.iter().fold(0, |most, &value| most.max(value & 0x7fff)) > largest {
            return Err(self.complain(name, "holds NaN or infinity"));
        }
        let bits = bits.into_boxed_slice();
        Ok(Some(match dtype {
            Dtype::F16 => Halves::F16(bytemuck::cast_slice_box(bits).into_vec()),
            _ => Halves::Bf16(bytemuck::cast_slice_box(bits).into_vec()),
        }))
    }

    fn view(&self, name: &str) -> Result<TensorView<'a>, ModelError> {
        self.tensors.tensor(name).map_err(|_| self.complain(name, "is missing"))
    }

    fn shaped(&self, name: &str, shape: &[usize]) -> Result<TensorView<'a>, ModelError> {
        let view = self.view(name)?;
        if view.shape() == shape {
            Ok(view)
        } else {
            Err(self.complain(name, &format!("has shape {:?} where {shape:?} was expected", view.shape())))
        }
    }

    fn complain(&self, name: &str, what: &str) -> ModelError {
        bad(&self.file, format!("tensor {name} {what}"))
    }
}

/// A [`ModelError::BadFile`].
pub(in crate::models) fn bad(file: &str, message: String) -> ModelError {
    ModelError::BadFile { path: file.to_owned(), message }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(dtype: Dtype, shape: Vec<usize>, data: &[u8]) -> Vec<u8> {
        safetensors::serialize([("w", TensorView::new(dtype, shape, data).unwrap())], None).unwrap()
    }

    #[test]
    fn reads_three_precisions() {
        let want = [1.5f32, -2.0, 0.25];
        let f32s = file(Dtype::F32, vec![3], bytemuck::cast_slice(&want));
        let f16s = file(Dtype::F16, vec![3], bytemuck::cast_slice(&want.map(f16::from_f32)));
        let bf16s = file(Dtype::BF16, vec![3], bytemuck::cast_slice(&want.map(bf16::from_f32)));
        for bytes in [f32s, f16s, bf16s] {
            assert_eq!(Weights::parse("w.safetensors", &bytes).unwrap().f32("w", &[3]).unwrap(), want);
        }
    }

    #[test]
    fn long_tensors_cross_blocks() {
        let want: Vec<f32> = (0..10_000).map(|i| (i % 97) as f32).collect();
        let halves: Vec<f16> = want.iter().map(|&x| f16::from_f32(x)).collect();
        let bytes = file(Dtype::F16, vec![100, 100], bytemuck::cast_slice(&halves));
        assert_eq!(Weights::parse("w", &bytes).unwrap().f32("w", &[100, 100]).unwrap(), want);
    }

    #[test]
    fn damage_is_named() {
        let good = file(Dtype::F32, vec![2], bytemuck::cast_slice(&[1f32, 2.0]));
        for bytes in [&good[..good.len() - 1], &good[..5], &[0xff; 64][..], &[]] {
            let e = Weights::parse("x/model.safetensors", bytes).err().unwrap().to_string();
            assert!(e.contains("x/model.safetensors"), "{e}");
        }
        let w = Weights::parse("m", &good).unwrap();
        assert!(w.f32("w", &[3]).unwrap_err().to_string().contains("[2] where [3]"));
        assert!(w.f32("v", &[2]).unwrap_err().to_string().contains("tensor v is missing"));
        assert!(w.f16("w", &[2]).unwrap_err().to_string().contains("F32 where F16"));
    }

    #[test]
    fn nan_is_refused() {
        for x in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let bytes = file(Dtype::F32, vec![2], bytemuck::cast_slice(&[1f32, x]));
            assert!(
                Weights::parse("m", &bytes)
                    .unwrap()
                    .f32("w", &[2])
                    .unwrap_err()
                    .to_string()
                    .contains("NaN or infinity")
            );
        }
    }
}
