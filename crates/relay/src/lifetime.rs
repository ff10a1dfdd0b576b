use std::fmt;
use std::time::Duration;

use serde_json::Value;

use crate::claims::{ClaimFault, FromClaim};

/// A token's lifetime in the platform's own notation: `"30s"`, `"10m"`, `"1w"`.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Lifetime {
    text: String,
    duration: Duration,
}

const SECONDS_PER_MINUTE: u64 = 60;
const SECONDS_PER_WEEK: u64 = 7 * 24 * 60 * SECONDS_PER_MINUTE;

impl Lifetime {
    /// How the notation looks, for messages.
    pub(crate) const NOTATION: &str =
        "a lifetime such as \"30s\", \"10m\" or \"1w\" (s, m and w are the platform's units)";

    /// Reads a whole, positive number and one of the documented units.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let unit = text.chars().last()?;
        let number = text.strip_suffix(unit)?;
        let plain = !number.starts_with('0') && number.bytes().all(|byte| byte.is_ascii_digit());
        let number: u64 = number.parse().ok().filter(|_| plain)?;
        let seconds = match unit {
            's' => 1,
            'm' => SECONDS_PER_MINUTE,
            'w' => SECONDS_PER_WEEK,
            _ => return None,
        };
        let duration = Duration::from_secs(number.checked_mul(seconds)?);
        Some(Self { text: text.to_owned(), duration })
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    pub(crate) fn duration(&self) -> Duration {
        self.duration
    }
}

impl fmt::Debug for Lifetime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromClaim for Lifetime {
    fn from_claim(value: &Value) -> Result<Self, ClaimFault> {
        Self::parse(&String::from_claim(value)?).ok_or(ClaimFault::NotA("a lifetime"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documented_forms_are_understood() {
        let seconds = |text| Lifetime::parse(text).map(|lifetime| lifetime.duration().as_secs());
        assert_eq!(seconds("30s"), Some(30));
        assert_eq!(seconds("10m"), Some(600));
        assert_eq!(seconds("60m"), Some(3600));
        assert_eq!(seconds("1w"), Some(604_800));
    }

    #[test]
    fn everything_else_is_refused() {
        for text in [
            "",
            "m",
            "0s",
            "010m",
            "10",
            "10 m",
            "-1m",
            "+1m",
            "1.5m",
            "1h",
            "10M",
            "9999999999999999999w",
            "1é",
        ] {
            assert_eq!(Lifetime::parse(text), None, "{text}");
        }
    }
}
