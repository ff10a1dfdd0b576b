use proptest::prelude::*;
use serde_json::json;

use super::*;

fn rule(validation_type: &str, values: &Value) -> Value {
    json!([{"dataset_id": "*", "record_permissions": [
        {"security_name": "column", "validation_type": validation_type, "values": values},
    ]}])
}

fn lets_through(permissions: &Value, cell: &Cell) -> bool {
    let policy = Policy::parse(permissions).unwrap();
    policy.lets_through("orders", |name| (name == "column").then_some(cell))
}

fn text(text: &str) -> Cell {
    Cell::Text(text.into())
}

#[test]
fn each_validation_type_means_what_its_name_says() {
    let cases = [
        ("EQUAL", json!(["north", "south"]), text("south"), true),
        ("EQUAL", json!(["north"]), text("South"), false),
        ("EQUAL", json!([10]), Cell::Number(10.0), true),
        ("NOT_EQUAL", json!(["north", "south"]), text("south"), false),
        ("NOT_EQUAL", json!(["north"]), Cell::Empty, true),
        ("CONTAIN", json!(["ort"]), text("north"), true),
        ("NOT_CONTAIN", json!(["ort"]), text("north"), false),
        ("START_WITH", json!(["no"]), text("north"), true),
        ("NOT_START_WITH", json!(["th"]), text("north"), true),
        ("END_WITH", json!(["th"]), text("north"), true),
        ("NOT_END_WITH", json!(["th"]), text("north"), false),
        ("GREATER_THAN", json!([9]), Cell::Number(10.0), true),
        ("GREATER_THAN", json!(["10"]), Cell::Number(10.0), false),
        ("GREATER_THAN_OR_EQUAL", json!(["10"]), Cell::Number(10.0), true),
        ("LESS_THAN", json!([9]), Cell::Number(10.0), false),
        ("LESS_THAN_OR_EQUAL", json!(["2026-03-14"]), text("2026-03-14"), true),
        ("LESS_THAN", json!(["cheap"]), Cell::Number(10.0), false),
        ("RANGE", json!([1, 10]), Cell::Number(10.0), true),
        ("NOT_RANGE", json!([1, 10]), Cell::Number(10.5), true),
        ("BETWEEN", json!(["2026-01-01", "2026-03-31"]), text("2026-03-14"), true),
        ("DATE", json!(["2026-03-14"]), text("2026-03-14"), true),
        ("DATE", json!(["2026-03"]), text("2026-04-14"), false),
        ("IS_EMPTY", json!([]), Cell::Empty, true),
        ("IS_EMPTY", json!([]), text(""), true),
        ("IS_NOT_EMPTY", json!([]), text("x"), true),
    ];
    for (kind, values, cell, expected) in cases {
        assert_eq!(lets_through(&rule(kind, &values), &cell), expected, "{kind} {values} {cell:?}");
    }
}

#[test]
fn a_date_can_be_looked_at_by_month() {
    let permissions = json!([{"dataset_id": "orders", "record_permissions": [
        {"security_name": "column", "validation_type": "DATE", "values": ["2026-03-01"], "group_value": "month"},
    ]}]);
    assert!(lets_through(&permissions, &text("2026-03-31")));
    assert!(!lets_through(&permissions, &text("2026-04-01")));
}

#[test]
fn groups_nest() {
    let permissions = json!([{"dataset_id": ["orders", "tickets"], "operator": "OR", "record_permissions": [
        {"security_name": "column", "values": ["north"]},
        {"operator": "AND", "record_permissions": [
            {"security_name": "column", "validation_type": "START_WITH", "values": ["s"]},
            {"security_name": "column", "validation_type": "END_WITH", "values": ["h"]},
        ]},
    ]}]);
    for (value, expected) in [("north", true), ("south", true), ("sea", false), ("earth", false)] {
        assert_eq!(lets_through(&permissions, &text(value)), expected, "{value}");
    }
}

#[test]
fn an_entry_speaks_for_its_datasets_only() {
    let permissions = json!([{"dataset_id": "tickets", "record_permissions": [
        {"security_name": "column", "values": ["nothing"]},
    ]}]);
    assert!(lets_through(&permissions, &text("anything")));
    let policy = Policy::parse(&permissions).unwrap();
    assert!(!policy.lets_through("tickets", |_| None));
}

#[test]
fn no_permissions_are_no_restriction() {
    assert!(lets_through(&Value::Null, &Cell::Empty));
    assert!(lets_through(&json!([]), &Cell::Empty));
}

#[test]
fn errors_name_the_place() {
    let nested = |group: Value| json!([{"dataset_id": "*", "record_permissions": [group]}]);
    let cases = [
        (json!({}), "permissions: must be an array"),
        (json!([{}]), "permissions[0]: `dataset_id` is missing"),
        (json!([{"dataset_id": 7, "record_permissions": []}]), "permissions[0].dataset_id: must be a string"),
        (json!([{"dataset_id": [], "record_permissions": []}]), "permissions[0].dataset_id: must be"),
        (json!([{"dataset_id": "*"}]), "permissions[0].record_permissions: is missing"),
        (json!([{"dataset_id": "*", "record_permissions": []}]), "record_permissions: must not be empty"),
        (
            json!([{"dataset_id": "*", "operator": "XOR", "record_permissions": []}]),
            "permissions[0].operator: must",
        ),
        (
            json!([{"dataset_id": "*", "record_permission": []}]),
            "`record_permission` is not a documented key",
        ),
        (nested(json!({"values": ["a"]})), "[0].security_name: must be a string"),
        (nested(json!({"security_name": "a"})), "[0].values: is missing"),
        (nested(json!({"security_name": "a", "values": []})), "[0].values: must not be empty"),
        (nested(json!({"security_name": "a", "values": [null]})), "[0].values: must hold strings"),
        (nested(json!({"security_name": "a", "values": "a"})), "[0].values: must be an array"),
        (rule("LIKE", &json!(["a"])), "[0].validation_type: must be one of EQUAL, NOT_EQUAL"),
        (rule("CONTAIN", &json!(["*"])), "goes with the validation type EQUAL only"),
        (rule("RANGE", &json!([1])), "must hold the two ends"),
        (
            nested(json!({"security_name": "a", "values": ["a"], "group_value": "week"})),
            "group_value: must be",
        ),
    ];
    for (permissions, expected) in cases {
        let error = Policy::parse(&permissions).unwrap_err().to_string();
        assert!(error.contains(expected), "{permissions}: {error}");
    }
}

fn cells() -> impl Strategy<Value = Cell> {
    prop_oneof![
        "[a-c]{0,3}".prop_map(Cell::Text),
        (-20_i32..20).prop_map(|n| Cell::Number(n.into())),
        Just(Cell::Empty)
    ]
}

fn plain_values() -> impl Strategy<Value = Value> {
    proptest::collection::vec(
        prop_oneof!["[a-c]{1,3}".prop_map(Value::from), (-20_i32..20).prop_map(Value::from)],
        2,
    )
    .prop_map(Value::from)
}

proptest! {
    #[test]
    fn not_means_the_opposite(cell in cells(), values in plain_values()) {
        for kind in ["EQUAL", "CONTAIN", "START_WITH", "END_WITH", "RANGE"] {
            let plain = lets_through(&rule(kind, &values), &cell);
            let negated = lets_through(&rule(&format!("NOT_{kind}"), &values), &cell);
            prop_assert_ne!(plain, negated, "{}", kind);
        }
    }

    #[test]
    fn and_never_widens_and_or_never_narrows(cell in cells(), one in plain_values(), two in plain_values()) {
        let with = |operator: &str| json!([{"dataset_id": "*", "operator": operator, "record_permissions": [
            {"security_name": "column", "values": one}, {"security_name": "column", "values": two},
        ]}]);
        let alone = lets_through(&rule("EQUAL", &one), &cell);
        prop_assert!(alone || !lets_through(&with("AND"), &cell));
        prop_assert!(!alone || lets_through(&with("OR"), &cell));
    }

    #[test]
    fn a_group_of_one_is_that_one(cell in cells(), values in plain_values(), depth in 1_usize..8) {
        let mut inner = json!({"security_name": "column", "values": values});
        for _ in 0..depth {
            inner = json!({"operator": "OR", "record_permissions": [inner]});
        }
        let nested = json!([{"dataset_id": "*", "record_permissions": [inner]}]);
        prop_assert_eq!(lets_through(&nested, &cell), lets_through(&rule("EQUAL", &values), &cell));
    }

    #[test]
    fn the_star_lets_every_row_through(cell in cells()) {
        prop_assert!(lets_through(&rule("EQUAL", &json!(["*"])), &cell));
    }

    #[test]
    fn a_second_entry_never_widens(cell in cells(), one in plain_values(), two in plain_values()) {
        let mut both = rule("EQUAL", &one);
        both.as_array_mut().unwrap().extend(rule("EQUAL", &two).as_array().unwrap().clone());
        prop_assert!(lets_through(&rule("EQUAL", &one), &cell) || !lets_through(&both, &cell));
    }
}
