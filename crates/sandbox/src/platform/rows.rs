//! The platform's data: two datasets of three tenants, the same rows at every start.

use serde::Serialize;

/// A value of a row.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub(crate) enum Cell {
    /// Text, and dates in ISO form.
    Text(String),
    /// A number.
    Number(f64),
    /// Nothing (`null`).
    Empty,
}

impl Cell {
    /// The value as text, empty if there is none.
    #[must_use]
    pub(crate) fn to_text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Number(number) => number.to_string(),
            Self::Empty => String::new(),
        }
    }

    /// Whether there is a value.
    #[must_use]
    pub(crate) fn is_present(&self) -> bool {
        match self {
            Self::Text(text) => !text.is_empty(),
            Self::Number(_) => true,
            Self::Empty => false,
        }
    }
}

/// Rows under named columns.
#[derive(Debug)]
pub(super) struct Dataset {
    /// The name that `dataset_id` goes by.
    pub(crate) id: &'static str,
    /// The names of the columns; also what `security_name` may say.
    pub(crate) columns: &'static [&'static str],
    /// Each as long as `columns`.
    pub(crate) rows: Vec<Vec<Cell>>,
}

impl Dataset {
    /// Where a column stands in each row.
    #[must_use]
    pub(super) fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| *column == name)
    }

    /// A row's value by column name.
    #[must_use]
    pub(super) fn cell<'row>(&self, row: &'row [Cell], name: &str) -> Option<&'row Cell> {
        row.get(self.column(name)?)
    }
}

/// Every dataset.
#[must_use]
pub(super) fn datasets() -> Vec<Dataset> {
    vec![orders(), tickets()]
}

/// The tenants; nobody can sign in for the last, so its rows show every leak.
pub(super) const TENANTS: [&str; 3] = ["aurora", "basalt", "cobalt"];

const MONTHS: [&str; 12] = [
    "2025-11", "2025-12", "2026-01", "2026-02", "2026-03", "2026-04", "2026-05", "2026-06", "2026-07",
    "2026-08", "2026-09", "2026-10",
];
const ORDERS_PER_MONTH: usize = 11;
const TICKETS_PER_MONTH: usize = 4;

/// What a tenant sells, where, and to whom, so that a glance tells the tenants apart.
struct Business {
    regions: [&'static str; 4],
    products: [(&'static str, f64); 5],
    customers: [&'static str; 8],
    agents: [&'static str; 3],
}

const AURORA: Business = Business {
    regions: ["Nordics", "Baltics", "Benelux", "Iberia"],
    products: [
        ("Trail tent", 389.0),
        ("Down jacket", 249.0),
        ("Camp stove", 89.0),
        ("Headlamp", 45.0),
        ("Dry bag", 32.0),
    ],
    customers: [
        "Fjell & Sons",
        "Northlight",
        "Kaamos Outdoor",
        "Lumi Retail",
        "Vega Sport",
        "Tundra Supply",
        "Aalto Stores",
        "Skog AB",
    ],
    agents: ["Ines Aho", "Olle Berg", "Marta Saar"],
};
const BASALT: Business = Business {
    regions: ["Pacific", "Mountain", "Midwest", "Atlantic"],
    products: [
        ("Flow pump", 1_240.0),
        ("Gate valve", 310.0),
        ("Pressure gauge", 84.0),
        ("Filter set", 56.0),
        ("Seal kit", 23.0),
    ],
    customers: [
        "Granite Works",
        "Delta Hydraulics",
        "Copper Basin",
        "Lakeside Plant",
        "Union Mills",
        "Redrock Energy",
        "Harbor Process",
        "Summit Water",
    ],
    agents: ["Dana Cole", "Luis Ortega", "Priya Nair"],
};
const COBALT: Business = Business {
    regions: ["Kanto", "Kansai", "Tohoku", "Kyushu"],
    products: [
        ("Lab centrifuge", 2_150.0),
        ("Microscope", 1_480.0),
        ("Pipette set", 220.0),
        ("Glass slides", 38.0),
        ("Reagent A", 64.0),
    ],
    customers: [
        "Hoshi Labs",
        "Midori Clinic",
        "Kumo Research",
        "Sakura Bio",
        "Nami Institute",
        "Tetsu Pharma",
        "Ume Care",
        "Yuki Medical",
    ],
    agents: ["Aya Mori", "Ken Ito", "Rin Sato"],
};

fn businesses() -> impl Iterator<Item = (&'static str, &'static Business)> {
    TENANTS.into_iter().zip([&AURORA, &BASALT, &COBALT])
}

fn orders() -> Dataset {
    let columns = &[
        "order_id",
        "tenant",
        "region",
        "segment",
        "product",
        "customer",
        "status",
        "ordered_on",
        "month",
        "quantity",
        "amount",
        "coupon",
    ];
    let mut dice = Dice(20_261_101);
    let mut rows = Vec::new();
    for (tenant, business) in businesses() {
        for (index, month) in MONTHS.iter().enumerate() {
            for number in 0..ORDERS_PER_MONTH {
                let (product, price) = *dice.pick(&business.products);
                let quantity = 1.0 + dice.below(9) as f64;
                // A slow rise through the year, so that the charts have something to tell.
                let amount = (price * quantity * (0.8 + 0.04 * index as f64)).round();
                let coupon = match *dice.pick(&["", "", "WELCOME", "LOYAL10"]) {
                    "" => Cell::Empty,
                    code => text(code),
                };
                rows.push(vec![
                    text(format!("{}-{:04}", prefix(tenant), 1_000 + index * ORDERS_PER_MONTH + number)),
                    text(tenant),
                    text(*dice.pick(&business.regions)),
                    text(*dice.pick(&["Enterprise", "Mid-market", "Small"])),
                    text(product),
                    text(*dice.pick(&business.customers)),
                    text(*dice.pick(&["Shipped", "Shipped", "Shipped", "Open", "Open", "Returned"])),
                    text(format!("{month}-{:02}", 1 + dice.below(28))),
                    text(*month),
                    Cell::Number(quantity),
                    Cell::Number(amount),
                    coupon,
                ]);
            }
        }
    }
    Dataset { id: "orders", columns, rows }
}

fn tickets() -> Dataset {
    let columns = &[
        "ticket_id",
        "tenant",
        "region",
        "priority",
        "subject",
        "agent",
        "status",
        "opened_on",
        "month",
        "hours",
    ];
    let mut dice = Dice(7);
    let mut rows = Vec::new();
    for (tenant, business) in businesses() {
        for (index, month) in MONTHS.iter().enumerate() {
            for number in 0..TICKETS_PER_MONTH {
                let (product, _) = *dice.pick(&business.products);
                let matter =
                    *dice.pick(&["arrived damaged", "is late", "has a missing part", "needs an invoice"]);
                rows.push(vec![
                    text(format!("{}-T{:03}", prefix(tenant), 100 + index * TICKETS_PER_MONTH + number)),
                    text(tenant),
                    text(*dice.pick(&business.regions)),
                    text(*dice.pick(&["Low", "Normal", "Normal", "High"])),
                    text(format!("{product} {matter}")),
                    text(*dice.pick(&business.agents)),
                    text(*dice.pick(&["Solved", "Solved", "Open", "Waiting"])),
                    text(format!("{month}-{:02}", 1 + dice.below(28))),
                    text(*month),
                    Cell::Number(1.0 + dice.below(72) as f64),
                ]);
            }
        }
    }
    Dataset { id: "tickets", columns, rows }
}

fn text(text: impl Into<String>) -> Cell {
    Cell::Text(text.into())
}

fn prefix(tenant: &str) -> String {
    tenant.chars().take(2).flat_map(char::to_uppercase).collect()
}

/// A linear congruential generator (Knuth's constants): the same numbers at every start.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u32) -> u32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let high = (self.0 >> 33) as u32;
        high % limit
    }

    #[expect(
        clippy::indexing_slicing,
        reason = "the index is below the length of an array that is not empty"
    )]
    fn pick<'a, T, const N: usize>(&mut self, choices: &'a [T; N]) -> &'a T {
        const { assert!(N > 0) };
        &choices[self.below(N as u32) as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_as_long_as_the_columns() {
        for dataset in datasets() {
            assert!(dataset.rows.iter().all(|row| row.len() == dataset.columns.len()), "{}", dataset.id);
        }
    }

    #[test]
    fn each_tenant_has_the_same_number_of_rows_and_regions_of_its_own() {
        let orders = orders();
        for tenant in TENANTS {
            let of_tenant =
                orders.rows.iter().filter(|row| orders.cell(row, "tenant") == Some(&text(tenant)));
            assert_eq!(of_tenant.count(), MONTHS.len() * ORDERS_PER_MONTH);
        }
        let region = |row: &Vec<Cell>| orders.cell(row, "region").unwrap().to_text();
        let aurora: Vec<String> = orders.rows.iter().take(132).map(region).collect();
        assert!(orders.rows.iter().skip(132).all(|row| !aurora.contains(&region(row))));
    }

    #[test]
    fn the_rows_are_the_same_at_every_start() {
        assert_eq!(orders().rows, orders().rows);
        assert_eq!(orders().rows.first().unwrap().first(), Some(&text("AU-1000")));
    }

    #[test]
    fn some_coupons_are_empty() {
        let orders = orders();
        let empty = orders.rows.iter().filter(|row| orders.cell(row, "coupon") == Some(&Cell::Empty)).count();
        assert!(empty > 100 && empty < orders.rows.len());
    }
}
