//! What a scenario tells of itself, and which states of its session are right after that.
//!
//! Owns the text of events and the rule; must not know any step.

use std::fmt;
use std::str::FromStr;

use anyhow::{Context, Result};

/// What there is of the subject: how many messages it has, where it is and in the trash.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct State {
    pub(crate) live: Option<usize>,
    pub(crate) trashed: Option<usize>,
}

/// What the runner tells, in order: each step is announced, then settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// From here on the session may become this.
    Try(State),
    /// The call succeeded: the session is this, and stays it.
    Ack(State),
    /// The call answered `NotDurable`: the session is this for now.
    Visible(State),
    /// The call failed: the session is still this.
    Failed(State),
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = |count: Option<usize>| count.map_or("-".to_owned(), |count| count.to_string());
        write!(f, "{} {}", count(self.live), count(self.trashed))
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Try(state) => write!(f, "try {state}"),
            Self::Ack(state) => write!(f, "ack {state}"),
            Self::Visible(state) => write!(f, "visible {state}"),
            Self::Failed(state) => write!(f, "failed {state}"),
        }
    }
}

impl FromStr for Event {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        let mut words = text.split(' ');
        let verb = words.next();
        let mut count = || match words.next().context("read event: too short")? {
            "-" => anyhow::Ok(None),
            count => Ok(Some(count.parse()?)),
        };
        let state = State {
            live: count()?,
            trashed: count()?,
        };
        match verb {
            Some("try") => Ok(Self::Try(state)),
            Some("ack") => Ok(Self::Ack(state)),
            Some("visible") => Ok(Self::Visible(state)),
            Some("failed") => Ok(Self::Failed(state)),
            _ => anyhow::bail!("read event {text}: no such verb"),
        }
    }
}

/// Which states are right once the events have come so far and no further.
pub(crate) fn allowed(from: State, events: &[Event]) -> Vec<State> {
    let mut allowed = vec![from];
    for event in events {
        match *event {
            Event::Try(next) => allowed.push(next),
            Event::Ack(state) | Event::Visible(state) | Event::Failed(state) => {
                allowed = vec![state];
            }
        }
    }
    allowed
}

/// As [`allowed`], where the power is cut: what was only visible may be undone.
pub(crate) fn allowed_after_cut(from: State, events: &[Event]) -> Vec<State> {
    let mut allowed = vec![from];
    for event in events {
        match *event {
            Event::Try(next) | Event::Visible(next) => allowed.push(next),
            Event::Ack(state) => allowed = vec![state],
            Event::Failed(_) => {}
        }
    }
    allowed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn live(count: usize) -> State {
        State {
            live: Some(count),
            trashed: None,
        }
    }

    #[test]
    fn events_survive_the_socket() {
        let state = State {
            live: None,
            trashed: Some(3),
        };
        for event in [
            Event::Try(state),
            Event::Ack(live(1)),
            Event::Visible(state),
            Event::Failed(live(2)),
        ] {
            assert_eq!(event.to_string().parse::<Event>().unwrap(), event);
        }
        assert!("ack 1".parse::<Event>().is_err());
        assert!("done 1 1".parse::<Event>().is_err());
    }

    #[test]
    fn what_was_acknowledged_is_the_only_right_state() {
        let events = [
            Event::Try(live(2)),
            Event::Ack(live(2)),
            Event::Try(live(3)),
        ];
        assert_eq!(allowed(live(1), &events[..1]), [live(1), live(2)]);
        assert_eq!(allowed(live(1), &events[..2]), [live(2)]);
        assert_eq!(allowed(live(1), &events), [live(2), live(3)]);
        let failed = [Event::Try(live(2)), Event::Failed(live(1))];
        assert_eq!(allowed(live(1), &failed), [live(1)]);
    }
}
