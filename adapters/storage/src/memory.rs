//! Todos in memory: for trials, and for tests that need no file.

mod archive;
mod history;
mod repository;
mod workspace;

pub use archive::MemorySnapshot;
pub use repository::MemoryTodoRepository;
