//! Average linkage of a few points: which of many centres lie together, for a coarser look at clusters.
//!
//! The distance of two groups is the mean of all distances between their points (UPGMA), by the chain of nearest neighbours, which
//! takes time and memory with the square of the points. Meant for centres, not for rows. Invariant: groups are numbered by their first
//! point, and equal distances go to the lesser numbers.

/// Most points that are grouped: their distances take 128 MB.
const MOST: usize = 4096;

/// Groups `points` of `dim` values each into `groups` groups, by Euclidean distance; the number of its group for each point. Where there
/// are fewer points than groups, more than 4,096, or values that are not finite, each point is a group of its own.
pub fn average_linkage(points: &[f32], dim: usize, groups: usize) -> Vec<u32> {
    let count = points.len().checked_div(dim).unwrap_or(0);
    if count <= groups.max(1) || count > MOST || !points.iter().all(|value| value.is_finite()) {
        return (0..count as u32).collect();
    }
    let mut merges = Chain::new(points, dim).merges();
    // A merge is never lower than those it is made of, and the sort is stable.
    merges.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut parent: Vec<usize> = (0..count).collect();
    for &(_, a, b) in &merges[..count - groups.max(1)] {
        let (a, b) = (root(&mut parent, a), root(&mut parent, b));
        parent[a.max(b)] = a.min(b);
    }
    let mut numbers = vec![u32::MAX; count];
    let mut next = 0;
    (0..count)
        .map(|point| {
            let root = root(&mut parent, point);
            if numbers[root] == u32::MAX {
                numbers[root] = next;
                next += 1;
            }
            numbers[root]
        })
        .collect()
}

fn root(parent: &mut [usize], mut at: usize) -> usize {
    while parent[at] != at {
        parent[at] = parent[parent[at]];
        at = parent[at];
    }
    at
}

/// Groups with their mean distances to one another; a group stands where one of its points stood.
struct Chain {
    count: usize,
    far: Vec<f64>,
    /// Points of each group; 0 where it went into another.
    sizes: Vec<f64>,
}

impl Chain {
    fn new(points: &[f32], dim: usize) -> Self {
        let count = points.len() / dim;
        let row = |at: usize| &points[at * dim..(at + 1) * dim];
        let gap = |a: usize, b: usize| {
            let square = |(a, b): (&f32, &f32)| (f64::from(*a) - f64::from(*b)).powi(2);
            row(a).iter().zip(row(b)).map(square).sum::<f64>().sqrt()
        };
        let far = (0..count * count).map(|at| gap(at / count, at % count)).collect();
        Self { count, far, sizes: vec![1.0; count] }
    }

    /// All merges: the distance, and a point of either side.
    fn merges(mut self) -> Vec<(f64, usize, usize)> {
        let mut merges = Vec::with_capacity(self.count - 1);
        let mut chain: Vec<usize> = Vec::new();
        while merges.len() + 1 < self.count {
            let last = match chain.last() {
                Some(&last) => last,
                None => {
                    let first = (0..self.count).find(|&at| self.sizes[at] > 0.0).unwrap_or(0);
                    chain.push(first);
                    first
                }
            };
            let before = chain.len().checked_sub(2).map(|at| chain[at]);
            let next = self.nearest(last, before);
            if Some(next) == before {
                chain.truncate(chain.len() - 2);
                merges.push((self.far[last * self.count + next], last, next));
                self.join(last.min(next), last.max(next));
            } else {
                chain.push(next);
            }
        }
        merges
    }

    /// The nearest other group; of equally near ones the one the chain came from, else the least.
    fn nearest(&self, of: usize, before: Option<usize>) -> usize {
        let far = &self.far[of * self.count..(of + 1) * self.count];
        let mut best = before;
        for other in (0..self.count).filter(|&other| other != of && self.sizes[other] > 0.0) {
            if best.is_none_or(|best| far[other] < far[best]) {
                best = Some(other);
            }
        }
        best.unwrap_or(of)
    }

    /// The second group goes into the first.
    fn join(&mut self, into: usize, gone: usize) {
        let (a, b) = (self.sizes[into], self.sizes[gone]);
        for other in (0..self.count).filter(|&other| self.sizes[other] > 0.0 && other != into && other != gone) {
            let far = (a * self.far[into * self.count + other] + b * self.far[gone * self.count + other]) / (a + b);
            self.far[into * self.count + other] = far;
            self.far[other * self.count + into] = far;
        }
        self.sizes[into] = a + b;
        self.sizes[gone] = 0.0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_together_is_a_group_and_few_points_are_their_own() {
        let line = [0.0, 10.0, 0.5, 10.4, 30.0, 0.2];
        assert_eq!(average_linkage(&line, 1, 3), [0, 1, 0, 1, 2, 0]);
        assert_eq!(average_linkage(&line, 1, 1), [0; 6]);
        assert_eq!(average_linkage(&line, 1, 0), [0; 6]);
        assert_eq!(average_linkage(&line, 2, 3), [0, 1, 2]);
        assert!(average_linkage(&[], 4, 3).is_empty());
        assert_eq!(average_linkage(&[0.0, f32::NAN, 1.0], 1, 2), [0, 1, 2]);
        assert_eq!(average_linkage(&[7.0; 5], 1, 2).iter().max(), Some(&1));
    }
}
