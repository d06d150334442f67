//! The curve 1 / (1 + a d^2b) that says how strongly points at a distance are held to be neighbours on the map.
//!
//! Fitted by least squares to an exponential that begins at `min_dist`, as umap-learn's `find_ab_params` does. Invariant: a and b
//! are finite and positive.

/// Places the curve is compared at.
const PLACES: usize = 300;
/// Most steps of the fit.
const STEPS: usize = 200;

/// The two numbers of the curve.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Curve {
    /// Factor on the power of the distance; larger values draw the reach in.
    pub a: f32,
    /// Half the power of the distance; larger values make the fall steeper.
    pub b: f32,
}

impl Curve {
    /// Levenberg and Marquardt's least squares from a = b = 1.
    pub fn fit(min_dist: f32, spread: f32) -> Self {
        let (min_dist, spread) = (f64::from(min_dist), f64::from(spread));
        let places: Vec<(f64, f64)> = (0..PLACES)
            .map(|at| {
                let x = 3.0 * spread * at as f64 / (PLACES - 1) as f64;
                (x, if x < min_dist { 1.0 } else { (-(x - min_dist) / spread).exp() })
            })
            .collect();
        let mut now = [1.0f64, 1.0];
        let mut damping = 1e-3;
        let mut error = squares(&places, now);
        for _ in 0..STEPS {
            let (hessian, gradient) = normal_equations(&places, now);
            let diagonal = [hessian[0] * (1.0 + damping), hessian[2] * (1.0 + damping)];
            let determinant = diagonal[0] * diagonal[1] - hessian[1] * hessian[1];
            let step = [
                (diagonal[1] * gradient[0] - hessian[1] * gradient[1]) / determinant,
                (diagonal[0] * gradient[1] - hessian[1] * gradient[0]) / determinant,
            ];
            let next = [now[0] + step[0], now[1] + step[1]];
            let next_error = squares(&places, next);
            if next_error < error && next[0] > 0.0 && next[1] > 0.0 {
                let settled = error - next_error < 1e-15 * error;
                (now, error) = (next, next_error);
                damping *= 0.1;
                if settled {
                    break;
                }
            } else {
                damping *= 10.0;
                if damping > 1e12 {
                    break;
                }
            }
        }
        Self { a: now[0] as f32, b: now[1] as f32 }
    }
}

fn squares(places: &[(f64, f64)], [a, b]: [f64; 2]) -> f64 {
    places.iter().map(|&(x, y)| (y - 1.0 / (1.0 + a * x.powf(2.0 * b))).powi(2)).sum()
}

/// J'J (its three different values) and J'r.
fn normal_equations(places: &[(f64, f64)], [a, b]: [f64; 2]) -> ([f64; 3], [f64; 2]) {
    let (mut hessian, mut gradient) = ([0.0; 3], [0.0; 2]);
    for &(x, y) in places.iter().filter(|place| place.0 > 0.0) {
        let power = x.powf(2.0 * b);
        let value = 1.0 / (1.0 + a * power);
        let by = [-power * value * value, -2.0 * a * power * x.ln() * value * value];
        hessian[0] += by[0] * by[0];
        hessian[1] += by[0] * by[1];
        hessian[2] += by[1] * by[1];
        gradient[0] += by[0] * (y - value);
        gradient[1] += by[1] * (y - value);
    }
    (hessian, gradient)
}
