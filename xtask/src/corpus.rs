//! Seeded JSON documents with `serde_json`'s verdicts beside them.
//!
//! Owns the layout on disk, which is that of the large corpora: `json/…` and `json-ORACLE.tsv`. The documents come from the
//! codec's generator and the verdicts from `serde_json`; this must judge nothing itself.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde::de::IgnoredAny;
use serde_json::Value;
use serde_json::value::RawValue;
use xshell::Shell;

use crate::flags;
use crate::workspace::Workspace;

const SEED: u64 = 1;
const COUNT: usize = 3000;

/// `serde_json`'s verdicts on one document, `ok` or `err:<message>` each.
struct Verdicts {
    from_slice: String,
    from_reader: String,
    ignored_any: String,
    raw_value: String,
}

/// How many documents of a corpus `serde_json` takes, as a value and as a member that is skipped.
#[derive(Debug, Default, PartialEq, Eq)]
struct Counts {
    documents: usize,
    values: usize,
    skipped: usize,
}

/// Writes a corpus and says what is in it.
///
/// # Errors
///
/// A directory that cannot be written.
pub(crate) fn run(workspace: &Workspace, flags: &flags::Corpus) -> Result<()> {
    let default = workspace.target().join("corpus");
    let out = flags.out.as_deref().unwrap_or(&default);
    let seed = flags.seed.unwrap_or(SEED);
    let counts = write(out, seed, flags.count.unwrap_or(COUNT))?;
    println!(
        "{}: {} documents of seed {seed}, {} are values, {} more are taken where they are skipped, {} are refused",
        out.display(),
        counts.documents,
        counts.values,
        counts.skipped - counts.values,
        counts.documents - counts.skipped,
    );
    Ok(())
}

/// Writes the default corpus, and makes sure that it holds documents of every verdict.
///
/// # Errors
///
/// A corpus that would let a decoder pass that takes everything or nothing.
pub(crate) fn check(workspace: &Workspace) -> Result<()> {
    let out = workspace.target().join("corpus");
    let counts = write(&out, SEED, COUNT)?;
    ensure!(
        counts.documents == COUNT
            && 0 < counts.values
            && counts.values < counts.skipped
            && counts.skipped < COUNT,
        "write corpus {}: too one-sided to test anything: {counts:?}",
        out.display()
    );
    println!("{}: {counts:?}", out.display());
    Ok(())
}

fn write(out: &Path, seed: u64, count: usize) -> Result<Counts> {
    let sh = Shell::new().context("open shell")?;
    let (json, oracle) = (out.join("json"), out.join("json-ORACLE.tsv"));
    // The table goes first and comes last, so that it never stands beside documents that it does not describe.
    for path in [&oracle, &json] {
        sh.remove_path(path)
            .with_context(|| format!("remove {}", path.display()))?;
    }
    let mut counts = Counts::default();
    let mut table =
        String::from("path\tbytes\tvalue_from_slice\tvalue_from_reader\tignored_any\traw_value\n");
    for (number, document) in session_codec::testing::documents(seed, count).enumerate() {
        let name = format!("seed-{seed}/{number:06}.json");
        let path = json.join(&name);
        sh.write_file(&path, &document)
            .with_context(|| format!("write {}", path.display()))?;
        let verdicts = judge(&document);
        counts.add(&verdicts);
        append_row(&mut table, &name, document.len(), &verdicts);
    }
    sh.write_file(&oracle, table)
        .with_context(|| format!("write {}", oracle.display()))?;
    Ok(counts)
}

fn append_row(table: &mut String, name: &str, bytes: usize, verdicts: &Verdicts) {
    let Verdicts {
        from_slice,
        from_reader,
        ignored_any,
        raw_value,
    } = verdicts;
    // Writing to a string cannot fail.
    let _ = writeln!(
        table,
        "{name}\t{bytes}\t{from_slice}\t{from_reader}\t{ignored_any}\t{raw_value}"
    );
}

fn judge(document: &[u8]) -> Verdicts {
    Verdicts {
        from_slice: verdict(serde_json::from_slice::<Value>(document)),
        from_reader: verdict(serde_json::from_reader::<_, Value>(document)),
        ignored_any: verdict(serde_json::from_slice::<IgnoredAny>(document)),
        raw_value: verdict(serde_json::from_slice::<Box<RawValue>>(document)),
    }
}

fn verdict<T>(outcome: serde_json::Result<T>) -> String {
    match outcome {
        Ok(_) => "ok".to_owned(),
        // One row is one line, whatever a message quotes.
        Err(error) => format!("err:{error}").replace(['\t', '\n', '\r'], " "),
    }
}

impl Counts {
    fn add(&mut self, verdicts: &Verdicts) {
        self.documents += 1;
        self.values += usize::from(verdicts.from_slice == "ok");
        self.skipped += usize::from(verdicts.ignored_any == "ok");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verdicts_differ_where_serde_json_differs() {
        let all = |document: &[u8]| {
            let v = judge(document);
            [v.from_slice, v.from_reader, v.ignored_any, v.raw_value].map(|text| text == "ok")
        };
        assert_eq!(all(br#"{"a":[1]}"#), [true; 4]);
        assert_eq!(all(br#"{"a":[1}"#), [false; 4]);
        // A lone surrogate and a number out of range pass wherever they are not decoded, bad UTF-8 where nothing is kept.
        assert_eq!(all(br#"["\ud800"]"#), [false, false, true, true]);
        assert_eq!(all(b"1e999"), [false, false, true, true]);
        assert_eq!(all(b"\"\xff\""), [false, false, true, false]);
    }

    #[test]
    fn a_corpus_is_the_same_for_the_same_seed_and_one_row_a_document() {
        let dir = tempfile::tempdir().unwrap();
        let read = |name: &str| std::fs::read(dir.path().join(name)).unwrap();
        let counts = write(dir.path(), 7, 50).unwrap();
        let first = read("json-ORACLE.tsv");
        assert_eq!(counts.documents, 50);
        assert_eq!(write(dir.path(), 7, 50).unwrap(), counts);
        assert_eq!(read("json-ORACLE.tsv"), first);

        let text = String::from_utf8(first).unwrap();
        let rows: Vec<Vec<&str>> = text.lines().map(|row| row.split('\t').collect()).collect();
        assert_eq!(rows.len(), 51);
        for row in &rows[1..] {
            assert_eq!(row.len(), 6);
            let document = read(&format!("json/{}", row[0]));
            assert_eq!(document.len().to_string(), row[1]);
        }
    }
}
