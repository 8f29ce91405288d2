//! Todos in memory: for trials, and for tests that need no file.

mod archive;
mod repository;

pub use archive::MemorySnapshot;
pub use repository::MemoryTodoRepository;
