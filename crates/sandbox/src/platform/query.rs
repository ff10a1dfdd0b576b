//! The questions that widgets put to a dataset: rows, one number, or one number for each group.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::refusal::Refusal;
use super::rows::{Cell, Dataset};

const MAX_ROWS: usize = 500;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Aggregate {
    Sum,
    Count,
    Average,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Filter {
    column: String,
    /// The row's value must be one of these.
    values: Vec<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sort {
    column: String,
    #[serde(default)]
    descending: bool,
}

/// A question. Without `aggregate` it asks for rows.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Query {
    pub(super) dataset: String,
    #[serde(default)]
    filters: Vec<Filter>,
    /// Rows must hold this text in some column, in whatever case.
    #[serde(default)]
    search: String,
    group_by: Option<String>,
    aggregate: Option<Aggregate>,
    measure: Option<String>,
    sort: Option<Sort>,
    #[serde(default)]
    offset: usize,
    limit: Option<usize>,
}

impl Query {
    /// Every row of a dataset.
    pub(super) fn all_of(dataset: &str) -> Self {
        Self {
            dataset: dataset.to_owned(),
            filters: Vec::new(),
            search: String::new(),
            group_by: None,
            aggregate: None,
            measure: None,
            sort: None,
            offset: 0,
            limit: None,
        }
    }

    /// The rows among `visible` that the filters and the search leave, in order.
    pub(super) fn select<'p>(
        &self,
        dataset: &Dataset,
        visible: Vec<&'p [Cell]>,
    ) -> Result<Vec<&'p [Cell]>, Refusal> {
        let mut tests = Vec::new();
        for filter in &self.filters {
            tests.push((column(dataset, &filter.column)?, &filter.values));
        }
        let search = self.search.to_lowercase();
        let mut rows = visible;
        rows.retain(|row| {
            let at = |index: usize| row.get(index).map(Cell::to_text).unwrap_or_default();
            tests.iter().all(|(index, values)| values.contains(&at(*index)))
                && (search.is_empty()
                    || row.iter().any(|cell| cell.to_text().to_lowercase().contains(&search)))
        });
        if let Some(sort) = &self.sort {
            let index = column(dataset, &sort.column)?;
            rows.sort_by(|a, b| {
                let ordering = compare(a.get(index), b.get(index));
                if sort.descending { ordering.reverse() } else { ordering }
            });
        }
        Ok(rows)
    }

    /// The answer over the rows that row-level security lets through.
    pub(super) fn answer(&self, dataset: &Dataset, visible: Vec<&[Cell]>) -> Result<Value, Refusal> {
        let rows = self.select(dataset, visible)?;
        match (self.aggregate, &self.group_by) {
            (None, Some(_)) => Err(Refusal::bad_request("`group_by` needs `aggregate`")),
            (None, None) => Ok(self.page(dataset, &rows)),
            (Some(aggregate), None) => {
                let mut answer = self.one_number(dataset, aggregate, &rows)?;
                answer.insert("total".into(), rows.len().into());
                Ok(answer.into())
            }
            (Some(aggregate), Some(group_by)) => self.groups(dataset, aggregate, group_by, &rows),
        }
    }

    fn page(&self, dataset: &Dataset, rows: &[&[Cell]]) -> Value {
        let limit = self.limit.unwrap_or(50).min(MAX_ROWS);
        let page: Vec<Value> =
            rows.iter().skip(self.offset).take(limit).map(|row| named(dataset, row)).collect();
        json!({ "columns": dataset.columns, "rows": page, "total": rows.len() })
    }

    fn one_number(
        &self,
        dataset: &Dataset,
        aggregate: Aggregate,
        rows: &[&[Cell]],
    ) -> Result<Map<String, Value>, Refusal> {
        let measure = column(dataset, self.measure.as_deref().unwrap_or_default())?;
        let sum: f64 = rows
            .iter()
            .filter_map(|row| match row.get(measure) {
                Some(Cell::Number(number)) => Some(number),
                _ => None,
            })
            .sum();
        let value = match aggregate {
            Aggregate::Count => rows.len() as f64,
            // The sum of nothing is -0.
            Aggregate::Sum => sum + 0.0,
            Aggregate::Average if rows.is_empty() => 0.0,
            Aggregate::Average => sum / rows.len() as f64,
        };
        let mut tenants: Vec<String> =
            rows.iter().filter_map(|row| dataset.cell(row, "tenant").map(Cell::to_text)).collect();
        tenants.sort_unstable();
        tenants.dedup();
        Ok(Map::from_iter([("value".into(), json!(value)), ("tenants".into(), json!(tenants))]))
    }

    /// Months in their order, everything else by size.
    fn groups(
        &self,
        dataset: &Dataset,
        aggregate: Aggregate,
        group_by: &str,
        rows: &[&[Cell]],
    ) -> Result<Value, Refusal> {
        let index = column(dataset, group_by)?;
        let mut groups: BTreeMap<String, Vec<&[Cell]>> = BTreeMap::new();
        for row in rows {
            groups.entry(row.get(index).map(Cell::to_text).unwrap_or_default()).or_default().push(row);
        }
        let mut answers = Vec::new();
        for (key, rows) in groups {
            let mut answer = self.one_number(dataset, aggregate, &rows)?;
            answer.insert("key".into(), key.into());
            answers.push(answer);
        }
        if group_by != "month" {
            let value =
                |answer: &Map<String, Value>| answer.get("value").and_then(Value::as_f64).unwrap_or_default();
            answers.sort_by(|a, b| value(b).total_cmp(&value(a)));
        }
        answers.truncate(self.limit.unwrap_or(MAX_ROWS));
        Ok(json!({ "rows": answers, "total": rows.len() }))
    }
}

/// A row as an object by column name.
pub(super) fn named(dataset: &Dataset, row: &[Cell]) -> Value {
    dataset.columns.iter().zip(row).map(|(name, cell)| ((*name).to_owned(), json!(cell))).collect()
}

fn column(dataset: &Dataset, name: &str) -> Result<usize, Refusal> {
    let message = || Refusal::bad_request(format!("the dataset `{}` has no column `{name}`", dataset.id));
    dataset.column(name).ok_or_else(message)
}

fn compare(a: Option<&Cell>, b: Option<&Cell>) -> std::cmp::Ordering {
    match (a, b) {
        (Some(Cell::Number(a)), Some(Cell::Number(b))) => a.total_cmp(b),
        (a, b) => a.map(Cell::to_text).cmp(&b.map(Cell::to_text)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::rows::datasets;

    fn ask(query: Value) -> Result<Value, Refusal> {
        let query: Query = serde_json::from_value(query).unwrap();
        let datasets = datasets();
        let dataset = datasets.iter().find(|dataset| dataset.id == query.dataset).unwrap();
        query.answer(dataset, dataset.rows.iter().map(Vec::as_slice).collect())
    }

    #[test]
    fn groups_add_up_to_the_whole() {
        let whole = ask(json!({"dataset": "orders", "aggregate": "sum", "measure": "amount"})).unwrap();
        let groups =
            ask(json!({"dataset": "orders", "group_by": "region", "aggregate": "sum", "measure": "amount"}))
                .unwrap();
        let groups = groups["rows"].as_array().unwrap();
        let sum: f64 = groups.iter().map(|group| group["value"].as_f64().unwrap()).sum();
        assert_eq!(sum, whole["value"].as_f64().unwrap());
        assert_eq!(groups.len(), 12);
        assert!(groups.windows(2).all(|pair| pair[0]["value"].as_f64() >= pair[1]["value"].as_f64()));
    }

    #[test]
    fn rows_are_filtered_searched_sorted_and_cut() {
        let answer = ask(json!({
            "dataset": "orders", "filters": [{"column": "tenant", "values": ["basalt"]}], "search": "SEAL kit",
            "sort": {"column": "amount", "descending": true}, "limit": 3,
        }))
        .unwrap();
        let rows = answer["rows"].as_array().unwrap();
        assert_eq!(rows.len(), 3);
        assert!(answer["total"].as_u64().unwrap() > 3);
        assert!(rows.iter().all(|row| row["tenant"] == "basalt" && row["product"] == "Seal kit"));
        assert!(rows[0]["amount"].as_f64() >= rows[1]["amount"].as_f64());
    }

    #[test]
    fn the_sum_of_nothing_is_zero_without_a_sign() {
        let nothing =
            json!({"dataset": "orders", "search": "no such text", "aggregate": "sum", "measure": "amount"});
        assert!(ask(nothing).unwrap()["value"].as_f64().unwrap().is_sign_positive());
    }

    #[test]
    fn months_stand_in_their_order() {
        let answer =
            ask(json!({"dataset": "tickets", "group_by": "month", "aggregate": "count", "measure": "hours"}))
                .unwrap();
        let months: Vec<&str> =
            answer["rows"].as_array().unwrap().iter().map(|row| row["key"].as_str().unwrap()).collect();
        assert_eq!(months.len(), 12);
        assert!(months.is_sorted());
    }

    #[test]
    fn unknown_columns_are_named() {
        let refusal = ask(json!({"dataset": "orders", "aggregate": "sum", "measure": "weight"})).unwrap_err();
        assert!(refusal.message().contains("no column `weight`"), "{refusal:?}");
        assert!(ask(json!({"dataset": "orders", "group_by": "region"})).is_err());
    }
}
