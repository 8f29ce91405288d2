//! Just enough SVG for charts: text, lines and bars that can be read on light and on dark ground.

use std::fmt::Write as _;

/// Colours that a person can tell apart who sees fewer of them, readable on white and on black.
pub(super) const COLOURS: [&str; 6] =
    ["#3b82c4", "#d9772b", "#3a9d6a", "#a866b8", "#b3953a", "#888f98"];

const STYLE: &str = "\
<style>
text { font: 13px system-ui, sans-serif; fill: #24292f }
.title { font-weight: 600; font-size: 15px }
.faint { fill: #57606a; font-size: 12px }
.grid { stroke: #8c959f; stroke-opacity: .3 }
@media (prefers-color-scheme: dark) { text { fill: #e6edf3 } .faint { fill: #9da7b3 } }
</style>
";

/// Where a text begins, ends or has its middle.
#[derive(Debug, Clone, Copy)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

pub(super) struct Svg {
    width: f64,
    height: f64,
    body: String,
}

impl Svg {
    pub(super) fn new(width: f64, height: f64) -> Self {
        Self { width, height, body: String::new() }
    }

    pub(super) fn text(&mut self, (x, y): (f64, f64), anchor: Anchor, class: &str, text: &str) {
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        let text = text.replace('&', "&amp;").replace('<', "&lt;");
        self.push(&format!(
            r#"<text x="{x:.1}" y="{y:.1}" text-anchor="{anchor}" class="{class}">{text}</text>"#
        ));
    }

    pub(super) fn bar(&mut self, (x, y): (f64, f64), (width, height): (f64, f64), colour: &str) {
        self.push(&format!(
            r#"<rect x="{x:.1}" y="{y:.1}" width="{width:.1}" height="{height:.1}" rx="2" fill="{colour}"/>"#
        ));
    }

    pub(super) fn grid(&mut self, (x1, y1): (f64, f64), (x2, y2): (f64, f64)) {
        self.push(&format!(
            r#"<line x1="{x1:.1}" y1="{y1:.1}" x2="{x2:.1}" y2="{y2:.1}" class="grid"/>"#
        ));
    }

    /// A line through points, each of which is marked.
    pub(super) fn path(&mut self, points: &[(f64, f64)], colour: &str) {
        let joined: Vec<String> = points.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
        let joined = joined.join(" ");
        self.push(&format!(
            r#"<polyline points="{joined}" fill="none" stroke="{colour}" stroke-width="2"/>"#
        ));
        for (x, y) in points {
            self.push(&format!(r#"<circle cx="{x:.1}" cy="{y:.1}" r="3" fill="{colour}"/>"#));
        }
    }

    fn push(&mut self, element: &str) {
        self.body += element;
        self.body.push('\n');
    }

    pub(super) fn finish(self, description: &str) -> String {
        let Self { width, height, body } = self;
        let mut text = String::new();
        // Writing to a string does not fail.
        let _ = write!(
            text,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" \
             width=\"{width}\" height=\"{height}\" role=\"img\" aria-label=\"{description}\">\n\
             {STYLE}{body}</svg>\n"
        );
        text
    }
}
