//! What a change did, as the SQL stores keep it: its action as a number, and two columns of JSON.
//!
//! * `before`: what the change replaced or removed; null if that is nothing.
//! * `after`: what it put in place; null if that is nothing but the title, which has a column of its own.
//!
//! Of all fields of a todo, those that are as in a new todo are left out. Of an update, only the fields that
//! it touched are there, an empty one as null. Instants are milliseconds since 1970, due dates and priorities
//! the numbers of the table of todos, labels are lines.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer, Serialize};
use todo_application::domain::{
    ChangeAction, ChangeKind, Completion, Description, Due, DueKey, Fields, Instant, Labels,
    Origin, Priority, Subject, TimeZone, Title,
};
use todo_application::ports::BoxError;

/// The columns of a change that depend on what it did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Columns {
    pub(crate) before: Option<String>,
    pub(crate) after: Option<String>,
}

impl Columns {
    pub(crate) fn of(kind: &ChangeKind) -> Self {
        match kind {
            ChangeKind::Created(fields) | ChangeKind::Restored(fields) => {
                Self { before: None, after: json(&Stored::unusual(fields)) }
            }
            ChangeKind::Deleted { from, origin } => {
                Self { before: json(&Stored::unusual(from).with_origin(origin)), after: None }
            }
            ChangeKind::Updated { from, to } => {
                let title = from.title.as_ref().map(|title| title.as_str().into());
                let before = Stored { title, ..Stored::touched(from) };
                Self { before: json(&before), after: json(&Stored::touched(to)) }
            }
        }
    }
}

/// Reads the columns of a change, after which the todo has this title.
pub(crate) fn kind(
    action: ChangeAction,
    title: &Title,
    before: Option<&str>,
    after: Option<&str>,
) -> Result<ChangeKind, BoxError> {
    let [before, after] = [before, after].map(|json| json.map(serde_json::from_str::<Stored<'_>>));
    let before = before.transpose()?.unwrap_or_default();
    let after = after.transpose()?.unwrap_or_default();
    Ok(match action {
        ChangeAction::Created => ChangeKind::Created(after.all(title)?),
        ChangeAction::Restored => ChangeKind::Restored(after.all(title)?),
        ChangeAction::Deleted => {
            ChangeKind::Deleted { origin: before.origin()?, from: before.all(title)? }
        }
        ChangeAction::Updated => {
            let from = before.fields()?;
            let title = from.title.is_some().then(|| title.clone());
            ChangeKind::Updated { from, to: Fields { title, ..after.fields()? } }
        }
    })
}

#[derive(Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(clippy::option_option, reason = "what is missing differs from what is null")]
struct Stored<'a> {
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    title: Option<Cow<'a, str>>,
    #[serde(borrow, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    description: Option<Option<Cow<'a, str>>>,
    #[serde(deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    completed_at: Option<Option<i64>>,
    #[serde(deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    due: Option<Option<i64>>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    due_zone: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    priority: Option<i64>,
    #[serde(borrow, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    labels: Option<Option<Cow<'a, str>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    created_at: Option<i64>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    created_by: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    updated_at: Option<i64>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    updated_by: Option<Cow<'a, str>>,
}

/// Tells null from a field that is missing.
#[expect(clippy::option_option, reason = "they are to be told apart")]
fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

impl<'a> Stored<'a> {
    /// All fields but the title.
    fn touched(fields: &'a Fields) -> Self {
        let Fields { title: _, description, completion, due, priority, labels } = fields;
        let due_zone = due.as_ref().and_then(Option::as_ref).and_then(Due::time_zone);
        Self {
            description: description.as_ref().map(|it| it.as_deref().map(Cow::Borrowed)),
            completed_at: completion.map(|it| it.at().map(Instant::as_unix_millis)),
            due: due.as_ref().map(|due| due.as_ref().map(|due| due.key().as_i64())),
            due_zone: due_zone.map(|zone| zone.name().into()),
            priority: priority.map(|it| it.rank().into()),
            labels: labels.as_ref().map(|it| it.to_lines().map(Cow::Owned)),
            ..Self::default()
        }
    }

    /// Those that are not as in a new todo.
    fn unusual(fields: &'a Fields) -> Self {
        let all = Self::touched(fields);
        Self {
            description: all.description.filter(Option::is_some),
            completed_at: all.completed_at.filter(Option::is_some),
            due: all.due.filter(Option::is_some),
            priority: all.priority.filter(|it| *it != i64::from(Priority::default().rank())),
            labels: all.labels.filter(Option::is_some),
            ..all
        }
    }

    fn with_origin(self, origin: &'a Origin) -> Self {
        let Origin { created_at, created_by, updated_at, updated_by } = origin;
        Self {
            created_at: Some(created_at.as_unix_millis()),
            created_by: Some(created_by.as_str().into()),
            updated_at: Some(updated_at.as_unix_millis()),
            updated_by: Some(updated_by.as_str().into()),
            ..self
        }
    }

    fn fields(&self) -> Result<Fields, BoxError> {
        let description = |text: &Option<Cow<'_, str>>| match text {
            None => Ok(Description::NONE),
            Some(text) => Description::try_from(&**text),
        };
        let completion = |at: Option<i64>| -> Result<_, BoxError> {
            let at = at.map(Instant::from_unix_millis).transpose()?;
            Ok(at.map_or(Completion::Open, |at| Completion::Done { at }))
        };
        let zone = self.due_zone.as_deref().map(TimeZone::try_from).transpose()?;
        let due = |key: i64| Due::restore(DueKey::from_i64(key), zone.clone());
        Ok(Fields {
            title: self.title.as_deref().map(Title::restore).transpose()?,
            description: self.description.as_ref().map(description).transpose()?,
            completion: self.completed_at.map(completion).transpose()?,
            due: self.due.map(|key| key.map(due).transpose()).transpose()?,
            priority: self.priority.map(Priority::from_rank).transpose()?,
            labels: self.labels.as_ref().map(|it| Labels::from_lines(it.as_deref())).transpose()?,
        })
    }

    /// With what is left out.
    fn all(&self, title: &Title) -> Result<Fields, BoxError> {
        let Fields { title: _, description, completion, due, priority, labels } = self.fields()?;
        Ok(Fields {
            title: Some(title.clone()),
            description: Some(description.unwrap_or_default()),
            completion: Some(completion.unwrap_or(Completion::Open)),
            due: Some(due.flatten()),
            priority: Some(priority.unwrap_or_default()),
            labels: Some(labels.unwrap_or_default()),
        })
    }

    fn origin(&self) -> Result<Origin, BoxError> {
        let instant = |millis: Option<i64>| -> Result<Instant, BoxError> {
            Ok(Instant::from_unix_millis(millis.ok_or("an instant is missing")?)?)
        };
        let subject = |text: Option<&str>| -> Result<Subject, BoxError> {
            Ok(Subject::restore(text.ok_or("a subject is missing")?)?)
        };
        Ok(Origin {
            created_at: instant(self.created_at)?,
            created_by: subject(self.created_by.as_deref())?,
            updated_at: instant(self.updated_at)?,
            updated_by: subject(self.updated_by.as_deref())?,
        })
    }
}

/// `None` for an object without members.
fn json(stored: &Stored<'_>) -> Option<String> {
    let is_empty = *stored == Stored::default();
    // A struct of texts and numbers can be written.
    (!is_empty).then(|| serde_json::to_string(stored).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> Fields {
        Fields {
            title: Some(Title::try_from("Buy milk").unwrap()),
            description: Some("two \"litres\"\n".try_into().unwrap()),
            completion: Some(Completion::Done { at: Instant::from_unix_millis(7).unwrap() }),
            due: Some(Some(
                Due::restore(
                    DueKey::from_i64(2_081_100_000_001),
                    Some(TimeZone::try_from("Europe/Berlin").unwrap()),
                )
                .unwrap(),
            )),
            priority: Some(Priority::High),
            labels: Some(Labels::from_lines(Some("Küche\ntax")).unwrap()),
        }
    }

    fn plain() -> Fields {
        Fields {
            description: Some(Description::NONE),
            completion: Some(Completion::Open),
            due: Some(None),
            priority: Some(Priority::Normal),
            labels: Some(Labels::NONE),
            ..all()
        }
    }

    #[test]
    fn every_change_can_be_read_back() {
        let origin = Origin {
            created_at: Instant::from_unix_millis(1).unwrap(),
            created_by: Subject::try_from("usr_1").unwrap(),
            updated_at: Instant::from_unix_millis(2).unwrap(),
            updated_by: Subject::try_from("usr_2").unwrap(),
        };
        let title = Title::try_from("Buy milk").unwrap();
        let other = Fields { title: Some(Title::try_from("Buy").unwrap()), ..plain() };
        for change in [
            ChangeKind::Created(all()),
            ChangeKind::Created(plain()),
            ChangeKind::Restored(all()),
            ChangeKind::Deleted { from: all(), origin: origin.clone() },
            ChangeKind::Deleted { from: plain(), origin },
            ChangeKind::Updated { from: other, to: all() },
            ChangeKind::Updated {
                from: Fields { title: None, ..all() },
                to: Fields { title: None, ..plain() },
            },
            ChangeKind::Updated {
                from: Fields { priority: Some(Priority::Low), ..Fields::default() },
                to: Fields { priority: Some(Priority::Normal), ..Fields::default() },
            },
        ] {
            let Columns { before, after } = Columns::of(&change);
            let action = match &change {
                ChangeKind::Created(_) => ChangeAction::Created,
                ChangeKind::Restored(_) => ChangeAction::Restored,
                ChangeKind::Deleted { .. } => ChangeAction::Deleted,
                ChangeKind::Updated { .. } => ChangeAction::Updated,
            };
            let read = kind(action, &title, before.as_deref(), after.as_deref()).unwrap();
            assert_eq!(read, change, "{before:?} {after:?}");
        }
        assert_eq!(Columns::of(&ChangeKind::Created(plain())), Columns::default());
    }
}
