//! A strict reader of the text format of Prometheus (0.0.4).

use std::collections::{BTreeMap, BTreeSet};

/// Sorted, without `le`.
pub type Labels = BTreeMap<String, String>;

/// What a scrape holds. Each rule of the format that it breaks is a panic.
#[derive(Debug)]
pub struct Scrape {
    /// In the order of the text.
    pub families: Vec<Family>,
}

/// The series of one name.
#[derive(Debug)]
pub struct Family {
    pub name: String,
    pub help: String,
    /// `counter`, `gauge` or `histogram`.
    pub kind: String,
    /// Of a histogram, its counts.
    pub values: BTreeMap<Labels, f64>,
    /// The lines that are not comments.
    pub lines: usize,
}

impl Scrape {
    pub fn parse(text: &str) -> Self {
        assert!(text.ends_with('\n') && !text.contains("\n\n"), "lines that end");
        let mut families = Vec::new();
        let mut lines = text.lines().peekable();
        while let Some(line) = lines.next() {
            let help = line.strip_prefix("# HELP ").unwrap_or_else(|| panic!("no help: {line}"));
            let (name, help) = help.split_once(' ').unwrap();
            let kind = lines.next().unwrap().strip_prefix("# TYPE ").unwrap();
            let (named, kind) = kind.split_once(' ').unwrap();
            assert_eq!(named, name);
            assert!(is_name(name) && !help.is_empty(), "{line}");
            assert_eq!(kind == "counter", name.ends_with("_total"), "{name}");
            let samples: Vec<_> =
                std::iter::from_fn(|| lines.next_if(|line| !line.starts_with('#')).map(sample))
                    .collect();
            let values = match kind {
                "counter" | "gauge" => plain(name, kind, &samples),
                "histogram" => histogram(name, &samples),
                other => panic!("{name} is a {other}"),
            };
            let (name, help, kind) = (name.to_owned(), help.to_owned(), kind.to_owned());
            families.push(Family { name, help, kind, values, lines: samples.len() });
        }
        let names: BTreeSet<_> = families.iter().map(|family| &family.name).collect();
        assert_eq!(names.len(), families.len(), "a name comes twice");
        Self { families }
    }

    pub fn family(&self, name: &str) -> &Family {
        let found = self.families.iter().find(|family| family.name == name);
        found.unwrap_or_else(|| panic!("no {name}"))
    }

    /// The sum of the counters, or of the counts of histograms, that have these labels.
    pub fn count(&self, name: &str, labels: &[(&str, &str)]) -> u64 {
        let is_meant = |series: &Labels| {
            labels.iter().all(|(name, value)| series.get(*name).is_some_and(|it| it == value))
        };
        let values = self.family(name).values.iter();
        let sum: f64 = values.filter(|(series, _)| is_meant(series)).map(|(_, it)| it).sum();
        sum.to_string().parse().unwrap()
    }

    /// How many lines hold a value.
    pub fn lines(&self) -> usize {
        self.families.iter().map(|family| family.lines).sum()
    }
}

#[derive(Debug)]
struct Sample {
    name: String,
    labels: Labels,
    /// The label of a bucket.
    le: Option<String>,
    value: f64,
}

fn is_name(name: &str) -> bool {
    let is_letter = |letter: char| letter.is_ascii_lowercase() || letter == '_';
    name.chars().all(|it| is_letter(it) || it.is_ascii_digit()) && name.starts_with(is_letter)
}

fn sample(line: &str) -> Sample {
    let (series, value) = line.rsplit_once(' ').unwrap();
    let (name, labels) = match series.split_once('{') {
        Some((name, labels)) => (name, labels.strip_suffix('}').unwrap()),
        None => (series, ""),
    };
    assert!(is_name(name), "{line}");
    let mut all = Labels::new();
    // No value of this program has a comma, a quote or a backslash.
    for label in labels.split(',').filter(|label| !label.is_empty()) {
        let (label, value) = label.split_once('=').unwrap();
        let value = value.strip_prefix('"').and_then(|it| it.strip_suffix('"')).unwrap();
        assert!(is_name(label) && !value.is_empty(), "{line}");
        assert!(!value.contains(['"', '\\', '\n']), "{line}");
        assert!(all.insert(label.to_owned(), value.to_owned()).is_none(), "twice: {line}");
    }
    let le = all.remove("le");
    Sample { name: name.to_owned(), labels: all, le, value: value.parse().unwrap() }
}

fn plain(name: &str, kind: &str, samples: &[Sample]) -> BTreeMap<Labels, f64> {
    let mut values = BTreeMap::new();
    for sample in samples {
        assert!(sample.name == name && sample.le.is_none(), "{sample:?}");
        assert!(sample.value.is_finite(), "{sample:?}");
        assert!(kind == "gauge" || sample.value >= 0.0, "{sample:?}");
        assert!(values.insert(sample.labels.clone(), sample.value).is_none(), "{sample:?}");
    }
    values
}

fn histogram(name: &str, samples: &[Sample]) -> BTreeMap<Labels, f64> {
    let mut counts = BTreeMap::new();
    for series in samples.chunk_by(|one, next| one.labels == next.labels) {
        let [buckets @ .., sum, count] = series else { panic!("{series:?}") };
        assert_eq!(sum.name, format!("{name}_sum"));
        assert_eq!(count.name, format!("{name}_count"));
        assert!(sum.value >= 0.0);
        let bucket = format!("{name}_bucket");
        assert!(buckets.iter().all(|it| it.name == bucket), "{series:?}");
        let bounds = buckets.iter().map(|it| it.le.as_ref().unwrap().parse::<f64>().unwrap());
        assert!(bounds.clone().is_sorted_by(|one, next| one < next), "{series:?}");
        assert!(buckets.is_sorted_by(|one, next| one.value <= next.value), "{series:?}");
        let last = buckets.last().unwrap();
        assert_eq!(
            (last.le.as_deref(), last.value.to_bits()),
            (Some("+Inf"), count.value.to_bits())
        );
        assert!(counts.insert(count.labels.clone(), count.value).is_none(), "{series:?}");
    }
    counts
}
