//! Single flight: any number of callers wait for one piece of work, which ends when it is done or
//! when the last of them has left.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

/// Work under way, and the callers who wait for it.
pub(crate) struct Flight<T> {
    landed: RefCell<Option<T>>,
    waiting: RefCell<Vec<Waker>>,
    callers: Cell<usize>,
    /// Whether it brings a token that is newer than any the relay holds.
    pub(crate) is_forced: bool,
    abandon: RefCell<Option<Box<dyn FnOnce()>>>,
}

impl<T: Clone> Flight<T> {
    /// Starts a flight; `abandon` is called, once, if the last caller leaves before it lands.
    pub(crate) fn new(is_forced: bool, abandon: impl FnOnce() + 'static) -> Rc<Self> {
        Rc::new(Self {
            landed: RefCell::new(None),
            waiting: RefCell::new(Vec::new()),
            callers: Cell::new(0),
            is_forced,
            abandon: RefCell::new(Some(Box::new(abandon))),
        })
    }

    /// Whether there is still something to wait for.
    pub(crate) fn is_open(&self) -> bool {
        self.abandon.borrow().is_some()
    }

    /// Adds a caller.
    pub(crate) fn join(self: &Rc<Self>) -> Ticket<T> {
        self.callers.set(self.callers.get() + 1);
        Ticket { flight: Rc::clone(self), place: None }
    }

    /// Gives every caller the result. A second landing changes nothing.
    pub(crate) fn land(&self, result: T) {
        if self.landed.borrow().is_none() {
            self.abandon.take();
            self.landed.replace(Some(result));
            for waker in self.waiting.take() {
                waker.wake();
            }
        }
    }

    /// Ends the work for everybody: lands `result` and calls `abandon`.
    pub(crate) fn cancel(&self, result: T) {
        let abandon = self.abandon.take();
        self.land(result);
        if let Some(abandon) = abandon {
            abandon();
        }
    }
}

/// One caller's place on a [`Flight`]; dropping it leaves the flight.
pub(crate) struct Ticket<T> {
    flight: Rc<Flight<T>>,
    /// Where its waker stands among those who wait.
    place: Option<usize>,
}

impl<T: Clone> Future for Ticket<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        let flight = Rc::clone(&self.flight);
        if let Some(result) = &*flight.landed.borrow() {
            return Poll::Ready(result.clone());
        }
        let mut waiting = flight.waiting.borrow_mut();
        match self.place.and_then(|place| waiting.get_mut(place)) {
            Some(waker) => waker.clone_from(context.waker()),
            None => {
                self.place = Some(waiting.len());
                waiting.push(context.waker().clone());
            }
        }
        Poll::Pending
    }
}

impl<T> Drop for Ticket<T> {
    fn drop(&mut self) {
        let callers = self.flight.callers.get() - 1;
        self.flight.callers.set(callers);
        if callers == 0
            && let Some(abandon) = self.flight.abandon.take()
        {
            abandon();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Wake;

    use super::*;

    #[derive(Default)]
    struct Counter(AtomicUsize);

    impl Wake for Counter {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn flight() -> (Rc<Flight<u8>>, Rc<Cell<u32>>) {
        let abandoned = Rc::new(Cell::new(0));
        let count = Rc::clone(&abandoned);
        (Flight::new(false, move || count.set(count.get() + 1)), abandoned)
    }

    fn poll(ticket: &mut Ticket<u8>, counter: &Arc<Counter>) -> Poll<u8> {
        pin!(ticket).poll(&mut Context::from_waker(&Waker::from(Arc::clone(counter))))
    }

    #[test]
    fn every_caller_is_woken_and_gets_the_result() {
        let (flight, abandoned) = flight();
        let counters: Vec<_> = (0..3).map(|_| Arc::new(Counter::default())).collect();
        let mut tickets: Vec<_> = (0..3).map(|_| flight.join()).collect();
        for (ticket, counter) in tickets.iter_mut().zip(&counters) {
            assert_eq!(poll(ticket, counter), Poll::Pending);
            assert_eq!(poll(ticket, counter), Poll::Pending);
        }
        flight.land(7);
        flight.land(8);
        for (ticket, counter) in tickets.iter_mut().zip(&counters) {
            assert_eq!(counter.0.load(Ordering::Relaxed), 1);
            assert_eq!(poll(ticket, counter), Poll::Ready(7));
        }
        drop(tickets);
        assert_eq!(abandoned.get(), 0, "a flight that landed is not abandoned");
    }

    #[test]
    fn the_last_to_leave_abandons_the_flight_once() {
        let (flight, abandoned) = flight();
        let (first, second) = (flight.join(), flight.join());
        drop(first);
        assert_eq!(abandoned.get(), 0);
        drop(second);
        assert_eq!(abandoned.get(), 1);
        assert!(!flight.is_open());
        drop(flight.join());
        assert_eq!(abandoned.get(), 1);
    }

    #[test]
    fn cancelling_answers_those_who_wait_and_ends_the_work() {
        let (flight, abandoned) = flight();
        let mut ticket = flight.join();
        flight.cancel(9);
        assert_eq!(abandoned.get(), 1);
        assert_eq!(poll(&mut ticket, &Arc::default()), Poll::Ready(9));
    }
}
