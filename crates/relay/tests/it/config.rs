//! Every fault of a configuration is told with key, file and line.

use qrvey_relay::{Config, Environment};

use crate::support::environment;

const GOOD: &str = r#"
[qrvey]
domain = "https://tenant.qrvey.example"
[identity]
mode = "forward"
url = "http://127.0.0.1:4000/session"
[profiles.default]
userid = "u"
appid = "a"
"#;

fn fault_with(text: &str, environment: &Environment) -> String {
    match Config::from_toml(text, "relay.toml", environment) {
        Ok(_) => panic!("taken:\n{text}"),
        Err(error) => error.to_string(),
    }
}

fn fault(text: &str) -> String {
    fault_with(text, &environment())
}

/// The fault after one line of the good configuration was replaced.
fn fault_where(old: &str, new: &str) -> String {
    assert!(GOOD.contains(old));
    fault(&GOOD.replace(old, new))
}

fn fault_after(more: &str) -> String {
    fault(&format!("{GOOD}{more}"))
}

fn faults<'a>(faults: impl IntoIterator<Item = &'a str>, of: impl Fn(&str) -> String) -> String {
    faults.into_iter().map(|text| format!("{}\n    {}\n", text.trim(), of(text))).collect()
}

#[test]
fn a_good_one_is_taken() {
    Config::from_toml(GOOD, "relay.toml", &environment()).unwrap();
}

#[test]
fn the_example_is_taken() {
    Config::from_toml(include_str!("../../relay.toml"), "relay.toml", &environment()).unwrap();
}

#[test]
fn the_migration_page_ends_in_a_configuration_that_is_taken() {
    let page = include_str!("../../docs/migrate-from-express.md");
    let toml = page.split("```toml").nth(1).unwrap().split("```").next().unwrap();
    Config::from_toml(toml, "relay.toml", &environment()).unwrap();
}

#[test]
fn the_kubernetes_configuration_is_taken() {
    use serde::Deserialize;
    let manifests = include_str!("../../deploy/kubernetes.yaml");
    let documents = serde_yaml_ng::Deserializer::from_str(manifests);
    let configs = documents.filter_map(|document| {
        let document = serde_json::Value::deserialize(document).unwrap();
        document["data"]["relay.toml"].as_str().map(str::to_owned)
    });
    let configs: Vec<_> = configs.collect();
    assert_eq!(configs.len(), 1);
    Config::from_toml(&configs[0], "relay.toml", &environment()).unwrap();
}

#[test]
fn the_readme_has_every_key() {
    let readme = include_str!("../../README.md");
    let sections =
        ["", "[limits]", "[reuse]", "[log]", "[fleet]", "[profiles.default]", "[qrvey]", "[identity]"];
    let mut keys = 0;
    for section in sections {
        // The parser itself lists the keys that it would have taken.
        let message = match GOOD.contains(section) && !section.is_empty() {
            true => fault(&GOOD.replace(section, &format!("{section}\nnonsense = 1"))),
            false if section.is_empty() => fault(&format!("nonsense = 1\n{GOOD}")),
            false => fault_after(&format!("{section}\nnonsense = 1")),
        };
        let expected =
            message.split("expected one of ").nth(1).or_else(|| message.split("expected ").nth(1)).unwrap();
        for key in expected.split(|character: char| !(character.is_ascii_lowercase() || character == '_')) {
            assert!(
                key.is_empty() || readme.contains(&format!("`{key}")) || readme.contains(&format!("[{key}")),
                "{key}"
            );
            keys += usize::from(!key.is_empty());
        }
    }
    assert!(keys > 60, "{keys}");
}

#[test]
fn unknown_keys_and_wrong_types() {
    insta::assert_snapshot!(faults(
        [
            "colour = 1",
            "[limits]\nrequests_per_hour = 1",
            "[limits]\nrequests_per_minute = \"many\"",
            "[limits]\nrequests_per_minute = -1",
            "[profiles.other]\nuserid = \"u\"",
            "[profiles.other]\nuserid = \"u\"\nappid = \"a\"\napi_key = \"canary\"",
            "[[profiles.default.permissions]]\ndataset_id = \"*\"\nrecord_permissions = [{ security = 1 }]",
            "[profiles.default]",
            "= 1",
        ],
        fault_after,
    ));
}

#[test]
fn bad_values() {
    insta::assert_snapshot!(faults(
        [
            "[limits]\nupstream_timeout = \"5\"",
            "[limits]\nupstream_timeout = \"0s\"",
            "[limits]\nupstream_timeout = \"2h\"",
            "[limits]\nupstream_concurrency = 0",
            "[limits]\nmax_body = \"big\"",
            "[limits]\nmax_body = \"1GiB\"",
            "[reuse]\nlifetime_percent = 100",
            "[log]\nformat = \"xml\"",
            "[log]\nfilter = \"a=b=c\"",
            "[profiles.\"a b\"]\nuserid = \"u\"\nappid = \"a\"",
            "[fleet]\nredis = \"redis.example\"",
            "[fleet]\nredis = \"redis://:canary@redis.example\"",
            "[fleet]\nredis = \"redis://redis.example\"\nsentinel = true",
            "[fleet]\nredis = \"rediss://redis.example/#insecure\"",
            "[fleet]\nredis = \"redis://redis.example\"\nca_file = \"ca.pem\"",
            "[fleet]\nredis = \"rediss://redis.example\"\nca_file = \"/nowhere/ca.pem\"",
            "[fleet]\nredis = \"redis://redis.example\"\ntimeout = \"1h\"",
            "[limits]\nmax_connections_per_address = 0",
            "[limits]\nheader_timeout = \"1ns\"",
            "[limits]\nupstream_timeout = \"1s\"\nupstream_connect_timeout = \"2s\"",
            "[admin]",
            "[admin]\nrequire = { claim = \"roles\" }",
            "[admin]\nrequire = { claim = \"roles\", contains = \"a\", equals = \"b\" }",
            "[admin]\nrequire = { claim = \"\", contains = \"a\" }",
            "[admin]\nrequire = { claim = \"roles\", contains = [\"a\"] }",
        ],
        fault_after,
    ));
}

#[test]
fn bad_addresses() {
    let with = |line: &str| fault(&format!("{line}\n{GOOD}"));
    insta::assert_snapshot!(faults(
        [
            "listen = \"4100\"",
            "base_path = \"qrvey\"",
            "base_path = \"/qrvey/\"",
            "base_path = \"/{a}\"",
            "allowed_origins = [\"https://app.example\", \"https://app.example/\"]",
            "allowed_origins = [\"*\"]",
            "allowed_origins = [\"https://*.example\"]",
            "listen = \"127.0.0.1:4101\"",
            "listen = \"127.0.0.1:80\"\noperations_listen = \"127.0.0.1:80\"",
            "trusted_proxies = [\"::/0\"]",
            "trusted_proxies = [\"10.0.0.0/33\"]",
            "trusted_proxies = [\"::ffff:10.0.0.0/104\"]",
        ],
        with,
    ));
    let domain = |value: &str| fault_where("https://tenant.qrvey.example", value);
    insta::assert_snapshot!(faults(
        [
            "https://tenant.qrvey.example/",
            "https://tenant.qrvey.example/api",
            "http://tenant.qrvey.example",
            "https://user:canary@tenant.qrvey.example",
            "ftp://tenant.qrvey.example",
            "tenant.qrvey.example",
        ],
        domain,
    ));
}

#[test]
fn bad_identities() {
    let identity =
        |section: &str| fault_where("mode = \"forward\"\nurl = \"http://127.0.0.1:4000/session\"", section);
    insta::assert_snapshot!(faults(
        [
            "",
            "mode = \"trust-me\"",
            "mode = \"forward\"",
            "mode = \"forward\"\nurl = \"http://host.example/session\"",
            "mode = \"forward\"\nurl = \"http://127.0.0.1/session\"\ntrusted_proxies = []",
            "mode = \"header\"\nclaims = { sub = \"x-user\" }",
            "mode = \"header\"\ntrusted_proxies = []\nclaims = { sub = \"x-user\" }",
            "mode = \"header\"\ntrusted_proxies = [\"0.0.0.0/0\"]\nclaims = { sub = \"x-user\" }",
            "mode = \"header\"\ntrusted_proxies = [\"10.0.0.0/8\"]\nclaims = { sub = \"x user\" }",
            "mode = \"header\"\ntrusted_proxies = [\"10.0.0.0/8\"]\nclaims = { sub = { header = \"x-user\" } }",
            "mode = \"anonymous\"\nclaims = { sub = { claim = \"x\" } }",
            "mode = \"anonymous\"\n[admin]\nrequire = { claim = \"sub\", equals = \"x\" }",
        ],
        identity,
    ));
}

#[test]
fn bad_policies() {
    let value = |line: &str| fault_where("userid = \"u\"", line);
    insta::assert_snapshot!(faults(
        [
            "userid = \"\"",
            "userid = 7",
            "userid = [\"u\"]",
            "userid = { claim = \"sub\", default = \"u\" }",
            "userid = { claim = 7 }",
            "userid = { claim = [] }",
            "userid = { clam = \"sub\" }",
            "userid = 2026-11-24",
        ],
        value,
    ));
    insta::assert_snapshot!(faults(
        [
            "expires_in = \"10\"",
            "expires_in = \"1h\"",
            "expires_in = \"0m\"",
            "expires_in = 600",
            "expires_in = \"1w\"",
            "version = \"1\"\npermissions = [{ dataset_id = \"*\", record_permissions = [{ security_name = \"t\", values = [1] }] }]",
            "permissions = []",
            "permissions = [{ dataset_id = \"*\", record_permissions = [] }]",
            "permissions = [{ dataset_id = [], record_permissions = [{ security_name = \"t\", values = [1] }] }]",
            "permissions = [{ dataset_id = \"*\", operator = \"XOR\", record_permissions = [{ security_name = \"t\", values = [1] }] }]",
            "asset_permissions = { pages = { page_ids = [] } }",
            "asset_permissions = { pages = { chart_ids = [\"c\"] } }",
            "asset_permissions = { tables = { table_ids = [\"c\"] } }",
        ],
        fault_after,
    ));
    let rule = |rule: &str| {
        fault_after(&format!(
            "[[profiles.default.permissions]]\ndataset_id = \"*\"\nrecord_permissions = [\n  {rule},\n]\n"
        ))
    };
    insta::assert_snapshot!(faults(
        [
            "{ security_name = \"t\" }",
            "{ security_name = \"t\", values = [] }",
            "{ security_name = \"t\", values = \"x\" }",
            "{ security_name = \"t\", values = [[1]] }",
            "{ security_name = \"t\", values = [9007199254740992] }",
            "{ security_name = \"t\", values = [1], validation_type = \"EQUALS\" }",
            "{ security_name = \"t\", values = [\"*\"], validation_type = \"NOT_EQUAL\" }",
            "{ security_name = \"t\", values = [\"*\"], validation_type = { claim = \"how\" } }",
            "{ security_name = \"t\", values = [1], operator = \"AND\" }",
            "{ security_name = \"t\", values = [1], record_permissions = [] }",
            "{ record_permissions = [{ security_name = \"t\", values = [1] }], values = [1] }",
            "{ record_permissions = [{ security_name = \"t\", validation_type = \"LIKE\", values = [1] }] }",
            "{ values = [1] }",
            "{ }",
        ],
        rule,
    ));
}

#[test]
fn missing_secrets() {
    let without = |variables: &[(&str, &str)], text: &str| {
        fault_with(text, &Environment::from_iter(variables.iter().copied()))
    };
    let admin = format!("{GOOD}[admin]\nrequire = {{ claim = \"roles\", contains = \"a\" }}\n");
    insta::assert_snapshot!(
        [
            without(&[], GOOD),
            without(&[("QRVEY_API_KEY", "k")], &admin),
            without(&[("QRVEY_API_KEY", "k"), ("QRVEY_ADMIN_USERNAME", "n")], &admin),
            without(&[("QRVEY_API_KEY", "k"), ("QRVEY_API_KEY_FILE", "/f")], GOOD),
            without(&[("QRVEY_API_KEY_FILE", "/nowhere/key")], GOOD),
        ]
        .join("\n")
    );
}

#[test]
fn nothing_to_do() {
    let text = GOOD.split("[profiles").next().unwrap();
    insta::assert_snapshot!(fault(text));
}

#[test]
fn the_environment_overrides_the_file_and_is_blamed_for_its_own() {
    let with = |name: &str, value: &str| {
        let variables = [("QRVEY_API_KEY", "k"), (name, value)];
        Config::from_toml(GOOD, "relay.toml", &Environment::from_iter(variables))
    };
    for (name, value) in [
        ("QRVEY_RELAY__LISTEN", "0.0.0.0:80"),
        ("QRVEY_RELAY__LISTEN", "[::1]:80"),
        ("QRVEY_RELAY__LISTEN", ""),
        ("QRVEY_RELAY__LIMITS__REQUESTS_PER_MINUTE", "120"),
        ("QRVEY_RELAY__ALLOWED_ORIGINS", "[\"https://app.example\"]"),
        ("QRVEY_RELAY__PROFILES__DEFAULT__CLIENTID", "{ claim = \"sub\" }"),
        ("QRVEY_RELAY__QRVEY__DOMAIN", "https://other.example"),
    ] {
        with(name, value).unwrap_or_else(|error| panic!("{name}: {error}"));
    }
    let faults = [
        ("QRVEY_RELAY__LISTEN", "everywhere"),
        ("QRVEY_RELAY__LIMITS__REQUESTS_PER_MINUTE", "many"),
        ("QRVEY_RELAY__LIMITS__NONSENSE", "1"),
        ("QRVEY_RELAY__COLOUR", "red\nlisten = \"0.0.0.0:1\""),
        ("QRVEY_RELAY__ALLOWED_ORIGINS", "[\"https://app.example\", \"*\"]"),
        ("QRVEY_RELAY__QRVEY__DOMAIN__DEEP", "x"),
        ("QRVEY_RELAY__", "x"),
        ("QRVEY_RELAY__PROFILES__DEFAULT__CLIENTID", "{ claim = \"canary\""),
        ("QRVEY_RELAY__PROFILES__DEFAULT__CLIENTID", "\"canary"),
    ];
    let text: Vec<_> =
        faults.iter().map(|(name, value)| with(name, value).unwrap_err().to_string()).collect();
    insta::assert_snapshot!(text.join("\n"));
    let filter = |name: &str| format!("{:?}", with(name, "").unwrap()).contains("INFO");
    assert!(filter("QRVEY_RELAY__LOG__FILTER"), "an empty one counts as unset");
}

#[test]
fn debug_and_errors_show_no_secret() {
    let config = Config::from_toml(GOOD, "relay.toml", &environment()).unwrap();
    assert!(!format!("{config:#?}").contains("canary"));
    // Someone writes the key where it does not belong: the message must not carry it on.
    for misplaced in [
        "[qrvey]\napi_key = \"canary\"",
        "api_key = \"canary\"\n[qrvey]",
        "QRVEY_API_KEY = \"canary\"\n[qrvey]",
        "qrvey = \"canary\"\n[other]",
        "limits = { requests_per_minute = \"a `canary`, expected so\" }\n[qrvey]",
        "reuse = [\"canary\"]\n[qrvey]",
    ] {
        let error = fault_where("[qrvey]", misplaced);
        assert!(!error.contains("canary"), "{error}");
    }
}
