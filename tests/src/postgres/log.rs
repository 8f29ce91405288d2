//! What a server writes, as it comes.

use std::io::{BufRead as _, BufReader, Read};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

/// How long to wait for what should happen at once. Reached only when it does not happen.
const PATIENCE: Duration = Duration::from_mins(1);

/// Everything that was written so far, and whether there is more to come.
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

    /// Waits until the log is as it should be, and says whether it is.
    pub(super) fn wait_for(&self, is_as_it_should_be: impl Fn(&str) -> bool) -> bool {
        let (written, changed) = &*self.0;
        let waiting = |written: &mut Written| !is_as_it_should_be(&written.text) && !written.ended;
        let written = written.lock().unwrap();
        let (written, _) = changed.wait_timeout_while(written, PATIENCE, waiting).unwrap();
        is_as_it_should_be(&written.text)
    }
}
