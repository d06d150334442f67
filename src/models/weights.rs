//! Reads safetensors into plain `f32` or `f16` values, checking every name, shape and value on the way.
//!
//! Exists so that a damaged or hostile weight file becomes one sentence that names the file and the tensor. It knows no
//! architecture. Invariant: what it returns has the shape asked for and is finite.

mod files;
mod pickle;

use std::borrow::Cow;

use half::{bf16, f16, slice::HalfFloatSliceExt};
use safetensors::{Dtype, SafeTensors, tensor::TensorView};

use super::ModelError;

pub(in crate::models) use files::{WeightFiles, has_weights, tensor_shape, weights_size};

/// Longest header read, in bytes: some 200,000 tensors, far above every published model.
const LONGEST_HEADER: u64 = 32 << 20;

/// Elements converted at a time: small enough for the first-level cache, and it makes unaligned files no concern.
const BLOCK: usize = 4096;

/// One opened weight file, or several that are one model together.
pub(in crate::models) struct Weights<'a> {
    parts: Vec<Part<'a>>,
}

/// An opened weight file.
struct Part<'a> {
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
    #[cfg_attr(not(feature = "bundled-models"), allow(dead_code))]
    pub(in crate::models) fn parse(file: &str, bytes: &'a [u8]) -> Result<Self, ModelError> {
        Self::of([(file, bytes)])
    }

    /// Reads the headers of several files.
    pub(in crate::models) fn of<'f>(files: impl IntoIterator<Item = (&'f str, &'a [u8])>) -> Result<Self, ModelError> {
        let part = |(file, bytes): (&str, &'a [u8])| {
            check_header(bytes).map_err(|message| bad(file, message))?;
            let tensors =
                SafeTensors::deserialize(bytes).map_err(|e| bad(file, format!("not a safetensors file: {e}")))?;
            if tensors.is_empty() {
                return Err(bad(file, "holds no tensors".to_owned()));
            }
            Ok(Part { file: file.to_owned(), tensors })
        };
        Ok(Self { parts: files.into_iter().map(part).collect::<Result<_, _>>()? })
    }

    /// Names of all tensors.
    pub(in crate::models) fn names(&self) -> Vec<&str> {
        self.parts.iter().flat_map(|part| part.tensors.names()).collect()
    }

    /// Shape of tensor `name`; `None` where there is none.
    #[allow(dead_code, reason = "tables of token vectors are opened by it")]
    pub(in crate::models) fn shape(&self, name: &str) -> Option<Vec<usize>> {
        self.view(name).ok().map(|view| view.shape().to_vec())
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
            Dtype::F64 => {
                let values = bytes.as_chunks().0.iter().map(|&value| f64::from_le_bytes(value) as f32);
                out.iter_mut().zip(values).for_each(|(out, value)| *out = value);
            }
            other => return Err(self.complain(name, &format!("has type {other:?}; F64, F32, F16 and BF16 are read"))),
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

    /// A tensor as it lies.
    pub(in crate::models) fn view(&self, name: &str) -> Result<TensorView<'a>, ModelError> {
        let found = self.parts.iter().find_map(|part| part.tensors.tensor(name).ok());
        found.ok_or_else(|| self.complain(name, "is missing"))
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
        let holds = |part: &&Part<'_>| part.tensors.tensor(name).is_ok();
        let part = self.parts.iter().find(holds).or(self.parts.first());
        bad(part.map_or("weights", |part| part.file.as_str()), format!("tensor {name} {what}"))
    }
}

/// Looks at the length of the header before anything is made of it.
fn check_header(bytes: &[u8]) -> Result<(), String> {
    if bytes.starts_with(b"version https://git-lfs") {
        return Err("is a pointer of Git LFS, not the weights; get them with `git lfs pull`".to_owned());
    }
    let whole = bytes.len();
    let Some(first) = bytes.first_chunk::<8>() else {
        return Err(format!("not a safetensors file: it has {whole} bytes; get it again"));
    };
    let header = u64::from_le_bytes(*first);
    if header > whole as u64 - 8 {
        return Err(format!(
            "not a safetensors file, or cut short: its header is said to have {header} bytes, and the whole file has \
             {whole}; get it again"
        ));
    }
    if header > LONGEST_HEADER {
        return Err(format!("its header has {header} bytes; up to {LONGEST_HEADER} make sense"));
    }
    Ok(())
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
