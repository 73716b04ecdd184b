//! What is read from the logs of tracers.

use session_benchmarks::instructions::total;
use session_benchmarks::kernel_trace::{Traced, count};

#[test]
fn calls_and_bytes_between_the_marks_are_counted() {
    let log = r#"7 read(3, "before"..., 64) = 6
7 access("/session-benchmarks/begin", F_OK) = -1 ENOENT (No such file or directory)
7 openat(AT_FDCWD, "a.json", O_RDONLY|O_CLOEXEC) = 3
7 pread64(3, "{\"id\": = 9"..., 4096, 0) = 4096
8 read(4,  <unfinished ...>
7 close(3)                          = 0
8 <... read resumed>"x"..., 100)    = 100
7 pread64(3, 0x7f, 4096, 0)         = -1 EIO (Input/output error)
7 access("/session-benchmarks/end", F_OK) = -1 ENOENT (No such file or directory)
7 read(3, "after"..., 64)           = 5
"#;
    assert_eq!(
        count(log).unwrap(),
        Traced {
            calls: 5,
            bytes_read: 4_196
        }
    );
    assert!(count("7 read(3) = 1").is_err());
}

#[test]
fn the_total_of_a_profile_is_found() {
    assert_eq!(
        total("events: Ir\nfn=(1) a\n+3 4\n\ntotals: 123456\n"),
        Some(123_456)
    );
    assert_eq!(total("events: Ir\n"), None);
}
