//! The log's lines on their way out. They are gathered in memory and written by a thread of their own,
//! so that one system call serves many, and nobody waits for a log that is not being read.

use std::io::{self, Write};
use std::mem;
use std::sync::{Arc, Condvar, LazyLock, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use tracing::{Level, Metadata};
use tracing_subscriber::fmt::MakeWriter;

/// No line waits longer than this for others to join it.
const MAX_DELAY: Duration = Duration::from_millis(50);
/// So many bytes are written at once, without waiting for more.
const FULL_BYTES: usize = 32 * 1024;
/// So many bytes are held while the log cannot be written; lines beyond that are lost, and counted.
const MAX_BYTES: usize = 4 * 1024 * 1024;
/// The last lines may take so long.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(1);
const THREAD_STACK_BYTES: usize = 256 * 1024;

/// Lines that the log could not take. The process has one log, so it has one such number.
pub(crate) static LOST: LazyLock<Counter> = LazyLock::new(Counter::default);

/// The way to the log, through memory. Clones share it.
#[derive(Clone)]
pub(crate) struct Lines {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    pending: Mutex<Pending>,
    /// There is something to write, or a reason to write it now.
    to_write: Condvar,
    all_written: Condvar,
}

#[derive(Default)]
struct Pending {
    bytes: Vec<u8>,
    is_urgent: bool,
    is_being_written: bool,
    lost: u64,
}

impl Pending {
    fn is_full(&self) -> bool {
        self.bytes.len() >= FULL_BYTES
    }
}

/// Takes one line.
pub(crate) struct Line<'a> {
    shared: &'a Shared,
    is_urgent: bool,
}

impl Lines {
    /// Starts the thread that writes.
    pub(crate) fn to(log: impl Write + Send + 'static) -> io::Result<Self> {
        let shared = Arc::<Shared>::default();
        let of_thread = Arc::clone(&shared);
        thread::Builder::new()
            .name("log".to_owned())
            .stack_size(THREAD_STACK_BYTES)
            .spawn(move || of_thread.write_for_ever(log))?;
        Ok(Self { shared })
    }

    /// Waits until everything is written, but not for a log that takes nothing.
    pub(crate) fn flush(&self) {
        let mut pending = self.shared.pending();
        pending.is_urgent = true;
        self.shared.to_write.notify_one();
        let is_left = |pending: &mut Pending| pending.is_being_written || !pending.bytes.is_empty();
        drop(self.shared.all_written.wait_timeout_while(pending, FLUSH_TIMEOUT, is_left));
    }
}

impl Shared {
    fn pending(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write_for_ever(&self, mut log: impl Write) {
        let mut batch = Vec::new();
        loop {
            let lost = self.next_batch(&mut batch);
            // A log that cannot be written has nowhere to say so.
            let _ = log.write_all(&batch);
            batch.clear();
            batch.shrink_to(2 * FULL_BYTES);
            if lost > 0 {
                tracing::warn!(lost, "the log was not read in time, and lines of it are lost");
            }
            let mut pending = self.pending();
            pending.is_being_written = false;
            if pending.bytes.is_empty() {
                self.all_written.notify_all();
            }
        }
    }

    /// Waits for lines, then a moment for more, and gives them with the number of those lost.
    fn next_batch(&self, batch: &mut Vec<u8>) -> u64 {
        let is_empty = |pending: &mut Pending| pending.bytes.is_empty();
        let can_wait = |pending: &mut Pending| !pending.is_urgent && !pending.is_full();
        let pending = self.pending();
        let pending = self.to_write.wait_while(pending, is_empty).unwrap_or_else(PoisonError::into_inner);
        let waited = self.to_write.wait_timeout_while(pending, MAX_DELAY, can_wait);
        let (mut pending, _) = waited.unwrap_or_else(PoisonError::into_inner);
        mem::swap(&mut pending.bytes, batch);
        pending.is_urgent = false;
        pending.is_being_written = true;
        mem::take(&mut pending.lost)
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Line<'a>;

    fn make_writer(&'a self) -> Line<'a> {
        Line { shared: &self.shared, is_urgent: true }
    }

    /// What may come before an end is written without delay, with all that came before it.
    fn make_writer_for(&'a self, metadata: &Metadata<'_>) -> Line<'a> {
        Line { shared: &self.shared, is_urgent: *metadata.level() <= Level::WARN }
    }
}

impl Write for Line<'_> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let mut pending = self.shared.pending();
        if pending.bytes.len() + line.len() > MAX_BYTES {
            pending.lost += 1;
            LOST.inc();
            return Ok(line.len());
        }
        let (was_empty, was_full) = (pending.bytes.is_empty(), pending.is_full());
        pending.bytes.extend_from_slice(line);
        pending.is_urgent |= self.is_urgent;
        if was_empty || self.is_urgent || pending.is_full() != was_full {
            self.shared.to_write.notify_one();
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    /// Takes what it is given when it is told to.
    struct Log {
        told: mpsc::Receiver<()>,
        taken: mpsc::Sender<usize>,
    }

    impl Write for Log {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.told.recv().map_err(io::Error::other)?;
            self.taken.send(bytes.len()).map_err(io::Error::other)?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_log_that_takes_nothing_delays_nobody_and_costs_bounded_memory() {
        let ((tell, told), (taken, takes)) = (mpsc::channel(), mpsc::channel());
        let lines = Lines::to(Log { told, taken }).unwrap();
        let line = [b'a'; 1024];
        let before = LOST.get();
        let written = 3 * MAX_BYTES / line.len();
        for _ in 0..written {
            lines.make_writer().write_all(&line).unwrap();
        }
        assert!(lines.shared.pending().bytes.len() <= MAX_BYTES);
        lines.flush();
        let lost = usize::try_from(LOST.get() - before).unwrap();
        assert!(lost >= written / 3);
        let mut taken = 0;
        while taken < written - lost {
            tell.send(()).unwrap();
            taken += takes.recv_timeout(Duration::from_secs(60)).unwrap() / line.len();
        }
        assert_eq!(taken + lost, written, "every line is written or counted");
    }
}
