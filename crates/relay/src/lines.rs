//! The log's lines on their way out, gathered for a moment so that one system call serves many.

use std::io::{self, Write};
use std::mem;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use tracing::{Level, Metadata};
use tracing_subscriber::fmt::MakeWriter;

/// No line waits longer than this.
const MAX_DELAY: Duration = Duration::from_millis(50);
/// So many bytes are written at once; whoever adds a line then does the writing, which slows callers
/// down to what the log can take. No line is dropped.
const FULL_BYTES: usize = 32 * 1024;
const THREAD_STACK_BYTES: usize = 64 * 1024;

/// Standard error, by way of memory. Clones share it.
#[derive(Clone)]
pub(crate) struct Lines {
    shared: Arc<Shared>,
}

struct Shared {
    gathered: Mutex<Vec<u8>>,
    is_begun: Condvar,
}

/// Takes one line.
pub(crate) struct Line<'a> {
    shared: &'a Shared,
    is_urgent: bool,
}

impl Lines {
    /// Starts the thread that writes what has been gathered.
    pub(crate) fn new() -> io::Result<Self> {
        let shared = Arc::new(Shared { gathered: Mutex::default(), is_begun: Condvar::new() });
        let of_thread = Arc::clone(&shared);
        thread::Builder::new().name("log".to_owned()).stack_size(THREAD_STACK_BYTES).spawn(move || {
            loop {
                let gathered = of_thread.gathered();
                let waited = of_thread.is_begun.wait_while(gathered, |gathered| gathered.is_empty());
                drop(waited.unwrap_or_else(PoisonError::into_inner));
                thread::sleep(MAX_DELAY);
                write_out(&mut of_thread.gathered());
            }
        })?;
        Ok(Self { shared })
    }

    /// Writes what has been gathered.
    pub(crate) fn flush(&self) {
        write_out(&mut self.shared.gathered());
    }
}

impl Shared {
    fn gathered(&self) -> MutexGuard<'_, Vec<u8>> {
        self.gathered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Line<'a>;

    fn make_writer(&'a self) -> Line<'a> {
        Line { shared: &self.shared, is_urgent: true }
    }

    /// What may come before an end is written at once, with all that came before it.
    fn make_writer_for(&'a self, metadata: &Metadata<'_>) -> Line<'a> {
        Line { shared: &self.shared, is_urgent: *metadata.level() <= Level::WARN }
    }
}

impl Write for Line<'_> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let mut gathered = self.shared.gathered();
        let is_first = gathered.is_empty();
        gathered.extend_from_slice(line);
        if self.is_urgent || gathered.len() >= FULL_BYTES {
            write_out(&mut gathered);
        } else if is_first {
            self.shared.is_begun.notify_one();
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A log that cannot be written has nowhere to say so.
fn write_out(gathered: &mut Vec<u8>) {
    let _ = io::stderr().write_all(gathered);
    gathered.clear();
    if gathered.capacity() > 2 * FULL_BYTES {
        mem::take(gathered);
    }
}
