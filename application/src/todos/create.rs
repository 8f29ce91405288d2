use todo_domain::{Action, Description, IdempotencyKey, Instant, Title, Todo};

use super::Todos;
use crate::error::UseCaseError;
use crate::fnv;
use crate::ports::{CreationRequest, Principal};

/// For how long a request is remembered that has a key.
const REMEMBERED_MILLIS: i64 = 24 * 60 * 60 * 1_000;

/// What a new todo is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewTodo {
    /// What is to be done.
    pub title: Title,
    /// More about it.
    pub description: Description,
    /// The caller's name for this request, if it may be repeated.
    pub key: Option<IdempotencyKey>,
}

impl Todos {
    /// Adds an open todo to the caller's workspace.
    ///
    /// A request with a key that the caller has used within 24 hours adds nothing: if it asks for the
    /// same it gets the same answer as the first time, whatever became of the todo since; otherwise
    /// it is a [`UseCaseError::KeyReused`].
    pub async fn create(
        &self,
        principal: &dyn Principal,
        new: NewTodo,
    ) -> Result<Todo, UseCaseError> {
        let permit = self.permit(principal, Action::Create)?;
        let now = self.clock.now();
        let id = self.ids.todo_id(now);
        let NewTodo { title, description, key } = new;
        let request = key.map(|key| CreationRequest {
            key,
            fingerprint: fingerprint(&title, &description),
            forget_at: Instant::from_unix_millis(now.as_unix_millis() + REMEMBERED_MILLIS)
                .unwrap_or(now),
        });
        let todo = Todo::create(&permit, id, title, description, now);
        let Some(request) = request else {
            let stored = self.repository.insert(&todo).await;
            self.tell(todo.workspace(), id, &stored);
            return Ok(stored.map(|()| todo)?);
        };
        let stored = self.repository.insert_once(&todo, &request).await;
        if !matches!(stored, Ok(Some(_))) {
            self.tell(todo.workspace(), id, &stored);
        }
        match stored? {
            None => Ok(todo),
            Some(earlier) if earlier.fingerprint == request.fingerprint => {
                let (title, description) = (todo.title().clone(), todo.description().clone());
                Ok(Todo::create(&permit, earlier.todo, title, description, earlier.at))
            }
            Some(_) => Err(UseCaseError::KeyReused),
        }
    }
}

/// A title has no control characters, so what stands before the first one is the title.
fn fingerprint(title: &Title, description: &Description) -> u64 {
    let description = description.as_deref().unwrap_or_default();
    fnv::hash([title.as_str().as_bytes(), b"\0", description.as_bytes()])
}
