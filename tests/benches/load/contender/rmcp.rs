//! The official SDK's server, see `benches/contenders/rmcp.rs`: on the runtime of our program, and
//! spared the work of checking tokens, keeping todos on disk and writing a log.

use std::io::Write as _;

use tokio::net::TcpListener;

use super::{Contender, Form, Grounds, log_file, this_program};
use crate::child::Child;
use crate::contenders::rmcp::serve as serve_on;
pub(super) use crate::contenders::rmcp::version;
use crate::failure::{Failure, Result};

/// What this executable is called with to be a server on `rmcp`, before the form.
pub(crate) const ROLE: &str = "--as-rmcp";

pub(super) fn name(form: Form) -> &'static str {
    match form {
        Form::ByHand => "by hand",
        Form::Macros => "macros",
    }
}

pub(super) async fn start(grounds: &Grounds, form: Form) -> Result<Contender> {
    let directory = tempfile::tempdir()?;
    let mut command = this_program(ROLE)?;
    command.arg(name(form));
    let mut child = Child::start(command, &grounds.cores, &log_file(directory.path()))?;
    let address = child.listens().await?;
    // Nobody looks at it, but it is as long as that of the others.
    let token = "x".repeat(super::TOKEN_LENGTH);
    Ok(Contender::new((child, address), "/mcp", token, directory))
}

/// Serves until killed.
pub(crate) fn serve(arguments: &[String]) -> Result<()> {
    let form = [Form::ByHand, Form::Macros].into_iter().find(|form| [name(*form)] == *arguments);
    let form = form.ok_or_else(|| Failure::new("an unknown form"))?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        writeln!(std::io::stdout(), "listen.address={}", listener.local_addr()?)?;
        Ok(serve_on(listener, form).await?)
    })
}
