//! Parameters of `PaCMAP`, how many pairs they make, and how the three kinds of pairs weigh as the map forms.
//!
//! Only names, defaults, ranges and counts. Invariant: what [`PacmapParams::sane`] gives back is finite and in range, whatever came in.

/// Iterations of the first phase and of the second, and of all three, where no number is named.
const PHASE: usize = 100;
const ITERATIONS: usize = 450;
/// Weight of mid-near pairs at the beginning, and at the end of the first phase and throughout the second.
const MID: [f32; 2] = [1000.0, 3.0];
/// Neighbours looked at beyond those a point is drawn to, to choose them by scaled distance: as many as in the authors' package, and
/// of more points than [`MANY`] fewer, which came out as well on 70,000 points and takes half the memory.
const EXTRA: [usize; 2] = [50, 20];
const MANY: usize = 100_000;
/// Most neighbours of a point.
const MOST_NEIGHBOURS: usize = 150;

/// Parameters of `PaCMAP` (Wang, Huang, Rudin and Shaposhnik 2021). Defaults are those of the authors' package.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct PacmapParams {
    /// Neighbours each point is drawn to; `None` is 10 up to 10,000 points and 10 + 15 (log₁₀ n − 4) beyond. Default 10, usual 5 to 50,
    /// at most 150; larger values show the wider structure, lose detail and take longer.
    pub n_neighbors: Option<usize>,
    /// Mid-near pairs for each neighbour: points halfway near that hold the large shape together while it forms. Default 0.5, usual 0
    /// to 5; larger values keep the large shape more firmly.
    pub mn_ratio: f32,
    /// Further pairs for each neighbour: points at random that push each other away. Default 2, usual 0.5 to 10; larger values part
    /// groups more and take longer.
    pub fp_ratio: f32,
    /// Iterations in all three phases. Default 450, usual 200 to 1,000; more settles the detail better.
    pub iterations: usize,
    /// Step size. Default 1, usual 0.1 to 2; larger values unfold the map sooner and leave it restless.
    pub learning_rate: f32,
    /// Seed of what is random: which points are mid-near and further pairs.
    pub seed: u64,
}

impl Default for PacmapParams {
    fn default() -> Self {
        Self {
            n_neighbors: Some(10),
            mn_ratio: 0.5,
            fp_ratio: 2.0,
            iterations: ITERATIONS,
            learning_rate: 1.0,
            seed: 42,
        }
    }
}

/// Pairs of each kind that a point begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PairCounts {
    /// To its neighbours.
    pub near: usize,
    /// To points halfway near.
    pub mid: usize,
    /// To points at random.
    pub further: usize,
}

/// Weights of the three kinds of pairs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PairWeights {
    /// Of neighbours.
    pub near: f32,
    /// Of mid-near pairs.
    pub mid: f32,
    /// Of further pairs.
    pub further: f32,
}

impl PacmapParams {
    /// Neighbours each of `n` points is drawn to, before few points lessen them.
    pub fn neighbours_for(&self, n: usize) -> usize {
        let automatic = || match n {
            0..=10_000 => 10,
            _ => (10.0 + 15.0 * ((n as f64).log10() - 4.0)).round_ties_even() as usize,
        };
        self.n_neighbors.unwrap_or_else(automatic).clamp(1, MOST_NEIGHBOURS)
    }

    /// Neighbours to look for, the point itself not counted.
    pub fn neighbours_needed(&self, n: usize) -> usize {
        self.neighbours_for(n) + EXTRA[usize::from(n > MANY)]
    }

    /// Pairs each of `n` points begins. Of few points, fewer; below 4 points there are none, and the map stays as it began; from 4 on at least one neighbour.
    pub fn counts(&self, n: usize) -> PairCounts {
        let sane = self.sane();
        let near = sane.neighbours_for(n);
        let share = |ratio: f32| (near as f64 * f64::from(ratio)).round_ties_even() as usize;
        let others = n.saturating_sub(1);
        let (mid, further) = (share(sane.mn_ratio).min(others), share(sane.fp_ratio));
        let near = near.min(others);
        let further = further.min(others - near);
        if near + mid + further < n {
            return PairCounts { near, mid, further };
        }
        if n < 4 {
            return PairCounts { near: 0, mid: 0, further: 0 };
        }
        let (mid, further) = (f64::from(sane.mn_ratio), f64::from(sane.fp_ratio));
        let each = n as f64 / (1.0 + mid + further);
        // Without a single neighbour to be drawn to, points would stay where they began.
        let near = (each as usize).max(1);
        PairCounts {
            near,
            mid: ((each * mid) as usize).min(others),
            further: ((each * further) as usize).min(others - near),
        }
    }

    /// The weights in iteration `iteration`, counted from 0: at first mid-near pairs decide, then neighbours and mid-near pairs
    /// together, and at last neighbours alone. The first two phases take 100 iterations each, of fewer than 450 two ninths each.
    pub fn weights(&self, iteration: usize) -> PairWeights {
        let phase = PHASE.min(self.iterations * 2 / 9);
        if iteration < phase {
            let share = iteration as f32 / phase as f32;
            PairWeights { near: 2.0, mid: (1.0 - share) * MID[0] + share * MID[1], further: 1.0 }
        } else if iteration < 2 * phase {
            PairWeights { near: 3.0, mid: MID[1], further: 1.0 }
        } else {
            PairWeights { near: 1.0, mid: 0.0, further: 1.0 }
        }
    }

    /// Brought into range; what is not a number becomes the default.
    pub(super) fn sane(&self) -> Self {
        let kept = |value: f32, high: f32, otherwise: f32| {
            if value.is_finite() { value.clamp(0.0, high) } else { otherwise }
        };
        Self {
            n_neighbors: self.n_neighbors.map(|near| near.clamp(1, MOST_NEIGHBOURS)),
            mn_ratio: kept(self.mn_ratio, 20.0, 0.5),
            fp_ratio: kept(self.fp_ratio, 50.0, 2.0),
            learning_rate: kept(self.learning_rate, 100.0, 1.0),
            ..*self
        }
    }
}
