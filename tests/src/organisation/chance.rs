//! Numbers by chance.

use fastrand::Rng;

pub(super) fn normal(rng: &mut Rng) -> f64 {
    (0..12).map(|_| rng.f64()).sum::<f64>() - 6.0
}

pub(super) fn poisson(mean: f64, rng: &mut Rng) -> u64 {
    if mean > 50.0 {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "above zero")]
        return (mean + mean.sqrt() * normal(rng)).max(0.0).round() as u64;
    }
    let (limit, mut product, mut count) = ((-mean).exp(), rng.f64(), 0);
    while product > limit {
        product *= rng.f64();
        count += 1;
    }
    count
}

/// Networks of the internet's that no document reserves: told apart, each from one of some blocks.
pub(super) fn networks(
    count: usize,
    first: u8,
    taken: &mut Vec<[u8; 2]>,
    rng: &mut Rng,
) -> Vec<[u8; 2]> {
    let mut all = Vec::new();
    while all.len() < count {
        let network = [first + rng.u8(0..12), rng.u8(..)];
        if !taken.contains(&network) {
            taken.push(network);
            all.push(network);
        }
    }
    all
}
