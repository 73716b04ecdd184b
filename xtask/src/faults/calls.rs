//! System calls as strace writes them down, and how each may fail.
//!
//! Owns the reading of a trace and the table of errors; must not know what the calls are for.

/// A system call of the traced program's first thread: its name, and how many of that name came up to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Call {
    pub(crate) name: String,
    pub(crate) nth: usize,
}

/// What the calls are that touch files, and what each may answer, the one that lasts first.
const ERRORS: &[(&[&str], &[&str])] = &[
    (
        &["open", "openat", "openat2"],
        &["EIO", "EMFILE", "ENOSPC", "EROFS", "EDQUOT", "EINTR"],
    ),
    (
        &["write", "pwrite64", "writev", "pwritev"],
        &["ENOSPC", "EIO", "EDQUOT", "EFBIG", "EROFS", "EINTR"],
    ),
    (
        &["fsync", "fdatasync"],
        &["EIO", "ENOSPC", "EDQUOT", "EROFS", "EINTR"],
    ),
    (
        &["rename", "renameat", "renameat2"],
        &["EXDEV", "EIO", "ENOSPC", "EDQUOT", "EROFS", "EINTR"],
    ),
    (&["unlink", "unlinkat"], &["EROFS", "EIO"]),
    (&["mkdir", "mkdirat"], &["ENOSPC", "EIO", "EDQUOT", "EROFS"]),
    (&["ftruncate"], &["EIO", "EFBIG", "EROFS", "EINTR"]),
    (&["fchmod", "fchmodat"], &["EROFS", "EIO"]),
    (&["flock"], &["ENOLCK", "EINTR"]),
    (&["read", "pread64", "preadv"], &["EIO", "EINTR"]),
    (&["getdents64"], &["EIO"]),
    (&["stat", "fstat", "newfstatat", "statx", "lstat"], &["EIO"]),
    (&["close"], &["EIO", "EDQUOT"]),
    (
        &["copy_file_range", "fallocate"],
        &["ENOSPC", "EIO", "EXDEV"],
    ),
    (&["lseek", "fstatfs", "statfs"], &["EIO"]),
];

/// The errors of a call; none for what is not about files.
pub(crate) fn errors(name: &str) -> &'static [&'static str] {
    let known = ERRORS.iter().find(|(names, _)| names.contains(&name));
    known.map_or(&[], |(_, errors)| errors)
}

/// Reads the calls of the first thread after a mark, and how many other threads there were.
///
/// Counts include the calls before the mark, as strace counts from the start of the program.
pub(crate) fn read(trace: &str, mark: &str) -> (Vec<Call>, usize) {
    let mut seen: Vec<(String, usize)> = Vec::new();
    let (mut calls, mut first, mut threads) = (Vec::new(), None, Vec::new());
    let mut begun = false;
    for line in trace.lines() {
        let Some((thread, rest)) = line.split_once(' ') else {
            continue;
        };
        let rest = rest.trim_start();
        if *first.get_or_insert(thread) != thread {
            if !threads.contains(&thread) {
                threads.push(thread);
            }
            continue;
        }
        // Signals, exits, and the second halves of calls that others came between.
        let Some((name, arguments)) = rest.split_once('(') else {
            continue;
        };
        if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
            continue;
        }
        let nth = if let Some((_, nth)) = seen.iter_mut().find(|(known, _)| known == name) {
            *nth += 1;
            *nth
        } else {
            seen.push((name.to_owned(), 1));
            1
        };
        if begun {
            calls.push(Call {
                name: name.to_owned(),
                nth,
            });
        }
        begun |= name == "sendto" && arguments.contains(mark);
    }
    (calls, threads.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_counted_from_the_start_and_kept_from_the_mark() {
        let trace = "\
7 openat(AT_FDCWD, \"x\") = 3
7 sendto(3, \"begin\", 5, 0, NULL, 0) = 5
7 openat(AT_FDCWD, \"y\" <unfinished ...>
8 openat(AT_FDCWD, \"z\") = 4
7 <... openat resumed>) = 5
7 fsync(5) = 0
7 --- SIGCHLD {si_signo=SIGCHLD} ---
7 +++ exited with 0 +++
";
        let (calls, threads) = read(trace, "begin");
        let names: Vec<(&str, usize)> = calls
            .iter()
            .map(|call| (call.name.as_str(), call.nth))
            .collect();
        assert_eq!(names, [("openat", 2), ("fsync", 1)]);
        assert_eq!(threads, 1);
    }

    #[test]
    fn only_calls_about_files_fail() {
        assert!(errors("fsync").contains(&"EIO"));
        assert!(errors("mmap").is_empty());
    }
}
