//! The progress bar.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressFinish, ProgressStyle};

const OF_MANY: &str =
    "  {prefix}  {bar:20.cyan/dim}  {percent:>3}%  {human_pos} of {human_len} {msg}, {eta} left";
const SO_MANY: &str = "  {prefix}  {human_pos} {msg}";

/// A progress bar on standard error, if that is a terminal.
pub(super) struct Progress(ProgressBar);

impl Progress {
    /// `action` is what is done (`Exporting`), `unit` what is counted (`todos`).
    pub(super) fn begin(action: &'static str, unit: &'static str) -> Self {
        Self::on(ProgressDrawTarget::stderr(), action, unit)
    }

    pub(super) fn hidden() -> Self {
        Self::on(ProgressDrawTarget::hidden(), "", "")
    }

    fn on(target: ProgressDrawTarget, action: &'static str, unit: &'static str) -> Self {
        let bar = ProgressBar::with_draw_target(None, target)
            .with_finish(ProgressFinish::AndClear)
            .with_prefix(action)
            .with_message(unit);
        Self(bar)
    }

    /// `total` is `None` where it is not known.
    pub(super) fn show(&self, done: u64, total: Option<u64>) {
        if self.0.length() != total || self.0.position() == 0 {
            let template = if total.is_some() { OF_MANY } else { SO_MANY };
            if let Ok(style) = ProgressStyle::with_template(template) {
                self.0.set_style(style.progress_chars("━╸─"));
            }
            if let Some(total) = total {
                self.0.set_length(total);
            }
        }
        self.0.set_position(done);
    }
}
