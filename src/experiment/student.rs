//! Student's t: how many standard errors an interval reaches to either side.

use std::f64::consts::{FRAC_2_PI, FRAC_PI_2};

/// From how many degrees of freedom on the normal distribution's own quantile is corrected, instead of a sum of half as
/// many terms being solved for it.
const MANY: u64 = 400;
/// The 97.5th percentile of the normal distribution.
const NORMAL: f64 = 1.959_963_984_540_054;

/// Returns the 97.5th percentile of Student's t, so that 95 % lie between its negative and it. No degrees of freedom give
/// infinity.
pub(super) fn quantile(degrees: u64) -> f64 {
    match degrees {
        0 => f64::INFINITY,
        1..MANY => by_bisection(degrees),
        MANY.. => by_expansion(degrees as f64),
    }
}

/// Source: Abramowitz and Stegun, "Handbook of Mathematical Functions", 26.7.5: what follows is below 1e-12 here.
fn by_expansion(degrees: f64) -> f64 {
    let z = NORMAL;
    let square = z * z;
    let first = z * (square + 1.0) / 4.0;
    let second = z * ((5.0 * square + 16.0) * square + 3.0) / 96.0;
    let third = z * (((3.0 * square + 19.0) * square + 17.0) * square - 15.0) / 384.0;
    let fourth =
        z * ((((79.0 * square + 776.0) * square + 1482.0) * square - 1920.0) * square - 945.0) / 92_160.0;
    z + (first + (second + (third + fourth / degrees) / degrees) / degrees) / degrees
}

/// Halves the angle whose tangent is the quantile over the root of the degrees, as the probability grows with it.
fn by_bisection(degrees: u64) -> f64 {
    let (mut low, mut high) = (0.0, FRAC_PI_2);
    // A float has 53 bits.
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        if within(middle, degrees) < 0.95 {
            low = middle;
        } else {
            high = middle;
        }
    }
    (degrees as f64).sqrt() * libm::tan(high)
}

/// Returns the probability that t lies between plus and minus the tangent of an angle times the root of the degrees.
///
/// Source: Abramowitz and Stegun, "Handbook of Mathematical Functions", 26.7.3 and 26.7.4.
fn within(angle: f64, degrees: u64) -> f64 {
    let (sine, cosine) = (libm::sin(angle), libm::cos(angle));
    let is_odd = degrees % 2 == 1;
    let mut term = if is_odd { cosine } else { 1.0 };
    let mut sum = if degrees == 1 { 0.0 } else { term };
    // Each term is the one before times its own even over odd number, or odd over even, and the squared cosine.
    let mut number = if is_odd { 2 } else { 1 };
    while number + 2 < degrees {
        term *= number as f64 / (number + 1) as f64 * cosine * cosine;
        sum += term;
        number += 2;
    }
    if is_odd { FRAC_2_PI * (angle + sine * sum) } else { sine * sum }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Table of NIST, "e-Handbook of Statistical Methods", 1.3.6.7.2, and for 1 and 2 the closed forms.
    #[test]
    fn it_is_what_tables_say() {
        let published = [
            (1, 12.706),
            (2, 4.303),
            (3, 3.182),
            (4, 2.776),
            (5, 2.571),
            (6, 2.447),
            (7, 2.365),
            (8, 2.306),
            (9, 2.262),
            (10, 2.228),
            (11, 2.201),
            (12, 2.179),
            (15, 2.131),
            (19, 2.093),
            (20, 2.086),
            (29, 2.045),
            (30, 2.042),
            (40, 2.021),
            (60, 2.000),
            (80, 1.990),
            (100, 1.984),
        ];
        for (degrees, expected) in published {
            let found = quantile(degrees);
            assert!((found - expected).abs() < 5.1e-4, "{degrees}: {found}, and not {expected}");
        }
        assert!((quantile(1) - libm::tan(0.95 * FRAC_PI_2)).abs() < 1e-12);
        assert!((quantile(2) - 0.95 * (2.0 / (1.0 - 0.95_f64 * 0.95)).sqrt()).abs() < 1e-12);
    }

    #[test]
    fn both_ways_meet_and_fall_to_the_normal_quantile() {
        let (solved, expanded) = (by_bisection(MANY), by_expansion(MANY as f64));
        assert!((solved - expanded).abs() < 1e-11, "{solved} {expanded}");
        assert!((quantile(u64::MAX) - NORMAL).abs() < 1e-15);
        assert!((1..2 * MANY).all(|degrees| quantile(degrees) > quantile(degrees + 1)));
    }
}
