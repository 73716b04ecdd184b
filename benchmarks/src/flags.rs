//! The command line of the benchmarks.
//!
//! Owns the grammar and its help text; must not know what a flag does.
#![expect(
    missing_docs,
    reason = "the macro repeats the help texts below as comments only"
)]

use std::path::PathBuf;

xflags::xflags! {
    /// Measures the session crates beside their rivals and floors.
    cmd session-benchmarks {
        /// Measures, and prints a table.
        default cmd run {
            /// Under three minutes: sizes to 10 MB and 1,000 files.
            optional --quick
            /// Only cases whose name contains this; several parts are separated by commas.
            optional --filter text: String
            /// Writes the rows as a JSON array.
            optional --json file: PathBuf
            /// Keeps a record under benchmarks/records/<machine>/<date>.json.
            optional --save
            /// Prints how times changed since a record.
            optional --compare record: PathBuf
            /// Writes a page with plots, `benchmarks.html` in the target directory.
            optional --report
            /// Counts instructions of the kernels with valgrind, where it is installed.
            optional --instructions
            /// Counts no system calls, which saves a pass under strace for each case.
            optional --no-calls
            /// Prints the names of the cases and measures nothing.
            optional --list
            /// Where data sets are kept; the build's target directory if not given.
            optional --target dir: PathBuf
        }
        /// Runs ours of one case once, for a tracer.
        cmd one {
            /// The name of the case.
            required case: String
            /// The case is of the quick run.
            optional --quick
            /// Where data sets are kept.
            required --target dir: PathBuf
            /// Before the run, says `ready` and waits for a line, so that a tracer can attach.
            optional --wait
        }
    }
}
