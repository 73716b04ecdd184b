//! What belongs to a directory, to all below it, and to its repository.

use std::fs;
use std::path::{Path, PathBuf};

use session_store::{LastQuery, Query, Scope, SearchQuery, SessionStore};

use crate::support::{Scratch, session};

fn listed(store: &SessionStore, asked: &Path, scope: Scope) -> Vec<String> {
    let query = Query::new().workspace(asked).scope(scope);
    let listing = store.list(&query).unwrap();
    assert!(listing.skipped.is_empty(), "{:?}", listing.skipped);
    let mut ids: Vec<String> = listing.rows.iter().map(|row| row.id.to_string()).collect();
    // The newest of a listing is the last session of the same scope.
    let last = store
        .find_last(&LastQuery::new().workspace(asked).scope(scope))
        .unwrap();
    assert_eq!(
        last.session.map(|session| session.id.to_string()).as_ref(),
        ids.first()
    );
    // A search of that scope goes through the same sessions, in the same order.
    let query = SearchQuery::text("message").workspace(asked).scope(scope);
    let found = store.search(&query.per_session(1)).unwrap();
    let found: Vec<String> = found.map(|hit| hit.id().to_string()).collect();
    assert_eq!(found, ids);
    ids.sort();
    ids
}

fn repository(at: &Path) {
    fs::create_dir_all(at.join(".git")).unwrap();
    fs::write(at.join(".git/HEAD"), "ref: refs/heads/main\n").unwrap();
}

/// A worktree as git makes them: a file that names its part of the repository, which names both in turn.
fn worktree(main: &Path, at: &Path, name: &str) {
    let part = main.join(".git/worktrees").join(name);
    fs::create_dir_all(&part).unwrap();
    fs::create_dir_all(at).unwrap();
    fs::write(at.join(".git"), format!("gitdir: {}\n", part.display())).unwrap();
    fs::write(part.join("commondir"), "../..\n").unwrap();
    fs::write(
        part.join("gitdir"),
        format!("{}\n", at.join(".git").display()),
    )
    .unwrap();
}

struct Tree {
    scratch: Scratch,
    store: SessionStore,
    main: PathBuf,
}

/// Sessions in a repository, its worktree, a submodule, next to it, and in a directory of it that is gone.
fn tree() -> Tree {
    let scratch = Scratch::new();
    let main = scratch.workspace("main");
    let store = scratch.store();
    repository(&main);
    worktree(&main, &scratch.workspace("side"), "side");
    let submodule = scratch.workspace("main/vendor/sub");
    fs::create_dir_all(main.join(".git/modules/sub")).unwrap();
    fs::write(submodule.join(".git"), "gitdir: ../../.git/modules/sub\n").unwrap();
    let places = [
        ("main", main.clone()),
        ("source", scratch.workspace("main/src")),
        ("gone", main.join("src/gone")),
        ("side", scratch.workspace("side/src")),
        ("sub", scratch.workspace("main/vendor/sub/src")),
        ("sibling", scratch.workspace("main2")),
        ("above", main.parent().unwrap().to_owned()),
        ("up", main.join("src/../../main2")),
    ];
    for (at, (name, directory)) in places.iter().enumerate() {
        store.save(&session(name, directory, 1, at as u64)).unwrap();
    }
    Tree {
        scratch,
        store,
        main,
    }
}

#[test]
fn exact_is_the_directory_alone() {
    let Tree {
        store,
        main,
        scratch: _kept,
    } = tree();
    assert_eq!(listed(&store, &main, Scope::Exact), ["main"]);
    assert_eq!(listed(&store, &main.join("src/.."), Scope::Exact), ["main"]);
}

#[test]
fn below_is_by_components_and_never_leads_up_again() {
    let Tree {
        store,
        main,
        scratch,
    } = tree();
    let below = ["gone", "main", "source", "sub"];
    assert_eq!(listed(&store, &main, Scope::Below), below);
    assert_eq!(listed(&store, &main.join("src/.."), Scope::Below), below);
    let link = scratch.path().join("link");
    std::os::unix::fs::symlink(&main, &link).unwrap();
    assert_eq!(listed(&store, &link, Scope::Below), below);
    assert_eq!(listed(&store, Path::new("/no/such"), Scope::Below), [""; 0]);
}

#[test]
fn a_repository_is_all_of_its_worktrees_and_nothing_else() {
    let Tree {
        store,
        main,
        scratch,
    } = tree();
    let all = ["gone", "main", "side", "source"];
    for asked in [
        main.clone(),
        main.join("src"),
        scratch.workspace("side"),
        scratch.workspace("side/src"),
    ] {
        assert_eq!(
            listed(&store, &asked, Scope::Repository),
            all,
            "{}",
            asked.display()
        );
    }
    let submodule = main.join("vendor/sub");
    assert_eq!(listed(&store, &submodule, Scope::Repository), ["sub"]);
    // Where there is no repository, the directory stands for itself.
    let sibling = scratch.workspace("main2");
    assert_eq!(
        listed(&store, &sibling, Scope::Repository),
        ["sibling", "up"]
    );
}

#[test]
fn all_asks_for_no_directory() {
    let Tree {
        store,
        main,
        scratch: _kept,
    } = tree();
    assert_eq!(listed(&store, &main, Scope::All).len(), 8);
}

#[test]
fn what_is_no_repository_is_taken_for_none() {
    let Tree {
        store,
        main,
        scratch,
    } = tree();
    let plain = scratch.workspace("plain");
    store.save(&session("plain", &plain, 1, 9)).unwrap();
    for text in ["", "gitdir:", "nonsense", "gitdir: /no/such/place"] {
        fs::write(plain.join(".git"), text).unwrap();
        let found = listed(&store, &plain, Scope::Repository);
        assert_eq!(found, ["plain"], "{text:?}");
    }
    // A pipe that nobody writes into is no name of a directory, and is not waited for.
    fs::remove_file(plain.join(".git")).unwrap();
    repository(&plain);
    let pipe = plain.join(".git/commondir");
    rustix::fs::mkfifoat(rustix::fs::CWD, pipe, rustix::fs::Mode::RUSR).unwrap();
    assert_eq!(listed(&store, &plain, Scope::Repository), ["plain"]);
    // An empty directory of that name does not divide what is around it.
    fs::create_dir(main.join("src/.git")).unwrap();
    let all = ["gone", "main", "side", "source"];
    assert_eq!(listed(&store, &main.join("src"), Scope::Repository), all);
}
