//! The exported page in a real browser: nothing in it may run, and nothing may be asked of the network.
//!
//! Owns the pages that are shown and the verdicts. The attacks, the network and the browser are modules of their own that do
//! not know each other.

mod attacks;
mod network;
mod pages;
mod program;

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};
use session_model::Session;

use self::attacks::{ATTACKS, Attack};
use self::network::Network;
use self::program::Browser;
use crate::flags;

/// Shows the pages and judges what the browser did.
///
/// # Errors
///
/// A page that acted; an attack that does nothing even where nothing holds it back, so that it would prove nothing; a browser
/// that was named and is not there. No browser on the path is no error, and is said.
pub(crate) fn run(flags: &flags::Browser) -> Result<()> {
    let Some(browser) = Browser::find(flags.program.as_deref())? else {
        println!(
            "not checked: there is none of {}; --program names another",
            program::NAMES.join(", ")
        );
        return Ok(());
    };
    println!("{}", browser.version()?);
    let sessions: Vec<Session> = (0..ATTACKS.len())
        .map(pages::session)
        .collect::<Result<_>>()?;
    let exported: Vec<String> = sessions.iter().map(pages::export).collect::<Result<_>>()?;
    for (attack, page) in exported.iter().enumerate() {
        for place in 0..pages::PLACES {
            // What was cut off or left out on the way would be no attack.
            ensure!(
                page.contains(&attacks::host(place, attack)),
                "export the attacks: {} is not in its page at place {place}",
                ATTACKS[attack].name
            );
        }
    }
    controls(&browser, pages::policy(&exported[0])?)?;
    let bare: Vec<String> = exported
        .iter()
        .map(|page| pages::without_policy(page))
        .collect::<Result<_>>()?;
    for (name, pages) in [("as exported", exported), ("without their policy", bare)] {
        let seen = show(&browser, pages::frames(pages))?;
        seen.nothing_acted(name)?;
        seen.is_plain(name)?;
    }
    from_file(&browser, &pages::together(&sessions))?;
    println!(
        "{} attacks at {} places: nothing ran, nothing was asked for",
        ATTACKS.len(),
        pages::PLACES
    );
    Ok(())
}

/// Every attack where nothing holds it back, and where only the policy does.
fn controls(browser: &Browser, policy: &str) -> Result<()> {
    let bare = show(browser, pages::frames(pages::controls("")))?;
    let idle: Vec<&str> = (0..ATTACKS.len())
        .filter(|attack| !bare.acted(*attack))
        .map(|attack| ATTACKS[attack].name)
        .collect();
    ensure!(
        idle.is_empty(),
        "show the attacks unhindered: nothing came of {}",
        idle.join(", ")
    );
    let held = show(browser, pages::frames(pages::controls(policy)))?;
    for (number, attack) in ATTACKS.iter().enumerate() {
        ensure!(
            held.asked.contains(&pages::path(number)),
            "show the attacks under the policy alone: {} was not loaded",
            attack.name
        );
    }
    let through = (0..ATTACKS.len()).filter(|attack| held.acted(*attack));
    let (known, new): (Vec<&Attack>, _) = through
        .map(|attack| &ATTACKS[attack])
        .partition(|attack| attack.passes_policy);
    let names = |attacks: &[&Attack]| -> String {
        let names: Vec<&str> = attacks.iter().map(|attack| attack.name).collect();
        names.join(", ")
    };
    ensure!(
        new.is_empty(),
        "show the attacks under the policy alone: it let through {}",
        names(&new)
    );
    println!(
        "controls: all {} attacks act unhindered; the policy alone stops all but these: {}",
        ATTACKS.len(),
        names(&known)
    );
    Ok(())
}

/// All attacks in one page, as its reader opens it: from a file. No script of ours can look into that one.
fn from_file(browser: &Browser, session: &Session) -> Result<()> {
    let dir = tempfile::tempdir().context("create a directory for the page")?;
    let path = dir.path().join("page.html");
    let page = pages::export(session)?;
    std::fs::write(&path, page).with_context(|| format!("write {}", path.display()))?;
    let network = Network::open(Vec::new())?;
    let dom = browser.dump(&format!("file://{}", path.display()), network.port())?;
    let seen = Seen::new(&dom, &network);
    seen.nothing_acted("from a file")?;
    let last = attacks::host(pages::PLACES - 1, ATTACKS.len() - 1);
    ensure!(
        dom.contains(&last),
        "show the page from a file: it was not loaded to its end"
    );
    Ok(())
}

/// Loads the first of some pages.
fn show(browser: &Browser, pages: Vec<(String, String)>) -> Result<Seen> {
    let network = Network::open(pages)?;
    let dom = browser.dump(&format!("http://{}/", network::PAGES), network.port())?;
    let seen = Seen::new(&dom, &network);
    let loads = seen.asked.iter().filter(|path| *path == "/").count();
    ensure!(loads == 1, "show a page: it was asked for {loads} times");
    Ok(seen)
}

/// What the browser did with a page.
struct Seen {
    /// The tag of its root, on which scripts leave their marks.
    root: String,
    /// The pages of ours that were asked for.
    asked: Vec<String>,
    /// The hosts of attacks that were asked for anything.
    hit: BTreeSet<String>,
}

impl Seen {
    fn new(dom: &str, network: &Network) -> Self {
        let from = dom.find("<html").unwrap_or(0);
        let root = dom[from..].split('>').next().unwrap_or_default().to_owned();
        Self {
            root,
            asked: network.asked(),
            hit: network.hosts(attacks::HOSTS),
        }
    }

    /// Whether an attack at place 0 ran or asked for something.
    fn acted(&self, attack: usize) -> bool {
        let host = attacks::host(0, attack);
        self.root.contains(&host) || self.hit.contains(&host)
    }

    fn nothing_acted(&self, name: &str) -> Result<()> {
        ensure!(
            self.hit.is_empty(),
            "show the pages {name}: it asked {:?}",
            self.hit
        );
        ensure!(
            !self.root.contains(attacks::RAN),
            "show the pages {name}: a script ran: {}",
            self.root
        );
        Ok(())
    }

    /// Fails unless every frame was read, has its one message, and holds only what exported pages consist of.
    fn is_plain(&self, name: &str) -> Result<()> {
        let frames: BTreeSet<String> = (0..ATTACKS.len()).map(pages::path).collect();
        let asked = self.asked.iter();
        // A relative address would lead to our own host. The icon is the browser's own wish.
        let others: Vec<&String> = asked
            .filter(|path| !frames.contains(*path) && *path != "/" && *path != "/favicon.ico")
            .collect();
        ensure!(
            others.is_empty(),
            "show the pages {name}: they asked for {others:?}"
        );
        let strange = format!("{}\"\"", pages::STRANGE);
        ensure!(
            self.root.contains(&strange),
            "show the pages {name}: they became {}",
            self.root
        );
        let messages = format!("{}\"{}\"", pages::MESSAGES, ATTACKS.len());
        ensure!(
            self.root.contains(&messages),
            "show the pages {name}: not {} messages: {}",
            ATTACKS.len(),
            self.root
        );
        Ok(())
    }
}
