//! The report and the table.

use session_benchmarks::record::Record;
use session_benchmarks::row::Row;
use session_benchmarks::{compare, gates, report, table};

fn rows() -> Vec<Row> {
    let mut rows: Vec<Row> = [(1e5, "100KB"), (1e6, "1MB"), (1e7, "10MB")]
        .iter()
        .map(|&(size, name)| {
            let mut row = Row::unmeasured(
                &format!("tail/plain/200/{name}"),
                "realistic",
                "measured".to_owned(),
            );
            row.family = Some("tail/plain/200".to_owned());
            row.size = Some(size);
            row.ours_ns = Some(200_000);
            row.reference_ns = Some(3_000_000);
            row.rivals.insert("sqlite <open>".to_owned(), 400_000);
            row
        })
        .collect();
    rows.push(Row::unmeasured(
        "tail/footer/200/10MB",
        "realistic",
        "not built (issue 4)".to_owned(),
    ));
    gates::judge(&mut rows, &gates::all().unwrap());
    rows
}

#[test]
fn the_page_is_self_contained_and_has_a_plot_with_a_line_a_contender() {
    let page = report::page(&Record {
        rows: rows(),
        ..Record::default()
    })
    .unwrap();
    assert_eq!(page.matches("<svg").count(), 1);
    assert!(page.contains("sqlite &lt;open&gt;"));
    assert!(page.contains("Not built yet: tail/footer/200/10MB"));
    for outside in ["<script", "<link", "src=", "@import"] {
        assert!(!page.contains(outside), "{outside}");
    }
}

#[test]
fn the_table_shows_measured_rows_and_says_what_is_not_built() {
    let text = table::print(&rows());
    assert!(text.contains("tail/plain/200/10MB"));
    assert!(text.contains("200 µs"));
    assert!(text.contains("15.0x"));
    assert!(text.contains("not built (issue 4)"));
    assert!(text.contains("reference / ours >= 10 (goal >= 12)"));
}

#[test]
fn a_comparison_calls_a_change_of_the_ratio_one() {
    let before = Record {
        rows: rows(),
        ..Record::default()
    };
    let mut now = before.clone();
    now.rows[0].ours_ns = Some(100_000);
    now.rows[1].ours_ns = Some(400_000);
    let text = compare::print(&before, &now);
    let line = |case: &str| {
        text.lines()
            .find(|line| line.starts_with(case))
            .unwrap()
            .to_owned()
    };
    assert!(line("tail/plain/200/100KB").ends_with("faster"));
    assert!(line("tail/plain/200/1MB").ends_with("slower"));
    assert!(line("tail/plain/200/10MB").trim_end().ends_with('x'));
}
