//! Reads settings by their declarations, and collects what is wrong with them.

use super::setting::{About, DefaultValue, Setting};
use crate::settings::{Problem, Settings};

pub(super) struct Reader<'a> {
    settings: &'a Settings,
    /// Every problem found so far.
    pub(super) problems: Vec<Problem>,
    /// What is valid but unusual.
    pub(super) notes: Vec<Problem>,
}

impl<'a> Reader<'a> {
    /// Looks for unknown names first: a variable that starts with `own_prefix` and is not in `table`
    /// is a misspelling.
    pub(super) fn new(settings: &'a Settings, table: &[About], own_prefix: &str) -> Self {
        let own = |name: &&str| name.starts_with(own_prefix);
        let known: Vec<&str> = table.iter().flat_map(About::names).collect();
        let known_own: Vec<&str> = known.iter().copied().filter(own).collect();
        let unknown = settings.names().filter(own).filter(|name| !known_own.contains(name));
        let unknown = unknown.map(|name| {
            let rule = format!(
                "is unknown: the settings that start with {own_prefix} are {}",
                known_own.join(", ")
            );
            Problem::new(name, rule)
        });
        let not_unicode = settings.not_unicode().filter(|name| known.contains(name));
        let not_unicode = not_unicode.map(|name| Problem::new(name, "is not valid Unicode"));
        let problems = unknown.chain(not_unicode).collect();
        Self { settings, problems, notes: Vec::new() }
    }

    pub(super) fn problem(&mut self, setting: &str, rule: impl Into<String>) {
        self.problems.push(Problem::new(setting, rule));
    }

    pub(super) fn note(&mut self, setting: &str, rule: impl Into<String>) {
        self.notes.push(Problem::new(setting, rule));
    }

    /// The name under which a setting is set and its text. Aliases that are set to something else
    /// are noted.
    pub(super) fn text(&mut self, about: &About) -> Option<(&'static str, &'a str)> {
        let settings = self.settings;
        let mut set = about.names().filter_map(|name| Some((name, settings.get(name)?)));
        let (name, text) = set.next()?;
        for (other, _) in set.filter(|(_, other)| *other != text) {
            self.note(other, format!("is ignored, because {name} is set"));
        }
        Some((name, text))
    }

    /// The value of a setting, or its default; `None` if the value is wrong or the default is
    /// derived.
    pub(super) fn value<T>(&mut self, setting: &Setting<T>) -> Option<T> {
        let (name, text) = match (self.text(&setting.about), setting.about.default) {
            (Some(set), _) => set,
            (None, DefaultValue::Text(text)) => (setting.about.name, text),
            (None, DefaultValue::Derived(_)) => return None,
        };
        (setting.parse)(text).map_err(|rule| self.problem(name, rule)).ok()
    }

    /// The values of a list, separated by commas or spaces. `setting` declares one item.
    pub(super) fn list<T>(&mut self, setting: &Setting<T>) -> Vec<T> {
        let Some((name, text)) = self.text(&setting.about) else { return Vec::new() };
        let items = text.split([',', ' ']).filter(|item| !item.is_empty());
        items
            .filter_map(|item| {
                let parsed = (setting.parse)(item);
                parsed
                    .map_err(|rule| self.problem(name, format!("has `{item}`, which {rule}")))
                    .ok()
            })
            .collect()
    }
}
