//! The log of a server, as it is written.

use std::io::{BufRead as _, BufReader, Read};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

/// How long to wait for something that should happen at once. Reached only when it does not happen.
const PATIENCE: Duration = Duration::from_mins(1);

/// The text so far, and whether the log is still open.
#[derive(Clone)]
pub(super) struct Log(Arc<(Mutex<Written>, Condvar)>);

#[derive(Default)]
struct Written {
    text: String,
    ended: bool,
}

impl Log {
    pub(super) fn read(stream: impl Read + Send + 'static) -> Self {
        let log = Self(Arc::default());
        let writer = log.clone();
        thread::spawn(move || {
            for line in BufReader::new(stream).lines().map_while(Result::ok) {
                writer.change(|written| written.text.extend([line.as_str(), "\n"]));
            }
            writer.change(|written| written.ended = true);
        });
        log
    }

    fn change(&self, change: impl FnOnce(&mut Written)) {
        let (written, changed) = &*self.0;
        change(&mut written.lock().unwrap());
        changed.notify_all();
    }

    pub(super) fn text(&self) -> String {
        self.0.0.lock().unwrap().text.clone()
    }

    /// The text when the log is closed, for which it waits.
    pub(super) fn whole(&self) -> String {
        self.wait_for(|_| false);
        let written = self.0.0.lock().unwrap();
        assert!(written.ended, "the log is still open");
        written.text.clone()
    }

    /// Waits until `condition` holds, and returns whether it does.
    pub(super) fn wait_for(&self, condition: impl Fn(&str) -> bool) -> bool {
        let (written, changed) = &*self.0;
        let waiting = |written: &mut Written| !condition(&written.text) && !written.ended;
        let written = written.lock().unwrap();
        let (written, _) = changed.wait_timeout_while(written, PATIENCE, waiting).unwrap();
        condition(&written.text)
    }
}
