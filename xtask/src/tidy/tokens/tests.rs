//! The lexer on the spellings that could hide a call, or invent one.

use super::*;

fn texts(source: &str) -> Vec<&str> {
    lex(source).iter().map(|token| token.text).collect()
}

#[test]
fn comments_and_literals_are_not_code() {
    for (source, expected) in [
        ("a /* b /* c */ d */ e", vec!["a", "e"]),
        ("a // unsafe\nb", vec!["a", "b"]),
        ("a(\"un\\\"safe\")", vec!["a", "(", "\"", ")"]),
        ("r#\"un\"safe\"# b", vec!["\"", "b"]),
        ("r\"\\\" b", vec!["\"", "b"]),
        ("br##\"a\"#b\"## c", vec!["\"", "c"]),
        ("r#type b", vec!["r", "#", "type", "b"]),
        ("c\"x\" b\"y\" d", vec!["\"", "\"", "d"]),
        (
            "'\"' a '\\'' b '\\\\' c",
            vec!["\"", "a", "\"", "b", "\"", "c"],
        ),
        ("b'\"' a", vec!["\"", "a"]),
        ("'é' a", vec!["\"", "a"]),
        ("&'a str", vec!["&", "'", "a", "str"]),
        ("fs::write", vec!["fs", "::", "write"]),
        ("a\"b\"", vec!["a", "\""]),
        ("\"never closed", vec!["\""]),
        ("/* never closed", vec![]),
        ("'", vec!["'"]),
    ] {
        assert_eq!(texts(source), expected, "{source}");
    }
}

#[test]
fn a_token_knows_its_line() {
    let tokens = lex("a\n\"x\ny\"\n/*\n*/ b");
    let lines: Vec<(&str, usize)> = tokens.iter().map(|t| (t.text, t.line)).collect();
    assert_eq!(lines, [("a", 1), ("\"", 2), ("b", 5)]);
}

#[test]
fn items_for_tests_are_left_out_and_nothing_after_them() {
    for (source, expected) in [
        ("a #[cfg(test)] mod tests { fn f() { g(); } } b", "a b"),
        ("a #[cfg(test)] mod tests; b", "a b"),
        ("a #[cfg(test)] #[allow(x)] fn f() -> [u8; 2] { } b", "a b"),
        ("a #[cfg(all(test, unix))] use x::{y, z}; b", "a ; b"),
        ("a #[cfg(doctest)] struct S; b", "a b"),
        ("#[cfg(not(test))] a", "# [ cfg ( not ( test ) ) ] a"),
    ] {
        let tokens = lex(source);
        let kept: Vec<&str> = without_tests(&tokens).iter().map(|t| t.text).collect();
        assert_eq!(kept.join(" "), expected, "{source}");
    }
}

#[test]
fn a_pattern_is_found_direct_and_in_a_group() {
    for (source, pattern, expected) in [
        ("std::fs::write(a)", "fs :: write", 1),
        ("use std::fs::{self, write};", "fs :: write", 1),
        ("use std::{io, fs::{File, write as w}};", "fs :: write", 1),
        ("use std::{fs, io};", "std :: fs", 1),
        ("use std::fs::{File, inner::{write}};", "fs :: write", 0),
        ("use std::{fs::File}; write()", "fs :: write", 0),
        ("crate::fs::write(a); super::fs::{write}", "fs :: write", 0),
        ("file.sync_all()", ". sync_all", 1),
        ("fs::rewrite(a)", "fs :: write", 0),
    ] {
        assert_eq!(lines(&lex(source), pattern).len(), expected, "{source}");
    }
}
