//! Windows of a document, by count and by bytes.

use session_benchmarks::data::document::Document;

#[test]
fn a_window_by_bytes_is_the_shortest_that_has_them() {
    let document = Document {
        directory: "sessions".into(),
        path: "sessions/a.json".into(),
        bytes: 200,
        // Messages of 10, 40, 30 and 20 bytes, each with the comma after it.
        offsets: vec![50, 60, 100, 130, 150],
    };
    for bytes in 0..=120 {
        let long_enough = |window: &usize| {
            let (from, to) = document.window(*window);
            to - from >= bytes || *window == document.messages()
        };
        let expected = (0..=document.messages()).find(long_enough);
        assert_eq!(Some(document.window_of(bytes)), expected, "{bytes} bytes");
    }
}
