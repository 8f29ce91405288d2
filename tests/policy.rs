//! The policy as a readable table: `golden/policy.txt`.
//!
//! It is generated from the policy itself, for every action, every set of permissions, every way of
//! sharing and every relation between caller and todo. After an intended change, run the test with
//! `UPDATE_GOLDEN=1` and review the difference.
#![expect(clippy::unwrap_used, reason = "tests panic on failure")]

use std::fmt::Write as _;
use std::path::Path;

use todo_application::domain::{
    Caller, Denied, Organization, Permission, Permissions, ReadAction, Sharing, Subject,
    WorkspaceId, WriteAction, authorize_read, authorize_write,
};

/// The caller, relative to the creator of the todo (`usr_owner` of `org_1`).
const RELATIONS: [(&str, &str, Option<&str>); 5] = [
    ("owner", "usr_owner", Some("org_1")),
    ("owner elsewhere", "usr_owner", Some("org_2")),
    ("same organization", "usr_colleague", Some("org_1")),
    ("other organization", "usr_stranger", Some("org_2")),
    ("no organization", "m2m_machine", None),
];

const GRANTS: [(&str, &[Permission]); 4] = [
    ("nothing", &[]),
    ("todo:read", &[Permission::Read]),
    ("todo:write", &[Permission::Write]),
    ("both", &[Permission::Read, Permission::Write]),
];

fn workspace(sharing: Sharing, subject: &str, organization: Option<&str>) -> Option<WorkspaceId> {
    let subject = Subject::try_from(subject).unwrap();
    let organization = organization.map(|it| Organization::try_from(it).unwrap());
    sharing.workspace(&subject, organization.as_ref()).ok()
}

#[derive(Debug, Clone, Copy)]
enum Action {
    Read(ReadAction),
    Write(WriteAction),
}

impl Action {
    fn all() -> impl Iterator<Item = Self> {
        let reads = ReadAction::ALL.into_iter().map(Self::Read);
        reads.chain(WriteAction::ALL.into_iter().map(Self::Write))
    }

    fn name(self) -> String {
        let name = match self {
            Self::Read(action) => format!("{action:?}"),
            Self::Write(action) => format!("{action:?}"),
        };
        let spaced =
            name.chars().flat_map(|c| c.is_uppercase().then_some(' ').into_iter().chain([c]));
        spaced.collect::<String>().trim_start().to_lowercase()
    }

    /// The workspace in which the action is allowed.
    fn authorize(self, sharing: Sharing, caller: Caller<'_>) -> Result<WorkspaceId, Denied> {
        match self {
            Self::Read(action) => {
                authorize_read(sharing, caller, action).map(|permit| permit.workspace().clone())
            }
            Self::Write(action) => {
                authorize_write(sharing, caller, action).map(|permit| permit.workspace().clone())
            }
        }
    }
}

/// What the caller may do with the owner's todo.
fn verdict(
    sharing: Sharing,
    (subject, organization): (&str, Option<&str>),
    granted: &[Permission],
    action: Action,
) -> &'static str {
    let home = workspace(sharing, "usr_owner", Some("org_1")).unwrap();
    let subject = Subject::try_from(subject).unwrap();
    let organization = organization.map(|it| Organization::try_from(it).unwrap());
    let permissions: Permissions = granted.iter().copied().collect();
    let caller = Caller { subject: &subject, organization: organization.as_ref(), permissions };
    match action.authorize(sharing, caller) {
        Err(Denied::MissingPermission { .. }) => "scope",
        Err(Denied::NoWorkspace(_)) => "forbidden",
        Ok(workspace) if workspace == home => "yes",
        Ok(_) => "unseen",
    }
}

fn table() -> String {
    let mut table = String::from(
        "Who may do what with a todo of usr_owner in org_1.\n\n\
         yes        allowed\n\
         unseen     allowed, in another workspace: this todo does not exist there\n\
         scope      denied: the token lacks the scope; another token may have it\n\
         forbidden  denied: no scope helps\n",
    );
    for sharing in Sharing::ALL {
        let _ = write!(table, "\n{}\n", "=".repeat(90));
        let _ = writeln!(table, "TODO_SHARING={}", sharing.as_str());
        for (relation, subject, organization) in RELATIONS {
            let _ = write!(table, "\n{relation:<22}");
            for action in Action::all() {
                let _ = write!(table, "{:<13}", action.name());
            }
            end_line(&mut table);
            for (name, granted) in GRANTS {
                let _ = write!(table, "  {name:<20}");
                for action in Action::all() {
                    let verdict = verdict(sharing, (subject, organization), granted, action);
                    let _ = write!(table, "{verdict:<13}");
                }
                end_line(&mut table);
            }
        }
    }
    table
}

fn end_line(table: &mut String) {
    table.truncate(table.trim_end().len());
    table.push('\n');
}

#[test]
fn the_policy_matches_the_agreed_table() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/policy.txt");
    let table = table();
    #[expect(clippy::disallowed_methods, reason = "a switch for the person who runs the test")]
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, &table).unwrap();
    }
    let agreed = std::fs::read_to_string(&path).unwrap();
    assert_eq!(table, agreed, "the policy has changed; see the top of this file");
}
