//! Futures that are dropped: what has begun is done, what has not is not, and nothing is half.

use std::pin::pin;
use std::sync::mpsc;
use std::task::{Context, Poll, Waker};

use session_store::tokio::SessionStore;
use session_store::{Append, Message, Session, Window};

use crate::support::{Scratch, id, session};

fn run<T>(test: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread();
    runtime_of(runtime).block_on(test)
}

fn runtime_of(mut builder: tokio::runtime::Builder) -> tokio::runtime::Runtime {
    builder.enable_all().build().unwrap()
}

/// Polls a future so many times, then drops it; tells whether it was done by then.
fn give_up<T>(future: impl Future<Output = T>, polls: usize) -> bool {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    (0..polls).any(|_| matches!(future.as_mut().poll(&mut context), Poll::Ready(_)))
}

fn of(messages: usize) -> Session {
    session("s", "/home/me/project", messages, messages as u64)
}

async fn messages(store: &SessionStore) -> usize {
    // A turn of its own, so that what was begun before has ended.
    store.change(|_| Ok(())).await.unwrap();
    store.load(&id("s")).await.unwrap().messages.len()
}

#[test]
fn a_change_that_has_begun_is_made_whoever_waits_for_it() {
    run(async {
        let scratch = Scratch::new();
        let store = SessionStore::open(scratch.sessions()).await.unwrap();
        store.save(of(1)).await.unwrap();
        assert!(!give_up(store.save(of(2)), 0));
        assert_eq!(messages(&store).await, 1, "never polled, so never begun");
        give_up(store.save(of(3)), 1);
        assert_eq!(messages(&store).await, 3);
        give_up(store.delete(&id("s")), 1);
        store.change(|_| Ok(())).await.unwrap();
        assert!(store.load(&id("s")).await.unwrap_err().is_not_found());
    });
}

#[test]
fn a_save_that_was_given_up_is_not_made_after_a_later_one() {
    run(async {
        let scratch = Scratch::new();
        let store = SessionStore::open(scratch.sessions()).await.unwrap();
        for round in 0..20 {
            // The one that is given up takes longer, so that it would come last if it could.
            let mut long = of(2_000 + round);
            long.title = Some("given up".to_owned());
            give_up(store.overwrite(long), 1);
            store.overwrite(of(round + 1)).await.unwrap();
            assert_eq!(messages(&store).await, round + 1);
        }
    });
}

#[test]
fn a_change_that_waits_for_its_turn_has_not_begun() {
    run(async {
        let scratch = Scratch::new();
        let store = SessionStore::open(scratch.sessions()).await.unwrap();
        store.save(of(1)).await.unwrap();
        let (go, gone) = mpsc::channel::<()>();
        let slow = store.change(move |_| {
            let _waits = gone.recv();
            Ok(())
        });
        give_up(slow, 1);
        assert!(!give_up(store.save(of(2)), 3));
        go.send(()).unwrap();
        assert_eq!(messages(&store).await, 1);
    });
}

#[test]
fn a_writer_makes_what_has_begun_in_order_and_lets_go_when_it_is_done() {
    run(async {
        let scratch = Scratch::new();
        let store = SessionStore::open(scratch.sessions()).await.unwrap();
        store.save(of(0)).await.unwrap();
        let writer = store.writer(&id("s")).await.unwrap();
        let say = |n: usize| {
            Append::new()
                .message(&Message::user(n.to_string()))
                .unwrap()
        };
        for n in 0..10 {
            match n % 3 {
                0 => drop(give_up(writer.append(say(n)), 1)),
                _ => drop(writer.append(say(n)).await.unwrap()),
            }
        }
        give_up(writer.append(say(10)), 0);
        // Readers are not kept waiting, neither for the last message, which nobody waits for any more, nor by it.
        let tail = store.load_tail(&id("s"), Window::last(1)).await.unwrap();
        assert!(matches!(tail.dropped().total(), 8 | 9));
        writer.checkpoint().await.unwrap();
        writer.close().await.unwrap();
        let plain = std::fs::read(store.blocking().path(&id("s"))).unwrap();
        let plain: Session = serde_json::from_slice(&plain).unwrap();
        let expected: Vec<Message> = (0..10).map(|n| Message::user(n.to_string())).collect();
        assert_eq!(plain.messages, expected);
        // The lock is free again.
        store.append(&id("s"), say(11)).await.unwrap();
        drop(store.writer(&id("s")).await.unwrap());
        store.append(&id("s"), say(12)).await.unwrap();
        assert_eq!(messages(&store).await, 12);
    });
}

#[test]
fn two_clones_are_two_editors() {
    run(async {
        let scratch = Scratch::new();
        let store = SessionStore::open(scratch.sessions()).await.unwrap();
        let other = store.clone();
        store.save(of(1)).await.unwrap();
        assert!(other.save(of(2)).await.unwrap_err().is_conflict());
        assert_eq!(messages(&other).await, 1);
        other.save(of(2)).await.unwrap();
        assert!(store.save(of(3)).await.unwrap_err().is_conflict());
    });
}

/// P24's mutant: a save that takes no turn is made after a later one when it was given up.
#[test]
fn a_change_that_takes_no_turn_is_caught() {
    run(async {
        let scratch = Scratch::new();
        let store = SessionStore::open(scratch.sessions()).await.unwrap();
        store.save(of(1)).await.unwrap();
        let (go, gone) = mpsc::channel::<()>();
        let slow = store.run(move |store| {
            let _waits = gone.recv();
            store.overwrite(&of(2))
        });
        give_up(slow, 1);
        // It does not wait for the one before, which is how it overtakes it.
        store.overwrite(of(3)).await.unwrap();
        go.send(()).unwrap();
        while messages(&store).await == 3 {
            tokio::task::yield_now().await;
        }
        assert_eq!(messages(&store).await, 2, "the older one came last");
    });
}
