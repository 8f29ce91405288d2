use proptest::option;
use proptest::sample::select;
use proptest::strategy::Strategy;
use todo_application::domain::{
    Caller, Completion, Description, Due, Instant, Labels, OperatorPermit, Organization,
    Permission, Permissions, Priority, ReadAction, ReadPermit, RequestedDue, Sharing, Subject,
    TimeZone, Title, TodoId, TodoRecord, Version, WorkspaceId, WriteAction, WritePermit,
    WrittenDue, authorize_read, authorize_write,
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

/// A due date as it is written, in a zone if it is a local time.
pub fn due(text: &str, zone: Option<&str>) -> Due {
    let written = WrittenDue::try_from(text).unwrap();
    let time_zone = zone.map(|name| TimeZone::try_from(name).unwrap());
    RequestedDue { written, time_zone, weekday: None }.resolve(|| None).unwrap()
}

/// Few values, with those on both sides of a midnight somewhere.
pub fn any_due_priority_labels() -> impl Strategy<Value = (Option<Due>, Priority, Labels)> {
    let dues = [
        due("2026-12-23", None),
        due("2026-12-24", None),
        due("2026-12-24T00:30", Some("Pacific/Kiritimati")),
        due("2026-12-24T23:30", Some("Etc/GMT+12")),
        due("2026-12-24T17:30", Some("Europe/Berlin")),
        due("2026-12-24T16:30Z", None),
        due("2026-12-31", None),
    ];
    let labels = [None, Some("tax"), Some("Küche"), Some("küche\ntax"), Some("to buy\nTAX")];
    let labels = labels.map(|lines| Labels::from_lines(lines).unwrap());
    (option::of(select(dues.to_vec())), select(Priority::ALL.to_vec()), select(labels.to_vec()))
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
        due: None,
        priority: Priority::Normal,
        labels: Labels::NONE,
        created_at,
        created_by: alice(),
        updated_at: created_at,
        updated_by: alice(),
        version: Version::FIRST,
    }
}
