//! Row-level security: which rows a token lets through.
//!
//! Where the documentation is silent, this stand-in decides: several entries for one dataset must all
//! agree; a dataset that no entry names is not restricted; a rule on a column that the dataset
//! lacks lets nothing through.

mod parse;
mod rule;

pub(crate) use parse::PolicyError;
pub(crate) use rule::{DateGroup, RecordRule, ValidationType};

use serde_json::Value;

use super::rows::Cell;

/// How the rules of a group combine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Operator {
    /// Every rule must let the row through.
    #[default]
    And,
    /// One rule is enough.
    Or,
}

/// A rule on one column, or a group of rules.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Rule {
    /// A rule on one column.
    Record(RecordRule),
    /// Rules under an operator of their own.
    Group(Group),
}

/// Rules and how they combine.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Group {
    /// How.
    pub(crate) operator: Operator,
    /// At least one.
    pub(crate) rules: Vec<Rule>,
}

/// The datasets that an entry is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum DatasetIds {
    /// `"*"`
    All,
    /// Those named.
    These(Vec<String>),
}

/// One entry of `permissions`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Entry {
    /// What it is about.
    pub(crate) datasets: DatasetIds,
    /// What it demands.
    pub(crate) group: Group,
}

/// A token's whole row-level security.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Policy {
    /// The entries, all of which must agree.
    pub(crate) entries: Vec<Entry>,
}

impl Policy {
    /// Reads the `permissions` of a login call; `null` stands for none.
    ///
    /// # Errors
    /// [`PolicyError`] names the place that does not follow the documentation.
    pub(crate) fn parse(permissions: &Value) -> Result<Self, PolicyError> {
        parse::policy(permissions)
    }

    /// Whether a row of `dataset_id` may be seen; `cell` finds the row's value by column name.
    pub(crate) fn lets_through<'row>(
        &self,
        dataset_id: &str,
        cell: impl Fn(&str) -> Option<&'row Cell>,
    ) -> bool {
        self.entries
            .iter()
            .filter(|entry| entry.datasets.include(dataset_id))
            .all(|entry| entry.group.lets_through(&cell))
    }
}

impl DatasetIds {
    fn include(&self, dataset_id: &str) -> bool {
        match self {
            Self::All => true,
            Self::These(ids) => ids.iter().any(|id| id == dataset_id),
        }
    }
}

impl Group {
    fn lets_through<'row>(&self, cell: &impl Fn(&str) -> Option<&'row Cell>) -> bool {
        let mut verdicts = self.rules.iter().map(|rule| match rule {
            Rule::Record(record) => cell(&record.security_name).is_some_and(|value| record.holds(value)),
            Rule::Group(group) => group.lets_through(cell),
        });
        match self.operator {
            Operator::And => verdicts.all(|verdict| verdict),
            Operator::Or => verdicts.any(|verdict| verdict),
        }
    }
}

#[cfg(test)]
mod tests;
