//! The processor's matrix tiles (AMX): asking the system for them, and setting them up on a thread.
//!
//! Unsafe because the instructions must exist; the compiler has no functions for them yet, so they are written as assembly. Invariant:
//! tiles are set up only where [`permitted`] said yes, and given back when [`Tiles`] goes.
#![allow(unsafe_code)]

/// Whether this processor multiplies tiles of bytes and of bfloat16, and the system lets this process use them.
pub(crate) fn permitted() -> bool {
    #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
    {
        x86::permitted()
    }
    #[cfg(not(all(target_arch = "x86_64", target_os = "linux")))]
    {
        false
    }
}

/// Products of tiles in [`multiply`], each of 16 x 16 sums.
pub(super) const PRODUCTS: usize = 4000;

/// Keeps the tiles' multiplier busy with nothing but products, for the self-test: of bytes, 64 a sum, or of bfloat16, 32 a sum.
/// Does nothing where [`permitted`] says no.
pub(super) fn multiply(bytes: bool) {
    #[cfg(target_arch = "x86_64")]
    if permitted() {
        // SAFETY: the tiles may be used, as just asked, and none live on this thread.
        unsafe { x86::multiply(bytes) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = bytes;
}

#[cfg(target_arch = "x86_64")]
pub(crate) use x86::Tiles;

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::asm;

    #[cfg(target_os = "linux")]
    pub(super) fn permitted() -> bool {
        use std::sync::OnceLock;
        static PERMITTED: OnceLock<bool> = OnceLock::new();
        *PERMITTED.get_or_init(|| {
            const BFLOAT_TILE_BYTES: u32 = 1 << 22 | 1 << 24 | 1 << 25;
            let leaves = std::arch::x86_64::__cpuid(0).eax;
            let there =
                leaves >= 7 && std::arch::x86_64::__cpuid_count(7, 0).edx & BFLOAT_TILE_BYTES == BFLOAT_TILE_BYTES;
            there && ask()
        })
    }

    /// Asks for the tiles' registers (`arch_prctl`, `ARCH_REQ_XCOMP_PERM`, XTILEDATA), for all threads of the process.
    #[cfg(target_os = "linux")]
    fn ask() -> bool {
        let answer: i64;
        // SAFETY: this system call reads and writes no memory; systems that do not know it return an error.
        unsafe {
            asm!("syscall", inlateout("rax") 158_i64 => answer, in("rdi") 0x1023_u64, in("rsi") 18_u64, out("rcx") _, out("r11") _,
                options(nostack));
        }
        answer == 0
    }

    /// Eight tiles of 16 rows of 64 bytes, set up on this thread as long as this lives.
    pub(crate) struct Tiles(());

    #[repr(C, align(64))]
    struct Shape([u8; 64]);

    const SHAPE: Shape = {
        let mut bytes = [0; 64];
        bytes[0] = 1;
        let mut tile = 0;
        while tile < 8 {
            bytes[16 + 2 * tile] = 64;
            bytes[48 + tile] = 16;
            tile += 1;
        }
        Shape(bytes)
    };

    impl Tiles {
        /// Sets the tiles up; what they hold is zeros.
        ///
        /// # Safety
        /// [`super::permitted`] must have said yes, and no other [`Tiles`] may live on this thread.
        #[inline]
        pub(crate) unsafe fn new() -> Self {
            // SAFETY: the caller's promise.
            unsafe { Self::of_rows([16; 8]) }
        }

        /// As [`Tiles::new`], with fewer rows than 16: products take as long as they have rows.
        ///
        /// # Safety
        /// As for [`Tiles::new`]; each has 1 to 16 rows.
        #[inline]
        pub(crate) unsafe fn of_rows(rows: [u8; 8]) -> Self {
            let mut shape = SHAPE;
            shape.0[48..56].copy_from_slice(&rows);
            // SAFETY: the instruction exists, and reads 64 bytes.
            unsafe { asm!("ldtilecfg [{}]", in(reg) &raw const shape, options(nostack, readonly)) };
            Self(())
        }
    }

    macro_rules! products {
        ($product:literal) => {
            for _ in 0..super::PRODUCTS / 4 {
                asm!(
                    concat!($product, " tmm0, tmm4, tmm6"),
                    concat!($product, " tmm1, tmm4, tmm7"),
                    concat!($product, " tmm2, tmm5, tmm6"),
                    concat!($product, " tmm3, tmm5, tmm7"),
                    out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _,
                    options(nostack, nomem),
                );
            }
        };
    }

    /// # Safety
    /// As for [`Tiles::new`].
    pub(super) unsafe fn multiply(bytes: bool) {
        // SAFETY: the caller's promise; tiles that were just set up are zeros.
        unsafe {
            let _tiles = Tiles::new();
            if bytes {
                products!("tdpbssd");
            } else {
                products!("tdpbf16ps");
            }
        }
    }

    impl Drop for Tiles {
        #[inline]
        fn drop(&mut self) {
            // SAFETY: the tiles were set up on this thread. Without this, every switch of threads would save 8 KB.
            unsafe { asm!("tilerelease", options(nostack, nomem)) };
        }
    }
}
