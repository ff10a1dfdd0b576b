//! The forms of `expiresIn`: a whole number and a unit, such as `"30s"`, `"10m"` or `"1w"`.

use std::time::Duration;

/// Reads one; `None` if the text has another form, says zero, or is more than ten years.
#[must_use]
pub fn parse(text: &str) -> Option<Duration> {
    let unit = text.chars().last()?;
    let digits = text.strip_suffix(unit)?;
    // `parse` alone would take a sign.
    let number: u64 = digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())??;
    let unit_s = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        'w' => 604_800,
        _ => return None,
    };
    let seconds = number.checked_mul(unit_s)?;
    (1..=10 * 366 * 86_400).contains(&seconds).then(|| Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documented_forms_are_read() {
        for (text, seconds) in [("30s", 30), ("10m", 600), ("60m", 3_600), ("2h", 7_200), ("1w", 604_800)] {
            assert_eq!(parse(text), Some(Duration::from_secs(seconds)), "{text}");
        }
    }

    #[test]
    fn other_forms_are_refused() {
        for text in
            ["", "s", "10", "10 m", "-1m", "+1m", "0s", "1.5h", "10M", "10min", "١m", "99999999999999999999s"]
        {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
