//! A store opened, which every start of a program pays for.

use anyhow::Result;
use session_model::testing::Layout;
use session_store::SessionStore;

use super::counts;
use super::find;
use crate::answer::Answer;
use crate::case::{Bench, Case, Field, Scale, Setup};
use crate::method::{Contender, Role};
use crate::rivals::sqlite;

pub(super) fn cases(scale: Scale) -> Vec<Case> {
    let case = |files: usize| {
        Case::built(format!("open/{files}"), "realistic", move |bench| {
            setup(bench, files)
        })
    };
    counts(scale).iter().copied().map(case).collect()
}

fn setup(bench: &Bench, files: usize) -> Result<Setup> {
    let opened = |()| Answer::new().fact("opened", true);
    let many = bench.data.many(files, Layout::Compact)?;
    let directory = many.directory.clone();
    let ours = move || Ok(SessionStore::open(&directory)?);
    let mut contenders = vec![Contender::new("ours", Role::Ours, ours, move |_| {
        Ok(opened(()))
    })];
    if bench.field == Field::Ours {
        return Ok(Setup::of(contenders));
    }
    let database = find::database(bench, &many, Layout::Compact)?;
    let sqlite = move || {
        let connection = sqlite::open_for_reading(&database)?;
        // SQLite opens the file when it is first asked something.
        connection.query_row("select count(*) from sqlite_schema", [], |row| {
            row.get::<_, i64>(0)
        })?;
        Ok(connection)
    };
    let directory = many.directory;
    let floor = move || {
        let flags = rustix::fs::OFlags::RDONLY
            | rustix::fs::OFlags::DIRECTORY
            | rustix::fs::OFlags::CLOEXEC;
        let opened = rustix::fs::open(&directory, flags, rustix::fs::Mode::empty())?;
        rustix::fs::fstat(&opened)?;
        Ok(())
    };
    contenders.extend([
        Contender::new("sqlite-open", Role::Rival, sqlite, move |_| Ok(opened(()))),
        Contender::new("open+fstat", Role::Floor, floor, move |()| Ok(opened(()))),
    ]);
    Ok(Setup::of(contenders))
}
