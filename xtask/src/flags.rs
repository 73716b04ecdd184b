//! The command line of `cargo xtask`.
//!
//! Owns the grammar and its help text; must not know what a command does.

use std::path::PathBuf;

xflags::xflags! {
    /// Checks, corpora and benchmarks of this workspace.
    cmd xtask {
        /// Runs every check of continuous integration, each named and timed, up to the first that fails.
        cmd ci {
            /// Runs only the step of this name.
            optional --only step: String
        }
        /// Checks layering, module docs, file sizes and forbidden calls.
        cmd tidy {}
        /// Checks licences, bans, sources and minimum Rust version of all dependencies against deny.toml.
        cmd deps {}
        /// Checks that every library builds alone with default, no, all, and each single feature.
        cmd features {}
        /// Checks that the libraries build with the oldest compiler promised, if it is installed.
        cmd msrv {}
        /// Checks that a crate outside the workspace can depend on one library without getting the others.
        cmd consumers {}
        /// Builds every example and runs it with its default input, then the commands of README.md and docs/cli.md, whose
        /// output must be what stands there.
        cmd examples {
            /// Writes the output into the documents instead.
            optional --write
        }
        /// Writes seeded JSON documents, valid and broken, and serde_json's verdicts on them.
        cmd corpus {
            /// Where to write; `corpus` in the target directory if not given. Documents of an earlier run are replaced.
            optional --out dir: PathBuf
            /// The seed of the generator; 1 if not given.
            optional --seed seed: u64
            /// How many documents to write; 3000 if not given.
            optional --count count: usize
        }
        /// Writes docs/session.schema.json, the JSON Schema of a session, from what the model's types read.
        cmd schema {
            /// Writes nothing, and fails if the file is not up to date.
            optional --check
        }
        /// Builds the fuzz targets with coverage and runs each; crashes are kept where tests replay them.
        cmd fuzz {
            /// How long each target runs; 60 if not given.
            optional --seconds seconds: u64
            /// Runs only this target.
            optional --target name: String
        }
        /// Builds and runs the benchmarks: ours beside the reference, rivals and floors, in one table.
        cmd bench {
            /// Under three minutes after building: sizes to 10 MB and 1,000 files. Without it, to 1 GB and 10,000.
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
        }
        /// Breaks every system call of a save, an append, a fold and a deletion under strace, and looks at what is left.
        cmd faults {
            /// Cuts the power of real file systems instead, and breaks their disks. Needs root and Linux.
            optional --root
            /// Only scenarios whose name contains this.
            optional --filter text: String
            /// Only faults of this kind: `kill`, `once` or `lasting`.
            optional --kind kind: String
            /// Only this file system, of ext4, xfs and btrfs.
            optional --fs name: String
            /// The seed of what is drawn by chance; 1 if not given.
            optional --seed seed: u64
        }
        /// Shows an exported session full of attacks to a real browser: nothing may run or be asked for. Skips visibly without one.
        cmd browser {
            /// The browser, Chromium or of its kind; the first on the path if not given.
            optional --program file: PathBuf
        }
        /// Runs one scenario for `faults`, which breaks its system calls.
        cmd fault-driver {
            /// The sessions directory.
            required --dir dir: PathBuf
            /// The socket that is told what was acknowledged.
            required --reports socket: PathBuf
            /// Which scenario.
            required --scenario name: String
        }
    }
}
