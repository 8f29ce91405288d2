//! Reads settings by their declarations, and collects what is wrong with them.

use super::names;
use super::setting::{About, DefaultValue, Setting};
use crate::settings::{Problem, Settings, shown};

pub(super) struct Reader<'a> {
    settings: &'a Settings,
    /// Every problem found so far.
    pub(super) problems: Vec<Problem>,
    /// Names that are probably misspelt.
    pub(super) misspelt: Vec<Problem>,
    /// What is valid but unusual.
    pub(super) notes: Vec<Problem>,
}

impl<'a> Reader<'a> {
    /// Looks at the names first: at misspelt ones, and at those that start with `own_prefix` and are
    /// not in `table`.
    pub(super) fn new(settings: &'a Settings, table: &[About], own_prefix: &str) -> Self {
        let known: Vec<&str> = table.iter().flat_map(About::names).collect();
        let names::Checked { mut problems, misspelt, notes } =
            names::check(settings, &known, own_prefix);
        let not_unicode = settings.not_unicode().filter(|name| known.contains(name));
        problems.extend(not_unicode.map(|name| {
            Problem::new(name, "is not valid Unicode").with_origin("set in the environment")
        }));
        Self { settings, problems, misspelt, notes }
    }

    /// A problem with a setting, and where the setting is set.
    pub(super) fn problem(&mut self, setting: &str, rule: impl Into<String>) {
        self.problems.push(self.located(setting, rule));
    }

    pub(super) fn note(&mut self, setting: &str, rule: impl Into<String>) {
        self.notes.push(self.located(setting, rule));
    }

    fn located(&self, setting: &str, rule: impl Into<String>) -> Problem {
        let problem = Problem::new(setting, rule);
        match self.settings.source(setting) {
            Some(source) => problem.with_origin(format!("set in {source}")),
            None => problem,
        }
    }

    /// A problem with the text of a setting, which is repeated unless it may hold a secret.
    fn problem_with_text(&mut self, about: &About, name: &str, text: &str, rule: String) {
        match self.settings.source(name) {
            Some(source) if !about.is_secret => {
                let origin = format!("it is {}, set in {source}", shown(text));
                self.problems.push(Problem::new(name, rule).with_origin(origin));
            }
            _ => self.problem(name, rule),
        }
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
        let parsed = (setting.parse)(text);
        parsed.map_err(|rule| self.problem_with_text(&setting.about, name, text, rule)).ok()
    }

    /// The values of a list, separated by commas or spaces. `setting` declares one item.
    pub(super) fn list<T>(&mut self, setting: &Setting<T>) -> Vec<T> {
        let Some((name, text)) = self.text(&setting.about) else { return Vec::new() };
        let items = text.split([',', ' ']).filter(|item| !item.is_empty());
        items
            .filter_map(|item| {
                let parsed = (setting.parse)(item);
                parsed
                    .map_err(|rule| {
                        self.problem(name, format!("has {}, which {rule}", shown(item)));
                    })
                    .ok()
            })
            .collect()
    }
}
