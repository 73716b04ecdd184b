//! Directories of very many session files.
//!
//! Owns which file has which rank, directory and time; must not know what is looked for in them.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};
use chrono::{DateTime, TimeDelta, Utc};
use session_model::SessionId;
use session_model::testing::{Generator, Layout};

use super::Data;

/// A directory that only the newest file belongs to.
pub const NEWEST: &str = "/home/bench/newest";
/// A directory that only the file of rank 7 belongs to, counted from 0.
pub const RANK_7: &str = "/home/bench/rank-7";
/// A directory that no file belongs to and none mentions.
pub const NONE: &str = "/home/bench/none";
/// A directory that no file belongs to and that one body in twenty mentions.
pub const MENTIONED: &str = "/home/bench/mentioned";
/// A word that no document contains.
pub const ABSENT: &str = "xylophonquarz";

/// A text that about one message in a hundred contains.
pub const COMMON: &str = "lock index";

/// How many other directories the files belong to.
const WORKSPACES: usize = 50;
/// Half of the files are smaller, and the mean is about 450 KB, as in collections of real sessions.
const MEDIAN_BYTES: f64 = 320_000.0;
/// The logarithm of the sizes has this standard deviation.
const SPREAD: f64 = 0.83;

/// A directory with `files` session files, the newest of a longer history.
#[derive(Clone, Debug)]
pub struct Many {
    /// The directory.
    pub directory: PathBuf,
    /// How many files there are.
    pub files: usize,
}

impl Many {
    /// The directory that only the oldest file belongs to.
    #[must_use]
    pub fn oldest_workspace(&self) -> String {
        workspace(self.files - 1)
    }

    /// One of the ordinary directories, to which about one file in fifty belongs.
    #[must_use]
    pub fn common_workspace() -> &'static str {
        "/home/bench/work/p13"
    }

    /// The file of a rank.
    #[must_use]
    pub fn path(&self, rank: usize) -> PathBuf {
        self.directory.join(format!("{}.json", id(rank)))
    }
}

/// The directory to which the file of a rank belongs. Sets of 1,000 and 10,000 (and of 250, 500, …) share their
/// newest files, so the oldest of each has a directory of its own.
#[must_use]
pub fn workspace(rank: usize) -> String {
    match rank {
        0 => NEWEST.to_owned(),
        7 => RANK_7.to_owned(),
        rank if rank % 125 == 124 => format!("/home/bench/oldest-of-{}", rank + 1),
        rank => format!("/home/bench/work/p{}", rank % WORKSPACES),
    }
}

/// The id of the file of a rank: names are in no order, as with random ids.
#[must_use]
pub fn id(rank: usize) -> String {
    format!("{:016x}-{rank:05}", mix(rank as u64))
}

/// When the file of a rank was last written: one a minute, the newest in January 2026.
#[must_use]
pub fn updated_at(rank: usize) -> DateTime<Utc> {
    let newest = DateTime::from_timestamp(1_769_000_000, 0).unwrap_or_default();
    newest - TimeDelta::minutes(i64::try_from(rank).unwrap_or(i64::MAX))
}

impl Data {
    /// Returns a directory with the `files` newest files of a layout.
    ///
    /// # Errors
    ///
    /// What the generator or the file system says.
    pub fn many(&self, files: usize, layout: Layout) -> Result<Many> {
        let name = if layout == Layout::OlderPretty {
            "older"
        } else {
            "compact"
        };
        let pool = self.root().join(format!("pool/{name}"));
        fs::create_dir_all(&pool).with_context(|| format!("create {}", pool.display()))?;
        let directory = self.directory(&format!("many/{name}-{files}"), |made| {
            for rank in 0..files {
                let file = format!("{}.json", id(rank));
                let pooled = pool.join(&file);
                if !pooled.exists() {
                    generate(&pooled, rank, layout)?;
                }
                fs::hard_link(&pooled, made.join(&file))
                    .with_context(|| format!("link {}", pooled.display()))?;
            }
            Ok(())
        })?;
        Ok(Many { directory, files })
    }
}

fn generate(path: &Path, rank: usize, layout: Layout) -> Result<()> {
    let id = SessionId::new(&id(rank)).context("make an id")?;
    let generator = Generator::new(rank as u64)
        .id(id)
        .bytes(size(rank))
        .layout(layout)
        .directory(workspace(rank))
        .updated_at(updated_at(rank));
    let mut json = Vec::new();
    generator.write_to(&mut json)?;
    if rank % 20 == 19 {
        mention(&mut json, layout);
    }
    let unfinished = path.with_extension("unfinished");
    fs::write(&unfinished, &json).with_context(|| format!("write {}", unfinished.display()))?;
    let seconds = u64::try_from(updated_at(rank).timestamp())? + 5;
    File::options()
        .write(true)
        .open(&unfinished)?
        .set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds))?;
    fs::rename(&unfinished, path).with_context(|| format!("rename {}", unfinished.display()))
}

/// Puts a message that mentions a directory into the middle of a body.
fn mention(json: &mut Vec<u8>, layout: Layout) {
    let between: &[u8] = if layout == Layout::OlderPretty {
        b"},\n    {\n      \"role\""
    } else {
        b"},{\"role\""
    };
    let middle = json.len() / 2;
    // Quotes inside strings are escaped, so this text stands between messages only.
    let Some(found) = memchr::memmem::find(&json[middle..], between) else {
        return;
    };
    let at = middle + found + 2;
    let text = format!(
        "{{\"role\":\"user\",\"content\":[{{\"type\":\"text\",\"text\":\"Look at {MENTIONED}/src.\"}}]}},"
    );
    json.splice(at..at, text.into_bytes());
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a size between 4 KB and 4 MB, drawn from a random number"
)]
fn size(rank: usize) -> u64 {
    // The sum of twelve uniform numbers is close enough to a normal distribution.
    let uniform = |draw: u64| mix(mix(rank as u64) ^ draw) as f64 / u64::MAX as f64;
    let normal = (0..12).map(uniform).sum::<f64>() - 6.0;
    (MEDIAN_BYTES * (normal * SPREAD).exp()).clamp(4_000.0, 4_000_000.0) as u64
}

/// A bijection that looks random (the finaliser of `SplitMix64`).
fn mix(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}
