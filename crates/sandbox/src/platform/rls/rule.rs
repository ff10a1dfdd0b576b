//! One rule on one column.

use std::cmp::Ordering;

use crate::platform::rows::Cell;

/// How a row's value is held against a rule's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum ValidationType {
    #[default]
    Equal,
    NotEqual,
    Contain,
    NotContain,
    StartWith,
    NotStartWith,
    EndWith,
    NotEndWith,
    GreaterThan,
    GreaterThanOrEqual,
    LessThan,
    LessThanOrEqual,
    Range,
    NotRange,
    Between,
    Date,
    IsEmpty,
    IsNotEmpty,
}

impl ValidationType {
    /// Every type with its documented name.
    pub(crate) const ALL: [(&'static str, Self); 18] = [
        ("EQUAL", Self::Equal),
        ("NOT_EQUAL", Self::NotEqual),
        ("CONTAIN", Self::Contain),
        ("NOT_CONTAIN", Self::NotContain),
        ("START_WITH", Self::StartWith),
        ("NOT_START_WITH", Self::NotStartWith),
        ("END_WITH", Self::EndWith),
        ("NOT_END_WITH", Self::NotEndWith),
        ("GREATER_THAN", Self::GreaterThan),
        ("GREATER_THAN_OR_EQUAL", Self::GreaterThanOrEqual),
        ("LESS_THAN", Self::LessThan),
        ("LESS_THAN_OR_EQUAL", Self::LessThanOrEqual),
        ("RANGE", Self::Range),
        ("NOT_RANGE", Self::NotRange),
        ("BETWEEN", Self::Between),
        ("DATE", Self::Date),
        ("IS_EMPTY", Self::IsEmpty),
        ("IS_NOT_EMPTY", Self::IsNotEmpty),
    ];
}

/// How coarsely a date is looked at (`group_value`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DateGroup {
    Year,
    Month,
    Day,
}

impl DateGroup {
    /// The part of an ISO date that is looked at.
    fn of(self, date: &str) -> &str {
        let length = match self {
            Self::Year => "2026".len(),
            Self::Month => "2026-03".len(),
            Self::Day => "2026-03-14".len(),
        };
        date.get(..length).unwrap_or(date)
    }
}

/// A rule on one column.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RecordRule {
    /// The column.
    pub(crate) security_name: String,
    /// The values that the row's value is held against, as text.
    pub(crate) values: Vec<String>,
    /// How.
    pub(crate) validation_type: ValidationType,
    /// How coarsely, for dates.
    pub(crate) group_value: Option<DateGroup>,
}

impl RecordRule {
    /// Whether a row with this value may be seen.
    pub(super) fn holds(&self, cell: &Cell) -> bool {
        use ValidationType as V;
        let text = cell.to_text();
        match self.validation_type {
            V::Equal => self
                .values
                .iter()
                .any(|value| value == "*" || self.compare(cell, value) == Some(Ordering::Equal)),
            V::NotEqual => !self.any_compares(cell, |ordering| ordering == Ordering::Equal),
            V::Contain => self.any(|value| text.contains(value)),
            V::NotContain => !self.any(|value| text.contains(value)),
            V::StartWith => self.any(|value| text.starts_with(value)),
            V::NotStartWith => !self.any(|value| text.starts_with(value)),
            V::EndWith => self.any(|value| text.ends_with(value)),
            V::NotEndWith => !self.any(|value| text.ends_with(value)),
            V::GreaterThan => self.any_compares(cell, Ordering::is_gt),
            V::GreaterThanOrEqual => self.any_compares(cell, Ordering::is_ge),
            V::LessThan => self.any_compares(cell, Ordering::is_lt),
            V::LessThanOrEqual => self.any_compares(cell, Ordering::is_le),
            V::Range | V::Between => self.in_range(cell),
            V::NotRange => !self.in_range(cell),
            V::Date => self.any(|value| {
                cell.is_present() && text.starts_with(self.group_value.map_or(value, |group| group.of(value)))
            }),
            V::IsEmpty => !cell.is_present(),
            V::IsNotEmpty => cell.is_present(),
        }
    }

    fn any(&self, test: impl Fn(&str) -> bool) -> bool {
        self.values.iter().any(|value| test(value))
    }

    fn any_compares(&self, cell: &Cell, test: impl Fn(Ordering) -> bool) -> bool {
        self.any(|value| self.compare(cell, value).is_some_and(&test))
    }

    /// Both ends belong to the range.
    fn in_range(&self, cell: &Cell) -> bool {
        let [low, high] = self.values.as_slice() else { return false };
        self.compare(cell, low).is_some_and(Ordering::is_ge)
            && self.compare(cell, high).is_some_and(Ordering::is_le)
    }

    /// Numbers by size, everything else (ISO dates too) by text; `None` where that makes no sense.
    fn compare(&self, cell: &Cell, value: &str) -> Option<Ordering> {
        match cell {
            Cell::Number(number) => number.partial_cmp(&value.parse().ok()?),
            Cell::Text(text) => Some(match self.group_value {
                Some(group) => group.of(text).cmp(group.of(value)),
                None => text.as_str().cmp(value),
            }),
            Cell::Empty => None,
        }
    }
}
