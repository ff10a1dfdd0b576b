use tokio::sync::{Semaphore, SemaphorePermit};

/// A bounded number of requests at once, and a bounded queue before them.
#[derive(Debug)]
pub(crate) struct Slots {
    running: Semaphore,
    /// Counts those who run and those who wait.
    admitted: Semaphore,
}

/// A place among the running; given back on drop.
pub(crate) struct Slot<'a> {
    _running: SemaphorePermit<'a>,
    _admitted: SemaphorePermit<'a>,
}

impl Slots {
    pub(crate) fn new(running: usize, waiting: usize) -> Self {
        let admitted = running.saturating_add(waiting).min(Semaphore::MAX_PERMITS);
        Self {
            running: Semaphore::new(running.min(Semaphore::MAX_PERMITS)),
            admitted: Semaphore::new(admitted),
        }
    }

    /// Waits for a slot in order of arrival; `None` at once if the queue is full.
    pub(crate) async fn acquire(&self) -> Option<Slot<'_>> {
        let admitted = self.admitted.try_acquire().ok()?;
        let running = self.running.acquire().await.ok()?;
        Some(Slot { _running: running, _admitted: admitted })
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[tokio::test]
    async fn who_finds_the_queue_full_is_turned_away_at_once() {
        let slots = Slots::new(1, 1);
        let first = slots.acquire().await;
        assert!(first.is_some());
        let mut second = Box::pin(slots.acquire());
        assert!(second.as_mut().now_or_never().is_none(), "waits");
        assert!(slots.acquire().await.is_none(), "no room");
        drop(first);
        assert!(second.await.is_some());
        assert!(slots.acquire().await.is_some(), "places were given back");
    }
}
