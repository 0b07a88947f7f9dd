//! Figures held against those of before.

use crate::counting::tls::percent;

/// From `before` to `now` in percent with two decimals, rounded half away from 0; none if there was nothing
/// before.
#[must_use]
pub fn change(before: u64, now: u64) -> Option<f64> {
    if before == 0 {
        return None;
    }
    let size = percent(now.abs_diff(before), before);
    Some(if now < before { -size } else { size })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_signed_percentages() {
        assert_eq!(change(100, 150), Some(50.0));
        assert_eq!(change(300, 100), Some(-66.67));
        assert_eq!(change(1, 1), Some(0.0));
        assert_eq!((change(0, 5), change(5, 0)), (None, Some(-100.0)));
    }
}
