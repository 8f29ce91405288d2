//! The quickstart's server, see `benches/contenders/quickstart.rs`.

use super::{Contender, Grounds, log_file};
use crate::child::Child;
use crate::contenders::quickstart;
use crate::failure::{Failure, Result};

pub(super) fn version() -> String {
    let version = quickstart::version();
    // What else it is made of is in its requirements.
    version.split(',').next().unwrap_or_default().to_owned()
}

pub(super) async fn start(grounds: &Grounds) -> Result<Contender> {
    let quickstart = grounds.quickstart.as_ref().map_err(Failure::new)?;
    let directory = tempfile::tempdir()?;
    let address = quickstart::free_address()?;
    let command = quickstart.command(address);
    let mut child = Child::start(command, &grounds.cores, &log_file(directory.path()))?;
    let mut ended = || child.has_ended().unwrap_or(true);
    quickstart::until_it_answers(address, &mut ended).await.map_err(Failure::new)?;
    Ok(Contender::new((child, address), "/mcp", quickstart.token.clone(), directory))
}
