use std::ops::Index;

pub struct BitSet {
    size: usize,
    inner: Vec<u64>,
}

#[inline(always)]
fn mask(bit: usize) -> u64 {
    1 << (bit % 64)
}

impl BitSet {
    pub fn new(size: usize) -> Self {
        Self {
            size,
            inner: vec![0; (size + 63) / 64],
        }
    }

    pub fn get(&self, bit: usize) -> Option<bool> {
        if bit >= self.size {
            return None;
        }

        let mask = mask(bit);

        Some(self.inner[bit / 64] & mask == mask)
    }

    pub fn set(&mut self, bit: usize, value: bool) {
        if bit >= self.size {
            panic!("{} index is out of bitset bounds", bit)
        }

        if value {
            self.inner[bit / 64] |= mask(bit);
        } else {
            self.inner[bit / 64] &= !mask(bit);
        }
    }
}

impl Index<usize> for BitSet {
    type Output = bool;

    fn index(&self, bit: usize) -> &Self::Output {
        if self.get(bit).unwrap() {
            &true
        } else {
            &false
        }
    }
}
