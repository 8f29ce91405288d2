//! The statements. Each seeks its rows in an index that begins with the workspace, and returns a row for
//! every row that it reads or writes.
//!
//! They use only what PostgreSQL, YugabyteDB and CockroachDB have in common, and Citus: except those that
//! [insert](Query::Insert) into two tables, or rows of [arrays](Query::PutItems), which are several statements
//! there.

mod changes;
mod creations;
mod merged;
mod reads;
mod sets;
mod writes;

use todo_application::domain::Order;
use todo_application::ports::{Direction, Filter, Span};

/// The statements, each with its text. One that reads changes nothing, so that it can be retried.
macro_rules! queries {
    ($($kind:ident $name:ident = $module:ident::$sql:ident,)+) => {
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) enum Query {
            $($name,)+
        }

        impl Query {
            /// In the order of their discriminants, by which a session finds them.
            pub(super) const ALL: [Self; [$(stringify!($name)),+].len()] = [$(Self::$name),+];

            pub(super) fn sql(self) -> &'static str {
                match self {
                    $(Self::$name => $module::$sql,)+
                }
            }

            pub(super) fn is_a_read(self) -> bool {
                match self {
                    $(Self::$name => queries!(@ $kind),)+
                }
            }
        }
    };
    (@ read) => { true };
    (@ write) => { false };
}

queries! {
    read Find = reads::FIND,
    read FindAll = reads::FIND_ALL,
    read Terms = reads::TERMS,
    read IdsByTerm = reads::IDS_BY_TERM,
    read IdsOfTerms = reads::IDS_OF_TERMS,
    read IdsOf4 = merged::IDS_OF_4,
    read IdsOf8 = merged::IDS_OF_8,
    read IdsOf12 = merged::IDS_OF_12,
    read IdsOf16 = merged::IDS_OF_16,
    read IdsOf20 = merged::IDS_OF_20,
    read IdsOf24 = merged::IDS_OF_24,
    read List = reads::LIST,
    read ListOpen = reads::LIST_OPEN,
    read ListDone = reads::LIST_DONE,
    read ListByDue = reads::LIST_BY_DUE,
    read ListByPriority = reads::LIST_BY_PRIORITY,
    read ListByUpdate = reads::LIST_BY_UPDATE,
    read ListOpenByDue = reads::LIST_OPEN_BY_DUE,
    read ListOpenByPriority = reads::LIST_OPEN_BY_PRIORITY,
    read ListOpenByUpdate = reads::LIST_OPEN_BY_UPDATE,
    read ListDoneByDue = reads::LIST_DONE_BY_DUE,
    read ListDoneByPriority = reads::LIST_DONE_BY_PRIORITY,
    read ListDoneByUpdate = reads::LIST_DONE_BY_UPDATE,
    read Exists = reads::EXISTS,
    read Head = reads::HEAD,
    read HeadsOf = reads::HEADS_OF,
    write Insert = writes::INSERT,
    write InsertAll = writes::INSERT_ALL,
    write Save = writes::SAVE,
    write SaveItem = writes::SAVE_ITEM,
    write Remove = writes::REMOVE,
    write RemoveItem = writes::REMOVE_ITEM,
    write Load = writes::LOAD,
    write AddTerm = writes::ADD_TERM,
    write RemoveTerm = writes::REMOVE_TERM,
    write AddToHead = writes::ADD_TO_HEAD,
    write AdmitToHead = writes::ADMIT_TO_HEAD,
    write Probe = writes::PROBE,
    write LockAll = sets::LOCK_ALL,
    write LockHead = sets::LOCK_HEAD,
    write LockHeadsOf = sets::LOCK_HEADS_OF,
    write SetHead = sets::SET_HEAD,
    write SetHeads = sets::SET_HEADS,
    write PutItem = sets::PUT_ITEM,
    write PutItems = sets::PUT_ITEMS,
    write DropItem = sets::DROP_ITEM,
    write AddTerms = sets::ADD_TERMS,
    write Remember = creations::REMEMBER,
    write SetOutcome = creations::SET_OUTCOME,
    read FindCreation = creations::FIND_CREATION,
    read ListExpired = creations::LIST_EXPIRED,
    write Forget = creations::FORGET,
    write AddChange = changes::ADD_CHANGE,
    write AddChanges = changes::ADD_CHANGES,
    write MarkUndone = changes::MARK_UNDONE,
    read FindChanges = changes::FIND_CHANGES,
    read ChangesBack = changes::CHANGES_BACK,
    read ChangesOn = changes::CHANGES_ON,
    read ChangesOfTodoBack = changes::CHANGES_OF_TODO_BACK,
    read ChangesOfTodoOn = changes::CHANGES_OF_TODO_ON,
    read DeletionsBack = changes::DELETIONS_BACK,
    read DeletionsOn = changes::DELETIONS_ON,
    read DeletionsOfTodoBack = changes::DELETIONS_OF_TODO_BACK,
    read DeletionsOfTodoOn = changes::DELETIONS_OF_TODO_ON,
    read ListHeads = changes::LIST_HEADS,
    read OldestChanges = changes::OLDEST_CHANGES,
    write ForgetChanges = changes::FORGET_CHANGES,
}

impl Query {
    pub(super) fn list_by(order: Order, filter: Filter) -> Self {
        match (order, filter.completed) {
            (Order::Due, None) => Self::ListByDue,
            (Order::Priority, None) => Self::ListByPriority,
            (Order::Updated, None) => Self::ListByUpdate,
            (Order::Due, Some(false)) => Self::ListOpenByDue,
            (Order::Priority, Some(false)) => Self::ListOpenByPriority,
            (Order::Updated, Some(false)) => Self::ListOpenByUpdate,
            (Order::Due, Some(true)) => Self::ListDoneByDue,
            (Order::Priority, Some(true)) => Self::ListDoneByPriority,
            (Order::Updated, Some(true)) => Self::ListDoneByUpdate,
        }
    }

    pub(super) fn changes(span: &Span) -> Self {
        match (span.direction, span.todo, span.deletions) {
            (Direction::Back(_), None, false) => Self::ChangesBack,
            (Direction::On(_), None, false) => Self::ChangesOn,
            (Direction::Back(_), Some(_), false) => Self::ChangesOfTodoBack,
            (Direction::On(_), Some(_), false) => Self::ChangesOfTodoOn,
            (Direction::Back(_), None, true) => Self::DeletionsBack,
            (Direction::On(_), None, true) => Self::DeletionsOn,
            (Direction::Back(_), Some(_), true) => Self::DeletionsOfTodoBack,
            (Direction::On(_), Some(_), true) => Self::DeletionsOfTodoOn,
        }
    }
}
