//! How cost grows with the number of connections.

use super::Bench;
use crate::contender::{Kind, Storage};
use crate::failure::Result;
use crate::work::{BYTES, Task};

const CONNECTIONS: [usize; 5] = [1, 16, 64, 256, 1_000];

impl Bench {
    pub(super) async fn connections(&mut self) -> Result<()> {
        println!("\ngrowth with connections");
        let points = CONNECTIONS.map(|connections| (connections as u64, connections, BYTES));
        let kinds = [Kind::Echo, Kind::Ours(Storage::Sqlite)];
        self.curve("connections", "connections", Task::Get, &kinds, &points).await
    }
}
