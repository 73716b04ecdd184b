//! Who is woken, and who is not: counted, never timed.

use std::{iter, thread};

use super::*;

/// Ends the threads of a test that fails.
struct Ends<'q, T>(&'q Queue<T>);

impl<T> Drop for Ends<'_, T> {
    fn drop(&mut self) {
        self.0.stop();
    }
}

fn dozing_for<T>(doze: Duration) -> Queue<T> {
    Queue {
        doze,
        ..Queue::default()
    }
}

/// Waits until the consumer does this.
fn until<T>(queue: &Queue<T>, consumer: Consumer) {
    for _ in 0..1 << 24 {
        if queue.state().consumer == consumer {
            return;
        }
        thread::yield_now();
    }
    panic!("the consumer does something else for ever");
}

#[test]
fn of_a_burst_one_chunk_wakes_the_consumer_until_much_is_held() {
    // A doze that does not end by itself shows who ends it.
    let queue = dozing_for(Duration::MAX);
    thread::scope(|scope| {
        let ends = Ends(&queue);
        let woken = || queue.state().woken;
        let (front, behind) = (queue.open(), queue.open());
        let consumer = scope.spawn(|| iter::from_fn(|| queue.take()).count());
        until(&queue, Consumer::Sleeps);
        assert!(behind.push(()).is_continue());
        assert_eq!(woken(), 0, "it cannot take what is behind");
        assert!(front.push(()).is_continue());
        assert_eq!(woken(), 1, "the first is not left");
        until(&queue, Consumer::Dozes);
        for _ in 2..MANY {
            assert!(front.push(()).is_continue());
            assert_eq!(woken(), 1);
        }
        assert!(front.push(()).is_continue());
        assert_eq!(woken(), 2, "long before there is no room");
        until(&queue, Consumer::Dozes);
        for _ in 1..HELD {
            assert!(behind.push(()).is_continue());
            assert_eq!(woken(), 2, "however much is behind");
        }
        drop(front);
        assert_eq!(woken(), 3, "all of that is in front now");
        until(&queue, Consumer::Dozes);
        drop(behind);
        assert_eq!(woken(), 3, "there is nothing to take");
        drop(Closing(&queue));
        assert_eq!(woken(), 4, "nobody dozes when all is over");
        assert_eq!(consumer.join().ok(), Some(MANY + HELD));
        drop(ends);
    });
}

#[test]
fn whoever_was_woken_is_not_woken_again_before_it_looks() {
    let queue = Queue::default();
    let front = queue.open();
    queue.state().consumer = Consumer::Sleeps;
    for _ in 0..MANY {
        assert!(front.push(()).is_continue());
        assert_eq!(queue.state().woken, 1);
    }
}

#[test]
fn after_a_doze_in_which_nothing_came_the_next_chunk_wakes_the_consumer() {
    let queue = dozing_for(Duration::ZERO);
    thread::scope(|scope| {
        let _ends = Ends(&queue);
        let consumer = scope.spawn(|| iter::from_fn(|| queue.take()).count());
        let front = queue.open();
        for woken in 0..5 {
            until(&queue, Consumer::Sleeps);
            assert_eq!(queue.state().woken, woken);
            assert!(front.push(()).is_continue());
        }
        until(&queue, Consumer::Sleeps);
        // The last lane may end after it is said that it is the last.
        drop(Closing(&queue));
        assert_eq!(queue.state().woken, 5);
        drop(front);
        assert_eq!(queue.state().woken, 6);
        assert_eq!(consumer.join().ok(), Some(5));
    });
}

#[test]
fn everything_comes_in_order_whoever_waits_for_whom() {
    for round in 0..200 {
        // Where a doze has no end, only those who bring something end it; where it has no length, there is none.
        let queue = dozing_for([Duration::MAX, Duration::ZERO, DOZE][round % 3]);
        let next = Mutex::new(0);
        let lane = || {
            let mut next = next.lock().unwrap_or_else(PoisonError::into_inner);
            *next += 1;
            (*next <= 40).then(|| (*next, queue.open()))
        };
        let chunks = |lane: usize| (lane * 7 + round) % 5 * (lane % 11);
        let work = || {
            while let Some((number, lane)) = lane() {
                for chunk in 0..chunks(number) {
                    assert!(lane.push((number, chunk)).is_continue());
                }
            }
        };
        let all = (1..=40).flat_map(|lane| (0..chunks(lane)).map(move |chunk| (lane, chunk)));
        thread::scope(|scope| {
            let consumer = scope.spawn(|| iter::from_fn(|| queue.take()).collect::<Vec<_>>());
            let others = [(); 2].map(|()| scope.spawn(work));
            work();
            assert!(others.into_iter().all(|other| other.join().is_ok()));
            drop(Closing(&queue));
            assert_eq!(consumer.join().ok(), Some(all.collect()));
        });
    }
}

#[test]
fn chunks_come_by_lane_whoever_is_first() {
    let queue = Queue::default();
    let lanes: Vec<_> = (0..3).map(|_| queue.open()).collect();
    for number in [2, 0, 1, 2, 0] {
        assert!(lanes[number].push(number).is_continue());
    }
    drop(lanes);
    drop(Closing(&queue));
    let taken: Vec<usize> = iter::from_fn(|| queue.take()).collect();
    assert_eq!(taken, [0, 0, 1, 2, 2]);
}

#[test]
fn what_is_held_is_bounded_and_the_front_can_always_go_on() {
    let queue = Queue::default();
    let (front, behind) = (queue.open(), queue.open());
    for _ in 0..HELD {
        assert!(behind.push(()).is_continue());
    }
    let has_room = |lane: &Filling<'_, ()>| queue.state().has_room(lane.number);
    assert!(!has_room(&behind));
    for _ in 0..FRONT {
        assert!(has_room(&front));
        assert!(front.push(()).is_continue());
    }
    assert!(!has_room(&front));
    assert!(queue.take().is_some());
    assert!(has_room(&front) && !has_room(&behind));
    drop(front);
    assert!(queue.take().is_some());
    assert!(!has_room(&behind), "it is in front now, with much to give");
    assert!(queue.take().is_some());
    assert!(has_room(&behind));
}

#[test]
fn whoever_waits_hears_of_a_stop() {
    let queue: Queue<()> = Queue::default();
    thread::scope(|scope| {
        let consumer = scope.spawn(|| queue.take());
        let producer = scope.spawn(|| {
            let (_front, behind) = (queue.open(), queue.open());
            (0..=HELD).all(|_| behind.push(()).is_continue())
        });
        queue.stop();
        assert_eq!(consumer.join().ok(), Some(None));
        assert_eq!(producer.join().ok(), Some(false));
    });
}
