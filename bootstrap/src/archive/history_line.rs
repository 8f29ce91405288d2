//! A part of a history as a line of JSON.

use std::borrow::Cow;
use std::str::FromStr as _;

use serde::{Deserialize, Serialize};
use todo_application::domain::{
    Author, Change, ChangeAction, ChangeKind, ChangeNumber, ClientId, Completion, Description, Due,
    Fields, Organization, Origin, Priority, Recorded, Subject, Title, TodoId, Version, WorkspaceId,
};
use todo_application::ports::HistoryItem;

use super::line::{LineError, field, given, instant, read_due, read_labels};

/// What the head of a workspace says, before its changes.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct HeadLine<'a> {
    workspace: Cow<'a, str>,
    latest: i64,
    forgotten: i64,
}

/// A change.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ChangeLine<'a> {
    workspace: Cow<'a, str>,
    change: i64,
    at: Cow<'a, str>,
    action: Cow<'a, str>,
    todo_id: Cow<'a, str>,
    title: Cow<'a, str>,
    version: i64,
    by: ByLine<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    before: Option<FieldsLine<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<FieldsLine<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    batch: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    undoes: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    undone_by: Option<i64>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ByLine<'a> {
    subject: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    organization: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client: Option<Cow<'a, str>>,
}

/// The fields that a change touched; of a deleted todo also who had made it and when.
#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[expect(clippy::option_option, reason = "what is missing differs from what is null")]
struct FieldsLine<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<Cow<'a, str>>,
    #[serde(deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    description: Option<Option<Cow<'a, str>>>,
    #[serde(deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    completed_at: Option<Option<Cow<'a, str>>>,
    #[serde(deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    due: Option<Option<Cow<'a, str>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    time_zone: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    priority: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    labels: Option<Vec<Cow<'a, str>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    created_at: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    created_by: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    updated_at: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    updated_by: Option<Cow<'a, str>>,
}

/// A line of a history, to be written.
#[derive(Serialize)]
#[serde(transparent)]
pub(super) struct HistoryLine<'a>(Kind<'a>);

#[derive(Serialize)]
#[serde(untagged)]
enum Kind<'a> {
    Head(HeadLine<'a>),
    Change(Box<ChangeLine<'a>>),
}

impl<'a> From<&'a HistoryItem> for HistoryLine<'a> {
    fn from(item: &'a HistoryItem) -> Self {
        Self(match item {
            HistoryItem::Head { workspace, latest, forgotten } => Kind::Head(HeadLine {
                workspace: workspace.as_str().into(),
                latest: latest.as_i64(),
                forgotten: forgotten.as_i64(),
            }),
            HistoryItem::Change { workspace, recorded } => {
                Kind::Change(Box::new(change_line(workspace, recorded)))
            }
        })
    }
}

fn change_line<'a>(workspace: &'a WorkspaceId, recorded: &'a Recorded) -> ChangeLine<'a> {
    let Recorded { number, change, batch, undoes, undone_by } = recorded;
    let Change { at, by, todo, title, version, kind } = change;
    let Author { subject, organization, client } = by;
    let (before, after) = match kind {
        ChangeKind::Created(fields) | ChangeKind::Restored(fields) => (None, Some(of(fields))),
        ChangeKind::Updated { from, to } => (Some(of(from)), Some(of(to))),
        ChangeKind::Deleted { from, origin } => {
            let Origin { created_at, created_by, updated_at, updated_by } = origin;
            let before = FieldsLine {
                created_at: Some(created_at.to_string().into()),
                created_by: Some(created_by.as_str().into()),
                updated_at: Some(updated_at.to_string().into()),
                updated_by: Some(updated_by.as_str().into()),
                ..of(from)
            };
            (Some(before), None)
        }
    };
    ChangeLine {
        workspace: workspace.as_str().into(),
        change: number.as_i64(),
        at: at.to_string().into(),
        action: change.action().name().into(),
        todo_id: todo.to_string().into(),
        title: title.as_str().into(),
        version: version.as_i64(),
        by: ByLine {
            subject: subject.as_str().into(),
            organization: organization.as_ref().map(|it| it.as_str().into()),
            client: client.as_ref().map(|it| it.as_str().into()),
        },
        before,
        after,
        batch: batch.map(ChangeNumber::as_i64),
        undoes: undoes.map(ChangeNumber::as_i64),
        undone_by: undone_by.map(ChangeNumber::as_i64),
    }
}

fn of(fields: &Fields) -> FieldsLine<'_> {
    let Fields { title, description, completion, due, priority, labels } = fields;
    let zone = due.as_ref().and_then(Option::as_ref).and_then(Due::time_zone);
    let labels = labels.as_ref().map(|labels| labels.iter().map(|it| it.as_str().into()).collect());
    FieldsLine {
        title: title.as_ref().map(|title| title.as_str().into()),
        description: description.as_ref().map(|it| it.as_deref().map(Cow::Borrowed)),
        completed_at: completion.map(|it| it.at().map(|at| at.to_string().into())),
        due: due.as_ref().map(|due| due.as_ref().map(|due| due.to_string().into())),
        time_zone: zone.map(|zone| zone.name().into()),
        priority: priority.map(|priority| priority.name().into()),
        labels,
        ..FieldsLine::default()
    }
}

/// Tells the lines of a history from those of todos.
#[derive(Deserialize)]
struct Peek {
    change: Option<i64>,
    latest: Option<i64>,
}

/// Parses a line, unless it is a todo.
pub(super) fn parse(line: &[u8]) -> Result<Option<HistoryItem>, LineError> {
    let text = str::from_utf8(line)?;
    let Peek { change, latest } = serde_json::from_str(text)?;
    match (change, latest) {
        (Some(_), _) => read_change(serde_json::from_str(text)?).map(Some),
        (None, Some(_)) => read_head(&serde_json::from_str(text)?).map(Some),
        (None, None) => Ok(None),
    }
}

fn read_head(line: &HeadLine<'_>) -> Result<HistoryItem, LineError> {
    let HeadLine { workspace, latest, forgotten } = line;
    Ok(HistoryItem::Head {
        workspace: field("workspace", WorkspaceId::try_from(&**workspace))?,
        latest: number("latest", *latest)?,
        forgotten: number("forgotten", *forgotten)?,
    })
}

fn read_change(line: ChangeLine<'_>) -> Result<HistoryItem, LineError> {
    let ChangeLine {
        workspace,
        change,
        at,
        action,
        todo_id,
        title,
        version,
        by: ByLine { subject, organization, client },
        before,
        after,
        batch,
        undoes,
        undone_by,
    } = line;
    let action = field("action", ChangeAction::try_from(&*action))?;
    let kind = match action {
        ChangeAction::Created => ChangeKind::Created(fields(&side("after", after)?)?),
        ChangeAction::Restored => ChangeKind::Restored(fields(&side("after", after)?)?),
        ChangeAction::Updated => ChangeKind::Updated {
            from: fields(&side("before", before)?)?,
            to: fields(&side("after", after)?)?,
        },
        ChangeAction::Deleted => {
            let before = side("before", before)?;
            ChangeKind::Deleted { from: fields(&before)?, origin: origin(&before)? }
        }
    };
    let organization = organization.as_deref().map(Organization::try_from).transpose();
    let client = client.as_deref().map(ClientId::try_from).transpose();
    let optional = |name, value: Option<i64>| value.map(|value| number(name, value)).transpose();
    let change = Recorded {
        number: number("change", change)?,
        change: Change {
            at: field("at", instant(&at))?,
            by: Author {
                subject: field("subject", Subject::restore(&subject))?,
                organization: field("organization", organization)?,
                client: field("client", client)?,
            },
            todo: field("todo_id", TodoId::from_str(&todo_id))?,
            title: field("title", Title::restore(&title))?,
            version: field("version", Version::try_from(version))?,
            kind,
        },
        batch: optional("batch", batch)?,
        undoes: optional("undoes", undoes)?,
        undone_by: optional("undone_by", undone_by)?,
    };
    let workspace = field("workspace", WorkspaceId::try_from(&*workspace))?;
    Ok(HistoryItem::Change { workspace, recorded: change })
}

fn side<'a>(name: &'static str, side: Option<FieldsLine<'a>>) -> Result<FieldsLine<'a>, LineError> {
    side.ok_or_else(|| LineError::Shape(format!("missing field `{name}`")))
}

fn number(name: &'static str, value: i64) -> Result<ChangeNumber, LineError> {
    field(name, ChangeNumber::new(value).ok_or("must be a whole number of at least 0"))
}

fn fields(line: &FieldsLine<'_>) -> Result<Fields, LineError> {
    let title = line.title.as_deref().map(Title::restore).transpose();
    let description = line
        .description
        .as_ref()
        .map(|text| text.as_deref().map_or(Ok(Description::NONE), Description::try_from));
    let completion = line.completed_at.as_ref().map(|at| {
        let at = at.as_deref().map(instant).transpose()?;
        Ok::<_, String>(at.map_or(Completion::Open, |at| Completion::Done { at }))
    });
    let priority = line.priority.as_deref().map(Priority::try_from).transpose();
    let due = line.due.as_ref().map(|due| read_due(due.as_deref(), line.time_zone.as_deref()));
    Ok(Fields {
        title: field("title", title)?,
        description: field("description", description.transpose())?,
        completion: field("completed_at", completion.transpose())?,
        due: due.transpose()?,
        priority: field("priority", priority)?,
        labels: line.labels.as_deref().map(read_labels).transpose()?,
    })
}

fn origin(line: &FieldsLine<'_>) -> Result<Origin, LineError> {
    fn of<'a>(name: &'static str, text: Option<&'a Cow<'_, str>>) -> Result<&'a str, LineError> {
        let missing = || LineError::Shape(format!("missing field `{name}`"));
        text.map(|text| &**text).ok_or_else(missing)
    }
    let at = |name, text| field(name, instant(of(name, text)?));
    let by = |name, text| field(name, Subject::restore(of(name, text)?));
    Ok(Origin {
        created_at: at("created_at", line.created_at.as_ref())?,
        created_by: by("created_by", line.created_by.as_ref())?,
        updated_at: at("updated_at", line.updated_at.as_ref())?,
        updated_by: by("updated_by", line.updated_by.as_ref())?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_without_what_it_did_is_refused() {
        let line = |more: &str| {
            format!(
                "{{\"workspace\":\"w\",\"change\":1,\"at\":\"2026-11-22T09:30:00.000Z\",\
                 \"action\":\"updated\",\"todo_id\":\"01a203c6-a4a7-7e4f-8a5b-6c7d8e9f0a1b\",\
                 \"title\":\"t\",\"version\":2,\"by\":{{\"subject\":\"s\"}}{more}}}"
            )
        };
        let both = line(",\"before\":{\"title\":\"a\"},\"after\":{\"title\":\"t\"}");
        assert!(matches!(parse(both.as_bytes()), Ok(Some(HistoryItem::Change { .. }))));
        for more in ["", ",\"before\":{}", ",\"after\":{}", ",\"before\":{\"no\":1}"] {
            assert!(parse(line(more).as_bytes()).is_err(), "{more}");
        }
        assert!(matches!(parse(b"{\"id\":\"x\"}"), Ok(None)));
        let negative = b"{\"workspace\":\"w\",\"latest\":-1,\"forgotten\":0}";
        assert!(parse(negative).is_err());
    }
}
