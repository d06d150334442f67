//! Grouping inputs of like length under a budget.
//!
//! Pure. Invariant: every input is in exactly one group.

/// An input and its tokens.
pub(super) type Costed = (u32, usize);

/// Cuts `inputs` into groups: like costs together, their sum at most `budget`, at least one input each. Groups
/// come spread over the lengths, so that the rate shown at any moment is about the rate of the whole.
pub(super) fn groups(mut inputs: Vec<Costed>, budget: usize) -> Vec<Vec<Costed>> {
    inputs.sort_by_key(|&(id, cost)| (std::cmp::Reverse(cost), id));
    let mut made: Vec<Vec<Costed>> = Vec::new();
    let mut sum = 0;
    for (id, cost) in inputs {
        match made.last_mut() {
            Some(group) if sum + cost <= budget => {
                sum += cost;
                group.push((id, cost));
            }
            _ => {
                sum = cost;
                made.push(vec![(id, cost)]);
            }
        }
    }
    let len = made.len();
    let mut spread = Vec::with_capacity(len);
    let stride = stride(len);
    for step in 0..len {
        spread.push(std::mem::take(&mut made[step * stride % len]));
    }
    spread
}

/// A step near the golden section that visits every one of `len` places.
fn stride(len: usize) -> usize {
    let mut stride = ((len as f64 * 0.618_034) as usize).max(1);
    while gcd(stride, len) > 1 {
        stride += 1;
    }
    stride
}

fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_input_is_in_one_group_under_the_budget() {
        for count in [0u32, 1, 2, 17, 200] {
            let inputs: Vec<(u32, usize)> = (0..count).map(|id| (id, 1 + (id as usize * 7919) % 300)).collect();
            let made = groups(inputs.clone(), 1000);
            for group in &made {
                let sum: usize = group.iter().map(|&(_, cost)| cost).sum();
                assert!(group.len() == 1 || sum <= 1000);
            }
            let mut all = made.concat();
            all.sort_unstable();
            assert_eq!(all, inputs);
        }
    }
}
