//! The application's pages and items, and which of them a token opens (`asset_permissions`).

use serde::Serialize;
use serde_json::{Value, json};

/// A kind of thing that `asset_permissions` can limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AssetKind {
    Pages,
    Charts,
    Metrics,
    Summaries,
    Datasets,
}

impl AssetKind {
    /// Each kind with its two documented keys: `{"charts": {"chart_ids": […]}}`.
    const ALL: [(Self, &'static str, &'static str); 5] = [
        (Self::Pages, "pages", "page_ids"),
        (Self::Charts, "charts", "chart_ids"),
        (Self::Metrics, "metrics", "metric_ids"),
        (Self::Summaries, "summaries", "question_ids"),
        (Self::Datasets, "datasets", "dataset_ids"),
    ];
}

/// A token's `asset_permissions`: a kind that is not named is not limited.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Assets {
    limits: Vec<(AssetKind, Vec<String>)>,
}

impl Assets {
    /// Reads the `asset_permissions` of a login call; `null` stands for none.
    ///
    /// # Errors
    /// A text that names the place that does not follow the documentation.
    pub(super) fn parse(value: &Value) -> Result<Self, String> {
        if value.is_null() {
            return Ok(Self::default());
        }
        let members = value.as_object().ok_or("asset_permissions: must be an object")?;
        let limits = members
            .iter()
            .map(|(name, limit)| {
                let (kind, _, ids_key) = AssetKind::ALL
                    .into_iter()
                    .find(|(_, documented, _)| documented == name)
                    .ok_or_else(|| format!("asset_permissions: `{name}` is not a documented key"))?;
                let ids = limit.get(ids_key).and_then(Value::as_array).and_then(|ids| {
                    ids.iter().map(|id| id.as_str().map(str::to_owned)).collect::<Option<Vec<_>>>()
                });
                let ids = ids.ok_or_else(|| {
                    format!("asset_permissions.{name}.{ids_key}: must be an array of strings")
                })?;
                Ok((kind, ids))
            })
            .collect::<Result<_, String>>()?;
        Ok(Self { limits })
    }

    /// Whether the token opens this page or item.
    #[must_use]
    pub(super) fn opens(&self, kind: AssetKind, id: &str) -> bool {
        self.limits
            .iter()
            .filter(|(limited, _)| *limited == kind)
            .all(|(_, ids)| ids.iter().any(|known| known == id))
    }
}

/// A chart, metric or summary: a question that is put to a dataset.
#[derive(Debug, Serialize)]
pub(super) struct Item {
    /// Its id, for `asset_permissions` and for a single panel.
    pub(crate) id: &'static str,
    /// `CHART`, `METRIC` or `SUMMARY`.
    #[serde(rename = "type")]
    pub(crate) kind: &'static str,
    /// What stands above it.
    pub(crate) title: &'static str,
    /// The query that fills it.
    pub(crate) query: Value,
}

impl Item {
    fn asset_kind(&self) -> AssetKind {
        match self.kind {
            "CHART" => AssetKind::Charts,
            "METRIC" => AssetKind::Metrics,
            _ => AssetKind::Summaries,
        }
    }
}

/// A page of the dashboard.
#[derive(Debug, Serialize)]
pub(super) struct Page {
    /// Its id, for `asset_permissions`.
    pub(crate) id: &'static str,
    /// What stands on its tab.
    pub(crate) title: &'static str,
    /// What it asks.
    pub(crate) items: Vec<Item>,
}

/// The pages of the one dashboard, less what the token does not open.
#[must_use]
pub(super) fn pages(assets: &Assets) -> Vec<Page> {
    let mut pages = every_page();
    pages.retain(|page| assets.opens(AssetKind::Pages, page.id));
    for page in &mut pages {
        page.items.retain(|item| {
            let dataset = item.query.get("dataset").and_then(Value::as_str).unwrap_or_default();
            assets.opens(item.asset_kind(), item.id) && assets.opens(AssetKind::Datasets, dataset)
        });
    }
    pages
}

fn every_page() -> Vec<Page> {
    let item = |kind, id, title, query| Item { id, kind, title, query };
    let by = |dataset: &str, column: &str, aggregate: &str, measure: &str| json!({"dataset": dataset, "group_by": column, "aggregate": aggregate, "measure": measure});
    let one = |dataset: &str, aggregate: &str, measure: &str| json!({"dataset": dataset, "aggregate": aggregate, "measure": measure});
    vec![
        Page {
            id: "sales",
            title: "Sales",
            items: vec![
                item("METRIC", "revenue", "Revenue", one("orders", "sum", "amount")),
                item("METRIC", "orders", "Orders", one("orders", "count", "order_id")),
                item("METRIC", "average-order", "Average order", one("orders", "average", "amount")),
                item("CHART", "revenue-by-month", "Revenue by month", by("orders", "month", "sum", "amount")),
                item(
                    "CHART",
                    "revenue-by-region",
                    "Revenue by region",
                    by("orders", "region", "sum", "amount"),
                ),
                item(
                    "CHART",
                    "revenue-by-product",
                    "Revenue by product",
                    by("orders", "product", "sum", "amount"),
                ),
                item("SUMMARY", "orders-table", "Orders", json!({"dataset": "orders"})),
            ],
        },
        Page {
            id: "support",
            title: "Support",
            items: vec![
                item("METRIC", "tickets", "Tickets", one("tickets", "count", "ticket_id")),
                item("METRIC", "hours", "Hours spent", one("tickets", "sum", "hours")),
                item("METRIC", "average-hours", "Hours each", one("tickets", "average", "hours")),
                item(
                    "CHART",
                    "tickets-by-month",
                    "Tickets by month",
                    by("tickets", "month", "count", "ticket_id"),
                ),
                item(
                    "CHART",
                    "tickets-by-region",
                    "Tickets by region",
                    by("tickets", "region", "count", "ticket_id"),
                ),
                item("CHART", "hours-by-agent", "Hours by agent", by("tickets", "agent", "sum", "hours")),
                item("SUMMARY", "tickets-table", "Tickets", json!({"dataset": "tickets"})),
            ],
        },
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_limits_everything_is_open() {
        let pages = pages(&Assets::parse(&Value::Null).unwrap());
        assert_eq!(pages.iter().map(|page| page.items.len()).sum::<usize>(), 14);
    }

    #[test]
    fn limits_are_kept() {
        let limits = json!({"pages": {"page_ids": ["sales"]}, "charts": {"chart_ids": ["revenue-by-month"]}});
        let pages = pages(&Assets::parse(&limits).unwrap());
        assert_eq!(pages.len(), 1);
        let charts: Vec<&str> =
            pages[0].items.iter().filter(|item| item.kind == "CHART").map(|item| item.id).collect();
        assert_eq!(charts, ["revenue-by-month"]);
        assert_eq!(pages[0].items.iter().filter(|item| item.kind == "METRIC").count(), 3);
    }

    #[test]
    fn a_dataset_out_of_reach_takes_its_items_along() {
        let limits = json!({"datasets": {"dataset_ids": ["orders"]}});
        let pages = pages(&Assets::parse(&limits).unwrap());
        assert!(pages[1].items.is_empty() && pages[0].items.len() == 7);
    }

    #[test]
    fn mistakes_are_named() {
        assert!(Assets::parse(&json!({"chart": {}})).unwrap_err().contains("`chart`"));
        assert!(Assets::parse(&json!({"charts": {"ids": []}})).unwrap_err().contains("charts.chart_ids"));
        assert!(Assets::parse(&json!([])).is_err());
    }

    #[test]
    fn no_items_share_an_id() {
        let mut ids: Vec<&str> =
            every_page().iter().flat_map(|page| page.items.iter().map(|item| item.id)).collect();
        ids.sort_unstable();
        let count = ids.len();
        ids.dedup();
        assert_eq!(ids.len(), count);
    }
}
