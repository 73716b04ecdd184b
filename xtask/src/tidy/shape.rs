//! How a file looks: its module docs, its size, its name, and a `lib.rs` that only wires.
//!
//! Owns rules on one file's form; must not know what its code does.

use crate::tidy::Finding;
use crate::tidy::source::{Part, Source};
use crate::tidy::tokens::{self, Token};

/// A file of a library over this is more than one concept.
const LONG: usize = 400;
/// One over this is about to be.
const LONGISH: usize = 300;

/// Words that begin an item which belongs in a module of its own.
const ITEMS: &[&str] = &[
    "fn",
    "struct",
    "enum",
    "union",
    "trait",
    "impl",
    "const",
    "static",
    "type",
    "macro_rules",
];

/// Applies the rules to one file.
pub(crate) fn check(source: &Source) -> Vec<Finding> {
    let mut found = Vec::new();
    let on = |rule, text: &str| Finding::on(&source.path, rule, text);
    if !has_module_docs(&source.text) {
        found.push(on(
            "module-docs",
            "does not begin with `//!` and a sentence on what it owns",
        ));
    }
    if source.path.ends_with("/mod.rs") {
        found.push(on("no-mod-rs", "name the file after its module"));
    }
    let lines = source.text.lines().count();
    if source.path.contains("/src/") && lines > LONG {
        found.push(on(
            "size",
            &format!("{lines} lines are more than {LONG}: split it by concept"),
        ));
    }
    if source.path.ends_with("/src/lib.rs") && source.part() == Part::Library {
        found.extend(facade(source));
    }
    found
}

/// Returns a sentence if the file is growing towards the limit.
pub(crate) fn warning(source: &Source) -> Option<String> {
    let lines = source.text.lines().count();
    let near = source.path.contains("/src/") && (LONGISH + 1..=LONG).contains(&lines);
    near.then(|| format!("{}: {lines} lines, think of splitting it", source.path))
}

/// Inner attributes may come first, and the first line of the docs must say something.
fn has_module_docs(text: &str) -> bool {
    let first = text
        .lines()
        .map(str::trim)
        .find(|line| !line.is_empty() && !line.starts_with("#!"));
    first
        .and_then(|line| line.strip_prefix("//!"))
        .is_some_and(|docs| docs.contains(char::is_alphabetic))
}

/// A `lib.rs` holds docs, module declarations and re-exports only.
fn facade(source: &Source) -> Vec<Finding> {
    let all = tokens::lex(&source.text);
    let code = without_attributes(&tokens::without_tests(&all));
    let items = code.iter().filter(|token| ITEMS.contains(&token.text));
    items
        .map(|token| {
            let text = format!(
                "`{}` in lib.rs: docs, modules and re-exports only",
                token.text
            );
            Finding::at(&source.path, token.line, "facade", text)
        })
        .collect()
}

fn without_attributes<'a>(tokens: &[Token<'a>]) -> Vec<Token<'a>> {
    let mut kept = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let attribute = tokens::starts_with(&tokens[at..], "# [")
            || tokens::starts_with(&tokens[at..], "# ! [");
        if attribute {
            at += attribute_length(&tokens[at..]);
        } else {
            kept.push(tokens[at]);
            at += 1;
        }
    }
    kept
}

fn attribute_length(tokens: &[Token<'_>]) -> usize {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate() {
        match token.text {
            "[" => depth += 1,
            "]" if depth == 1 => return at + 1,
            "]" => depth -= 1,
            _ => {}
        }
    }
    tokens.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(path: &str, text: &str) -> Vec<&'static str> {
        let source = Source {
            path: path.to_owned(),
            text: text.to_owned(),
        };
        check(&source).iter().map(|finding| finding.rule).collect()
    }

    #[test]
    fn every_file_says_what_it_owns() {
        for good in [
            "//! Owns x.\n",
            "#![expect(a, reason = \"b\")]\n//! Owns x.\n",
            "\n//! X.",
        ] {
            assert!(rules("session-scan/src/a.rs", good).is_empty(), "{good}");
            assert!(rules("xtask/src/a.rs", good).is_empty(), "{good}");
        }
        for bad in [
            "",
            "use a::b;\n//! X.",
            "// Owns x.\n",
            "//!\n//! X.\n",
            "/// X.\nfn a() {}",
        ] {
            assert_eq!(
                rules("session-scan/tests/it/a.rs", bad),
                ["module-docs"],
                "{bad}"
            );
        }
    }

    #[test]
    fn a_module_is_named_by_its_file() {
        assert_eq!(rules("session-scan/src/a/mod.rs", "//! X."), ["no-mod-rs"]);
        assert!(rules("session-scan/src/nomod.rs", "//! X.").is_empty());
    }

    #[test]
    fn a_long_file_is_refused_and_a_longish_one_announced() {
        let sized = |lines: usize| Source {
            path: "session-scan/src/a.rs".to_owned(),
            text: format!("//! X.\n{}", "\n".repeat(lines - 1)),
        };
        let found = |lines| (check(&sized(lines)).len(), warning(&sized(lines)).is_some());
        assert_eq!(found(LONGISH), (0, false));
        assert_eq!(found(LONGISH + 1), (0, true));
        assert_eq!(found(LONG), (0, true));
        assert_eq!(found(LONG + 1), (1, false));
        let test = Source {
            path: "session-scan/tests/it/a.rs".to_owned(),
            ..sized(LONG + 1)
        };
        assert!(check(&test).is_empty());
    }

    #[test]
    fn a_lib_rs_only_wires() {
        let good = "//! X: `fn`.\n#![cfg_attr(docsrs, feature(type))]\nmod a;\npub use a::{B, C};\n\
                    #[cfg(doctest)]\n#[doc = include_str!(\"../README.md\")]\nstruct Readme;\n";
        assert!(rules("session-scan/src/lib.rs", good).is_empty());
        for bad in [
            "pub fn a() {}",
            "pub struct A;",
            "pub const A: u8 = 1;",
            "impl A {}",
        ] {
            let text = format!("//! X.\n{bad}\n");
            assert_eq!(rules("session-scan/src/lib.rs", &text), ["facade"], "{bad}");
            assert!(rules("session-scan/src/a.rs", &text).is_empty());
        }
    }
}
