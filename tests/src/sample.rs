use todo_application::domain::{
    Completion, Description, Instant, Subject, Title, TodoId, TodoRecord, Version, WorkspaceId,
};

/// The workspace of this name.
pub fn workspace(name: &str) -> WorkspaceId {
    WorkspaceId::try_from(name).unwrap()
}

/// An open todo as it is just after it was made; a test replaces the fields that it is about.
pub fn todo_record(workspace: &WorkspaceId, id: TodoId) -> TodoRecord {
    let made_at = Instant::from_unix_millis(1_795_340_000_007).unwrap();
    let alice = Subject::try_from("usr_alice").unwrap();
    TodoRecord {
        id,
        workspace: workspace.clone(),
        title: Title::try_from("Buy milk").unwrap(),
        description: Description::NONE,
        completion: Completion::Open,
        created_at: made_at,
        created_by: alice.clone(),
        updated_at: made_at,
        updated_by: alice,
        version: Version::FIRST,
    }
}
