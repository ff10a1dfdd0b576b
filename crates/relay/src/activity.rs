//! Notices a connection on which nothing comes: neither a request nor, for too long, the rest of its
//! headers, nor a first byte. One timer a connection, for one a request would cost every request.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// So often in its time limit a connection is looked at; it may last longer by one such part.
const LOOKS: u32 = 4;

/// What happens on one connection.
#[derive(Default)]
pub(crate) struct Activity {
    begun: AtomicU64,
    ended: AtomicU64,
}

/// A request under way, until dropped.
pub(crate) struct Busy(Arc<Activity>);

impl Activity {
    pub(crate) fn begin(self: &Arc<Self>) -> Busy {
        self.begun.fetch_add(1, Ordering::Relaxed);
        Busy(Arc::clone(self))
    }

    /// Waits until for so long no request has been under way.
    pub(crate) async fn ceases_for(&self, limit: Duration) {
        let (mut seen, mut idle_looks) = (0, 0);
        // Idle at a look: nothing is under way, and nothing has ended since the look before.
        while idle_looks < LOOKS {
            tokio::time::sleep(limit / LOOKS).await;
            let (begun, ended) = (self.begun.load(Ordering::Relaxed), self.ended.load(Ordering::Relaxed));
            let is_idle = begun == ended && ended == seen;
            idle_looks = if is_idle { idle_looks + 1 } else { 0 };
            seen = ended;
        }
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.ended.fetch_add(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::{Instant, sleep};

    use super::*;

    const LIMIT: Duration = Duration::from_secs(4);

    #[tokio::test(start_paused = true)]
    async fn a_connection_without_a_request_ends_in_time() {
        let start = Instant::now();
        Arc::new(Activity::default()).ceases_for(LIMIT).await;
        assert_eq!(start.elapsed().as_secs(), 4);
    }

    #[tokio::test(start_paused = true)]
    async fn requests_keep_it_and_so_does_a_long_one() {
        let (activity, start) = (Arc::new(Activity::default()), Instant::now());
        let requests = async {
            for _ in 0..5 {
                drop(activity.begin());
                sleep(Duration::from_millis(3_900)).await;
            }
            let busy = activity.begin();
            sleep(Duration::from_secs(60)).await;
            drop(busy);
            std::future::pending::<()>().await;
        };
        tokio::select! {
            () = activity.ceases_for(LIMIT) => {}
            () = requests => {}
        }
        let ended_after = start.elapsed().as_millis() - (5 * 3_900 + 60_000);
        assert!((4_000..=5_000).contains(&ended_after), "{ended_after}");
    }
}
