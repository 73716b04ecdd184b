//! The exported page in a real browser: nothing in it may run, and nothing may be asked of the network.
//!
//! Owns the pages that are shown and the verdicts. The attacks, the network and the browser are modules of their own that do
//! not know each other.

mod attacks;
mod network;
mod pages;
mod program;

use std::collections::BTreeSet;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};

use self::attacks::{ATTACKS, Attack};
use self::network::Network;
use self::program::Browser;
use crate::flags;

/// The page that users get.
const EXPORTED: &str = "as exported";

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
    let session = pages::session()?;
    let page = pages::export(&session)?;
    controls(&browser, pages::policy(&page)?)?;
    for (place, attack) in pages::marks() {
        // An attack that was cut off or left out on the way would be no attack.
        ensure!(
            page.contains(&attacks::host(place, attack)),
            "export the attacks: {} is not in the page at place {place}",
            ATTACKS[attack].name
        );
    }
    for (name, text) in [
        (EXPORTED, page.clone()),
        ("without its policy", pages::without_policy(&page)?),
    ] {
        let seen = show(&browser, vec![("/".to_owned(), text)])?;
        // A relative address would lead to our own host. The icon is the browser's own wish, where no policy forbids it.
        let others: Vec<&String> = seen
            .asked
            .iter()
            .filter(|path| *path != "/" && (name == EXPORTED || *path != "/favicon.ico"))
            .collect();
        ensure!(
            others.is_empty(),
            "show the page {name}: it asked for {others:?}"
        );
        seen.nothing_acted(name)?;
        seen.is_whole(name, session.messages.len())?;
        let clicked = seen.root.contains(pages::CLICKED);
        // Under the policy not even our own script may run.
        ensure!(
            clicked == (name != EXPORTED),
            "show the page {name}: our own script {}",
            if clicked { "ran" } else { "did not run" }
        );
    }
    from_file(&browser, &page, session.messages.len())?;
    println!(
        "{} attacks at {} places: nothing ran, nothing was asked for",
        ATTACKS.len(),
        pages::PLACES
    );
    Ok(())
}

/// Every attack where nothing holds it back, and where only the policy does.
fn controls(browser: &Browser, policy: &str) -> Result<()> {
    let bare = show(browser, pages::frames(""))?;
    let idle: Vec<&str> = (0..ATTACKS.len())
        .filter(|attack| !bare.acted(*attack))
        .map(|attack| ATTACKS[attack].name)
        .collect();
    ensure!(
        idle.is_empty(),
        "show the attacks unhindered: nothing came of {}",
        idle.join(", ")
    );
    let held = show(browser, pages::frames(policy))?;
    for attack in 0..ATTACKS.len() {
        ensure!(
            held.asked.contains(&format!("/f{attack}")),
            "show the attacks under the policy alone: {} was not loaded",
            ATTACKS[attack].name
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

/// The page as its reader opens it, from a file.
fn from_file(browser: &Browser, page: &str, messages: usize) -> Result<()> {
    let dir = tempfile::tempdir().context("create a directory for the page")?;
    let path: PathBuf = dir.path().join("page.html");
    std::fs::write(&path, page).with_context(|| format!("write {}", path.display()))?;
    let network = Network::open(Vec::new())?;
    let dom = browser.dump(&format!("file://{}", path.display()), network.port())?;
    let seen = Seen::new(dom, &network);
    seen.nothing_acted("from a file")?;
    seen.is_whole("from a file", messages)
}

/// Loads the first of some pages.
fn show(browser: &Browser, pages: Vec<(String, String)>) -> Result<Seen> {
    let network = Network::open(pages)?;
    let dom = browser.dump(&format!("http://{}/", network::PAGES), network.port())?;
    let seen = Seen::new(dom, &network);
    let loads = seen.asked.iter().filter(|path| *path == "/").count();
    ensure!(loads == 1, "show a page: it was asked for {loads} times");
    Ok(seen)
}

/// What the browser did with a page.
struct Seen {
    /// The document at the end.
    dom: String,
    /// The tag of its root, on which scripts leave their marks.
    root: String,
    /// The pages of ours that were asked for.
    asked: Vec<String>,
    /// The hosts of attacks that were asked for anything.
    hit: BTreeSet<String>,
}

impl Seen {
    fn new(dom: String, network: &Network) -> Self {
        let from = dom.find("<html").unwrap_or(0);
        let root = dom[from..].split('>').next().unwrap_or_default().to_owned();
        Self {
            root,
            asked: network.asked(),
            hit: network.hosts(attacks::HOSTS),
            dom,
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
            "show the page {name}: it asked {:?}",
            self.hit
        );
        ensure!(
            !self.root.contains(attacks::RAN),
            "show the page {name}: a script ran: {}",
            self.root
        );
        Ok(())
    }

    /// Fails if the browser did not come to the page's end.
    fn is_whole(&self, name: &str, messages: usize) -> Result<()> {
        let articles = self.dom.matches("<article ").count();
        ensure!(
            articles == messages,
            "show the page {name}: {articles} of {messages} messages"
        );
        Ok(())
    }
}
