//! What a write returns: "its number; any other returns none".

use std::collections::BTreeMap;

use todo_application::domain::ChangeNumber;
use todo_application::ports::{CreationRequest, Inserted};
use tokio::task::JoinSet;

use super::history::{ALL, Remembering, millis, part, permit, renamed};
use super::*;

fn request(key: &str) -> CreationRequest {
    let forget_at = millis(1_795_340_000_200);
    CreationRequest { key: key.try_into().unwrap(), fingerprint: 7, forget_at }
}

pub(super) async fn a_write_returns_the_number_of_its_change(store: Arc<impl Remembering>) {
    let permit = permit("mine");
    let number = |number| ChangeNumber::new(number);
    let (one, two) = (todo("mine", 1), todo("mine", 2));
    let later = renamed(&one, "later");
    assert_eq!(store.insert(&permit, &one).await.unwrap(), number(1));
    let added = store.insert_once(&permit, &two, &request("k")).await.unwrap();
    assert_eq!(added, Inserted::Now(number(2)));
    let again = store.insert_once(&permit, &todo("mine", 3), &request("k")).await.unwrap();
    assert!(matches!(again, Inserted::Earlier(it) if it.todo == two.id()), "{again:?}");
    assert_eq!(store.save(&permit, &one, &later).await.unwrap(), number(3));
    assert_eq!(store.remove(&permit, &later, millis(9)).await.unwrap(), number(4));

    // These are counted, and not remembered.
    let forgetful = permit.remembering(false);
    let (three, four) = (todo("mine", 3), todo("mine", 4));
    assert_eq!(store.insert(&forgetful, &three).await.unwrap(), None);
    let added = store.insert_once(&forgetful, &four, &request("l")).await.unwrap();
    assert_eq!(added, Inserted::Now(None));
    let later = renamed(&three, "later");
    assert_eq!(store.save(&forgetful, &three, &later).await.unwrap(), None);
    assert_eq!(store.remove(&forgetful, &later, millis(9)).await.unwrap(), None);
    let remembering = forgetful.remembering(true);
    assert_eq!(store.remove(&remembering, &four, millis(9)).await.unwrap(), number(9));
}

/// Of many workspaces and of one, so that stores that write in groups do.
pub(super) async fn writes_at_the_same_time_return_their_own_numbers(store: Arc<impl Remembering>) {
    let names: Vec<String> = (0..8).map(|name| format!("list {name}")).collect();
    let mut tasks = JoinSet::new();
    for name in &names {
        for first in 1..=4 {
            let (store, name) = (Arc::clone(&store), name.clone());
            tasks.spawn(async move {
                let permit = permit(&name);
                let mut made = Vec::new();
                for one in [first, 10 + first].map(|number| todo(&name, number)) {
                    let later = renamed(&one, "later");
                    made.push((store.insert(&permit, &one).await.unwrap(), one.id()));
                    made.push((store.save(&permit, &one, &later).await.unwrap(), one.id()));
                    made.push((store.remove(&permit, &later, millis(9)).await.unwrap(), one.id()));
                }
                (name, made)
            });
        }
    }
    let mut made: BTreeMap<String, BTreeMap<ChangeNumber, TodoId>> = BTreeMap::new();
    for (name, writes) in tasks.join_all().await {
        let of_list = made.entry(name).or_default();
        of_list.extend(writes.into_iter().map(|(number, todo)| (number.unwrap(), todo)));
    }
    for name in &names {
        let changes = part(&store, name, ALL).await.changes;
        let stored: BTreeMap<_, _> = changes.iter().map(|it| (it.number, it.change.todo)).collect();
        assert_eq!(made[name], stored, "{name}");
    }
}
