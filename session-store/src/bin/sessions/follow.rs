//! `sessions follow`.
//!
//! Owns the waiting; must not know how a session grows on a disk.

use std::time::Duration;

use crate::args::{Follow, Place};
use crate::failure::Failure;
use crate::show::print_message;
use crate::terminal::Terminal;

/// How often a session is looked at: soon enough for a reader.
const WAIT: Duration = Duration::from_millis(300);

/// Prints new messages until Ctrl-C.
pub(crate) fn follow(
    place: &Place,
    follow: &Follow,
    terminal: &mut Terminal,
) -> Result<(), Failure> {
    let store = place.open()?;
    let there = store.load_page(&follow.id, "messages", 0..0)?.count();
    let mut next = there.saturating_sub(follow.tail);
    let mut left = follow.count.unwrap_or(u64::MAX);
    loop {
        let page = store.load_page(&follow.id, "messages", next..u64::MAX)?;
        // Fewer than before: the session was written anew, and what is there has been shown.
        next = next.min(page.count());
        for message in &page.messages {
            if left == 0 {
                return Ok(());
            }
            print_message(message, next, terminal)?;
            next += 1;
            left -= 1;
        }
        terminal.flush()?;
        if left == 0 {
            return Ok(());
        }
        std::thread::sleep(WAIT);
        terminal.check()?;
    }
}
