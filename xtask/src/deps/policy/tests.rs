//! Each rule of the policy on a graph that breaks it, and on the nearest one that does not.

use super::*;

const POLICY: &str = r#"
[graph]
targets = ["x86_64-unknown-linux-gnu"]
all-features = true
[licenses]
allow = ["MIT", "Apache-2.0"]
exceptions = [{ crate = "tables", allow = ["Unicode-3.0"] }]
[bans]
multiple-versions = "deny"
wildcards = "deny"
allow-wildcard-paths = true
deny = [
    { crate = "bad", reason = "it aborts" },
    { crate = "maps", wrappers = ["codec"], reason = "only the codec maps" },
]
skip = [{ crate = "syn@2", reason = "macros" }]
[sources]
unknown-registry = "deny"
unknown-git = "deny"
allow-registry = ["https://example.invalid/index"]
allow-git = []
"#;

fn node(name: &str) -> Node {
    Node {
        name: name.to_owned(),
        version: "1.2.3".to_owned(),
        license: Some("MIT OR Apache-2.0".to_owned()),
        source: Some("registry+https://example.invalid/index".to_owned()),
        shipped: true,
        ..Node::default()
    }
}

fn check(nodes: Vec<Node>) -> Vec<String> {
    let graph = Graph {
        nodes,
        promised_rust: Some((1, 89)),
    };
    Policy::parse(POLICY).unwrap().check(&graph)
}

/// Expects one violation holding `expected`, or none if that is empty.
fn expect(node: Node, expected: &str) {
    let shown = format!("{node:?}");
    let found = check(vec![node]);
    if expected.is_empty() {
        assert!(found.is_empty(), "{shown}: {found:?}");
    } else {
        assert_eq!(found.len(), 1, "{shown}: {found:?}");
        assert!(found[0].contains(expected), "{shown}: {found:?}");
    }
}

#[test]
fn licences_are_judged_as_expressions() {
    let licensed = |name: &str, license: Option<&str>| Node {
        license: license.map(str::to_owned),
        ..node(name)
    };
    for accepted in [
        "MIT",
        "MIT/Apache-2.0",
        "GPL-3.0-only OR MIT",
        "Unlicense OR MIT",
    ] {
        expect(licensed("a", Some(accepted)), "");
    }
    for refused in [
        "GPL-3.0-only",
        "MIT AND GPL-3.0-only",
        "Unlicense",
        "Unicode-3.0",
    ] {
        expect(licensed("a", Some(refused)), "is not allowed");
    }
    expect(licensed("tables", Some("MIT AND Unicode-3.0")), "");
    expect(licensed("a", Some("MIT AND Unicode-3.0")), "is not allowed");
    expect(licensed("a", Some("free, really")), "licence free, really");
    expect(licensed("a", None), "states no licence");
}

#[test]
fn bans_hold_except_through_a_wrapper() {
    let used_by = |name: &str, dependents: &[&str]| Node {
        dependents: dependents.iter().map(|&name| name.to_owned()).collect(),
        ..node(name)
    };
    expect(used_by("bad", &["codec"]), "it aborts");
    expect(used_by("maps", &["codec"]), "");
    expect(used_by("maps", &["codec", "scan"]), "used by scan");
}

#[test]
fn sources_other_than_the_registry_are_refused() {
    let from = |source: Option<&str>| Node {
        source: source.map(str::to_owned),
        ..node("a")
    };
    expect(from(None), "");
    expect(
        from(Some("registry+https://elsewhere.invalid/index")),
        "is not allowed",
    );
    expect(
        from(Some("git+https://example.invalid/a.git#1")),
        "is not allowed",
    );
}

#[test]
fn a_shipped_dependency_may_not_need_a_newer_rust() {
    let needs = |rust: (u64, u64), shipped: bool| Node {
        rust: Some(rust),
        shipped,
        ..node("a")
    };
    expect(needs((1, 89), true), "");
    expect(needs((1, 90), true), "needs Rust 1.90");
    expect(needs((1, 90), false), "");
}

#[test]
fn several_versions_and_any_version_are_refused() {
    let version = |name: &str, version: &str| Node {
        version: version.to_owned(),
        ..node(name)
    };
    assert!(check(vec![version("syn", "2.0.1"), version("syn", "3.0.0")]).is_empty());
    let found = check(vec![version("syn", "20.0.1"), version("syn", "3.0.0")]);
    assert_eq!(found, ["syn: in several versions, 20.0.1, 3.0.0"]);

    let any = Node {
        wildcards: vec!["serde".to_owned()],
        ..node("a")
    };
    expect(any, "serde is required at any version");
}

#[test]
fn a_policy_that_would_not_be_enforced_is_an_error() {
    for (from, to) in [
        ("[sources]", "[advisories]\nignore = []\n[sources]"),
        ("unknown-git = \"deny\"", "unknown-git = \"warn\""),
        ("all-features = true", "all-features = false"),
        ("\"MIT\", \"Apache", "\"NIT\", \"Apache"),
        (
            "crate = \"syn@2\", reason = \"macros\"",
            "crate = \"syn@2\"",
        ),
    ] {
        let text = POLICY.replacen(from, to, 1);
        assert_ne!(text, POLICY, "{from} is not in the sample");
        assert!(Policy::parse(&text).is_err(), "{to} is accepted");
    }
}
