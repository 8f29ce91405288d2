use todo_application::domain::{
    Caller, Completion, Description, Instant, OperatorPermit, Organization, Permission,
    Permissions, ReadAction, ReadPermit, Sharing, Subject, Title, TodoId, TodoRecord, Version,
    WorkspaceId, WriteAction, WritePermit, authorize_read, authorize_write,
};

/// Where todos are shared by organization, as the permits of this module are.
const SHARING: Sharing = Sharing::Organization;

/// The workspace of an organization.
pub fn workspace(organization: &str) -> WorkspaceId {
    let organization = Organization::try_from(organization).unwrap();
    SHARING.workspace(&alice(), Some(&organization)).unwrap()
}

/// For the [`workspace`] of an organization.
pub fn read_permit(workspace: &WorkspaceId) -> ReadPermit {
    as_member(&alice(), workspace, |caller| {
        authorize_read(SHARING, caller, ReadAction::List).unwrap()
    })
}

/// For the [`workspace`] of an organization.
pub fn write_permit(workspace: &WorkspaceId) -> WritePermit {
    write_permit_of(&alice(), workspace)
}

/// For a subject in the [`workspace`] of its organization.
pub fn write_permit_of(subject: &Subject, workspace: &WorkspaceId) -> WritePermit {
    as_member(subject, workspace, |caller| {
        authorize_write(SHARING, caller, WriteAction::Create).unwrap()
    })
}

/// For a subject of an organization where everyone shares one workspace.
pub fn write_permit_for_everyone(subject: &Subject, organization: Option<&str>) -> WritePermit {
    let organization = organization.map(|it| Organization::try_from(it).unwrap());
    let permissions = Permissions::from_iter(Permission::ALL);
    let caller = Caller { subject, organization: organization.as_ref(), permissions };
    authorize_write(Sharing::Everyone, caller, WriteAction::Create).unwrap()
}

fn as_member<T>(
    subject: &Subject,
    workspace: &WorkspaceId,
    authorize: impl FnOnce(Caller<'_>) -> T,
) -> T {
    let organization = workspace.as_str().strip_prefix("organization:").unwrap();
    let organization = Organization::try_from(organization).unwrap();
    let permissions = Permissions::from_iter(Permission::ALL);
    authorize(Caller { subject, organization: Some(&organization), permissions })
}

/// For export and import.
#[expect(clippy::disallowed_methods, reason = "a test acts for the operator")]
pub fn operator() -> OperatorPermit {
    OperatorPermit::for_the_operator()
}

fn alice() -> Subject {
    Subject::try_from("usr_alice").unwrap()
}

/// An open todo as it is created; a test replaces the fields that it is about.
pub fn todo_record(workspace: &WorkspaceId, id: TodoId) -> TodoRecord {
    let created_at = Instant::from_unix_millis(1_795_340_000_007).unwrap();
    TodoRecord {
        id,
        workspace: workspace.clone(),
        title: Title::try_from("Buy milk").unwrap(),
        description: Description::NONE,
        completion: Completion::Open,
        created_at,
        created_by: alice(),
        updated_at: created_at,
        updated_by: alice(),
        version: Version::FIRST,
    }
}
